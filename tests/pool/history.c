/* What must hold from one state to the next: the invariants that need history. */
#include <inttypes.h>
#include <string.h>

#include "play.h"

bool seen_live(const struct seen *seen)
{
	return seen->state == 'G' || seen->state == 'A';
}

bool view_learns(const struct play *play)
{
	return play->now.needs_epoch || play->now.learn > play->last_now;
}

bool history_granted(const struct play *play, int request)
{
	const struct seen *before = &play->before.request[request];
	const struct seen *now = &play->now.request[request];

	return seen_live(now) && (!seen_live(before) || before->epoch != now->epoch || before->fence != now->fence);
}

void history_forget(struct play *play)
{
	memset(play->aged, 0, sizeof(play->aged));
	memset(play->synced, 0, sizeof(play->synced));
	for (int i = 0; i < REQUESTS_MAX; i++)
		play->ended_at[i] = 0;
	play->last_now = 0;
}

/* True if the worker of that name may be taken for dead: it has not synced for too long, or it said goodbye. */
static bool worker_gone(const struct play *play, int name)
{
	int64_t synced = name < NAMES_MAX ? play->synced[name] : 0;

	return name == play->effect.bye || !synced || play->last_now - synced >= play->now.worker_ms;
}

static uint64_t fence_of(const struct seen *seen)
{
	return (uint64_t)seen->epoch << 32 | seen->fence;
}

/* Checks I1, I3, I7, rules 1 and 5, and FIFO within a user, for a grant that this step made. */
static void check_grant(struct play *play, int request)
{
	const struct view *view = &play->now;
	const struct seen *seen = &view->request[request];
	const struct seen *before = &play->before.request[request];
	int asked = play->effect.asked; /* it may bring a lower cap, after grants under the old one */

	if (fence_of(seen) <= ((uint64_t)play->last_epoch << 32 | play->last_fence))
		play_wrong(play,
			"I7: r%d was granted with fence %" PRIu32 ".%" PRIu32 ", but %" PRIu32 ".%" PRIu32
			" was before",
			request, seen->epoch, seen->fence, play->last_epoch, play->last_fence);
	if (view->run > view->slots)
		play_wrong(play, "I1: r%d was granted, and %u seats run in %u slots", request, view->run, view->slots);
	if (seen->over_cap && !(asked >= 0 && asked != request && play->caller[asked].user == seen->user))
		play_wrong(play, "I3: r%d was granted above its user's cap", request);
	if (view->learn > play->last_now && !view->available)
		play_wrong(play, "I15: r%d was granted while learning", request);
	if (view->needs_epoch)
		play_wrong(play, "I7: r%d was granted without an epoch", request);
	if (view->paused)
		play_wrong(play, "r%d was granted while paused", request);
	if (before->state == 'W' && request != play->effect.asked && before->deadline <= play->last_now)
		play_wrong(play, "rule 5: r%d was granted after its deadline", request);
	for (int i = 0; i < play->requests; i++) {
		const struct seen *other = &view->request[i];

		if (other->state == 'W' && play->before.request[i].state == 'W' && other->user == seen->user &&
			other->arrival < seen->arrival)
			play_wrong(play, "r%d was granted before r%d of the same user, who came earlier", request, i);
	}
}

static void check_grants(struct play *play, int *count)
{
	uint64_t most = (uint64_t)play->last_epoch << 32 | play->last_fence;

	*count = 0;
	for (int i = 0; i < play->requests; i++) {
		const struct seen *seen = &play->now.request[i];

		if (!history_granted(play, i))
			continue;
		++*count;
		check_grant(play, i);
		for (int k = 0; k < i; k++)
			if (seen_live(&play->now.request[k]) && fence_of(&play->now.request[k]) == fence_of(seen))
				play_wrong(play, "I7: r%d and r%d have the same fence", k, i);
		most = fence_of(seen) > most ? fence_of(seen) : most;
	}
	play->last_epoch = (uint32_t)(most >> 32);
	play->last_fence = (uint32_t)most;
}

