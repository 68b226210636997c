/* From domain types to bytes. */
#include "redis/codec/codec.h"

#include <string.h>

#include "base/crypto/hash.h"
#include "domain/limit/policy_pack.h"
#include "domain/limit/profile.h"

enum { RECORD_VERSION = 2, BLOB_OWN = 1, BLOB_KEEP = 2 };
#define RECORD_MIN_US INT64_C(600000000)

static void put7(struct buf *out, int64_t value)
{
	buf_put_int(out, value, 7);
}

const struct buf *policy_packed(struct packed_policies *packed, const struct policy *policy)
{
	unsigned at = (unsigned)(policy->pid[0] ^ policy->pid[5]) % PACKED_SLOTS;
	struct buf *bytes = &packed->slot[at].bytes;

	if (bytes->len && memcmp(packed->slot[at].pid, policy->pid, sizeof(policy->pid)) == 0)
		return bytes;
	buf_reset(bytes);
	policy_pack(policy, bytes);
	memcpy(packed->slot[at].pid, policy->pid, sizeof(policy->pid));
	return bytes;
}

void packed_policies_release(struct packed_policies *packed)
{
	for (int i = 0; i < PACKED_SLOTS; i++)
		buf_release(&packed->slot[i].bytes);
}

void codec_blob(struct buf *out, const struct expected *expected, struct packed_policies *packed)
{
	const struct buf *policy;

	buf_put_u32(out, expected->version);
	buf_put_u32(out, expected->epoch);
	buf_put(out, expected->policy->pid, 8);
	buf_put_u8(out,
		(uint8_t)((expected->own_policy ? BLOB_OWN : 0) | (expected->kind != ACCOUNT_USER ? BLOB_KEEP : 0)));
	for (int u = 0; u < WINDOW_COUNT; u++)
		for (int i = 0; i < 4; i++)
			put7(out, expected->windows.at[u][i]);
	if (!packed)
		return;
	policy = policy_packed(packed, expected->policy);
	buf_put(out, policy->data, policy->len);
}

void codec_check(struct buf *out, const struct limits_check *op, int64_t window_us, bool expiry_charges,
	const uint8_t accounts_digest[8])
{
	const struct request *request = &op->request;

	buf_put_u8(out, (uint8_t)((op->dry_run ? CHECK_DRY_RUN : 0) | (request->probe_cost ? CHECK_PROBE_COST : 0) |
				  (expiry_charges ? CHECK_EXPIRY_CHARGES : 0) |
				  (op->provisional_ok ? CHECK_PROVISIONAL_OK : 0)));
	amounts_put(out, &request->estimate);
	buf_put_uint(out, request->interface_hash, 6);
	buf_put_uint(out, request->model_hash, 6);
	put7(out, op->ttl_us);
	put7(out, window_us);
	buf_put(out, op->digest, 8);
	buf_put(out, accounts_digest, 8);
	buf_put_u64(out, op->nonce);
	put7(out, op->latest_us);
	counted_put(out, &request->estimate, request->told);
}

void codec_tell(struct buf *out, const struct limits_check *op)
{
	buf_put_u64(out, hash64(op->tell_place, strlen(op->tell_place)));
	put7(out, op->tell_again_us);
}

void codec_record(struct buf *out, const struct limits_settle *op, int64_t window_us, const uint8_t accounts_digest[8])
{
	buf_put_u8(out, (uint8_t)op->attempt);
	buf_put_u8(out, (uint8_t)((op->final ? RECORD_FINAL : 0) | (op->even_if_unknown ? RECORD_ANYWAY : 0) |
				  (op->even_if_unknown && op->counted ? RECORD_COUNTED : 0)));
	put7(out, op->used.input);
	put7(out, op->used.output);
	put7(out, op->used.cost);
	buf_put_uint(out, op->interface_hash, 6);
	buf_put_uint(out, op->model_hash, 6);
	put7(out, op->started_at_us);
	put7(out, window_us);
	buf_put(out, accounts_digest, 8);
	buf_put_u64(out, op->nonce);
	counted_put(out, &op->used, 0);
}

void codec_cancel(struct buf *out, const struct limits_settle *op, int64_t window_us, const uint8_t accounts_digest[8])
{
	buf_put_u8(
		out, (uint8_t)((op->forget ? CANCEL_FORGET : 0) | (op->unless_repeated ? CANCEL_UNLESS_REPEATED : 0)));
	put7(out, window_us);
	buf_put(out, accounts_digest, 8);
	buf_put_u64(out, op->nonce);
	put7(out, op->latest_us);
}

void codec_give_up(struct buf *out, uint64_t nonce, const uint8_t accounts_digest[8])
{
	buf_put(out, accounts_digest, 8);
	buf_put_u64(out, nonce);
}

static uint8_t profile_flags(const struct account_profile *profile, bool own_policy)
{
	return (uint8_t)((own_policy ? RECORD_FLAG_OWN : 0) | (profile->suspended ? RECORD_FLAG_SUSPENDED : 0) |
			 (profile->bypass ? RECORD_FLAG_BYPASS : 0) | (profile->deleted ? RECORD_FLAG_DELETED : 0));
}

