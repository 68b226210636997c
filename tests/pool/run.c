/* Runs an episode to its end, or until something is wrong. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "play.h"

#define END_TICKS 400

void play_wrong(struct play *play, const char *fmt, ...)
{
	va_list args;

	if (play->wrong[0])
		return;
	va_start(args, fmt);
	vsnprintf(play->wrong, sizeof(play->wrong), fmt, args);
	va_end(args);
}

void play_say(struct play *play, const char *fmt, ...)
{
	size_t len = strlen(play->what);
	va_list args;

	va_start(args, fmt);
	vsnprintf(play->what + len, sizeof(play->what) - len, fmt, args);
	va_end(args);
}

static void begin(struct play *play)
{
	struct chance chance = {.state = play->seed};

	play->wrong[0] = play->what[0] = '\0';
	play->names = play->requests = 0;
	play->run_id = 1;
	play->snapshot = play->refused = play->new_process = false;
	play->last_epoch = play->last_fence = play->allotted = 0;
	play->births = 0;
	play->first_claim[0] = '\0';
	memset(play->on_its_way, 0, sizeof(play->on_its_way));
	play->inexact_until = 0;
	memset(play->caller, 0, sizeof(play->caller));
	memset(&play->now, 0, sizeof(play->now));
	memset(&play->effect, 0, sizeof(play->effect));
	history_forget(play);
	play_make(play, &chance);
	call_plain(play, "FLUSHALL");
	call_plain(play, "SET b:run run1");
	act_configure(play);
}

static bool is_empty(const struct play *play)
{
	for (int i = 0; i < play->requests; i++)
		if (play->now.request[i].state)
			return false;
	return true;
}

/* I12: once everybody is gone and time passes, everything ends and is forgotten. */
static void end(struct play *play)
{
	for (int i = 0; i < WORKERS; i++)
		play->worker[i] = (struct worker){.alive = false};
	for (int i = 0; i < play->requests; i++)
		play->caller[i].state = CALLER_OVER;
	for (int i = 0; i < END_TICKS && !is_empty(play) && !play->wrong[0]; i++) {
		play->what[0] = '\0';
		play->true_ms += 5000;
		play->clock_ms += 5000;
		act_tick(play);
	}
	if (!is_empty(play))
		play_wrong(play, "I12: all are gone, and a request never ends");
	else if (play->now.run)
		play_wrong(play, "I1: nothing runs, and %" PRIu32 " seats are counted", play->now.run);
}

bool play_run(struct play *play)
{
	begin(play);
	if (play->tell)
		printf("       %s\n", play->what);
	for (play->at = 0; play->at < play->steps && !play->wrong[0]; play->at++) {
		struct chance chance = {.state = play->seed * 1000003 + (uint64_t)play->at};

		if (play->left_out[play->at])
			continue;
		play->what[0] = '\0';
		play_step(play, &chance);
		if (play->tell && play->what[0])
			printf("  %3d  %s\n", play->at, play->what);
		if (play->wrong[0])
			return false;
	}
	if (!play->wrong[0])
		end(play);
	play->grants_at_once += play->now.at_once;
	play->grants_waited += play->now.waited;
	play->grants_aged += play->now.aged;
	return !play->wrong[0];
}
