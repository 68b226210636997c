/*
 * Tests the Lua against the C model: the same random steps on both must give equal answers and equal states. An episode
 * in which they differ is shrunk and printed.
 *
 * property_test_lua_model [--seed N] [--steps N] [--no-shrink]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/redis.h"
#include "episode.h"

#define STEPS_DEFAULT 100000

/* Leaves out what the difference does not need: halves first, then less and less. */
static void shrink(struct episode *episode)
{
	bool best[STEPS_MAX];

	episode->steps = episode->at + 1 < episode->steps ? episode->at + 1 : episode->steps;
	for (int size = episode->steps / 2; size > 0; size /= 2) {
		for (int from = 0; from < episode->steps; from += size) {
			memcpy(best, episode->left_out, sizeof(best));
			for (int i = from; i < from + size && i < episode->steps; i++)
				episode->left_out[i] = true;
			if (episode_run(episode))
				memcpy(episode->left_out, best, sizeof(best));
		}
	}
}

static bool no_shrink;

static int report(struct episode *episode, uint64_t seed, int64_t steps)
{
	printf("after %" PRId64 " steps (--seed %" PRIu64 ") they differ: %s\n  %s\n", steps, seed, episode->differs,
		episode->what);
	if (no_shrink)
		return 1;
	shrink(episode);
	printf("shrunk:\n");
	episode->tell = true;
	episode_run(episode);
	printf("  %s\n", episode->differs);
	return 1;
}

static bool options_read(int argc, char **argv, uint64_t *seed, int64_t *steps)
{
	for (int i = 1; i < argc; i += 2) {
		if (strcmp(argv[i], "--no-shrink") == 0) {
			no_shrink = true;
			i--;
		} else if (i + 1 < argc && strcmp(argv[i], "--seed") == 0) {
			*seed = strtoull(argv[i + 1], NULL, 10);
		} else if (i + 1 < argc && strcmp(argv[i], "--steps") == 0) {
			*steps = strtoll(argv[i + 1], NULL, 10);
		} else {
			return false;
		}
	}
	return true;
}

int main(int argc, char **argv)
{
	static struct episode episode;
	uint64_t seed = 1;
	int64_t wanted = STEPS_DEFAULT;
	int64_t done = 0;
	int failed = 0;

	if (!options_read(argc, argv, &seed, &wanted)) {
		fprintf(stderr, "usage: %s [--seed N] [--steps N] [--no-shrink]\n", argv[0]);
		return 2;
	}
	episode.model = backend_model.open();
	episode.lua = backend_redis.open();
	if (!episode.lua)
		return 0;
	printf("seed %" PRIu64 ", %" PRId64 " steps\n", seed, wanted);
	for (uint64_t n = 0; done < wanted && !failed; n++) {
		episode.seed = seed * UINT64_C(1000000007) + n;
		episode.steps = STEPS_MAX;
		memset(episode.left_out, 0, sizeof(episode.left_out));
		if (!episode_run(&episode))
			failed = report(&episode, seed, done + episode.at);
		done += episode.steps;
	}
	if (!failed)
		printf("%" PRId64 " steps: equal answers, equal states\n", done);
	episode.model->ops->close(episode.model);
	episode.lua->ops->close(episode.lua);
	arena_release(&episode.arena);
	return failed;
}
