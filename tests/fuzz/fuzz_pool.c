/*
 * Bytes from Redis: answers of the pool's functions, and hints that anybody could publish. The first byte says how the
 * rest is read; the last form is a lease handle without its checksum, which no fuzzer would guess.
 */
#include <sodium.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"
#include "fuzz/fuzz.h"
#include "redis/pools/answer.h"
#include "service/pool/pool.h"

enum form { CONFIGURE, EPOCH, ACQUIRE, RENEW, RELEASE, CANCEL, SYNC, TICK, STATS, HINT, LEASE, FORMS };

static struct arena arena;

/* Every byte of a text is readable, and the text is terminated. */
static void text_holds(const char *text)
{
	HOLDS(text && strlen(text) <= UINT16_MAX);
}

static void grants_hold(const struct pool_grant *grant, int count)
{
	HOLDS(count >= 0 && count <= UINT16_MAX);
	for (int i = 0; i < count; i++) {
		text_holds(grant[i].request.user);
		text_holds(grant[i].request.id);
	}
}

static void op_holds(const struct pool_op *op)
{
	grants_hold(op->grant, op->grants);
	HOLDS(op->levels >= 0 && op->levels <= POOL_LEVELS_MAX);
}

static void read_renew(struct cut *cut)
{
	struct pool_renewal item[3] = {{.status = POOL_OK}};
	struct pool_renew op = {.op.arena = &arena, .count = 3, .item = item};

	if (pool_read_head(&op.op, cut) && pool_read_renew(&op, cut))
		op_holds(&op.op);
}

static void read_sync(struct cut *cut)
{
	struct pool_place place[2] = {{.status = POOL_OK}};
	struct pool_sync op = {.op.arena = &arena, .count = 2, .place = place};

	if (!pool_read_head(&op.op, cut) || !pool_read_sync(&op, cut))
		return;
	op_holds(&op.op);
	HOLDS(op.starving_count >= 0);
	for (int i = 0; i < op.starving_count; i++)
		text_holds(op.starving[i].request.id);
}

static void read_epoch(struct cut *cut)
{
	struct pool_epoch op = {.op.arena = &arena};

	if (!pool_read_head(&op.op, cut) || !pool_read_epoch(&op, cut) || op.op.status != POOL_OK)
		return;
	HOLDS(op.want <= EPOCH_NEEDED);
	text_holds(op.claim_now);
}

static void read_stats(struct cut *cut)
{
	struct pool_stats op = {.op.arena = &arena, .rows = 10};

	if (!pool_read_head(&op.op, cut) || !pool_read_stats(&op, cut))
		return;
	HOLDS(op.level_rows >= 0 && op.level_rows <= POOL_LEVELS_MAX);
	for (int i = 0; i < op.waiter_rows; i++)
		text_holds(op.waiter[i].request.user);
	for (int i = 0; i < op.lease_rows; i++)
		text_holds(op.lease[i].request.user);
}

static void read_hint(struct cut *cut)
{
	struct pool_hint hint = {0};

	if (!pool_read_hint(&hint, &arena, cut))
		return;
	text_holds(hint.tenant);
	text_holds(hint.pool);
	grants_hold(hint.grant, hint.grants);
#ifdef PLANTED_BUG
	/* The mistake: assuming that a message always has a grant. */
	HOLDS(hint.grants > 0);
#endif
}

static void read_lease(const uint8_t *data, size_t size)
{
	struct buf bytes = {0};
	struct lease_handle lease;
	char text[2048];
	const char *again;

	buf_put(&bytes, data, size);
	buf_put_u32(&bytes, (uint32_t)hash64(data, size));
	if (sodium_base64_encoded_len(bytes.len, sodium_base64_VARIANT_URLSAFE_NO_PADDING) <= sizeof(text)) {
		sodium_bin2base64(text, sizeof(text), (const unsigned char *)bytes.data, bytes.len,
			sodium_base64_VARIANT_URLSAFE_NO_PADDING);
		if (lease_parse(text, "lease", &arena, &lease, NULL)) {
			HOLDS(id_check(lease.user, strlen(lease.user), "user", NULL));
			HOLDS(pool_name_check(lease.pool, "pool", NULL));
			again = lease_format(&lease, &arena);
			HOLDS(strcmp(again, text) == 0);
		}
	}
	buf_release(&bytes);
}

#define READ(type, reader) \
	do { \
		struct type op = {.op.arena = &arena}; \
		if (pool_read_head(&op.op, &cut) && reader(&op, &cut)) \
			op_holds(&op.op); \
	} while (0)

static void read_answer(enum form form, const uint8_t *data, size_t size)
{
	struct cut cut = cut_of(data, size);

	if (form == CONFIGURE)
		READ(pool_configure, pool_read_configure);
	else if (form == EPOCH)
		read_epoch(&cut);
	else if (form == ACQUIRE)
		READ(pool_acquire, pool_read_acquire);
	else if (form == RELEASE)
		READ(pool_end, pool_read_release);
	else if (form == CANCEL)
		READ(pool_end, pool_read_cancel);
	else if (form == TICK)
		READ(pool_tick, pool_read_tick);
	else if (form == RENEW)
		read_renew(&cut);
	else if (form == SYNC)
		read_sync(&cut);
	else if (form == STATS)
		read_stats(&cut);
	else if (form == HINT)
		read_hint(&cut);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum form form;

	if (!size)
		return 0;
	form = (enum form)(data[0] % FORMS);
	if (form == LEASE)
		read_lease(data + 1, size - 1);
	else
		read_answer(form, data + 1, size - 1);
	arena_reset(&arena);
	return 0;
}
