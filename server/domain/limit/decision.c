/* Rolling, converting, testing and taking. docs/store.md has the numbered rules. */
#include "domain/limit/decision.h"

#include "domain/limit/bucket.h"

int64_t amounts_of(const struct amounts *amounts, enum dimension dimension)
{
	static const int64_t none[COUNTED_COUNT];
	const int64_t *counted = amounts->counted ? amounts->counted : none;

	switch (dimension) {
#define ROW(NAME, number, name, unit, shown, amount, ...) \
	case DIM_##NAME: \
		return amount;
		DIMENSIONS(ROW)
#undef ROW
	case DIM_COUNT:
		break;
	}
	return 1;
}

int64_t request_tests(const struct request *request, enum dimension dimension)
{
	int64_t n = amounts_of(&request->estimate, dimension);
	int counted;

	if (n != 0 || dimension <= DIM_CONCURRENT)
		return n == 0 && dimension == DIM_COST && request->probe_cost ? 1 : n;
	counted = counted_find(dimension);
	return counted >= 0 && !(request->told >> counted & 1) ? 1 : n;
}

void counted_put(struct buf *out, const struct amounts *amounts, uint32_t told)
{
	int64_t n[COUNTED_COUNT] = {0};
	int count = 0;

	if (!amounts->counted && !told)
		return;
	for (int i = 0; i < COUNTED_COUNT; i++) {
		n[i] = amounts->counted ? amounts->counted[i] : 0;
		count += n[i] || told >> i & 1;
	}
	if (count == 0)
		return;
	buf_put_u8(out, (uint8_t)count);
	for (int i = 0; i < COUNTED_COUNT; i++) {
		if (!n[i] && !(told >> i & 1))
			continue;
		buf_put_u8(out, (uint8_t)counted_dimension((enum counted)i));
		buf_put_int(out, n[i], 7);
	}
}

/* A window that begins for the first time is empty. When it had begun before, only the ledger knows its use; holds
 * stay. */
static void window_empty(struct account_state *state, enum window_unit unit, bool again)
{
	for (int i = 0; i < state->policy->count; i++) {
		const struct limit *limit = &state->policy->limits[i];
		uint32_t bit = UINT32_C(1) << i;

		if (limit->kind != KIND_CALENDAR || limit->unit != unit)
			continue;
		state->limits[i].calendar.settled = 0;
		state->notified &= ~bit;
		if (!again)
			state->limits[i].calendar.held = 0;
		state->unseeded = again ? state->unseeded | bit : state->unseeded & ~bit;
	}
}

static void window_move(struct account_state *state, enum window_unit unit, int64_t start, int64_t end)
{
	int64_t before = state->window_start[unit];
	bool again = start < before || start <= state->ahead_us;

	if (start < before && before > state->ahead_us)
		state->ahead_us = (before + 999999) / 1000000 * 1000000;
	state->window_start[unit] = start;
	state->window_end[unit] = end;
	window_empty(state, unit, again);
}

bool state_follow(struct account_state *state, int64_t now_us)
{
	int64_t ahead = state->clock_us - now_us;

	state->clock_us = state_now(state, now_us);
	for (int i = 0; ahead > CLOCK_SLACK_US && i < state->policy->count; i++) {
		union limit_state *at = &state->limits[i];

		if (state->policy->limits[i].kind != KIND_BUCKET)
			continue;
		if (at->bucket.full_at_us >= now_us + ahead) {
			at->bucket.full_at_us -= ahead;
		} else if (at->bucket.full_at_us > now_us) {
			at->bucket.full_at_us = now_us;
			at->bucket.rem = 0;
		}
	}
	return ahead > CLOCK_SLACK_US;
}

bool state_roll(struct account_state *state, const struct windows *windows, int64_t now_us)
{
	bool turned_back = state_follow(state, now_us);

	for (int u = 0; u < WINDOW_COUNT; u++) {
		int64_t start = windows_start(windows, (enum window_unit)u, state->clock_us);
		int64_t end = windows_end(windows, (enum window_unit)u, state->clock_us);
		bool ahead = state->window_start[u] > state->clock_us;
		bool ended = start > state->window_start[u] && state->clock_us >= state->window_end[u];

		if (start >= 0 && (ended || ahead))
			window_move(state, (enum window_unit)u, start, end);
	}
	return turned_back;
}

