/* The start of an episode, and changes of its settings. */
#include <stdio.h>
#include <string.h>

#include "play.h"

#define MS INT64_C(1000)

static int64_t any_ms(struct chance *chance, int64_t least, int64_t most)
{
	return chance_between(chance, least, most) * MS;
}

static void levels_any(struct play *play, struct chance *chance)
{
	static const int priorities[] = {10, 5, 1, 7};
	struct pool_settings *settings = &play->settings;

	settings->level_count = (int)chance_below(chance, 4);
	for (int i = 0; i < settings->level_count; i++)
		settings->level[i] = (struct pool_level){.priority = priorities[i],
			.weight = (int)chance_between(chance, 1, 20),
			.queue_limit = (int)chance_below(chance, 8)};
}

static void queues_any(struct play *play, struct chance *chance)
{
	struct pool_settings *settings = &play->settings;
	bool tight = chance_percent(chance, 30);

	settings->queue_limit = (int)chance_between(chance, 1, tight ? 8 : 60);
	settings->level_queue_limit = (int)chance_between(chance, 1, tight ? 5 : 60);
	settings->user_queue_limit = chance_percent(chance, 50) ? 0 : (int)chance_between(chance, 1, 12);
	settings->predicted_wait_max_us = chance_percent(chance, 15) ? any_ms(chance, 1000, 60000) : 100000000 * MS;
	settings->wait_max_us =
		chance_percent(chance, 50) ? any_ms(chance, 1000, 90000) : any_ms(chance, 60000, 900000);
}

static int priority_any(const struct play *play, struct chance *chance)
{
	static const int usual[] = {1, 5, 10};

	return play->many_levels ? (int)chance_between(chance, 1, 100) : usual[chance_below(chance, 3)];
}

static void times_any(struct play *play, struct chance *chance)
{
	struct pool_settings *settings = &play->settings;

	settings->lease_us = any_ms(chance, 2000, 30000);
	settings->ack_us = any_ms(chance, 500, 2000);
	settings->grace_us = any_ms(chance, 1000, 20000);
	settings->tombstone_us = any_ms(chance, 2000, 40000);
	settings->worker_us = any_ms(chance, 1000, 8000);
	settings->age_us = chance_percent(chance, 50) ? any_ms(chance, 1, 3000) : any_ms(chance, 2000, 60000);
	settings->starve_us = any_ms(chance, 1000, 60000);
	settings->estimate_us = any_ms(chance, 500, 60000);
	settings->learn_margin_us = any_ms(chance, 0, 3000);
	settings->drain_us = any_ms(chance, 0, 5000);
}

void play_make(struct play *play, struct chance *chance)
{
	struct pool_settings *settings = &play->settings;

	play->narrow = chance_percent(chance, 50);
	play->many_levels = chance_percent(chance, 8);
	play->load = (int)chance_between(chance, 12, 35);
	play->gen = 1;
	*settings = (struct pool_settings){.name = POOL, .gen = 1, .slots = (int)chance_between(chance, 1, 8)};
	settings->available = chance_percent(chance, 8);
	settings->age_every = (int)chance_between(chance, 1, 6);
	settings->debt = (int)chance_below(chance, 4);
	levels_any(play, chance);
	queues_any(play, chance);
	times_any(play, chance);
	for (int i = 0; i < USERS; i++) {
		play->user[i].priority = priority_any(play, chance);
		play->user[i].cap = (int)chance_between(chance, 1, 4);
	}
	for (int i = 0; i < WORKERS; i++)
		play->worker[i] = (struct worker){.alive = true, .name = ++play->names};
	play->true_ms = play->clock_ms = INT64_C(1800000000000) + chance_below(chance, 1000000);
}

void play_settings_change(struct play *play, struct chance *chance)
{
	struct pool_settings *settings = &play->settings;

	settings->gen = ++play->gen;
	switch (chance_below(chance, 6)) {
	case 0:
		settings->paused = !settings->paused && chance_percent(chance, 50);
		break;
	case 1:
		levels_any(play, chance);
		break;
	case 2:
		queues_any(play, chance);
		break;
	default:
		settings->paused = false;
		settings->slots = (int)chance_below(chance, 11);
	}
}
