/* Settling, charging and resetting. docs/store.md has the numbered rules. */
#include "reference/reference.h"

#include <string.h>

#include "base/arena.h"
#include "domain/limit/bucket.h"

/* What the model remembers by the piece, until the program ends. */
static struct arena kept;

const int64_t *counted_keep(const int64_t *counted)
{
	int64_t *copy;

	if (!counted)
		return NULL;
	copy = arena_alloc(&kept, COUNTED_COUNT * sizeof(*copy));
	memcpy(copy, counted, COUNTED_COUNT * sizeof(*copy));
	return copy;
}

static int64_t at(const struct amounts *amounts, int i)
{
	return amounts->counted ? amounts->counted[i] : 0;
}

/* The arithmetic of amounts.h, with what is counted by the piece. */
#define WITH_PIECES(name, one) \
	static struct amounts name(const struct amounts *a, const struct amounts *b) \
	{ \
		struct amounts all = amounts_##name(a, b); \
		int64_t counted[COUNTED_COUNT]; \
\
		for (int i = 0; i < COUNTED_COUNT; i++) \
			counted[i] = one; \
		all.counted = a->counted || b->counted ? counted_keep(counted) : NULL; \
		return all; \
	}
WITH_PIECES(plus, at(a, i) + at(b, i))
WITH_PIECES(minus, at(a, i) - at(b, i))
WITH_PIECES(least, at(a, i) < at(b, i) ? at(a, i) : at(b, i))

/* One settlement in numbers. `counters` is added to calendars, `release` is taken from their holds, `net` moves
 * buckets. */
struct plan {
	struct amounts counters, release, net;
	bool closes; /* the reservation is no longer open */
};

static int holding_limit(const struct policy *policy, const struct holding *holding)
{
	for (int i = 0; i < policy->count; i++) {
		const struct limit *limit = &policy->limits[i];

		if (limit->id == holding->limit_id && limit->kind == holding->kind &&
			limit->dimension == holding->dimension && limit->unit == holding->unit)
			return i;
	}
	return -1;
}

void bucket_give(const struct limit *limit, union limit_state *state, int64_t n, int64_t now_us, int64_t most_us)
{
	struct instant full = {.us = state->bucket.full_at_us, .rem = state->bucket.rem};
	struct instant back = bucket_time(limit, n);

	if (back.us >= most_us)
		back = (struct instant){.us = most_us};
	full = instant_sub(full, back, limit->den);
	if (full.us < now_us)
		full = (struct instant){.us = now_us};
	state->bucket.full_at_us = full.us;
	state->bucket.rem = full.rem;
}

static void bucket_settle(
	const struct limit *limit, union limit_state *at, const struct holding *holding, int64_t net, int64_t now_us)
{
	int64_t ahead = holding->full_at_us - now_us;

	if (net > 0)
		bucket_take(limit, at, net, now_us);
	else if (net < 0)
		bucket_give(limit, at, -net, now_us, ahead > 0 ? ahead : 0);
}

/* Returns one limit's hold; a bucket, which holds by having taken, is charged or refunded the difference. */
static void holding_settle(
	struct account_state *state, const struct holding *holding, int64_t window_start, const struct plan *plan)
{
	int index = holding_limit(state->policy, holding);
	enum dimension dimension = holding->dimension;
	union limit_state *at = &state->limits[index < 0 ? 0 : index];

	if (index < 0)
		return;
	switch (holding->kind) {
	case KIND_BUCKET:
		bucket_settle(
			&state->policy->limits[index], at, holding, amounts_of(&plan->net, dimension), state->clock_us);
		return;
	case KIND_CALENDAR:
		/* A window that has ended holds nothing any more; one in the future began too early. */
		if (window_start >= state->window_start[holding->unit])
			at->calendar.held = count_add(at->calendar.held, -amounts_of(&plan->release, dimension));
		return;
	case KIND_LEVEL:
		at->open -= plan->closes && at->open > 0;
		return;
	}
}

/*
 * In a record created without PostgreSQL, a window that began after the running one belongs to it; one in the future
 * (the store's clock was ahead) does not.
 */
static bool in_window(const struct account_state *state, enum window_unit unit, int64_t start)
{
	return start >= state->window_start[unit] && start <= state->clock_us;
}

