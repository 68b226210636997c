/* Runs an episode to its end, or until model and Lua differ. */
#include <stdio.h>
#include <string.h>

#include "episode.h"

#define WINDOW_US INT64_C(400000000000000) /* markers outlive the episode; other tests cover their expiry */

static void seed_both(struct episode *episode, struct chance *chance, int index)
{
	struct limits_seed op = {.op.arena = &episode->arena, .profile = &episode->member[index].profile};
	struct limits_seed model;

	episode_expected(episode, index, NULL, &op.expected);
	op.provisional = chance_percent(chance, 20);
	op.now_us = episode->now_us;
	for (int i = 0; i < op.expected.policy->count; i++) {
		if (op.expected.policy->limits[i].kind == KIND_CALENDAR)
			op.limits[i].calendar.settled = chance_count(chance, 1000);
		else if (op.expected.policy->limits[i].kind == KIND_BUCKET)
			op.limits[i].bucket.full_at_us = episode->now_us + chance_below(chance, 1000000);
	}
	model = op;
	episode->model->ops->seed(episode->model, &model);
	episode->lua->ops->seed(episode->lua, &op);
	compare_number(episode, "status of the seed", model.op.status, op.op.status);
}

static void begin(struct episode *episode)
{
	struct chance chance = {.state = episode->seed};
	bool charges;

	episode->differs[0] = '\0';
	episode_make(episode, &chance);
	charges = chance_percent(&chance, 40);
	episode->model->ops->clear(episode->model);
	episode->lua->ops->clear(episode->lua);
	episode->model->ops->settings(episode->model, WINDOW_US, charges);
	episode->lua->ops->settings(episode->lua, WINDOW_US, charges);
	episode->model->ops->clock(episode->model, episode->now_us);
	episode->lua->ops->clock(episode->lua, episode->now_us);
	for (int i = 0; i < ACCOUNTS_MAX; i++)
		seed_both(episode, &chance, i);
}

bool episode_run(struct episode *episode)
{
	begin(episode);
	for (episode->at = 0; episode->at < episode->steps && !episode->differs[0]; episode->at++) {
		struct chance chance = {.state = episode->seed * 1000003 + (uint64_t)episode->at};

		if (episode->left_out[episode->at])
			continue;
		episode_step(episode, &chance);
		if (episode->at % 16 == 15 || episode->at + 1 == episode->steps)
			for (int i = 0; i < ACCOUNTS_MAX; i++)
				compare_stored(episode, i);
		else
			compare_stored(episode, episode->at % ACCOUNTS_MAX);
		if (episode->tell)
			printf("  %3d  %s\n", episode->at, episode->what);
		arena_reset(&episode->arena);
		if (episode->differs[0])
			return false;
	}
	return !episode->differs[0];
}
