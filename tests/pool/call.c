/* The calls to Redis: the function and then the checks of the resulting state, in one round trip. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "contract/redis_server.h"
#include "lib/source.h"
#include "play.h"

#define KEYS 12
#define ARGS_MAX 8
#define PREFIX "b:{pool:" TENANT "/" POOL "}:"

static const char *const keys[KEYS] = {PREFIX "cfg", PREFIX "st", PREFIX "req", PREFIX "usr", PREFIX "wait",
	PREFIX "ready", PREFIX "since", PREFIX "age", PREFIX "lease", PREFIX "wk", PREFIX "own", PREFIX "gc"};

static redisReply *reply_next(redisContext *redis)
{
	redisReply *reply = NULL;

	if (redisGetReply(redis, (void **)&reply) != REDIS_OK || !reply) {
		fprintf(stderr, "redis: %s\n", redis->errstr);
		exit(1);
	}
	return reply;
}

static void drop_reply(struct play *play)
{
	freeReplyObject(reply_next(play->redis));
}

void call_plain(struct play *play, const char *fmt, ...)
{
	redisReply *reply;
	va_list args;

	va_start(args, fmt);
	reply = redisvCommand(play->redis, fmt, args);
	va_end(args);
	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		fprintf(stderr, "redis: %s\n", reply ? reply->str : "no answer");
		exit(1);
	}
	freeReplyObject(reply);
}

void call_snapshot(struct play *play, bool put_back)
{
	for (int i = 0; i < KEYS; i++) {
		if (put_back) {
			call_plain(play, "DEL %s", keys[i]);
			call_plain(play, "COPY copy:%s %s", keys[i], keys[i]);
		} else {
			call_plain(play, "DEL copy:%s", keys[i]);
			call_plain(play, "COPY %s copy:%s", keys[i], keys[i]);
		}
	}
}

void call_wipe(struct play *play)
{
	for (int i = 0; i < KEYS; i++)
		call_plain(play, "DEL %s", keys[i]);
}

static void load(struct play *play, const char *source, size_t len)
{
	call_plain(play, "FUNCTION LOAD REPLACE %b", source, len);
}

static void load_checks(struct play *play)
{
	struct buf text = {0};

	source_read("tests/lua/pool_check.lua", &text);
	load(play, buf_str(&text), text.len);
	buf_release(&text);
}

bool play_open(struct play *play)
{
	const struct redis_library *library;

	if (!redis_server_start())
		return false;
	library = redis_pool_library();
	memcpy(play->hash, library->hash, sizeof(play->hash));
	play->redis = redis_server_connect();
	play->listener = redis_server_connect();
	load(play, library->source, library->source_len);
	load_checks(play);
	freeReplyObject(redisCommand(play->listener, "PSUBSCRIBE b:g:*"));
	redisSetTimeout(play->listener, (struct timeval){.tv_sec = 5});
	return true;
}

void play_close(struct play *play)
{
	freeReplyObject(play->reply);
	redisFree(play->redis);
	redisFree(play->listener);
}

static void send_function(struct play *play, const char *name, int count, const struct buf *args)
{
	const char *argv[3 + KEYS + ARGS_MAX] = {"FCALL", name, "12"};
	size_t len[3 + KEYS + ARGS_MAX];

	for (int i = 0; i < KEYS; i++)
		argv[3 + i] = keys[i];
	for (int i = 0; i < 3 + KEYS; i++)
		len[i] = strlen(argv[i]);
	for (int i = 0; i < count; i++) {
		argv[3 + KEYS + i] = buf_str(&args[i]);
		len[3 + KEYS + i] = args[i].len;
	}
	redisAppendCommandArgv(play->redis, 3 + KEYS + count, argv, len);
}

static void read_request(struct play *play, struct cut *cut)
{
	unsigned number = cut_u16(cut);
	struct seen seen = {0};

	seen.user = cut_u8(cut);
	seen.state = (char)cut_u8(cut);
	seen.outcome = cut_u8(cut);
	seen.worker = (int)cut_u32(cut);
	seen.epoch = cut_u32(cut);
	seen.fence = cut_u32(cut);
	seen.seats = (int)cut_u32(cut);
	seen.expires = cut_int(cut, 7);
	seen.deadline = cut_int(cut, 7);
	seen.arrival = cut_int(cut, 7);
	seen.over_cap = cut_u8(cut);
	if (number < REQUESTS_MAX)
		play->now.request[number] = seen;
	else
		play_wrong(play, "a request that nobody made: %u", number);
}

/* "!" and what is wrong, "=" and the state, or "0" if there is no state. */
static void read_view(struct play *play, const redisReply *reply)
{
	struct view *view = &play->now;
	struct cut cut = cut_of(reply->str, reply->len);
	unsigned flags;

	play->before = play->now;
	memset(view, 0, sizeof(*view));
	if (reply->type != REDIS_REPLY_STRING || reply->len < 1 || reply->str[0] == '!') {
		play_wrong(play, "%s", reply->str ? reply->str + (reply->str[0] == '!') : "the checks answer nothing");
		return;
	}
	if (cut_u8(&cut) == '0')
		return;
	view->there = true;
	view->now = cut_int(&cut, 7);
	view->learn = cut_int(&cut, 7);
	view->epoch = cut_u32(&cut);
	view->fence = cut_u32(&cut);
	view->slots = cut_u32(&cut);
	view->run = cut_u32(&cut);
	flags = cut_u8(&cut);
	view->paused = flags & 1;
	view->available = flags & 2;
	view->room = flags & 4;
	view->needs_epoch = flags & 8;
	view->at_once = cut_int(&cut, 7);
	view->waited = cut_int(&cut, 7);
	view->aged = cut_int(&cut, 7);
	view->every = cut_u16(&cut);
	view->age_ms = cut_u32(&cut);
	view->lease_ms = cut_u32(&cut);
	view->worker_ms = cut_u32(&cut);
	view->tombstone_ms = cut_u32(&cut);
	view->grace_ms = cut_u32(&cut);
	for (int n = cut_u16(&cut); n > 0; n--)
		read_request(play, &cut);
	for (int n = cut_u16(&cut); n > 0 && view->since_count < USERS; n--) {
		view->since[view->since_count].user = cut_u8(&cut);
		view->since[view->since_count++].ms = cut_int(&cut, 7);
	}
	if (cut.bad || cut.left)
		play_wrong(play, "the checks' own answer cannot be read");
}

