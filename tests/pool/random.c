/*
 * The random test of the pool's functions: users, callers and workers act at random, messages and answers are lost,
 * workers die, clocks step, and Redis is replaced by one that lacks the last writes. The whole state is checked after
 * each step. An episode that goes wrong is shrunk and printed.
 *
 * pool_random [--seed N] [--steps N] [--long] [--no-shrink]; BURSAR_POOL_SEED is a seed too
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define STEPS_DEFAULT 100000
#define STEPS_LONG 1000000

struct options {
	uint64_t seed;
	int64_t steps;
	bool shrinks;
};

/* Leaves out `size` steps at a time wherever the fault does not need them; true if it left out any. */
static bool leave_out(struct play *play, int size)
{
	bool best[STEPS_MAX];
	bool some = false;

	for (int from = 0; from < play->steps; from += size) {
		int count = 0;

		memcpy(best, play->left_out, sizeof(best));
		for (int i = from; i < from + size && i < play->steps; i++) {
			count += !play->left_out[i];
			play->left_out[i] = true;
		}
		if (!count)
			continue;
		if (play_run(play))
			memcpy(play->left_out, best, sizeof(best));
		else
			some = true;
	}
	return some;
}

/*
 * Finds the shortest prefix with a fault, then leaves out what the fault does not need: halves first, then less and
 * less.
 */
static void shrink(struct play *play)
{
	play->steps = play->at + 1 < play->steps ? play->at + 1 : play->steps;
	for (int size = play->steps / 2; size > 0; size /= 2)
		leave_out(play, size);
	for (int round = 0; round < 3 && leave_out(play, 1); round++) {
	}
}

static int report(struct play *play, const struct options *options, int64_t done)
{
	printf("after %" PRId64 " steps (--seed %" PRIu64 "): %s\n  %s\n", done + play->at, options->seed, play->wrong,
		play->what);
	if (!options->shrinks)
		return 1;
	shrink(play);
	printf("shrunk (%d slots, %s, %d workers):\n", play->settings.slots, play->narrow ? "narrow" : "wide", WORKERS);
	play->tell = true;
	play_run(play);
	printf("  %s\n  %s\n", play->what, play->wrong);
	return 1;
}

static void tell_met(const struct play *play, int64_t done)
{
	printf("met: %" PRId64 " grants at once, %" PRId64 " after waiting, %" PRId64
	       " of these by the aged lane; %" PRId64 " fail-overs, %" PRId64 " with lost writes\n",
		play->grants_at_once, play->grants_waited, play->grants_aged, play->failovers, play->lost_suffixes);
	printf("shed by pool queue %" PRId64 ", level queue %" PRId64 ", user queue %" PRId64
	       ", predicted wait %" PRId64 ", levels %" PRId64 "\n",
		play->shed[SHED_POOL_QUEUE], play->shed[SHED_LEVEL_QUEUE], play->shed[SHED_USER_QUEUE],
		play->shed[SHED_PREDICTED], play->shed[SHED_LEVELS]);
	printf("%" PRId64 " steps: every invariant holds\n", done);
}

static bool options_read(int argc, char **argv, struct options *out)
{
	const char *seed = getenv("BURSAR_POOL_SEED");

	*out = (struct options){.seed = seed ? strtoull(seed, NULL, 10) : 1, .steps = STEPS_DEFAULT, .shrinks = true};
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--long") == 0)
			out->steps = STEPS_LONG;
		else if (strcmp(argv[i], "--no-shrink") == 0)
			out->shrinks = false;
		else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0)
			out->seed = strtoull(argv[++i], NULL, 10);
		else if (i + 1 < argc && strcmp(argv[i], "--steps") == 0)
			out->steps = strtoll(argv[++i], NULL, 10);
		else
			return false;
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct play play;
	struct options options;
	int64_t done = 0;
	int failed = 0;

	if (!options_read(argc, argv, &options)) {
		fprintf(stderr, "usage: %s [--seed N] [--steps N] [--long] [--no-shrink]\n", argv[0]);
		return 2;
	}
	if (!play_open(&play))
		return 0;
	printf("seed %" PRIu64 ", %" PRId64 " steps\n", options.seed, options.steps);
	for (uint64_t n = 0; done < options.steps && !failed; n++) {
		play.seed = options.seed * UINT64_C(1000000007) + n;
		play.steps = STEPS_MAX;
		memset(play.left_out, 0, sizeof(play.left_out));
		if (!play_run(&play))
			failed = report(&play, &options, done);
		done += play.steps;
	}
	if (!failed)
		tell_met(&play, done);
	play_close(&play);
	return failed;
}
