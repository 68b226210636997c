/*
 * One episode: five accounts with random policies in random time zones, and a list of steps that is done on the C model
 * and on the Lua at once. A step is random numbers only, so that an episode with steps left out is an episode too.
 */
#ifndef TESTS_PROPERTY_EPISODE_H
#define TESTS_PROPERTY_EPISODE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "contract/backend.h"
#include "contract/chance.h"

#define STEPS_MAX 200
#define VARIANTS 3
#define IDS 10
#define TENANT "acme"

/* A count of any size up to `most`: small ones, round ones, edges. */
int64_t chance_count(struct chance *chance, int64_t most);

struct member {
	enum account_kind kind;
	const char *id;
	struct zone zone;
	struct policy variant[VARIANTS];
	int now, before; /* the variant that counts, and the one before it */
	uint32_t version, epoch;
	bool own_policy;
	struct account_profile profile;
};

struct episode {
	struct backend *model, *lua;
	uint64_t seed;
	int steps;
	bool left_out[STEPS_MAX];
	bool tell; /* prints the steps */
	/* made by the run */
	struct arena arena;
	int64_t now_us;
	struct member member[ACCOUNTS_MAX];
	unsigned asked_on[IDS]; /* the accounts of the check of each request id; 0: none yet */
	int at; /* the step that is done now */
	char what[512]; /* it, in words */
	char differs[512]; /* "" as long as both agree */
};

/* Accounts, policies, time: all from the seed. */
void episode_make(struct episode *episode, struct chance *chance);
/* What a worker believes of an account. `wrong`: sometimes of another version, epoch or day. */
void episode_expected(struct episode *episode, int index, struct chance *wrong, struct expected *out);

/* Runs the episode; true when model and Lua agree all the way, else `at`, `what` and `differs` say where not. */
bool episode_run(struct episode *episode);
/* One step; the numbers are the step's own. */
void episode_step(struct episode *episode, struct chance *chance);

/* Each notes in episode->differs what differs first. */
void compare_number(struct episode *episode, const char *name, int64_t model, int64_t lua);
void compare_op(struct episode *episode, const struct limits_op *model, const struct limits_op *lua);
/* The stored states of one account. */
void compare_stored(struct episode *episode, int index);

#endif
