/* The functions as workers call them, and what workers and callers know after the answer. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "play.h"

static void expect_over(struct play *play, int request)
{
	if (play->caller[request].state != CALLER_NONE)
		play->caller[request].state = CALLER_OVER;
}

static void expect_lease(struct play *play, int request, uint32_t epoch, uint32_t fence, int64_t sent, int64_t expires)
{
	struct caller *caller = &play->caller[request];

	caller->state = CALLER_HOLDS;
	caller->epoch = epoch;
	caller->fence = fence;
	caller->until = sent + (expires - play->last_now);
}

/* ABSENT and BEHIND: the worker sends the settings and asks again later. */
static bool answer_refused(struct play *play)
{
	if (play->status != POOL_ABSENT && play->status != POOL_BEHIND)
		return false;
	play->refused = true;
	act_end(play);
	return true;
}

void act_configure(struct play *play)
{
	struct buf *args = act_begin(play, -1);

	pool_pack(&args[0], &play->settings);
	buf_putf(&args[1], "birth%d", ++play->births);
	play->effect.configured = play->effect.grants = true;
	play_say(play, "configure gen %" PRIu32 ": %d slots%s", play->settings.gen, play->settings.slots,
		play->settings.paused ? ", paused" : "");
	call_function(play, "configure", 2, args);
	if (cut_u32(&play->answer) != play->settings.gen && play->status == POOL_OK)
		play_wrong(play, "configured another generation");
	if (play->status == POOL_OK)
		cut_u8(&play->answer);
	act_end(play);
}

static void acquire_granted(struct play *play, int worker, int request, int64_t sent, bool lost)
{
	uint32_t epoch = cut_u32(&play->answer);
	uint32_t fence = cut_u32(&play->answer);
	int64_t expires = cut_int(&play->answer, 7);
	const struct seen *seen = &play->now.request[request];

	cut_int(&play->answer, 7);
	cut_int(&play->answer, 7);
	if (seen->state != 'A' || seen->fence != fence || seen->epoch != epoch ||
		seen->worker != play->worker[worker].name)
		play_wrong(play, "r%d was answered granted, and is not active with that fence", request);
	if (lost)
		return;
	play->worker[worker].table[request].what = KNOWN_ACTIVE;
	play->worker[worker].table[request].epoch = epoch;
	play->worker[worker].table[request].fence = fence;
	expect_lease(play, request, epoch, fence, sent, expires);
}

static void acquire_queued(struct play *play, int worker, int request, bool lost)
{
	uint32_t position = cut_u32(&play->answer);
	int64_t eta = cut_int(&play->answer, 7);
	int64_t deadline = cut_int(&play->answer, 7);
	const struct seen *seen = &play->now.request[request];
	unsigned why;

	cut_int(&play->answer, 7);
	why = cut_u8(&play->answer);
	levels_take(play);
	if (seen->state != 'W' || seen->worker != play->worker[worker].name || seen->deadline != deadline)
		play_wrong(play, "r%d was answered queued, and does not wait so", request);
	if (position < 1 || eta < 0 || why < WHY_OWN_CAP || why > WHY_PARKED)
		play_wrong(play, "r%d: position %" PRIu32 ", eta %" PRId64 ", why %u", request, position, eta, why);
	if (lost)
		return;
	play->caller[request].state = CALLER_WAITS;
	play->worker[worker].table[request].what = KNOWN_WAITING;
}

static void acquire_other(struct play *play, int worker, int request, bool lost)
{
	const struct seen *seen = &play->now.request[request];

	switch (play->status) {
	case POOL_SHED:
		play->shed[cut_u8(&play->answer) & 7]++;
		cut_int(&play->answer, 7);
		if (seen->state && seen->state != 'D')
			play_wrong(play, "r%d was shed, and is there", request);
		break;
	case POOL_DONE:
		cut_u8(&play->answer);
		cut_u32(&play->answer);
		cut_u32(&play->answer);
		tail_take(play, worker, false, lost);
		if (seen->state != 'D' || !seen->fence)
			play_wrong(play, "r%d was answered done, and is not", request);
		break;
	case POOL_INVALID:
		cut_u8(&play->answer);
		break;
	case POOL_CONFLICT:
		return;
	default:
		play_wrong(play, "acquire answered %d", play->status);
	}
	if (!lost) {
		play->worker[worker].table[request].what = KNOWN_NOT;
		expect_over(play, request);
	}
}