void call_look(struct play *play)
{
	redisReply *checks;

	send_function(play, "bursar_pool_check", 0, NULL);
	checks = reply_next(play->redis);
	read_view(play, checks);
	freeReplyObject(checks);
}

static void take_answer(struct play *play, const char *name)
{
	int64_t now;

	if (play->reply->type != REDIS_REPLY_STRING) {
		play_wrong(
			play, "%s: %s", name, play->reply->type == REDIS_REPLY_ERROR ? play->reply->str : "no answer");
		return;
	}
	play->answer = cut_of(play->reply->str, play->reply->len);
	play->status = cut_u8(&play->answer);
	now = cut_int(&play->answer, 7);
	if (now < play->last_now - TIME_SLACK_MS)
		play_wrong(play, "I10: time went back from %" PRId64 " to %" PRId64, play->last_now, now);
	play->last_now = now;
}

void call_function(struct play *play, const char *name, int count, const struct buf *args)
{
	char full[64];
	redisReply *checks;

	snprintf(full, sizeof(full), "bursar_pool_%s_%s", name, play->hash);
	redisAppendCommand(play->redis, "SET b:clock %lld", (long long)play->clock_ms * 1000);
	send_function(play, full, count, args);
	send_function(play, "bursar_pool_check", 0, NULL);
	drop_reply(play);
	freeReplyObject(play->reply);
	play->reply = reply_next(play->redis);
	checks = reply_next(play->redis);
	play->status = -1;
	play->answer = cut_of(NULL, 0);
	take_answer(play, name);
	read_view(play, checks);
	freeReplyObject(checks);
	if (play->now.there)
		history_check(play);
}

void put_worker(struct buf *out, int name)
{
	buf_putf(out, "%016x", (unsigned)name);
}

void put_user(struct buf *out, const struct play *play, int request)
{
	buf_putf(out, "u%d", play->caller[request].user);
}

void put_request(struct buf *out, int request)
{
	buf_putf(out, "r%d", request);
}

int read_number(const char *text, size_t len, char first)
{
	int number = 0;

	if (len < 2 || text[0] != first)
		return -1;
	for (size_t i = 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9' || number > 100000)
			return -1;
		number = number * 10 + (text[i] - '0');
	}
	return number;
}

int worker_by_name(const struct play *play, int name)
{
	for (int i = 0; i < WORKERS; i++)
		if (play->worker[i].alive && play->worker[i].name == name)
			return i;
	return -1;
}
