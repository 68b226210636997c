/* What all acts share: beginning a call, reading the parts of an answer, ending the call. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "play.h"

#define ARGS 5
#define LOST_PERCENT 18

struct buf *act_begin(struct play *play, int worker)
{
	static struct buf args[ARGS];

	for (int i = 0; i < ARGS; i++)
		buf_reset(&args[i]);
	play->effect = (struct effect){
		.asked = -1, .ended = -1, .bye = -1, .caller = worker < 0 ? -1 : play->worker[worker].name};
	play->effect.new_run = play->new_process;
	play->new_process = false;
	return args;
}

/* A grant that a worker is told of, by an answer or a message. */
static void act_granted(struct play *play, int worker, int request, uint32_t epoch, uint32_t fence)
{
	struct worker *w = &play->worker[worker];

	if (w->table[request].what == KNOWN_ACTIVE && w->table[request].fence == fence &&
		w->table[request].epoch == epoch)
		return;
	w->table[request].what = KNOWN_GRANTED;
	w->table[request].epoch = epoch;
	w->table[request].fence = fence;
}

/*
 * The grants at the end of an answer: all belong to this worker, and all its new ones (with `all`, every one) are
 * there.
 */
void tail_take(struct play *play, int worker, bool all, bool lost)
{
	bool told[REQUESTS_MAX] = {false};

	play->effect.tail = true;

	for (int n = cut_u16(&play->answer); n > 0 && !play->answer.bad; n--) {
		size_t len;
		const char *name;
		uint32_t epoch, fence;
		int request;

		cut_str16(&play->answer, &len);
		name = cut_str16(&play->answer, &len);
		request = name ? read_number(name, len, 'r') : -1;
		epoch = cut_u32(&play->answer);
		fence = cut_u32(&play->answer);
		if (request < 0 || request >= play->requests) {
			play_wrong(play, "a grant of a request that nobody made");
			return;
		}
		if (play->now.request[request].state != 'G' || play->now.request[request].fence != fence ||
			worker < 0 || play->now.request[request].worker != play->worker[worker].name)
			play_wrong(play, "I8: told of a grant of r%d that is not this worker's", request);
		else if (!lost)
			act_granted(play, worker, request, epoch, fence);
		told[request] = true;
	}
	for (int i = 0; i < play->requests && worker >= 0; i++)
		if (play->now.request[i].state == 'G' && play->now.request[i].worker == play->worker[worker].name &&
			(all || history_granted(play, i)) && !told[i])
			play_wrong(play, "r%d was granted to this worker, and the answer does not say so", i);
}

void levels_take(struct play *play)
{
	int before = 1000;

	for (int n = cut_u8(&play->answer); n > 0; n--) {
		int priority = cut_u8(&play->answer);

		cut_u32(&play->answer);
		cut_u32(&play->answer);
		if (priority >= before)
			play_wrong(play, "levels are not from the highest priority down");
		before = priority;
	}
}

void act_end(struct play *play)
{
	if (play->answer.bad || play->answer.left)
		play_wrong(play, "the answer (status %d) is not as long as its format", play->status);
	play_say(play, " = %d", play->status);
	if (play->now.there)
		history_expected(play);
	hints_read(play);
}

/* True if this grant's message is lost; the same in each run of the episode, in whatever order messages arrive. */
static bool message_lost(const struct play *play, int request)
{
	struct chance chance = {.state = play->seed * 31 + (uint64_t)play->at * 1000003 + (uint64_t)request};

	return chance_percent(&chance, LOST_PERCENT);
}

/* Reads the grants of one message; counts those that the last call made. */
static int take_message(struct play *play, const redisReply *message)
{
	struct cut cut = cut_of(message->element[3]->str, message->element[3]->len);
	int name = (int)strtol(message->element[2]->str + strlen("b:g:"), NULL, 16);
	int worker = worker_by_name(play, name);
	size_t len;
	int count = 0;

	cut_str16(&cut, &len);
	cut_str16(&cut, &len);
	for (int n = cut_u16(&cut); n > 0 && !cut.bad; n--) {
		const char *text = (cut_str16(&cut, &len), cut_str16(&cut, &len));
		int request = text ? read_number(text, len, 'r') : -1;
		uint32_t epoch = cut_u32(&cut);
		uint32_t fence = cut_u32(&cut);

		if (request < 0 || request >= play->requests ||
			((uint64_t)epoch << 32 | fence) > ((uint64_t)play->last_epoch << 32 | play->last_fence))
			play_wrong(play, "a message of a grant that was not made: r%d", request);
		else if (history_granted(play, request) && play->now.request[request].state == 'G' &&
			 play->now.request[request].worker == name && play->now.request[request].fence == fence)
			count++;
		else /* the same call, or a later one, gave it to another worker */
			continue;
		if (worker >= 0 && !message_lost(play, request))
			act_granted(play, worker, request, epoch, fence);
	}
	if (cut.bad || cut.left)
		play_wrong(play, "a message that is not as its format");
	return count;
}

void hints_read(struct play *play)
{
	int wanted = 0;

	for (int i = 0; i < play->requests; i++)
		wanted += play->now.request[i].state == 'G' && history_granted(play, i) &&
			  !(play->effect.tail && play->now.request[i].worker == play->effect.caller);
	while (wanted > 0 && !play->wrong[0]) {
		redisReply *message = NULL;

		if (redisGetReply(play->listener, (void **)&message) != REDIS_OK) {
			play_wrong(play, "a grant to another worker was not published");
			return;
		}
		wanted -= take_message(play, message);
		freeReplyObject(message);
	}
}
