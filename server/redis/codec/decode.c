/* From bytes to domain types. */
#include <string.h>

#include "domain/limit/policy_pack.h"
#include "redis/codec/codec.h"

enum { STATE_UNSURE = 16 }; /* added to a state: the decision did not have all that PostgreSQL knows */

static int64_t cut7(struct cut *cut)
{
	return cut_int(cut, 7);
}

/* Copies what an op keeps longer than the reply. */
static const uint8_t *copy_text(struct cut *cut, struct arena *arena, size_t *len)
{
	const char *text = cut_str16(cut, len);

	return text ? (const uint8_t *)arena_strndup(arena, text, *len) : NULL;
}

static void limit_cut(struct cut *cut, const struct limit *limit, union limit_state *out)
{
	switch (limit->kind) {
	case KIND_BUCKET:
		out->bucket.full_at_us = cut7(cut);
		out->bucket.rem = (int64_t)cut_uint(cut, 7);
		break;
	case KIND_CALENDAR:
		out->calendar.settled = cut7(cut);
		out->calendar.held = cut7(cut);
		break;
	case KIND_LEVEL:
		out->open = cut_u32(cut);
		break;
	}
}

/* The head of a record. The caller checks `pid` and `count` against the policy. */
static uint8_t head_cut(struct cut *cut, struct account_state *out, const uint8_t **pid)
{
	uint8_t flags;
	uint8_t count;

	cut_u8(cut);
	flags = cut_u8(cut);
	count = cut_u8(cut);
	cut_u8(cut);
	out->suspended = flags & RECORD_FLAG_SUSPENDED;
	out->bypass = flags & RECORD_FLAG_BYPASS;
	out->deleted = flags & RECORD_FLAG_DELETED;
	out->provisional = flags & RECORD_FLAG_PROVISIONAL;
	out->grace_percent = cut_u16(cut);
	out->version = cut_u32(cut);
	out->epoch = cut_u32(cut);
	*pid = cut_bytes(cut, 8);
	cut_u32(cut);
	out->grace_until_us = cut7(cut);
	out->clock_us = cut7(cut);
	for (int u = 0; u < WINDOW_COUNT; u++)
		out->window_start[u] = cut7(cut);
	for (int u = 0; u < WINDOW_COUNT; u++)
		out->window_end[u] = cut7(cut);
	out->open = cut_u32(cut);
	out->notified = cut_u32(cut);
	out->unseeded = cut_u32(cut);
	out->ahead_us = cut_u32(cut) * INT64_C(1000000);
	return count;
}

/* One account answer; allocated in the arena. NULL when the bytes are none. */
static struct standing *codec_standing(struct cut *cut, const struct policy *expected, struct arena *arena)
{
	struct standing *standing = arena_zalloc(arena, 1, sizeof(*standing));
	const struct policy *policy = expected;
	const uint8_t *pid;
	const char *other;
	size_t other_len;
	uint8_t count;

	standing->verdict.failed = cut_u32(cut);
	standing->verdict.would = cut_u32(cut);
	standing->verdict.notify = cut_u32(cut);
	other = cut_str16(cut, &other_len);
	standing->profile = copy_text(cut, arena, &standing->profile_len);
	if (other_len) {
		standing->other = arena_alloc(arena, sizeof(*standing->other));
		standing->policy_is_other = true;
		if (!policy_unpack((const uint8_t *)other, other_len, standing->other))
			return NULL;
		policy = standing->other;
	}
	standing->state.policy = policy;
	count = head_cut(cut, &standing->state, &pid);
	if (cut->bad || count != policy->count || memcmp(pid, policy->pid, 8) != 0)
		return NULL;
	for (int i = 0; i < policy->count; i++)
		limit_cut(cut, &policy->limits[i], &standing->state.limits[i]);
	return cut->bad ? NULL : standing;
}

enum { PID_AT = 14, HEAD_SIZE = 98, LEVEL_SIZE = 4, OTHER_SIZE = 14 };

bool codec_record_pid(const void *record, size_t len, uint8_t pid[8])
{
	if (len < HEAD_SIZE)
		return false;
	memcpy(pid, (const uint8_t *)record + PID_AT, 8);
	return true;
}

const uint8_t *codec_record_policy(const void *record, size_t len, size_t *policy_len)
{
	struct cut cut = cut_of(record, len);
	const uint8_t *head = cut_bytes(&cut, HEAD_SIZE);

	if (!head || head[3] > head[2])
		return NULL;
	cut_bytes(&cut, (size_t)(head[2] - head[3]) * OTHER_SIZE + (size_t)head[3] * LEVEL_SIZE);
	return (const uint8_t *)cut_str16(&cut, policy_len);
}

bool codec_record_state(const void *record, size_t len, const struct policy *policy, struct account_state *out)
{
	struct cut cut = cut_of(record, len);
	struct account_state state = {.policy = policy};
	const uint8_t *pid;

	if (head_cut(&cut, &state, &pid) != policy->count || cut.bad || memcmp(pid, policy->pid, 8) != 0)
		return false;
	for (int i = 0; i < policy->count; i++)
		limit_cut(&cut, &policy->limits[i], &state.limits[i]);
	if (cut.bad)
		return false;
	*out = state;
	return true;
}

