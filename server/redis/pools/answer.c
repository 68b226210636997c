#include "redis/pools/answer.h"

#include "base/arena.h"
#include "base/text/pack.h"

static int64_t cut_us(struct cut *cut)
{
	int64_t ms = cut_int(cut, 7);

	if (ms > INT64_MAX / 1000 || ms < INT64_MIN / 1000)
		cut->bad = true;
	return cut->bad ? 0 : ms * 1000;
}

static struct pool_request cut_request(struct cut *cut, struct arena *arena)
{
	struct pool_request request;

	request.user = text_cut(cut, arena);
	request.id = text_cut(cut, arena);
	return request;
}

static struct pool_fence cut_fence(struct cut *cut)
{
	struct pool_fence fence;

	fence.epoch = cut_u32(cut);
	fence.fence = cut_u32(cut);
	return fence;
}

/* A number of rows with at least `least` bytes each: 0 and bad when that many cannot follow. */
static int cut_count(struct cut *cut, size_t least)
{
	size_t count = cut_u16(cut);

	if (count * least > cut->left)
		cut->bad = true;
	return cut->bad ? 0 : (int)count;
}

static bool ended(const struct cut *cut)
{
	return !cut->bad && cut->left == 0;
}

static int read_grants(struct cut *cut, struct arena *arena, struct pool_grant **out)
{
	int count = cut_count(cut, 12);

	*out = count ? arena_zalloc(arena, (size_t)count, sizeof(**out)) : NULL;
	for (int i = 0; i < count; i++) {
		(*out)[i].request = cut_request(cut, arena);
		(*out)[i].fence = cut_fence(cut);
	}
	return count;
}

static void read_tail(struct pool_op *op, struct cut *cut)
{
	op->grants = read_grants(cut, op->arena, &op->grant);
}

static void read_levels(struct pool_op *op, struct cut *cut)
{
	int count = cut_u8(cut);

	if (count > POOL_LEVELS_MAX)
		cut->bad = true;
	for (int i = 0; i < count && !cut->bad; i++) {
		op->level[i].priority = cut_u8(cut);
		op->level[i].waiting = cut_u32(cut);
		op->level[i].running = cut_u32(cut);
	}
	op->levels = cut->bad ? 0 : count;
}

bool pool_read_head(struct pool_op *op, struct cut *cut)
{
	op->status = (enum pool_status)cut_u8(cut);
	op->now_us = cut_us(cut);
	op->grants = 0;
	op->grant = NULL;
	op->levels = 0;
	return !cut->bad;
}

/* Nothing follows the time in these answers. */
static bool is_bare(const struct pool_op *op)
{
	return op->status == POOL_ABSENT || op->status == POOL_BEHIND || op->status == POOL_UNKNOWN;
}

bool pool_read_configure(struct pool_configure *op, struct cut *cut)
{
	op->gen = cut_u32(cut);
	op->created = op->op.status == POOL_OK && cut_u8(cut) != 0;
	return ended(cut) && (op->op.status == POOL_OK || op->op.status == POOL_NOTHING);
}

static enum pool_want cut_want(struct cut *cut, unsigned want)
{
	if (want > EPOCH_NEEDED)
		cut->bad = true;
	return cut->bad ? EPOCH_KEPT : (enum pool_want)want;
}

bool pool_read_epoch(struct pool_epoch *op, struct cut *cut)
{
	if (is_bare(&op->op))
		return ended(cut);
	op->want = cut_want(cut, cut_u8(cut));
	op->epoch = cut_u32(cut);
	op->claim_now = text_cut(cut, op->op.arena);
	return ended(cut) && op->op.status == POOL_OK;
}

static void read_queued(struct pool_acquire *op, struct cut *cut)
{
	op->position = cut_u32(cut);
	op->eta_us = cut_us(cut);
	op->wait_until_us = cut_us(cut);
	op->enqueued_at_us = cut_us(cut);
	op->why = (enum pool_why)cut_u8(cut);
	read_levels(&op->op, cut);
	read_tail(&op->op, cut);
}

