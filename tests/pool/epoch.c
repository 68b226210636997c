/*
 * Epochs as workers get them: requested by Redis, allotted by PostgreSQL (here a counter), given to Redis, maybe too
 * late.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "play.h"

#define SLOW 3

static void call_epoch(struct play *play, const char *claim, uint32_t epoch, bool first, bool grants)
{
	struct buf *args = act_begin(play, -1);

	play->effect.grants = grants;
	buf_put_u32(&args[0], epoch);
	buf_put_u8(&args[0], first);
	buf_put_str(&args[1], claim);
	call_function(play, "epoch", 2, args);
}

/* Reads the rest of the answer; the claim goes to `claim`. */
static unsigned take_want(struct play *play, uint32_t *known, char claim[CLAIM_MAX])
{
	unsigned want = cut_u8(&play->answer);
	const char *text;
	size_t len = 0;

	*known = cut_u32(&play->answer);
	text = cut_str16(&play->answer, &len);
	snprintf(claim, CLAIM_MAX, "%.*s", (int)len, text ? text : "");
	if ((want == EPOCH_NEEDED) != play->now.needs_epoch || *known != play->now.epoch)
		play_wrong(play, "epoch answers %u and %" PRIu32 ", and that is not so", want, *known);
	return want;
}

static void give(struct play *play, const char *claim, uint32_t epoch, bool first, bool in_time)
{
	char now[CLAIM_MAX];
	uint32_t known;

	play_say(play, "; epoch %" PRIu32 " for %s%s", epoch, claim, first ? ", the first" : "");
	call_epoch(play, claim, epoch, first, in_time);
	if (play->status != POOL_OK) {
		play->refused = play->status == POOL_ABSENT;
		act_end(play);
		return;
	}
	if (take_want(play, &known, now) != EPOCH_KEPT && in_time)
		play_wrong(play, "epoch %" PRIu32 " is not taken", epoch);
	act_end(play);
}

/* A slow worker's epoch finally arrives. */
static bool give_late(struct play *play, struct chance *chance)
{
	int at = (int)chance_below(chance, SLOW);
	char claim[CLAIM_MAX];

	if (!play->on_its_way[at].claim[0] || chance_percent(chance, 60))
		return false;
	strcpy(claim, play->on_its_way[at].claim);
	play->on_its_way[at].claim[0] = '\0';
	give(play, claim, play->on_its_way[at].epoch, play->on_its_way[at].first, false);
	return true;
}

void act_epoch(struct play *play, struct chance *chance)
{
	char claim[CLAIM_MAX];
	uint32_t known;
	bool first;
	int at = (int)chance_below(chance, SLOW);

	play_say(play, "a worker asks for an epoch");
	if (give_late(play, chance))
		return;
	call_epoch(play, "", 0, false, false);
	if (play->status != POOL_OK) {
		play->refused = play->status == POOL_ABSENT;
		act_end(play);
		return;
	}
	unsigned want = take_want(play, &known, claim);
	act_end(play);
	if (want == EPOCH_KEPT || play->wrong[0])
		return;
	if (!play->first_claim[0])
		strcpy(play->first_claim, claim);
	first = strcmp(play->first_claim, claim) == 0;
	play->allotted = (known > play->allotted ? known : play->allotted) + 1;
	if (chance_percent(chance, 30)) {
		strcpy(play->on_its_way[at].claim, claim);
		play->on_its_way[at].epoch = play->allotted;
		play->on_its_way[at].first = first;
	} else {
		give(play, claim, play->allotted, first, true);
	}
}
