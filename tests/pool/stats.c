/* stats: its figures and its lists are those of the state, whether they are of one user or of all. */
#include "play.h"

enum { ROWS = 10 };

/* Whether the request is one that the lists are about. `user` -1: everybody's. */
static bool is_of(const struct seen *seen, int user)
{
	return user < 0 || seen->user == user;
}

static void check_totals(struct play *play)
{
	const struct view *now = &play->now;
	uint32_t leases = 0, waiting = 0, parked = 0, unacknowledged = 0;

	for (int i = 0; i < play->requests; i++) {
		leases += seen_live(&now->request[i]);
		waiting += now->request[i].state == 'W';
		parked += now->request[i].state == 'P';
		unacknowledged += now->request[i].state == 'G';
	}
	if (cut_u32(&play->answer) != now->epoch)
		play_wrong(play, "stats: another epoch");
	cut_int(&play->answer, 7);
	if (cut_u32(&play->answer) != now->slots)
		play_wrong(play, "stats: other slots");
	cut_u8(&play->answer);
	if (cut_u32(&play->answer) != now->run || cut_u32(&play->answer) != leases)
		play_wrong(play, "stats: other leases");
	if (cut_u32(&play->answer) != waiting || cut_u32(&play->answer) != parked)
		play_wrong(play, "stats: others wait");
	if (cut_u32(&play->answer) != unacknowledged)
		play_wrong(play, "stats: others are not acknowledged");
}

/* From the number of leases to drain to the end of the levels. */
static void pass_figures(struct play *play)
{
	struct cut *answer = &play->answer;

	cut_u32(answer);
	cut_int(answer, 7);
	cut_int(answer, 7);
	cut_u32(answer);
	cut_u32(answer);
	for (int i = 0; i < 16; i++)
		cut_int(answer, 7);
	for (int levels = cut_u8(answer); levels > 0 && !answer->bad; levels--) {
		cut_u8(answer);
		for (int i = 0; i < 4; i++)
			cut_u32(answer);
		for (int i = 0; i < 3; i++)
			cut_int(answer, 7);
	}
}

/* The request of a row; NULL if it is none of those that the list is about. */
static const struct seen *take_request(struct play *play, int user)
{
	size_t len;
	const char *name = cut_str16(&play->answer, &len);
	int whose = name ? read_number(name, len, 'u') : -1;
	int request = (name = cut_str16(&play->answer, &len)) ? read_number(name, len, 'r') : -1;
	const struct seen *seen = request >= 0 && request < play->requests ? &play->now.request[request] : NULL;

	if (seen && seen->user == whose && is_of(seen, user))
		return seen;
	play_wrong(play, "stats: lists r%d of u%d", request, whose);
	return NULL;
}

static void check_waiters(struct play *play, int user)
{
	int listed = cut_u16(&play->answer), waiting = 0;
	int64_t arrival = -1;
	uint32_t place = 0;

	for (int i = 0; i < play->requests; i++)
		waiting += play->now.request[i].state == 'W' && is_of(&play->now.request[i], user);
	if (listed != (waiting < ROWS ? waiting : ROWS))
		play_wrong(play, "stats: lists %d of %d that wait", listed, waiting);
	for (int i = 0; i < listed && !play->answer.bad; i++) {
		const struct seen *seen = take_request(play, user);
		uint32_t position;

		cut_u8(&play->answer);
		cut_u32(&play->answer);
		cut_int(&play->answer, 7);
		cut_u8(&play->answer);
		position = cut_u32(&play->answer);
		cut_int(&play->answer, 7);
		if (!seen)
			return;
		if (seen->state != 'W' || position < 1)
			play_wrong(play, "stats: lists %c at place %u", seen->state, position);
		if (user >= 0 && (seen->arrival <= arrival || position < place))
			play_wrong(play, "stats: a user's requests are not in their order");
		arrival = seen->arrival;
		place = position;
	}
}

static void check_leases(struct play *play, int user)
{
	int listed = cut_u16(&play->answer), live = 0;

	for (int i = 0; i < play->requests; i++)
		live += seen_live(&play->now.request[i]) && is_of(&play->now.request[i], user);
	if (listed != (live < ROWS ? live : ROWS))
		play_wrong(play, "stats: lists %d of %d leases", listed, live);
	for (int i = 0; i < listed && !play->answer.bad; i++) {
		const struct seen *seen = take_request(play, user);

		cut_u8(&play->answer);
		cut_u32(&play->answer);
		cut_int(&play->answer, 7);
		if (seen && (cut_int(&play->answer, 7) != seen->expires || cut_u32(&play->answer) != seen->epoch ||
				    cut_u32(&play->answer) != seen->fence))
			play_wrong(play, "stats: a lease is listed with another end or fence");
		cut_u8(&play->answer);
		cut_int(&play->answer, 7);
	}
}

static void check_user(struct play *play, int user)
{
	uint32_t seats = 0, waiting = 0, parked = 0;

	for (int i = 0; i < play->requests; i++) {
		const struct seen *seen = &play->now.request[i];

		if (seen->user != user)
			continue;
		seats += seen_live(seen) ? (uint32_t)seen->seats : 0;
		waiting += seen->state == 'W';
		parked += seen->state == 'P';
	}
	if (cut_u32(&play->answer) != seats || cut_u32(&play->answer) != waiting || cut_u32(&play->answer) != parked)
		play_wrong(play, "stats: other figures of u%d", user);
}

void act_stats(struct play *play, int user)
{
	int64_t last_now = play->last_now;
	struct buf *args = act_begin(play, -1);

	buf_put_u16(&args[0], ROWS);
	if (user >= 0)
		buf_putf(&args[1], "u%d", user);
	play_say(play, "stats of u%d", user);
	call_function(play, "stats", 2, args);
	play->last_now = last_now; /* it writes nothing, not even the time */
	if (play->status == POOL_OK) {
		check_totals(play);
		pass_figures(play);
		check_waiters(play, user);
		check_leases(play, user);
		if (user >= 0)
			check_user(play, user);
	} else if (play->status != POOL_ABSENT) {
		play_wrong(play, "stats answered %d", play->status);
	}
	act_end(play);
}
