/* The steps: which act a random number stands for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "play.h"

/* A random request for which `fits` holds; -1 if there is none. */
static int request_any(struct play *play, struct chance *chance,
	bool (*fits)(const struct play *play, int request, int with), int with)
{
	int start = play->requests ? (int)chance_below(chance, play->requests) : 0;

	for (int i = 0; i < play->requests; i++) {
		int request = (start + i) % play->requests;

		if (fits(play, request, with))
			return request;
	}
	return -1;
}

static bool is_asking(const struct play *play, int request, int with)
{
	(void)with;
	return play->caller[request].state != CALLER_OVER;
}

static bool is_there(const struct play *play, int request, int with)
{
	(void)with;
	return play->now.request[request].state != 0;
}

static bool is_any(const struct play *play, int request, int with)
{
	(void)play;
	(void)with;
	return request >= 0;
}

static bool is_held_by(const struct play *play, int request, int worker)
{
	return play->worker[worker].table[request].what >= KNOWN_GRANTED;
}

static bool is_known_by(const struct play *play, int request, int worker)
{
	return play->worker[worker].table[request].what != KNOWN_NOT;
}

static bool is_held(const struct play *play, int request, int with)
{
	(void)with;
	return play->caller[request].state == CALLER_HOLDS;
}

static void pass(struct play *play, int64_t ms)
{
	play->true_ms += ms;
	play->clock_ms += ms;
	play_say(play, "%" PRId64 " ms pass", ms);
}

static void step_time(struct play *play, struct chance *chance)
{
	int kind = (int)chance_below(chance, 100);

	if (kind < 70)
		pass(play, chance_below(chance, 1500));
	else if (kind < 90)
		pass(play, chance_between(chance, 1000, 10000));
	else if (kind < 98)
		pass(play, chance_between(chance, 8000, 45000));
	else
		pass(play, chance_between(chance, 40000, 400000));
}

static int64_t wait_any(struct chance *chance)
{
	return chance_percent(chance, 60) ? 0 : chance_between(chance, 500, 60000);
}

static void step_new(struct play *play, struct chance *chance, int worker)
{
	int request = play->requests++;

	play->caller[request] = (struct caller){.state = CALLER_ASKED,
		.user = (int)chance_below(chance, USERS),
		.seats = play->narrow ? 1 : (int)chance_between(chance, 1, 3),
		.worker = -1};
	act_acquire(play, worker, request, play->caller[request].seats, wait_any(chance), chance_percent(chance, 8));
}

/* Asks again: after a lost answer, at any worker, after the request has ended, or with a different number of seats. */
static void step_again(struct play *play, struct chance *chance, int worker)
{
	bool odd = chance_percent(chance, 15);
	int request = request_any(play, chance, odd ? is_any : is_asking, 0);
	int seats;

	if (request < 0)
		return;
	seats = play->caller[request].seats;
	if (chance_percent(chance, 5) && !play->narrow)
		seats++;
	act_acquire(play, worker, request, seats, wait_any(chance), chance_percent(chance, 8));
}

static void step_release(struct play *play, struct chance *chance, int worker)
{
	int request = request_any(play, chance, is_held_by, worker);
	const struct worker *w = &play->worker[worker];
	bool only_mine;

	if (request < 0)
		return;
	only_mine = play->caller[request].worker != worker || chance_percent(chance, 50);
	act_release(play, worker, request, w->table[request].epoch, w->table[request].fence, only_mine,
		chance_percent(chance, 8));
}

/* Uses an older fence, another request's fence, or the same one again. */
static void step_stale(struct play *play, struct chance *chance, int worker)
{
	int request = request_any(play, chance, is_there, 0);
	const struct seen *seen;
	uint32_t epoch, fence;

	if (request < 0)
		return;
	seen = &play->now.request[request];
	epoch = seen->epoch;
	fence = seen->fence;
	switch (chance_below(chance, 4)) {
	case 0:
		fence -= (uint32_t)chance_between(chance, 1, 5);
		break;
	case 1:
		epoch--;
		break;
	case 2:
		fence++;
		break;
	default:
		if (seen_live(seen))
			fence = 0;
	}
	act_release(play, worker, request, epoch, fence, chance_percent(chance, 30), false);
}

static void step_cancel(struct play *play, struct chance *chance, int worker)
{
	static const int outcomes[] = {OUTCOME_CANCELLED, OUTCOME_CANCELLED, OUTCOME_TIMED_OUT, OUTCOME_UNDELIVERED};
	int request = request_any(play, chance, is_known_by, worker);
	bool only_mine;

	if (request < 0)
		return;
	only_mine = play->caller[request].worker != worker || chance_percent(chance, 50);
	act_cancel(play, worker, request, outcomes[chance_below(chance, 4)], only_mine, chance_percent(chance, 8));
}

static void step_settings(struct play *play, struct chance *chance)
{
	play_settings_change(play, chance);
	if (chance_percent(chance, 90))
		act_configure(play);
	else
		play_say(play, "settings of gen %" PRIu32 ", not sent yet", play->gen);
}

