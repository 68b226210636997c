/* The functions that end requests and those that maintain the pool. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "play.h"

#define PLACES 64

static void put_names(struct play *play, struct buf *args, int worker, int request)
{
	put_worker(&args[1], play->worker[worker].name);
	put_user(&args[2], play, request);
	put_request(&args[3], request);
	play->effect.ended = request;
	play->effect.grants = true;
}

static bool same_fence(const struct seen *seen, uint32_t epoch, uint32_t fence)
{
	return seen->epoch == epoch && seen->fence == fence;
}

/* The worker and the caller of its stream are done with the request. */
static void forget(struct play *play, int worker, int request)
{
	play->worker[worker].table[request].what = KNOWN_NOT;
	if (play->caller[request].worker == worker)
		play->caller[request].state = CALLER_OVER;
}

static void check_release(struct play *play, int worker, int request, uint32_t epoch, uint32_t fence, bool only_mine)
{
	const struct seen *before = &play->before.request[request];
	const struct seen *now = &play->now.request[request];
	bool mine = before->worker == play->worker[worker].name;
	bool holds = seen_live(before) && same_fence(before, epoch, fence);

	switch (play->status) {
	case POOL_OK:
		if (!holds)
			play_wrong(play, "I11: r%d was released with a fence that is not its lease's", request);
		if (now->state != 'D' || now->outcome != OUTCOME_RELEASED || (only_mine && !mine))
			play_wrong(play, "r%d was released, and is not", request);
		break;
	case POOL_REPEAT:
		if (before->state != 'D' || !same_fence(before, epoch, fence))
			play_wrong(play, "r%d: released again, and it was not before", request);
		break;
	case POOL_UNKNOWN:
	case POOL_FENCED:
	case POOL_MOVED:
		if (holds && !(play->status == POOL_MOVED && only_mine && !mine))
			play_wrong(play, "r%d is not released (%d), and its fence is right", request, play->status);
		break;
	default:
		play_wrong(play, "release answered %d", play->status);
	}
}

void act_release(struct play *play, int worker, int request, uint32_t epoch, uint32_t fence, bool only_mine, bool lost)
{
	struct buf *args = act_begin(play, worker);
	buf_put_u32(&args[0], epoch);
	buf_put_u32(&args[0], fence);
	buf_put_u8(&args[0], only_mine);
	put_names(play, args, worker, request);
	play_say(play, "w%d releases r%d with %" PRIu32 ".%" PRIu32 "%s%s", worker, request, epoch, fence,
		only_mine ? " if its own" : "", lost ? ", answer lost" : "");
	call_function(play, "release", 4, args);
	if (play->status != POOL_ABSENT)
		check_release(play, worker, request, epoch, fence, only_mine);
	if (play->status == POOL_OK)
		cut_int(&play->answer, 7);
	if (play->status == POOL_OK || play->status == POOL_REPEAT)
		tail_take(play, worker, false, lost);
	if (play->status == POOL_OK || play->status == POOL_UNKNOWN || play->status == POOL_REPEAT)
		forget(play, worker, request);
	if (play->status == POOL_OK && !only_mine)
		play->caller[request].state = CALLER_OVER;
	act_end(play);
}

static void check_cancel(struct play *play, int worker, int request, bool only_mine)
{
	const struct seen *before = &play->before.request[request];
	const struct seen *now = &play->now.request[request];
	bool mine = before->worker == play->worker[worker].name;
	int was = play->status == POOL_OK ? cut_u8(&play->answer) : 0;

	if (play->status == POOL_OK) {
		if (was != (seen_live(before) ? 2 : 1) || !before->state || before->state == 'D' || now->state != 'D')
			play_wrong(play, "r%d: cancelled (%d), and it was not there", request, was);
	} else if (play->status == POOL_REPEAT) {
		if (before->state != 'D')
			play_wrong(play, "r%d: cancelled again, and it had not ended", request);
	} else if (play->status == POOL_UNKNOWN) {
		if (before->state)
			play_wrong(play, "r%d: unknown, and it is there", request);
	} else if (play->status != POOL_MOVED || !only_mine || mine) {
		play_wrong(play, "cancel answered %d", play->status);
	}
}

void act_cancel(struct play *play, int worker, int request, int outcome, bool only_mine, bool lost)
{
	struct buf *args = act_begin(play, worker);
	buf_put_u8(&args[0], only_mine);
	buf_put_u8(&args[0], (uint8_t)outcome);
	put_names(play, args, worker, request);
	play_say(play, "w%d cancels r%d, outcome %d%s%s", worker, request, outcome, only_mine ? ", if its own" : "",
		lost ? ", answer lost" : "");
	call_function(play, "cancel", 4, args);
	if (play->status != POOL_ABSENT) {
		check_cancel(play, worker, request, only_mine);
		if (play->status == POOL_OK)
			tail_take(play, worker, false, lost);
	}
	if (play->status != POOL_ABSENT)
		forget(play, worker, request);
	act_end(play);
}