static bool limit_passes(const struct account_state *state, int index, const struct request *request, int64_t now_us)
{
	const struct limit *limit = &state->policy->limits[index];
	const union limit_state *at = &state->limits[index];
	int64_t n = request_tests(request, limit->dimension);

	if (limit->kind == KIND_LEVEL)
		return at->open + 1 <= limit->amount;
	if (n == 0)
		return true;
	if (limit->kind == KIND_BUCKET)
		return bucket_fits(limit, at, n, now_us);
	return at->calendar.settled + at->calendar.held + n <= state_effective(state, limit, now_us);
}

bool decision_test(const struct account_state *const states[], int count, const struct request *request, int64_t now_us,
	struct verdict verdicts[])
{
	bool passes = true;

	for (int a = 0; a < count; a++) {
		const struct account_state *state = states[a];

		verdicts[a] = (struct verdict){0};
		for (int i = 0; i < state->policy->count; i++) {
			const struct limit *limit = &state->policy->limits[i];

			if (!limit_matches(limit, request->interface_hash, request->model_hash) ||
				limit_passes(state, i, request, state_now(state, now_us)))
				continue;
			if (limit->shadow || state->bypass)
				verdicts[a].would |= UINT32_C(1) << i;
			else
				verdicts[a].failed |= UINT32_C(1) << i;
		}
		if (verdicts[a].failed || state->suspended || state->deleted)
			passes = false;
	}
	return passes;
}

uint32_t state_notify(struct account_state *state, int index)
{
	const struct limit *limit = &state->policy->limits[index];
	const union limit_state *at = &state->limits[index];
	uint32_t bit = UINT32_C(1) << index;
	__int128 use;

	if (limit->kind != KIND_CALENDAR || !limit->notify || limit->warn_percent <= 0 || state->notified & bit)
		return 0;
	use = at->calendar.settled + at->calendar.held;
	if (use * 100 < (__int128)state_effective(state, limit, state->clock_us) * limit->warn_percent)
		return 0;
	state->notified |= bit;
	return bit;
}

static void limit_take(struct account_state *state, int index, int64_t n, struct holding *holding)
{
	const struct limit *limit = &state->policy->limits[index];
	union limit_state *at = &state->limits[index];

	*holding = (struct holding){
		.limit_id = limit->id, .dimension = limit->dimension, .kind = limit->kind, .unit = limit->unit};
	switch (limit->kind) {
	case KIND_BUCKET:
		bucket_take(limit, at, n, state->clock_us);
		holding->full_at_us = at->bucket.full_at_us;
		break;
	case KIND_CALENDAR:
		at->calendar.held = count_add(at->calendar.held, n);
		break;
	case KIND_LEVEL:
		at->open++;
		break;
	}
}

void decision_take(struct account_state *const states[], int count, const struct request *request, int64_t now_us,
	int64_t ttl_us, struct reservation *reservation, struct verdict verdicts[])
{
	*reservation = (struct reservation){.state = RESERVATION_OPEN,
		.started_at_us = now_us,
		.expires_at_us = now_us + ttl_us,
		.held = request->estimate,
		.interface_hash = request->interface_hash,
		.model_hash = request->model_hash,
		.accounts = count};
	for (int a = 0; a < count; a++) {
		struct account_state *state = states[a];

		state_follow(state, now_us);
		state->open++;
		for (int u = 0; u < WINDOW_COUNT; u++)
			reservation->account[a].window_start[u] = state->window_start[u];
		for (int i = 0; i < state->policy->count; i++) {
			const struct limit *limit = &state->policy->limits[i];

			if (!limit_matches(limit, request->interface_hash, request->model_hash))
				continue;
			limit_take(state, i, amounts_of(&request->estimate, limit->dimension),
				&reservation->account[a].holdings[reservation->account[a].count++]);
			verdicts[a].notify |= state_notify(state, i);
		}
	}
}