static void read_granted(struct pool_acquire *op, struct cut *cut)
{
	op->fence = cut_fence(cut);
	op->expires_at_us = cut_us(cut);
	op->enqueued_at_us = cut_us(cut);
	op->drain_by_us = cut_us(cut);
	read_tail(&op->op, cut);
}

bool pool_read_acquire(struct pool_acquire *op, struct cut *cut)
{
	if (is_bare(&op->op))
		return ended(cut);
	switch (op->op.status) {
	case POOL_GRANTED:
		read_granted(op, cut);
		break;
	case POOL_QUEUED:
		read_queued(op, cut);
		break;
	case POOL_SHED:
		op->shed = (enum pool_shed)cut_u8(cut);
		op->retry_after_us = cut_us(cut);
		break;
	case POOL_DONE:
		op->outcome = (enum pool_outcome)cut_u8(cut);
		op->fence = cut_fence(cut);
		read_tail(&op->op, cut);
		break;
	case POOL_INVALID:
		op->invalid = cut_u8(cut);
		break;
	case POOL_CONFLICT:
		break;
	default:
		return false;
	}
	return ended(cut);
}

bool pool_read_renew(struct pool_renew *op, struct cut *cut)
{
	if (is_bare(&op->op))
		return ended(cut);
	if (cut_count(cut, 15) != op->count)
		return false;
	for (int i = 0; i < op->count; i++) {
		op->item[i].status = (enum pool_status)cut_u8(cut);
		op->item[i].expires_at_us = cut_us(cut);
		op->item[i].drain_by_us = cut_us(cut);
	}
	return ended(cut);
}

bool pool_read_release(struct pool_end *op, struct cut *cut)
{
	if (op->op.status == POOL_OK)
		op->held_us = cut_us(cut);
	if (op->op.status == POOL_OK || op->op.status == POOL_REPEAT)
		read_tail(&op->op, cut);
	return ended(cut);
}

bool pool_read_cancel(struct pool_end *op, struct cut *cut)
{
	if (op->op.status == POOL_OK) {
		op->was = cut_u8(cut);
		read_tail(&op->op, cut);
	}
	return ended(cut);
}

bool pool_read_sync(struct pool_sync *op, struct cut *cut)
{
	if (is_bare(&op->op))
		return ended(cut);
	op->next_us = cut_us(cut);
	op->learning_us = cut_us(cut);
	op->want = cut_want(cut, cut_u8(cut));
	read_levels(&op->op, cut);
	if (cut_count(cut, 13) != op->count)
		return false;
	for (int i = 0; i < op->count; i++) {
		op->place[i].status = (enum pool_status)cut_u8(cut);
		op->place[i].position = cut_u32(cut);
		op->place[i].eta_us = cut_us(cut);
		op->place[i].why = (enum pool_why)cut_u8(cut);
	}
	read_tail(&op->op, cut);
	op->starving_count = cut_count(cut, 13);
	op->starving = op->starving_count
			       ? arena_zalloc(op->op.arena, (size_t)op->starving_count, sizeof(*op->starving))
			       : NULL;
	for (int i = 0; i < op->starving_count; i++) {
		op->starving[i].request = cut_request(cut, op->op.arena);
		op->starving[i].priority = cut_u8(cut);
		op->starving[i].waited_us = cut_us(cut);
		op->starving[i].why = (enum pool_why)cut_u8(cut);
	}
	return ended(cut);
}

bool pool_read_tick(struct pool_tick *op, struct cut *cut)
{
	if (!is_bare(&op->op) && cut->left)
		op->next_us = cut_us(cut);
	return ended(cut);
}

