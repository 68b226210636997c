/* LOCAL mode: a table of groups of four entries; a new account replaces the least recently used entry of its group. */
#include "service/worker/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "domain/limit/bucket.h"
#include "service/worker/seed.h"

enum { GROUP = 4 };

/* Apart from the levels, so that a group is one line of the processor's cache. */
struct slot {
	uint64_t key; /* 0 = free */
	uint64_t used;
};
struct level {
	uint8_t pid[8];
	struct account_state state; /* without its policy pointer */
};

struct local_table {
	size_t groups;
	uint64_t turn;
	struct slot *slots;
	struct level *levels; /* one for each slot */
};

struct local_table *local_new(size_t entries)
{
	struct local_table *table = mem_zalloc(1, sizeof(*table));

	table->groups = (entries + GROUP - 1) / GROUP;
	table->slots = mem_zalloc(table->groups * GROUP, sizeof(*table->slots));
	table->levels = mem_zalloc(table->groups * GROUP, sizeof(*table->levels));
	return table;
}

void local_free(struct local_table *table)
{
	if (!table)
		return;
	free(table->slots);
	free(table->levels);
	free(table);
}

static uint64_t key_of(const struct accounts *accounts, const struct request_account *account)
{
	uint64_t tenant = hash64(accounts->tenant, strlen(accounts->tenant));
	uint64_t key = hash64_keyed(account->id, strlen(account->id), tenant, (uint64_t)account->kind);

	return key ? key : 1;
}

static struct level *level_find(struct local_table *table, uint64_t key)
{
	size_t first = key % table->groups * GROUP;

	for (size_t i = first; i < first + GROUP; i++)
		if (table->slots[i].key == key) {
			table->slots[i].used = ++table->turn;
			return &table->levels[i];
		}
	return NULL;
}

static struct level *level_take(struct local_table *table, uint64_t key)
{
	struct level *level = level_find(table, key);
	size_t first = key % table->groups * GROUP, oldest = first;

	if (level)
		return level;
	for (size_t i = first + 1; i < first + GROUP; i++)
		if (table->slots[i].used < table->slots[oldest].used)
			oldest = i;
	table->slots[oldest] = (struct slot){.key = key, .used = ++table->turn};
	return &table->levels[oldest];
}

static void level_keep(struct level *level, const struct account_state *state)
{
	size_t size = offsetof(struct account_state, limits) + (size_t)state->policy->count * sizeof(state->limits[0]);

	memcpy(&level->state, state, size);
	memcpy(level->pid, state->policy->pid, sizeof(level->pid));
	level->state.policy = NULL;
}

void local_note(
	struct local_table *table, const struct accounts *accounts, const struct standing *const standing[], int count)
{
	for (int i = 0; i < count; i++)
		level_keep(level_take(table, key_of(accounts, &accounts->account[i])), &standing[i]->state);
}

void local_begin(
	struct local_table *table, const struct accounts *accounts, const struct account_found *found, int64_t now_us)
{
	const struct request_account *account = &accounts->account[0];
	uint64_t key = key_of(accounts, account);
	struct account_state state = {.policy = account->policy, .clock_us = now_us};

	if (level_find(table, key))
		return;
	seed_starts(&account->windows, found, now_us, state.window_start);
	for (int u = 0; u < WINDOW_COUNT; u++)
		state.window_end[u] = windows_end(&account->windows, (enum window_unit)u, now_us);
	seed_states(account->policy, found, state.window_start, now_us, state.limits);
	level_keep(level_take(table, key), &state);
}

/* A level stored under another policy is ignored: the order of its limits is no longer known. */
static void state_load(struct local_table *table, const struct accounts *accounts,
	const struct request_account *account, int64_t now_us, struct account_state *out)
{
	const struct level *level = level_find(table, key_of(accounts, account));
	const struct account_profile *profile = account->profile;

	*out = (struct account_state){.clock_us = now_us};
	if (level && memcmp(level->pid, account->policy->pid, sizeof(level->pid)) == 0)
		*out = level->state;
	out->policy = account->policy;
	out->version = profile->version;
	out->suspended = profile->suspended;
	out->bypass = profile->bypass;
	out->deleted = profile->deleted;
	out->grace_percent = profile->grace_percent;
	out->grace_until_us = profile->grace_until_us;
	state_roll(out, &account->windows, now_us);
}

static int64_t times(int64_t n, int factor)
{
	int64_t product;

	return __builtin_mul_overflow(n, (int64_t)factor, &product) || product > COUNT_MAX ? COUNT_MAX : product;
}

static const int64_t *counted_times(const int64_t *counted, int factor, struct arena *arena)
{
	int64_t *product;

	if (!counted)
		return NULL;
	product = arena_alloc(arena, COUNTED_COUNT * sizeof(*product));
	for (int i = 0; i < COUNTED_COUNT; i++)
		product[i] = times(counted[i], factor);
	return product;
}

/* Nothing settles in LOCAL mode, so what was taken counts as used and nothing stays held for a reservation. */
static void holds_restore(const struct account_state *before, struct account_state *state)
{
	state->open = before->open;
	for (int i = 0; i < state->policy->count; i++) {
		union limit_state *at = &state->limits[i];

		if (state->policy->limits[i].kind == KIND_LEVEL) {
			at->open = before->limits[i].open;
		} else if (state->policy->limits[i].kind == KIND_CALENDAR) {
			at->calendar.settled =
				count_add(at->calendar.settled, at->calendar.held - before->limits[i].calendar.held);
			at->calendar.held = before->limits[i].calendar.held;
		}
	}
}

bool local_decide(struct local_table *table, const struct accounts *accounts, const struct request *request,
	int workers, int64_t now_us, struct standing *standing[ACCOUNTS_MAX])
{
	struct request share = *request;
	struct account_state *states[ACCOUNTS_MAX];
	struct verdict verdicts[ACCOUNTS_MAX];
	struct reservation *reservation = arena_zalloc(accounts->arena, 1, sizeof(*reservation));
	struct account_state *before;
	bool allowed;

#define ROW(NAME, name, ...) share.estimate.name = times(request->estimate.name, workers);
	AMOUNTS(ROW)
#undef ROW
	share.estimate.counted = counted_times(request->estimate.counted, workers, accounts->arena);
	for (int i = 0; i < accounts->count; i++) {
		standing[i] = arena_zalloc(accounts->arena, 1, sizeof(*standing[i]));
		states[i] = &standing[i]->state;
		state_load(table, accounts, &accounts->account[i], now_us, states[i]);
	}
	allowed = decision_test((const struct account_state *const *)states, accounts->count, &share, now_us, verdicts);
	for (int i = 0; i < accounts->count; i++)
		standing[i]->verdict = verdicts[i];
	if (!allowed)
		return false;
	before = arena_alloc(accounts->arena, sizeof(*before) * ACCOUNTS_MAX);
	for (int i = 0; i < accounts->count; i++)
		before[i] = *states[i];
	decision_take(states, accounts->count, &share, now_us, 1, reservation, verdicts);
	for (int i = 0; i < accounts->count; i++) {
		holds_restore(&before[i], states[i]);
		level_keep(level_take(table, key_of(accounts, &accounts->account[i])), states[i]);
		standing[i]->verdict = verdicts[i];
	}
	return true;
}