/* What is wrong with the end or the parking of a request; NULL if nothing is. */
static const char *end_fault(const struct play *play, int request)
{
	const struct seen *before = &play->before.request[request];
	const struct seen *now = &play->now.request[request];
	bool named = play->effect.ended == request;

	if (now->state == 'D') {
		/* Its grant was taken back when it was too late to wait any longer. */
		if (before->state == 'G' && before->expires <= play->last_now && !now->fence)
			return NULL;
		if (seen_live(before)) {
			if (now->fence != before->fence || now->epoch != before->epoch)
				return "I12: ended with another fence than its lease had";
			if (before->state == 'G' && !named)
				return "a grant that nobody acknowledged was not taken back";
			return named || before->expires <= play->last_now ? NULL : "its lease ended before its time";
		}
		/* A request wider than the pool ends when its turn comes. */
		if (now->outcome == OUTCOME_TIMED_OUT && before->deadline > play->last_now && !named &&
			before->seats <= (int)play->now.slots)
			return "timed out before its deadline";
		if (now->outcome == OUTCOME_GONE &&
			(before->state != 'P' || play->last_now < play->ended_at[request] + play->now.grace_ms))
			return "dropped before its grace was over";
		return named || now->outcome == OUTCOME_TIMED_OUT || now->outcome == OUTCOME_GONE
			       ? NULL
			       : "I12: a waiter ended, and nobody ended it";
	}
	if (before->state == 'A' && now->state == 'P')
		return "an active lease was parked";
	if (before->state == 'G' && before->expires <= play->last_now)
		return NULL;
	return worker_gone(play, before->worker) ? NULL : "parked though its worker lives";
}

/* The same for a request that existed before and lives on or has ended. */
static const char *change_fault(const struct play *play, int request)
{
	const struct seen *before = &play->before.request[request];
	const struct seen *now = &play->now.request[request];
	bool own = play->effect.synced && before->worker == play->effect.caller;
	bool asked = play->effect.asked == request || (own && (before->state == 'P' || before->state == 'G'));
	bool over = before->deadline <= play->last_now ||
		    (before->state == 'P' && play->last_now >= play->ended_at[request] + play->now.grace_ms);

	if (before->state != now->state && (now->state == 'D' || now->state == 'P') && before->state)
		return before->state == 'D' ? "I12: what had ended was parked" : end_fault(play, request);
	if (seen_live(before) && history_granted(play, request) && !(asked && before->state == 'G'))
		return "I14: granted anew while its lease lived";
	if (!before->state)
		return asked ? NULL : "came from nowhere";
	if (!now->state)
		return "I12: forgotten before it had ended";
	if (before->state == 'A' && now->state == 'W')
		return "an active lease waits again";
	if ((before->state == 'P' || before->worker != now->worker) && before->state != now->state && !asked)
		return "it changed though its caller did not ask";
	if (before->state == 'W' && now->state == 'A' && !asked)
		return "it became active though nobody acknowledged it";
	if (before->arrival != now->arrival && !(asked && over))
		return "it lost its place";
	return NULL;
}

/*
 * The same for an ended request: only its tombstone's expiry, or a new question if it was never granted, brings it
 * back.
 */
static const char *tombstone_fault(const struct play *play, int request)
{
	const struct seen *before = &play->before.request[request];
	const struct seen *now = &play->now.request[request];
	int64_t ended = play->ended_at[request];
	bool over = !ended || play->last_now >= ended + play->now.tombstone_ms;

	if (now->state == 'D')
		return now->outcome == before->outcome && fence_of(now) == fence_of(before) ? NULL : "I12: ended twice";
	if (!now->state)
		return over || play->effect.asked == request ? NULL : "its tombstone was removed before its time";
	if (play->effect.asked != request)
		return "I12: it had ended and came back";
	return over || !before->fence ? NULL : "I12: it was granted, had ended, and came back";
}

static void check_changes(struct play *play)
{
	for (int i = 0; i < play->requests; i++) {
		const struct seen *before = &play->before.request[i];
		const struct seen *now = &play->now.request[i];
		const char *fault;

		if (!before->state && !now->state)
			continue;
		fault = before->state == 'D' ? tombstone_fault(play, i) : change_fault(play, i);
		if (fault)
			play_wrong(play, "r%d (%c -> %c): %s", i, before->state ? before->state : '-',
				now->state ? now->state : '-', fault);
		if (before->state != now->state && (now->state == 'D' || now->state == 'P'))
			play->ended_at[i] = play->last_now;
	}
}

