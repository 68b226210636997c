/*
 * One episode: five accounts with random policies in random time zones, and a list of steps that is done on both the C
 * model and the Lua. A step consists only of random numbers, so that an episode with steps left out is still an
 * episode.
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
#define IDS 40
#define PIECES 2 /* kinds of what is counted by the piece that requests use; the limits of an episode are on these */
#define TENANT "acme"

/* A count of any size up to `most`: small ones, round ones, edges. */
int64_t chance_count(struct chance *chance, int64_t most);

struct member {
	enum account_kind kind;
	const char *id;
	struct zone zone;
	struct policy variant[VARIANTS];
	int now, before; /* the current variant and the previous one */
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
	bool roomy; /* most requests fit, and most ids are new: the usual case, which Lua compiles */
	bool broke; /* budgets are small, and many requests do not know their cost */
	struct arena arena;
	int64_t now_us;
	struct member member[ACCOUNTS_MAX];
	unsigned asked_on[IDS]; /* the accounts that each request id was checked on; 0 = none yet */
	int at; /* the current step */
	char what[512]; /* the step in words */
	char differs[512]; /* "" while both agree */
};

/* Makes accounts, policies and the time from the seed. */
void episode_make(struct episode *episode, struct chance *chance);
/* The state of an account that a worker expects; with `wrong`, sometimes another version, epoch or day. */
void episode_expected(struct episode *episode, int index, struct chance *wrong, struct expected *out);

/*
 * Runs the episode. True if model and Lua agree throughout; otherwise `at`, `what` and `differs` say where they differ.
 */
bool episode_run(struct episode *episode);
/* Does one step with the step's own random numbers. */
void episode_step(struct episode *episode, struct chance *chance);

/* Each of these notes the first difference in episode->differs. */
void compare_number(struct episode *episode, const char *name, int64_t model, int64_t lua);
void compare_op(struct episode *episode, const struct limits_op *model, const struct limits_op *lua);
/* Compares the stored states of one account. */
void compare_stored(struct episode *episode, int index);

#endif