/* What sync says of one request. */
static void take_place(struct play *play, int worker, int request, bool lost)
{
	const struct seen *now = &play->now.request[request];
	int code = cut_u8(&play->answer);
	uint32_t position = cut_u32(&play->answer);
	bool mine = now->worker == play->worker[worker].name;

	cut_int(&play->answer, 7);
	cut_u8(&play->answer);
	play_say(play, " r%d:%d", request, code);
	if ((code == POOL_QUEUED && ((now->state != 'W' && now->state != 'P') || position < 1)) ||
		(code == POOL_GRANTED && !seen_live(now)) || (code == POOL_DONE && now->state != 'D') ||
		(code == POOL_UNKNOWN && now->state) || (code == POOL_MOVED && mine && now->state))
		play_wrong(play, "sync says %d of r%d, which is %c", code, request, now->state ? now->state : '-');
	if (!lost && (code == POOL_DONE || code == POOL_UNKNOWN))
		forget(play, worker, request);
	else if (!lost && code == POOL_MOVED)
		play->worker[worker].table[request].what = KNOWN_NOT;
}

static void take_sync(struct play *play, int worker, const int *list, int count, bool bye, bool lost)
{
	size_t len;

	cut_int(&play->answer, 7);
	cut_int(&play->answer, 7);
	if ((cut_u8(&play->answer) == EPOCH_NEEDED) != play->now.needs_epoch)
		play_wrong(play, "sync says wrongly whether an epoch is needed");
	levels_take(play);
	if (cut_u16(&play->answer) != count)
		play_wrong(play, "sync answers of another number of requests");
	for (int i = 0; i < count && !play->answer.bad; i++)
		take_place(play, worker, list[i], lost);
	tail_take(play, worker, !bye, lost);
	for (int n = cut_u16(&play->answer); n > 0 && !play->answer.bad; n--) {
		cut_str16(&play->answer, &len);
		cut_str16(&play->answer, &len);
		cut_u8(&play->answer);
		cut_int(&play->answer, 7);
		cut_u8(&play->answer);
	}
}

void act_sync(struct play *play, struct chance *chance, int worker, bool goodbye, bool lost)
{
	struct worker *w = &play->worker[worker];
	int list[PLACES];
	int count = 0;

	struct buf *args = act_begin(play, worker);
	for (int i = 0; i < play->requests && count < PLACES; i++)
		if (w->table[i].what == KNOWN_WAITING || chance_percent(chance, 2))
			list[count++] = i;
	buf_put_u32(&args[0], play->gen);
	buf_put_u8(&args[0], goodbye);
	put_worker(&args[1], w->name);
	buf_put_u16(&args[2], (uint16_t)count);
	for (int i = 0; i < count; i++) {
		put_user(&args[3], play, list[i]);
		buf_put_str16(&args[2], args[3].data, args[3].len);
		buf_reset(&args[3]);
		put_request(&args[3], list[i]);
		buf_put_str16(&args[2], args[3].data, args[3].len);
		buf_reset(&args[3]);
	}
	play->effect.grants = true;
	play->effect.synced = true;
	play->effect.bye = goodbye ? w->name : -1;
	play_say(play, "w%d syncs%s%s", worker, goodbye ? ", goodbye" : "", lost ? ", answer lost" : "");
	call_function(play, "sync", 3, args);
	if (play->status == POOL_OK) {
		play->synced[w->name] = goodbye ? 0 : play->last_now;
		take_sync(play, worker, list, count, goodbye, lost);
	} else if (play->status == POOL_ABSENT || play->status == POOL_BEHIND) {
		play->refused = true;
	} else {
		play_wrong(play, "sync answered %d", play->status);
	}
	act_end(play);
}

void act_tick(struct play *play)
{
	struct buf *args = act_begin(play, -1);

	play->effect.grants = true;
	buf_put_u32(&args[0], 0); /* of any settings */
	play_say(play, "tick");
	call_function(play, "tick", 1, args);
	if (play->status == POOL_OK)
		cut_int(&play->answer, 7);
	else if (play->status != POOL_ABSENT)
		play_wrong(play, "tick answered %d", play->status);
	act_end(play);
}

void act_resume(struct play *play)
{
	(void)act_begin(play, -1);
	play->effect.grants = true;
	if (view_learns(play))
		play->inexact_until = play->true_ms + play->now.lease_ms;
	play_say(play, "resume");
	call_function(play, "resume", 0, NULL);
	if (play->status != POOL_OK && play->status != POOL_ABSENT)
		play_wrong(play, "resume answered %d", play->status);
	act_end(play);
}