void act_acquire(struct play *play, int worker, int request, int seats, int64_t wait_ms, bool lost)
{
	int user = play->caller[request].user;
	int64_t sent = play->true_ms;
	char was = play->now.request[request].state;

	struct buf *args = act_begin(play, worker);
	buf_put_u32(&args[0], play->gen);
	buf_put_u8(&args[0], (uint8_t)play->user[user].priority);
	buf_put_u32(&args[0], (uint32_t)play->user[user].cap);
	buf_put_u32(&args[0], (uint32_t)seats);
	buf_put_u32(&args[0], (uint32_t)wait_ms);
	buf_put_u8(&args[0], 0);
	put_worker(&args[1], play->worker[worker].name);
	put_user(&args[2], play, request);
	put_request(&args[3], request);
	play->effect.asked = request;
	play->effect.grants = true;
	play_say(play, "w%d acquires r%d of u%d (priority %d, cap %d), %d seats, waits %" PRId64 "%s", worker, request,
		user, play->user[user].priority, play->user[user].cap, seats, wait_ms, lost ? ", answer lost" : "");
	call_function(play, "acquire", 4, args);
	if (answer_refused(play))
		return;
	if (play->status != POOL_CONFLICT) {
		play->caller[request].worker = worker;
		play->caller[request].seats = seats;
	}
	if (play->status == POOL_GRANTED) {
		acquire_granted(play, worker, request, sent, lost);
		tail_take(play, worker, false, lost);
	} else if (play->status == POOL_QUEUED) {
		acquire_queued(play, worker, request, lost);
		tail_take(play, worker, false, lost);
	} else {
		if (play->status == POOL_CONFLICT && (!was || seats == play->before.request[request].seats))
			play_wrong(play, "r%d: a conflict with nothing", request);
		acquire_other(play, worker, request, lost);
	}
	act_end(play);
}

/* Processes one status code of a renewal. */
static void take_renewal(
	struct play *play, int worker, int request, uint32_t epoch, uint32_t fence, int64_t sent, bool lost)
{
	const struct seen *before = &play->before.request[request];
	unsigned code = cut_u8(&play->answer);
	int64_t expires = cut_int(&play->answer, 7);
	bool same = seen_live(before) && before->epoch == epoch && before->fence == fence;
	bool mine = worker < 0 || before->worker == play->worker[worker].name;
	/* An expired lease may have been given to another caller in writes that a fail-over lost. */
	bool gone = view_learns(play) && before->expires <= play->last_now;

	cut_int(&play->answer, 7);
	play_say(play, " r%d:%u", request, code);
	if ((code == POOL_OK) != (same && mine && !gone))
		play_wrong(play, "renewing r%d was answered %u", request, code);
	if (code == POOL_OK &&
		(play->now.request[request].state != 'A' || play->now.request[request].expires != expires ||
			expires + TIME_SLACK_MS < before->expires))
		play_wrong(play, "r%d was renewed, and is not", request);
	if ((code == POOL_DONE && before->state != 'D') || (code == POOL_MOVED && mine) ||
		(code == POOL_FENCED && (same || !before->state)))
		play_wrong(play, "renewing r%d was answered %u", request, code);
	if (lost)
		return;
	if (code == POOL_OK) {
		if (worker >= 0)
			play->worker[worker].table[request].what = KNOWN_ACTIVE;
		if (worker < 0 || play->caller[request].worker == worker)
			expect_lease(play, request, epoch, fence, sent, expires);
	} else if (code != POOL_LEARNING) {
		if (worker >= 0)
			play->worker[worker].table[request].what = KNOWN_NOT;
		if (worker < 0 || play->caller[request].worker == worker)
			expect_over(play, request);
	}
}

void act_renew(struct play *play, struct chance *chance, int worker, bool lost)
{
	struct worker *w = &play->worker[worker];
	int64_t sent = play->true_ms;
	int count = 0;
	int list[REQUESTS_MAX];

	struct buf *args = act_begin(play, worker);
	for (int i = 0; i < play->requests; i++)
		if (w->table[i].what >= KNOWN_GRANTED && chance_percent(chance, 90))
			list[count++] = i;
	put_worker(&args[0], w->name);
	buf_put_u16(&args[1], (uint16_t)count);
	for (int i = 0; i < count; i++) {
		struct buf name = {0};

		put_user(&name, play, list[i]);
		buf_put_str16(&args[1], name.data, name.len);
		buf_reset(&name);
		put_request(&name, list[i]);
		buf_put_str16(&args[1], name.data, name.len);
		buf_put_u32(&args[1], w->table[list[i]].epoch);
		buf_put_u32(&args[1], w->table[list[i]].fence);
		buf_release(&name);
	}
	play_say(play, "w%d renews%s", worker, lost ? " (answer lost)" : "");
	call_function(play, "renew", 2, args);
	if (answer_refused(play))
		return;
	if (play->status != POOL_OK || cut_u16(&play->answer) != count)
		play_wrong(play, "renew answered %d", play->status);
	for (int i = 0; i < count && !play->wrong[0]; i++)
		take_renewal(play, worker, list[i], w->table[list[i]].epoch, w->table[list[i]].fence, sent, lost);
	act_end(play);
}

void act_renew_self(struct play *play, int request)
{
	struct caller *caller = &play->caller[request];
	struct buf name = {0};
	int64_t sent = play->true_ms;

	struct buf *args = act_begin(play, -1);
	buf_put_u16(&args[1], 1);
	put_user(&name, play, request);
	buf_put_str16(&args[1], name.data, name.len);
	buf_reset(&name);
	put_request(&name, request);
	buf_put_str16(&args[1], name.data, name.len);
	buf_put_u32(&args[1], caller->epoch);
	buf_put_u32(&args[1], caller->fence);
	buf_release(&name);
	play_say(play, "the caller renews");
	call_function(play, "renew", 2, args);
	if (answer_refused(play))
		return;
	if (play->status != POOL_OK || cut_u16(&play->answer) != 1)
		play_wrong(play, "renew answered %d", play->status);
	take_renewal(play, -1, request, caller->epoch, caller->fence, sent, false);
	act_end(play);
}