void codec_policy(struct buf *out, const struct limits_policy *op)
{
	const struct expected *expected = &op->expected;

	buf_put_u32(out, expected->version);
	buf_put_u32(out, expected->epoch);
	buf_put_u8(out, (uint8_t)(profile_flags(op->profile, expected->own_policy) |
				  (op->provisional ? RECORD_FLAG_PROVISIONAL : 0) |
				  (expected->kind != ACCOUNT_USER ? POLICY_FLAG_KEEP : 0)));
	buf_put_u16(out, (uint16_t)op->profile->grace_percent);
	put7(out, op->profile->grace_until_us);
	buf_put(out, expected->policy->pid, 8);
}

static void later_of(int64_t *at, int64_t other)
{
	if (other > *at)
		*at = other;
}

static void state_put(struct buf *out, const struct limit *limit, const union limit_state *state,
	const struct windows *windows, int64_t now_us, int64_t *needed)
{
	switch (limit->kind) {
	case KIND_BUCKET:
		put7(out, state->bucket.full_at_us);
		buf_put_uint(out, (uint64_t)state->bucket.rem, 7);
		later_of(needed, state->bucket.full_at_us);
		break;
	case KIND_CALENDAR:
		put7(out, state->calendar.settled);
		put7(out, state->calendar.held);
		if (state->calendar.settled || state->calendar.held)
			later_of(needed, windows_end(windows, limit->unit, now_us));
		break;
	case KIND_LEVEL:
		buf_put_u32(out, (uint32_t)state->open);
		break;
	}
}

static uint32_t calendars_of(const struct policy *policy)
{
	uint32_t mask = 0;

	for (int i = 0; i < policy->count; i++)
		if (policy->limits[i].kind == KIND_CALENDAR)
			mask |= UINT32_C(1) << i;
	return mask;
}

void codec_adopt(struct buf *out, const struct limits_adopt *op)
{
	buf_put_u8(out, op->even_if_moved ? ADOPT_EVEN_IF_MOVED : 0);
	for (int u = 0; u < WINDOW_COUNT; u++)
		put7(out, op->window_start[u]);
	buf_put_u8(out, (uint8_t)op->count);
	for (int i = 0; i < op->count; i++) {
		buf_put_u32(out, op->limit[i].id);
		put7(out, op->limit[i].seen);
		put7(out, op->limit[i].known);
	}
}

void codec_seed(struct buf *out, const struct limits_seed *op, struct packed_policies *packed, uint32_t *expires_s)
{
	const struct expected *expected = &op->expected;
	const struct policy *policy = expected->policy;
	const struct buf *bytes = policy_packed(packed, policy);
	bool keep = expected->own_policy || expected->kind != ACCOUNT_USER;
	int64_t needed = op->now_us + RECORD_MIN_US;
	struct buf meta = {0};
	size_t expires_at;
	int levels = 0;

	for (int i = 0; i < policy->count; i++)
		levels += policy->limits[i].kind == KIND_LEVEL;
	later_of(&needed, op->profile->grace_until_us);
	buf_put_u8(out, RECORD_VERSION);
	buf_put_u8(out, (uint8_t)(profile_flags(op->profile, expected->own_policy) |
				  (op->provisional ? RECORD_FLAG_PROVISIONAL : 0)));
	buf_put_u8(out, (uint8_t)policy->count);
	buf_put_u8(out, (uint8_t)levels);
	buf_put_u16(out, (uint16_t)op->profile->grace_percent);
	buf_put_u32(out, expected->version);
	buf_put_u32(out, expected->epoch);
	buf_put(out, policy->pid, 8);
	expires_at = out->len;
	buf_put_u32(out, 0);
	put7(out, op->profile->grace_until_us);
	put7(out, op->now_us);
	for (int u = 0; u < WINDOW_COUNT; u++) {
		int64_t start = op->window_start[u]
					? op->window_start[u]
					: windows_start(&expected->windows, (enum window_unit)u, op->now_us);

		put7(out, start > 0 ? start : 0);
	}
	for (int u = 0; u < WINDOW_COUNT; u++) {
		int64_t end = windows_end(&expected->windows, (enum window_unit)u, op->now_us);

		put7(out, end > 0 ? end : 0);
	}
	buf_put_u32(out, 0);
	buf_put_u32(out, 0);
	buf_put_u32(out, op->provisional ? calendars_of(policy) : 0);
	buf_put_u32(out, (uint32_t)((op->ahead_us + 999999) / 1000000));
	for (int i = 0; i < policy->count; i++)
		state_put(out, &policy->limits[i], &op->limits[i], &expected->windows, op->now_us, &needed);
	buf_put_str16(out, keep ? bytes->data : NULL, keep ? bytes->len : 0);
	profile_pack(op->profile, &meta);
	buf_put_str16(out, meta.data, meta.len);
	buf_release(&meta);
	*expires_s = (uint32_t)(needed / 1000000 + 1);
	for (int i = 0; i < 4; i++)
		out->data[expires_at + (size_t)i] = (char)(uint8_t)(*expires_s >> (8 * i));
}
