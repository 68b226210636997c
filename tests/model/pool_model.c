/*
 * Searches every state that the pool's protocol (pool_steps.h) can reach, breadth first, and checks I1, I7, I12 and I15
 * of the design in each. With --broken, each rule that the protocol depends on is broken in turn, which the search must
 * find.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "pool_steps.h"

enum { STATES_MAX = 12000000, TABLE = 1 << 26, CPU_S = 900 };

struct known {
	struct state state;
	uint32_t from;
	const char *step;
	int caller;
};

static struct known *known;
static uint32_t *table;
static uint32_t count, at;
static uint64_t edges;
static bool full;

static uint32_t hash(const struct state *state)
{
	const uint8_t *bytes = (const uint8_t *)state;
	uint64_t sum = UINT64_C(1469598103934665603);

	for (size_t i = 0; i < sizeof(*state); i++)
		sum = (sum ^ bytes[i]) * UINT64_C(1099511628211);
	return (uint32_t)((sum ^ sum >> 29) & (TABLE - 1));
}

static void found(struct state *state, const char *step, int caller)
{
	uint32_t slot;

	edges++;
	state_canonical(state);
	for (slot = hash(state); table[slot]; slot = (slot + 1) & (TABLE - 1))
		if (memcmp(&known[table[slot] - 1].state, state, sizeof(*state)) == 0 && !violation)
			return;
	if (count == STATES_MAX) {
		full = true;
		return;
	}
	known[count] = (struct known){*state, at, step, caller};
	table[slot] = ++count;
}

static void trace(uint32_t i)
{
	if (known[i].step)
		trace(known[i].from);
	if (known[i].step && known[i].caller >= 0)
		printf("    caller %d %s\n", known[i].caller, known[i].step);
	else if (known[i].step)
		printf("    %s\n", known[i].step);
}

/* Searches until it finds something wrong; true if it reached the end. */
static bool search(void)
{
	struct state first;

	memset(table, 0, sizeof(*table) * TABLE);
	count = at = 0;
	edges = 0;
	violation = NULL;
	full = false;
	state_first(&first);
	found(&first, NULL, -1);
	for (at = 0; at < count && !violation && !full; at++) {
		struct state state = known[at].state; /* a copy, because the array moves: found() appends */

		state_check(&state);
		if (violation)
			break;
		state_steps(&state, found);
	}
	if (violation && known[at].step)
		trace(violation && count ? (at < count ? at : count - 1) : 0);
	return !violation && !full;
}

#define BOTH .workers = 2, .fences = 5
#define ONE .workers = 1, .fences = 4

static const struct rules scenarios[] = {
	{.name = "two workers die, messages are lost; caps 2 and 1",
		BOTH,
		.cap_of_two = 2,
		.deaths = 2,
		.losses = true},
	{.name = "a worker dies, messages are lost; caps 1 and 1", BOTH, .cap_of_two = 1, .deaths = 1, .losses = true},
	{.name = "a replica without the last writes is promoted; caps 2 and 1",
		ONE,
		.cap_of_two = 2,
		.fail_over = true},
	{.name = "a replica is promoted, two workers; caps 1 and 1",
		.workers = 2,
		.fences = 3,
		.cap_of_two = 1,
		.fail_over = true},
};
enum { SCENARIOS = sizeof(scenarios) / sizeof(scenarios[0]) };

static const struct rules broken[] = {
	{.name = "no learning after a fail-over", BOTH, .cap_of_two = 2, .fail_over = true, .no_learning = true},
	{.name = "learning shorter than a lease", BOTH, .cap_of_two = 2, .fail_over = true, .short_learning = true},
	{.name = "a lease that had run out is renewed after a fail-over",
		BOTH,
		.cap_of_two = 2,
		.fail_over = true,
		.brings_back = true},
	{.name = "an epoch that is not raised", BOTH, .cap_of_two = 2, .fail_over = true, .same_epoch = true},
	{.name = "a holder who believes as long as the store",
		BOTH,
		.cap_of_two = 2,
		.deaths = 1,
		.losses = true,
		.long_expected = true},
	{.name = "no cap", BOTH, .cap_of_two = 1, .no_cap = true},
	{.name = "grants that wait for their acknowledgement for ever",
		BOTH,
		.cap_of_two = 2,
		.deaths = 1,
		.grants_for_ever = true},
	{.name = "leases reclaimed a tick early", BOTH, .cap_of_two = 2, .losses = true, .reclaims_early = true},
	{.name = "a renewal that revives what was reclaimed",
		BOTH,
		.cap_of_two = 2,
		.losses = true,
		.long_expected = true,
		.revives = true},
	{.name = "a parked caller who comes back and is not let in",
		BOTH,
		.cap_of_two = 2,
		.deaths = 1,
		.forgets_parked = true},
};
enum { BROKEN = sizeof(broken) / sizeof(broken[0]) };

static int run_scenarios(void)
{
	uint64_t states = 0;

	for (int i = 0; i < SCENARIOS; i++) {
		rules = scenarios[i];
		printf("%s: ", rules.name);
		fflush(stdout);
		if (!search()) {
			printf("%s\n", full ? "too many states" : violation);
			return 1;
		}
		printf("%u states, %llu steps\n", count, (unsigned long long)edges);
		states += count;
	}
	printf("%d scenarios, %llu states, no violation\n", SCENARIOS, (unsigned long long)states);
	return 0;
}

static int run_broken(void)
{
	int missed = 0;

	for (int i = 0; i < BROKEN; i++) {
		rules = broken[i];
		printf("broken: %s\n", rules.name);
		if (search() || full)
			missed++;
		printf("  %s (%u states)\n", violation ? violation : "NOT FOUND", count);
		fflush(stdout);
	}
	printf("%d rules broken, %d not found\n", BROKEN, missed);
	return missed != 0;
}

int main(int argc, char **argv)
{
	/* An endless search is stopped by its CPU time, not by the clock of a busy machine. */
	const struct rlimit cpu = {CPU_S, CPU_S};
	int status;

	if (setrlimit(RLIMIT_CPU, &cpu) != 0)
		perror("pool_model: no limit of CPU time");
	known = malloc(sizeof(*known) * (size_t)STATES_MAX);
	table = malloc(sizeof(*table) * (size_t)TABLE);
	if (!known || !table)
		abort();
	status = argc > 1 && strcmp(argv[1], "--broken") == 0 ? run_broken() : run_scenarios();
	free(known);
	free(table);
	return status;
}