static bool no_answer(struct limits_op *op)
{
	op->status = LIMITS_FAILED;
	return err_set(&op->err, ERR_INTERNAL, "redis: unreadable answer");
}

static bool stale_cut(struct cut *cut, struct limits_op *op)
{
	int count = cut_u8(cut);

	if (count > ACCOUNTS_MAX)
		return false;
	for (int i = 0; i < count; i++) {
		struct stale *stale = &op->stale[i];

		stale->index = cut_u8(cut);
		stale->version = cut_u32(cut);
		stale->meta = copy_text(cut, op->arena, &stale->meta_len);
		if (cut->bad || stale->index >= ACCOUNTS_MAX)
			return false;
	}
	op->stale_count = count;
	return true;
}

static bool unseeded_cut(struct cut *cut, struct limits_op *op)
{
	int count = cut_u8(cut);

	if (cut->bad || count > ACCOUNTS_MAX)
		return false;
	op->unseeded = arena_zalloc(op->arena, (size_t)count + 1, sizeof(*op->unseeded));
	for (int i = 0; i < count; i++) {
		struct unseeded *account = &op->unseeded[i];

		account->index = cut_u8(cut);
		for (int u = 0; u < WINDOW_COUNT; u++)
			account->window_start[u] = cut7(cut);
		account->count = cut_u8(cut);
		if (cut->bad || account->index >= ACCOUNTS_MAX || account->count > LIMITS_MAX)
			return false;
		op->mask |= UINT32_C(1) << account->index;
		for (int k = 0; k < account->count; k++) {
			account->limit[k].id = cut_u32(cut);
			account->limit[k].dimension = (enum dimension)cut_u8(cut);
			account->limit[k].unit = (enum window_unit)cut_u8(cut);
			account->limit[k].interface_hash = cut_uint(cut, 6);
			account->limit[k].model_hash = cut_uint(cut, 6);
			account->limit[k].settled = cut7(cut);
		}
	}
	op->unseeded_count = count;
	return !cut->bad;
}

bool codec_status(struct cut *cut, struct limits_op *op)
{
	uint8_t status = cut_u8(cut);

	op->now_us = cut7(cut);
	if (cut->bad || status > LIMITS_NO_POLICY)
		return no_answer(op);
	op->status = (enum limits_status)status;
	if (status == LIMITS_ABSENT || status == LIMITS_BEHIND)
		op->mask = cut_u32(cut);
	else if ((status == LIMITS_STALE && !stale_cut(cut, op)) ||
		 (status == LIMITS_UNSEEDED && !unseeded_cut(cut, op)))
		return no_answer(op);
	else if (status == LIMITS_NEEDKEYS)
		op->info = copy_text(cut, op->arena, &op->info_len);
	return !cut->bad || no_answer(op);
}

static bool standings_cut(struct cut *cut, struct limits_op *op, const struct expected expected[], int count)
{
	if (cut_u8(cut) != count)
		return no_answer(op);
	for (int i = 0; i < count; i++) {
		op->standing[i] = codec_standing(cut, expected[i].policy, op->arena);
		if (!op->standing[i])
			return no_answer(op);
	}
	op->standings = count;
	return !(cut->bad || cut->left) || no_answer(op);
}

/* A denial has nothing else to say in these places. */
static void denial_cut(struct limits_check *op, uint8_t state)
{
	op->first_end_us = op->expires_at_us;
	op->tell = (enum tell)state;
	op->told_until_us = op->held.input;
	op->state = RESERVATION_NONE;
	op->expires_at_us = 0;
	op->held = (struct amounts){0};
}

bool codec_check_answer(struct cut *cut, struct limits_check *op)
{
	uint8_t state = cut_u8(cut);

	op->unsure = state & STATE_UNSURE;
	op->state = (enum reservation_state)(state & ~(unsigned)STATE_UNSURE);
	op->started_at_us = cut7(cut);
	op->expires_at_us = cut7(cut);
	op->held = (struct amounts){.requests = op->state == RESERVATION_OPEN};
	amounts_cut_used(cut, &op->held);
	op->first_end_us = op->told_until_us = 0;
	op->tell = TELL_UNKNOWN;
	if (op->op.status == LIMITS_DENIED)
		denial_cut(op, state);
	return standings_cut(cut, &op->op, op->expected, op->count);
}

bool codec_settle_answer(struct cut *cut, struct limits_settle *op)
{
	op->state = (enum reservation_state)cut_u8(cut);
	op->late = cut_u8(cut) != 0;
	amounts_cut(cut, &op->charged);
	amounts_cut(cut, &op->released);
	op->recorded = copy_text(cut, op->op.arena, &op->recorded_len);
	return standings_cut(cut, &op->op, op->expected, op->count);
}