/* Counts the use in every current calendar limit that matches the request, even if the check did not know the limit. */
static uint32_t calendars_settle(struct account_state *state, const struct reservation *reservation,
	const int64_t window_start[WINDOW_COUNT], const struct amounts *used)
{
	uint32_t notify = 0;

	for (int i = 0; i < state->policy->count; i++) {
		const struct limit *limit = &state->policy->limits[i];
		union limit_state *at = &state->limits[i];

		if (limit->kind != KIND_CALENDAR || !in_window(state, limit->unit, window_start[limit->unit]) ||
			!limit_matches(limit, reservation->interface_hash, reservation->model_hash))
			continue;
		at->calendar.settled = count_add(at->calendar.settled, amounts_of(used, limit->dimension));
		notify |= state_notify(state, i);
	}
	return notify;
}

static void accounts_settle(struct account_state *const states[], const struct reservation *reservation,
	const struct plan *plan, int64_t now_us, struct verdict verdicts[])
{
	for (int a = 0; a < reservation->accounts; a++) {
		struct account_state *state = states[a];

		verdicts[a] = (struct verdict){0};
		if (!state)
			continue;
		state_follow(state, now_us);
		state->open -= plan->closes && state->open > 0;
		for (int h = 0; h < reservation->account[a].count; h++) {
			const struct holding *holding = &reservation->account[a].holdings[h];

			holding_settle(state, holding, reservation->account[a].window_start[holding->unit], plan);
		}
		verdicts[a].notify =
			calendars_settle(state, reservation, reservation->account[a].window_start, &plan->counters);
	}
}

/* Rule 8. */
static struct plan open_settle(
	struct reservation *reservation, const struct settlement *settlement, struct settled *out)
{
	struct amounts used = settlement->used;
	struct amounts taken;
	struct plan plan;

	/* A cancel returns the request; anything else that ends or uses the reservation counts it, once. */
	/* An expiry that charges the estimate charges nothing that is counted by the piece: nobody has said that it was used. */
	if (settlement->becomes == RESERVATION_EXPIRED)
		used.counted = NULL;
	used.requests =
		settlement->final && settlement->becomes == RESERVATION_CANCELLED ? 0 : reservation->held.requests;
	taken = least(&used, &reservation->held); /* class by class, so that tokens, their sum, stay equal to it */
	plan = (struct plan){.counters = used,
		.closes = settlement->final,
		.release = settlement->final ? reservation->held : taken};
	plan.net = minus(&used, &plan.release);
	out->charged = used;
	if (settlement->final)
		out->released = minus(&reservation->held, &taken);
	if (!settlement->final)
		reservation->held = minus(&reservation->held, &taken);
	else if (settlement->becomes != RESERVATION_EXPIRED || !amounts_any_used(&used))
		reservation->held = (struct amounts){0};
	/* else the estimate was charged: keep what is held as the credit of a late record (rule 9) */
	if (settlement->final)
		reservation->held.counted = NULL;
	reservation->held.requests = 0;
	if (settlement->final)
		reservation->state = settlement->becomes;
	return plan;
}

/* Rule 9. */
static struct plan late_settle(
	struct reservation *reservation, const struct settlement *settlement, struct settled *out)
{
	struct amounts used = settlement->used;
	struct plan plan;

	used.requests = reservation->used.requests ? 0 : 1;
	if (reservation->state == RESERVATION_EXPIRED)
		used = minus(&used, &reservation->held);
	plan = (struct plan){.counters = used, .net = used};
	out->charged = used;
	out->late = true;
	reservation->held = (struct amounts){0};
	if (settlement->final)
		reservation->state = settlement->becomes;
	return plan;
}

void decision_settle(struct account_state *const states[], struct reservation *reservation,
	const struct settlement *settlement, int64_t now_us, struct settled *out, struct verdict verdicts[])
{
	struct plan plan;

	*out = (struct settled){0};
	if (reservation->state == RESERVATION_OPEN)
		plan = open_settle(reservation, settlement, out);
	else
		plan = late_settle(reservation, settlement, out);
	reservation->used = plus(&reservation->used, &out->charged);
	accounts_settle(states, reservation, &plan, now_us, verdicts);
}

static void limit_charge(struct account_state *state, int index, int64_t n, struct holding *holding)
{
	const struct limit *limit = &state->policy->limits[index];
	union limit_state *at = &state->limits[index];

	*holding = (struct holding){
		.limit_id = limit->id, .dimension = limit->dimension, .kind = limit->kind, .unit = limit->unit};
	if (limit->kind == KIND_BUCKET) {
		bucket_take(limit, at, n, state->clock_us);
		holding->full_at_us = at->bucket.full_at_us;
	} else if (limit->kind == KIND_CALENDAR) {
		at->calendar.settled = count_add(at->calendar.settled, n);
	}
}