/* A worker dies with all it knew, or a new one takes its place. */
static void step_worker(struct play *play, struct chance *chance)
{
	struct worker *w = &play->worker[chance_below(chance, WORKERS)];

	if (w->alive && chance_percent(chance, 60)) {
		play_say(play, "w%d dies", (int)(w - play->worker));
		for (int i = 0; i < play->requests; i++)
			if (play->caller[i].worker == w - play->worker)
				play->caller[i].worker = -1;
		*w = (struct worker){.alive = false};
	} else if (!w->alive && play->names + 1 < NAMES_MAX) {
		*w = (struct worker){.alive = true, .name = ++play->names};
		play_say(play, "w%d is there again, as worker %d", (int)(w - play->worker), w->name);
	}
}

static void step_tier(struct play *play, struct chance *chance)
{
	static const int usual[] = {1, 5, 10};
	int user = (int)chance_below(chance, USERS);

	if (chance_percent(chance, 70))
		play->user[user].cap = (int)chance_between(chance, 1, 5);
	if (chance_percent(chance, 50))
		play->user[user].priority =
			play->many_levels ? (int)chance_between(chance, 1, 100) : usual[chance_below(chance, 3)];
	play_say(play, "u%d: priority %d, cap %d", user, play->user[user].priority, play->user[user].cap);
}

/* Another Redis process, which may lack the last writes. */
static void step_failover(struct play *play, struct chance *chance)
{
	bool lost = play->snapshot && chance_percent(chance, 60);

	if (!play->now.there)
		return;
	play->failovers++;
	play->lost_suffixes += lost;
	play_say(play, "fail-over%s: ", lost ? ", the writes since the copy are lost" : "");
	play->clock_ms += 1000;
	play->true_ms += 1000;
	call_plain(play, "SET b:run run%d", ++play->run_id);
	if (lost) {
		call_snapshot(play, true);
		history_forget(play);
		call_look(play);
	}
	play->snapshot = false;
	if (play->now.available)
		play->inexact_until = play->true_ms + play->now.lease_ms;
	play->new_process = true;
	act_tick(play);
}

/* FLUSHALL, or another process that starts empty; its clock may be behind. */
static void step_wipe(struct play *play, struct chance *chance)
{
	play_say(play, "all keys are gone: ");
	call_wipe(play);
	if (chance_percent(chance, 30))
		call_plain(play, "SET b:run run%d", ++play->run_id);
	if (chance_percent(chance, 50))
		play->clock_ms -= chance_below(chance, 700000);
	play->snapshot = false;
	history_forget(play);
	call_look(play);
	if (play->settings.available)
		play->inexact_until = play->true_ms + play->settings.lease_us / 1000;
	play->new_process = true;
	play->refused = false;
	act_configure(play);
}

static void step_snapshot(struct play *play)
{
	play_say(play, "a copy of the keys is kept");
	call_snapshot(play, false);
	play->snapshot = true;
}

static void step_rare(struct play *play, struct chance *chance)
{
	int kind = (int)chance_below(chance, 100);

	if (kind < 25) {
		step_settings(play, chance);
	} else if (kind < 55) {
		step_worker(play, chance);
	} else if (kind < 70) {
		step_tier(play, chance);
	} else if (kind < 76) {
		play->clock_ms -= 5000;
		play_say(play, "Redis' clock steps back by 5 s");
	} else if (kind < 80) {
		step_failover(play, chance);
	} else if (kind < 89) {
		step_snapshot(play);
	} else if (kind < 91) {
		step_wipe(play, chance);
	} else if (kind < 93) {
		act_resume(play);
	} else {
		act_stats(play, (int)chance_below(chance, USERS + 1) - 1);
	}
}

static void step_by_worker(struct play *play, struct chance *chance, int worker)
{
	int kind = (int)chance_below(chance, 100);

	if (kind < 28)
		act_sync(play, chance, worker, chance_percent(chance, 3), chance_percent(chance, 8));
	else if (kind < 54)
		act_renew(play, chance, worker, chance_percent(chance, 8));
	else if (kind < 80)
		step_release(play, chance, worker);
	else if (kind < 88)
		step_stale(play, chance, worker);
	else
		step_cancel(play, chance, worker);
}

void play_step(struct play *play, struct chance *chance)
{
	int kind = (int)chance_below(chance, 100);
	int worker = (int)chance_below(chance, WORKERS);
	int request;

	if (play->refused && chance_percent(chance, 60)) {
		play->refused = false;
		act_configure(play);
	} else if (chance_percent(chance, play->now.needs_epoch ? 40 : 1)) {
		act_epoch(play, chance);
	} else if (kind < 20 || (kind >= 32 && !play->worker[worker].alive)) {
		step_time(play, chance);
	} else if (kind < 28) {
		step_rare(play, chance);
	} else if (kind < 30) {
		act_tick(play);
	} else if (kind < 32) {
		if ((request = request_any(play, chance, is_held, 0)) >= 0)
			act_renew_self(play, request);
	} else if (kind < 32 + play->load) {
		step_new(play, chance, worker);
	} else if (kind < 40 + play->load) {
		step_again(play, chance, worker);
	} else {
		step_by_worker(play, chance, worker);
	}
}
