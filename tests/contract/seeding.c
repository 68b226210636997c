/* Limits that are not seeded yet. */
#include "seeding.h"

#include <string.h>

#include "base/arena.h"
#include "domain/limit/bucket.h"

void unseeded_add(struct limits_op *op, int index, const struct account_state *state)
{
	struct unseeded *account;

	if (!state->unseeded && !state->provisional)
		return;
	if (!op->unseeded_count)
		op->unseeded = arena_zalloc(op->arena, ACCOUNTS_MAX, sizeof(*op->unseeded));
	account = &op->unseeded[op->unseeded_count++];
	op->mask |= UINT32_C(1) << index;
	account->index = index;
	memcpy(account->window_start, state->window_start, sizeof(account->window_start));
	for (int k = 0; k < state->policy->count; k++) {
		const struct limit *limit = &state->policy->limits[k];

		if (!(state->unseeded & UINT32_C(1) << k))
			continue;
		account->limit[account->count].id = limit->id;
		account->limit[account->count].dimension = limit->dimension;
		account->limit[account->count].unit = limit->unit;
		account->limit[account->count].interface_hash = limit->interface_hash;
		account->limit[account->count].model_hash = limit->model_hash;
		account->limit[account->count++].settled = state->limits[k].calendar.settled;
	}
}

uint32_t calendars_of(const struct policy *policy)
{
	uint32_t mask = 0;

	for (int i = 0; i < policy->count; i++)
		if (policy->limits[i].kind == KIND_CALENDAR)
			mask |= UINT32_C(1) << i;
	return mask;
}

/* If nothing of a unit is seeded, its window starts where the ledger says. */
static void adopt_starts(const struct limits_adopt *op, struct account_state *state)
{
	for (int u = 0; u < WINDOW_COUNT; u++) {
		bool all = true;

		for (int k = 0; k < state->policy->count; k++)
			if (state->policy->limits[k].kind == KIND_CALENDAR && (int)state->policy->limits[k].unit == u)
				all = all && state->unseeded & UINT32_C(1) << k;
		if (all && op->window_start[u] > 0 && op->window_start[u] <= state->clock_us)
			state->window_start[u] = op->window_start[u];
	}
}

enum limits_status adopt_into(const struct limits_adopt *op, struct account_state *state)
{
	struct account_state after = *state;

	adopt_starts(op, &after);
	for (int i = 0; i < op->count; i++)
		for (int k = 0; k < state->policy->count; k++) {
			int64_t since = state->limits[k].calendar.settled - op->limit[i].seen;

			if (state->policy->limits[k].id != op->limit[i].id || !(state->unseeded & UINT32_C(1) << k))
				continue;
			if (since != 0 && !op->even_if_moved)
				return LIMITS_NOTHING;
			after.limits[k].calendar.settled = count_add(op->limit[i].known, since > 0 ? since : 0);
			after.unseeded &= ~(UINT32_C(1) << k);
		}
	after.provisional = after.provisional && after.unseeded;
	*state = after;
	return LIMITS_OK;
}
