/* Policies as bytes. */
#include "domain/limit/policy_pack.h"

#include <string.h>

#include "base/crypto/hash.h"

enum { PACK_VERSION = 1, FLAG_SHADOW = 1, FLAG_NOTIFY = 2 };

void policy_pid(const void *packed, size_t len, uint8_t pid[8])
{
	uint64_t hash = hash64(packed, len);

	for (int i = 0; i < 8; i++)
		pid[i] = (uint8_t)(hash >> (8 * i));
}

static void limit_pack(const struct limit *limit, struct buf *out)
{
	bool bucket = limit->kind == KIND_BUCKET;

	buf_put_u32(out, limit->id);
	buf_put_u8(out, (uint8_t)limit->dimension);
	buf_put_u8(out, (uint8_t)limit->kind);
	buf_put_u8(out, (uint8_t)limit->unit);
	buf_put_u8(out, (uint8_t)((limit->shadow ? FLAG_SHADOW : 0) | (limit->notify ? FLAG_NOTIFY : 0)));
	buf_put_i64(out, bucket ? limit->num : limit->amount);
	buf_put_i64(out, bucket ? limit->den : 0);
	buf_put_i64(out, bucket ? limit->burst_us : 0);
	buf_put_i64(out, bucket ? limit->burst_rem : 0);
	buf_put_uint(out, limit->interface_hash, 6);
	buf_put_uint(out, limit->model_hash, 6);
	buf_put_u8(out, (uint8_t)limit->warn_percent);
	buf_put_u64(out, 0);
}

void policy_pack(const struct policy *policy, struct buf *out)
{
	buf_put_u8(out, PACK_VERSION);
	buf_put_u8(out, (uint8_t)policy->count);
	for (int i = 0; i < policy->count; i++)
		limit_pack(&policy->limits[i], out);
}

/* `a`..`d` are a bucket's num, den, burst_us, burst_rem. */
static bool bucket_unpack(int64_t a, int64_t b, int64_t c, int64_t d, struct limit *out)
{
	unsigned __int128 burst;

	if (a <= 0 || b <= 0 || b > COUNT_MAX || c < 0 || c >= SPAN_MAX_US || d < 0 || d >= b)
		return false;
	burst = ((unsigned __int128)(uint64_t)c * (uint64_t)b + (uint64_t)d) / (uint64_t)a;
	if (burst > (uint64_t)COUNT_MAX)
		return false;
	out->num = a;
	out->den = b;
	out->burst_us = c;
	out->burst_rem = d;
	out->burst = (int64_t)burst;
	out->amount = out->burst ? b : 0;
	out->period_us = a;
	return true;
}

static bool limit_unpack(struct cut *cut, struct limit *out)
{
	struct limit limit = {.id = cut_u32(cut)};
	uint8_t dimension = cut_u8(cut);
	uint8_t kind = cut_u8(cut);
	uint8_t unit = cut_u8(cut);
	uint8_t flags = cut_u8(cut);
	int64_t a = cut_i64(cut);
	int64_t b = cut_i64(cut);
	int64_t c = cut_i64(cut);
	int64_t d = cut_i64(cut);

	limit.interface_hash = cut_uint(cut, 6);
	limit.model_hash = cut_uint(cut, 6);
	limit.warn_percent = cut_u8(cut);
	cut_u64(cut);
	if (cut->bad || dimension >= DIM_COUNT || kind > KIND_LEVEL || unit >= WINDOW_COUNT || flags > 3)
		return false;
	limit.dimension = (enum dimension)dimension;
	limit.kind = (enum limit_kind)kind;
	limit.unit = (enum window_unit)unit;
	limit.shadow = flags & FLAG_SHADOW;
	limit.notify = flags & FLAG_NOTIFY;
	limit.amount = a;
	if (kind == KIND_BUCKET ? !bucket_unpack(a, b, c, d, &limit) : a < 0 || a > COUNT_MAX)
		return false;
	*out = limit;
	return true;
}

bool policy_unpack(const uint8_t *data, size_t len, struct policy *out)
{
	struct cut cut = cut_of(data, len);
	struct policy policy = {0};
	uint8_t version = cut_u8(&cut);

	policy.count = cut_u8(&cut);
	if (cut.bad || version != PACK_VERSION || policy.count > LIMITS_MAX)
		return false;
	for (int i = 0; i < policy.count; i++)
		if (!limit_unpack(&cut, &policy.limits[i]))
			return false;
	if (cut.left)
		return false;
	policy_pid(data, len, policy.pid);
	*out = policy;
	return true;
}