static int rank_of(const struct view *view, int user, int64_t *since)
{
	for (int i = 0; i < view->since_count; i++) {
		if (view->since[i].user == user) {
			*since = view->since[i].ms;
			return i;
		}
	}
	return -1;
}

/* The heads that are now ahead of this one but a step ago were not eligible or not ahead of it. */
static int newly_older(const struct play *play, int rank)
{
	const struct view *now = &play->now;
	int count = 0;
	int64_t since;

	for (int i = 0; i < rank; i++)
		if (rank_of(&play->before, now->since[i].user, &since) < 0 || since != now->since[i].ms)
			count++;
	return count;
}

/* I13: an aged head is passed over by at most k (A + 1) grants, A = eligible heads older than it. */
static void check_aged(struct play *play, int grants)
{
	const struct view *now = &play->now;
	bool anew = now->every != play->before.every || now->age_ms != play->before.age_ms;

	for (int user = 0; user < USERS; user++) {
		struct aged *aged = &play->aged[user];
		int64_t since = 0;
		int rank = rank_of(now, user, &since);

		if (rank < 0 || play->last_now - since <= now->age_ms) {
			aged->counts = false;
		} else if (!aged->counts || aged->since != since || anew) {
			*aged = (struct aged){.counts = true, .since = since, .older = rank};
		} else {
			aged->grants += grants;
			aged->older += newly_older(play, rank);
			if (aged->grants > now->every * (aged->older + 1))
				play_wrong(play,
					"I13: the head of u%d was passed over by %" PRId64 " grants, with %" PRId64
					" older ones and k = %d",
					user, aged->grants, aged->older, now->every);
		}
	}
	if (now->aged * now->every > now->at_once + now->waited + now->every)
		play_wrong(play, "%" PRId64 " of %" PRId64 " grants by the aged lane, which has one of %d", now->aged,
			now->at_once + now->waited, now->every);
}

/* I15: except while learning, every lease that a caller relies on exists, with the same fence. */
void history_expected(struct play *play)
{
	uint32_t seats = 0;

	if (view_learns(play) || play->true_ms < play->inexact_until)
		return;
	for (int i = 0; i < play->requests; i++) {
		const struct caller *caller = &play->caller[i];
		const struct seen *seen = &play->now.request[i];

		if (caller->state != CALLER_HOLDS || caller->until <= play->true_ms || play->effect.ended == i)
			continue;
		seats += (uint32_t)caller->seats;
		if (!seen_live(seen) || seen->epoch != caller->epoch || seen->fence != caller->fence)
			play_wrong(play, "I15: the caller of r%d holds a lease that there is not", i);
	}
	if (seats > play->now.slots && seats > play->now.run)
		play_wrong(play, "I15: callers hold %u seats of %u slots", seats, play->now.slots);
}

static void check_run(struct play *play)
{
	const struct view *now = &play->now;

	if (play->effect.new_run) {
		if (!now->needs_epoch)
			play_wrong(play, "I7: what was lost may have used epoch %u, and it goes on", now->epoch);
		if (!now->available && now->learn < play->last_now + now->lease_ms)
			play_wrong(play, "I15: another process, and it does not learn for a lease's time");
	} else if (now->epoch < play->before.epoch) {
		play_wrong(play, "I7: the epoch went back");
	} else if (now->needs_epoch && !play->before.needs_epoch && play->before.there) {
		play_wrong(play, "I7: another epoch is needed, and nothing was lost");
	}
	if (now->run > now->slots && now->run > play->before.run)
		play_wrong(play, "I1: more seats run than there are slots, and they became more");
}

void history_check(struct play *play)
{
	const struct view *now = &play->now;
	bool gives = play->effect.grants &&
		     (play->status == POOL_OK || play->status == POOL_GRANTED || play->status == POOL_QUEUED);
	int grants = 0;

	check_run(play);
	check_grants(play, &grants);
	check_changes(play);
	check_aged(play, grants);
	if (play->narrow && gives && now->room && !now->paused && !view_learns(play))
		play_wrong(play, "I6: slots are free and somebody could have one");
}