static void read_totals(struct pool_stats *op, struct cut *cut)
{
	uint32_t *const numbers[] = {
		&op->running, &op->leases, &op->waiting, &op->parked, &op->unacknowledged, &op->draining};
	int64_t *const counters[] = {&op->granted_at_once, &op->granted_waited, &op->granted_aged, &op->released,
		&op->expired, &op->cancelled, &op->timed_out, &op->gone, &op->shed[0], &op->shed[1], &op->shed[2],
		&op->shed[3], &op->shed[4]};
	unsigned flags;

	op->epoch = cut_u32(cut);
	op->learning_us = cut_us(cut);
	op->slots = cut_u32(cut);
	flags = cut_u8(cut);
	op->paused = flags & 1;
	op->want = cut_want(cut, flags >> 2);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		*numbers[i] = cut_u32(cut);
	op->oldest_wait_us = cut_us(cut);
	op->oldest_eligible_wait_us = cut_us(cut);
	op->starving = cut_u32(cut);
	op->starving_eligible = cut_u32(cut);
	op->mean_hold_us = cut_us(cut);
	for (size_t i = 0; i < sizeof(counters) / sizeof(*counters); i++)
		*counters[i] = cut_int(cut, 7);
	op->sum_wait_us = cut_us(cut);
	op->sum_hold_us = cut_us(cut);
}

static void read_level_rows(struct pool_stats *op, struct cut *cut)
{
	int count = cut_u8(cut);

	if (count > POOL_LEVELS_MAX)
		cut->bad = true;
	op->level_rows = cut->bad ? 0 : count;
	for (int i = 0; i < op->level_rows; i++) {
		struct pool_level_stats *row = &op->level_row[i];

		row->priority = cut_u8(cut);
		row->weight = (int)cut_u32(cut);
		row->waiting = cut_u32(cut);
		row->running = cut_u32(cut);
		row->ready = cut_u32(cut);
		row->granted = cut_int(cut, 7);
		row->seat_us = cut_us(cut);
		row->oldest_wait_us = cut_us(cut);
	}
}

static void read_waiters(struct pool_stats *op, struct cut *cut)
{
	op->waiter_rows = cut_count(cut, 28);
	op->waiter = op->waiter_rows ? arena_zalloc(op->op.arena, (size_t)op->waiter_rows, sizeof(*op->waiter)) : NULL;
	for (int i = 0; i < op->waiter_rows; i++) {
		struct pool_waiter_row *row = &op->waiter[i];

		row->request = cut_request(cut, op->op.arena);
		row->priority = cut_u8(cut);
		row->seats = (int)cut_u32(cut);
		row->waited_us = cut_us(cut);
		row->why = (enum pool_why)cut_u8(cut);
		row->position = cut_u32(cut);
		row->eta_us = cut_us(cut);
	}
}

static void read_leases(struct pool_stats *op, struct cut *cut)
{
	op->lease_rows = cut_count(cut, 39);
	op->lease = op->lease_rows ? arena_zalloc(op->op.arena, (size_t)op->lease_rows, sizeof(*op->lease)) : NULL;
	for (int i = 0; i < op->lease_rows; i++) {
		struct pool_lease_row *row = &op->lease[i];

		row->request = cut_request(cut, op->op.arena);
		row->priority = cut_u8(cut);
		row->seats = (int)cut_u32(cut);
		row->held_us = cut_us(cut);
		row->expires_at_us = cut_us(cut);
		row->fence = cut_fence(cut);
		row->acknowledged = cut_u8(cut) == 2;
		row->drain_by_us = cut_us(cut);
	}
}

bool pool_read_stats(struct pool_stats *op, struct cut *cut)
{
	op->waiter_rows = 0;
	op->lease_rows = 0;
	if (is_bare(&op->op))
		return ended(cut);
	read_totals(op, cut);
	read_level_rows(op, cut);
	if (op->rows > 0) {
		read_waiters(op, cut);
		read_leases(op, cut);
	}
	if (op->user && op->user[0]) {
		op->user_running = cut_u32(cut);
		op->user_waiting = cut_u32(cut);
		op->user_parked = cut_u32(cut);
	}
	return ended(cut);
}

bool pool_read_hint(struct pool_hint *hint, struct arena *arena, struct cut *cut)
{
	hint->tenant = text_cut(cut, arena);
	hint->pool = text_cut(cut, arena);
	hint->grants = read_grants(cut, arena, &hint->grant);
	return ended(cut);
}