void decision_charge(struct account_state *const states[], int count, const struct request *request,
	const struct amounts *used, int64_t now_us, struct reservation *reservation, struct settled *out,
	struct verdict verdicts[])
{
	struct amounts all = *used;

	all.requests = 1;
	all.counted = counted_keep(all.counted);
	*out = (struct settled){.charged = all, .late = true};
	*reservation = (struct reservation){.state = RESERVATION_RECORDED,
		.started_at_us = now_us,
		.expires_at_us = now_us,
		.used = all,
		.interface_hash = request->interface_hash,
		.model_hash = request->model_hash,
		.accounts = count};
	for (int a = 0; a < count; a++) {
		struct account_state *state = states[a];

		verdicts[a] = (struct verdict){0};
		if (!state)
			continue;
		state_follow(state, now_us);
		for (int u = 0; u < WINDOW_COUNT; u++)
			reservation->account[a].window_start[u] = state->window_start[u];
		for (int i = 0; i < state->policy->count; i++) {
			const struct limit *limit = &state->policy->limits[i];

			if (!limit_matches(limit, request->interface_hash, request->model_hash))
				continue;
			limit_charge(state, i, amounts_of(&all, limit->dimension),
				&reservation->account[a].holdings[reservation->account[a].count++]);
			verdicts[a].notify |= state_notify(state, i);
		}
	}
}

/* Does the limit count the adjusted dimension, and is there anything to adjust (`n`)? */
static bool adjusts(const struct limit *limit, const struct request *request, int64_t n)
{
	return n && limit->kind != KIND_LEVEL && limit_matches(limit, request->interface_hash, request->model_hash);
}

/* The first calendar limit of the account that has less than would be taken from it; -1: none. */
static int limit_lacking(const struct account_state *state, const struct request *request,
	const struct amounts *amounts, int64_t counted_at_us)
{
	for (int i = 0; i < state->policy->count; i++) {
		const struct limit *limit = &state->policy->limits[i];
		int64_t n = amounts_of(amounts, limit->dimension);

		if (limit->kind == KIND_CALENDAR && adjusts(limit, request, n) &&
			counted_at_us >= state->window_start[limit->unit] && state->limits[i].calendar.settled + n < 0)
			return i;
	}
	return -1;
}

static void account_adjust(struct account_state *state, const struct request *request, const struct amounts *amounts,
	int64_t counted_at_us)
{
	for (int i = 0; i < state->policy->count; i++) {
		const struct limit *limit = &state->policy->limits[i];
		union limit_state *at = &state->limits[i];
		int64_t n = amounts_of(amounts, limit->dimension);

		if (!adjusts(limit, request, n))
			continue;
		if (limit->kind == KIND_CALENDAR && counted_at_us >= state->window_start[limit->unit])
			at->calendar.settled = count_add(at->calendar.settled, n);
		else if (limit->kind == KIND_BUCKET && state->clock_us - counted_at_us < limit->burst_us && n > 0)
			bucket_take(limit, at, n, state->clock_us);
		else if (limit->kind == KIND_BUCKET && state->clock_us - counted_at_us < limit->burst_us)
			bucket_give(limit, at, -n, state->clock_us, SPAN_MAX_US);
	}
}

bool decision_adjust(struct account_state *const states[], int count, const struct request *request,
	const struct amounts *amounts, int64_t counted_at_us, struct lacking *lacking)
{
	for (int a = 0; a < count; a++) {
		int i = limit_lacking(states[a], request, amounts, counted_at_us);

		if (i < 0)
			continue;
		*lacking = (struct lacking){.account = a,
			.limit_id = states[a]->policy->limits[i].id,
			.settled = states[a]->limits[i].calendar.settled};
		return false;
	}
	for (int a = 0; a < count; a++)
		account_adjust(states[a], request, amounts, counted_at_us);
	return true;
}

void decision_reset(struct account_state *state, int64_t now_us, int64_t lost[LIMITS_MAX])
{
	state_follow(state, now_us);
	state->notified = state->unseeded = 0;
	for (int u = 0; u < WINDOW_COUNT; u++)
		state->window_start[u] = state->clock_us;
	for (int i = 0; i < state->policy->count; i++) {
		union limit_state *at = &state->limits[i];

		lost[i] = 0;
		switch (state->policy->limits[i].kind) {
		case KIND_BUCKET:
			at->bucket.full_at_us = state->clock_us;
			at->bucket.rem = 0;
			break;
		case KIND_CALENDAR:
			lost[i] = at->calendar.settled;
			at->calendar.settled = at->calendar.held = 0;
			break;
		case KIND_LEVEL:
			break;
		}
	}
}
