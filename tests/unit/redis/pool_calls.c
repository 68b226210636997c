/* Calls of the pool's functions. */
#include "pool_calls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "contract/redis_server.h"

#define TAG "b:{pool:acme/agents}:"

struct pool_settings calls_settings;
struct buf calls_answer;
int64_t calls_now;
static redisContext *redis, *listener;
static struct buf args[4];
static int arg_count;
static int64_t clock_ms;
static char run_id[32];
char calls_claim[128];
uint32_t calls_known;

static struct buf *next_arg(void)
{
	struct buf *arg = &args[arg_count++];

	buf_reset(arg);
	return arg;
}

static void text_arg(const char *text)
{
	buf_put(next_arg(), text, strlen(text));
}

static void put_text(struct buf *out, const char *text)
{
	buf_put_uint(out, strlen(text), 2);
	buf_put(out, text, strlen(text));
}

static void run(const char *command)
{
	redisReply *reply = redisCommand(redis, command);

	assert_non_null(reply);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
}

static void calls_clock(int64_t ms)
{
	char text[64];

	clock_ms = ms;
	snprintf(text, sizeof(text), "SET b:clock %lld", (long long)ms * 1000);
	run(text);
}

void calls_step(int64_t ms)
{
	calls_clock(clock_ms + ms);
}

void calls_run_id(const char *id)
{
	char text[64];

	snprintf(text, sizeof(text), "SET b:run %s", id);
	run(text);
	snprintf(run_id, sizeof(run_id), "%s", id);
}

void calls_open(int slots)
{
	const struct redis_library *library;
	redisReply *reply;

	if (!redis_server_start())
		skip();
	library = redis_pool_library();
	redis = redis_server_connect();
	run("FLUSHALL");
	reply = redisCommand(redis, "FUNCTION LOAD REPLACE %b", library->source, library->source_len);
	assert_non_null(reply);
	if (reply->type == REDIS_REPLY_ERROR)
		fail_msg("%s", reply->str);
	freeReplyObject(reply);
	calls_clock(1000000);
	calls_run_id("one");
	pool_settings_default(&calls_settings, "agents", slots);
	calls_settings.gen = 1;
}

void calls_close(void)
{
	redisFree(redis);
	redisFree(listener);
	redis = listener = NULL;
	for (size_t i = 0; i < sizeof(args) / sizeof(args[0]); i++)
		buf_release(&args[i]);
	buf_release(&calls_answer);
}

static int ask(enum redis_function function)
{
	static const char *const names[] = {
		"cfg", "st", "req", "usr", "wait", "ready", "since", "age", "lease", "wk", "own", "gc"};
	char keys[12][64];
	const char *argv[19] = {"FCALL", redis_pool_library()->names[function], "12"};
	size_t lengths[19] = {5, strlen(argv[1]), 2};
	redisReply *reply;
	int status;

	for (int i = 0; i < 12; i++) {
		lengths[3 + i] = (size_t)snprintf(keys[i], sizeof(keys[i]), TAG "%s", names[i]);
		argv[3 + i] = keys[i];
	}
	for (int i = 0; i < arg_count; i++) {
		argv[15 + i] = args[i].data ? args[i].data : "";
		lengths[15 + i] = args[i].len;
	}
	reply = redisCommandArgv(redis, 15 + arg_count, argv, lengths);
	arg_count = 0;
	assert_non_null(reply);
	if (reply->type != REDIS_REPLY_STRING)
		fail_msg("%s: %s", argv[1], reply->str);
	buf_reset(&calls_answer);
	buf_put(&calls_answer, reply->str, reply->len);
	freeReplyObject(reply);
	status = (int)calls_uint(0, 1);
	calls_now = (int64_t)calls_uint(1, 7);
	buf_reset(&args[0]);
	buf_put(&args[0], calls_answer.data + 8, calls_answer.len - 8);
	buf_reset(&calls_answer);
	buf_put(&calls_answer, args[0].data, args[0].len);
	return status;
}

uint64_t calls_uint(size_t at, size_t bytes)
{
	uint64_t value = 0;

	assert_true(at + bytes <= calls_answer.len);
	for (size_t i = bytes; i-- > 0;)
		value = value << 8 | (uint8_t)calls_answer.data[at + i];
	return value;
}

struct pool_fence calls_fence(size_t at)
{
	return (struct pool_fence){(uint32_t)calls_uint(at, 4), (uint32_t)calls_uint(at + 4, 4)};
}

static void add_text(char *out, size_t size, size_t *at, char before)
{
	size_t len = (size_t)calls_uint(*at, 2);
	size_t used = strlen(out);

	snprintf(out + used, size - used, "%s%.*s", used ? (char[]){before, '\0'} : "", (int)len,
		calls_answer.data + *at + 2);
	*at += 2 + len;
}

const char *calls_tail(size_t at)
{
	static char out[1024];
	size_t n = (size_t)calls_uint(at, 2);

	out[0] = '\0';
	at += 2;
	for (size_t i = 0; i < n; i++, at += 8) {
		add_text(out, sizeof(out), &at, ' ');
		add_text(out, sizeof(out), &at, '/');
	}
	assert_int_equal(at, calls_answer.len);
	return out;
}

int calls_configure_new(const char *birth)
{
	pool_pack(next_arg(), &calls_settings);
	text_arg(birth);
	return ask(FUNCTION_POOL_CONFIGURE);
}

int calls_epoch(const char *claim, uint32_t epoch, bool first)
{
	struct buf *arg = next_arg();
	size_t len;

	buf_put_uint(arg, epoch, 4);
	buf_put_u8(arg, first);
	text_arg(claim);
	assert_int_equal(ask(FUNCTION_POOL_EPOCH), POOL_OK);
	calls_known = (uint32_t)calls_uint(1, 4);
	len = (size_t)calls_uint(5, 2);
	assert_int_equal(calls_answer.len, 7 + len);
	snprintf(calls_claim, sizeof(calls_claim), "%.*s", (int)len, calls_answer.data + 7);
	return (int)calls_uint(0, 1);
}

int calls_want(void)
{
	return calls_epoch("", 0, false);
}

int calls_configure(void)
{
	int status = calls_configure_new("born");
	struct buf answer = {0};

	if (status != POOL_OK || !calls_uint(4, 1))
		return status;
	buf_put(&answer, calls_answer.data, calls_answer.len);
	assert_int_equal(calls_want(), EPOCH_NEEDED);
	assert_int_equal(calls_epoch(calls_claim, 1, true), EPOCH_KEPT);
	buf_reset(&calls_answer);
	buf_put(&calls_answer, answer.data, answer.len);
	buf_release(&answer);
	return status;
}

void calls_wipe(void)
{
	char id[32];

	strcpy(id, run_id);
	run("FLUSHALL");
	calls_clock(clock_ms);
	calls_run_id(id);
}

static void store(size_t at, const void *bytes, size_t len)
{
	redisReply *reply = redisCommand(redis, "SETRANGE " TAG "st %d %b", (int)at, bytes, len);

	assert_int_equal(reply->type, REDIS_REPLY_INTEGER);
	freeReplyObject(reply);
}

/* After the version, four times, epoch, seats, the run id and the number of arrivals. */
void calls_store_fence(uint32_t fence)
{
	store(1 + 4 * 7 + 4 + 4 + 1 + strlen(run_id) + 6, &fence, 4);
}

void calls_store_form(uint8_t form)
{
	store(0, &form, 1);
}

int calls_acquire_within(
	const char *worker, const char *user, const char *id, int priority, int cap, int seats, uint32_t wait_ms)
{
	struct buf *arg = next_arg();

	buf_put_uint(arg, calls_settings.gen, 4);
	buf_put_u8(arg, (uint8_t)priority);
	buf_put_uint(arg, (uint64_t)cap, 4);
	buf_put_uint(arg, (uint64_t)seats, 4);
	buf_put_uint(arg, wait_ms, 4);
	buf_put_u8(arg, 0);
	text_arg(worker);
	text_arg(user);
	text_arg(id);
	return ask(FUNCTION_POOL_ACQUIRE);
}

int calls_acquire(const char *worker, const char *user, const char *id, int priority, int cap, int seats)
{
	return calls_acquire_within(worker, user, id, priority, cap, seats, 0);
}

int calls_release(const char *worker, const char *user, const char *id, struct pool_fence fence, bool only_mine)
{
	struct buf *arg = next_arg();

	buf_put_uint(arg, fence.epoch, 4);
	buf_put_uint(arg, fence.fence, 4);
	buf_put_u8(arg, only_mine);
	text_arg(worker);
	text_arg(user);
	text_arg(id);
	return ask(FUNCTION_POOL_RELEASE);
}

int calls_cancel(const char *worker, const char *user, const char *id, int outcome, bool only_mine)
{
	struct buf *arg = next_arg();

	buf_put_u8(arg, only_mine);
	buf_put_u8(arg, (uint8_t)outcome);
	text_arg(worker);
	text_arg(user);
	text_arg(id);
	return ask(FUNCTION_POOL_CANCEL);
}

int calls_renew(const char *worker, const char *user, const char *id, struct pool_fence fence)
{
	struct buf *arg;

	text_arg(worker);
	arg = next_arg();
	buf_put_uint(arg, 1, 2);
	put_text(arg, user);
	put_text(arg, id);
	buf_put_uint(arg, fence.epoch, 4);
	buf_put_uint(arg, fence.fence, 4);
	assert_int_equal(ask(FUNCTION_POOL_RENEW), POOL_OK);
	return (int)calls_uint(2, 1);
}

int calls_sync(const char *worker, const char *user, const char *id, bool goodbye)
{
	struct buf *arg = next_arg();

	buf_put_uint(arg, calls_settings.gen, 4);
	buf_put_u8(arg, goodbye);
	text_arg(worker);
	arg = next_arg();
	buf_put_uint(arg, 1, 2);
	put_text(arg, user);
	put_text(arg, id);
	assert_int_equal(ask(FUNCTION_POOL_SYNC), POOL_OK);
	return (int)calls_uint(15 + 1 + 9 * (size_t)calls_uint(15, 1) + 2, 1);
}

int calls_tick(void)
{
	buf_put_uint(next_arg(), calls_settings.gen, 4);
	return ask(FUNCTION_POOL_TICK);
}

int calls_resume(void)
{
	return ask(FUNCTION_POOL_RESUME);
}

int calls_stats(const char *user)
{
	buf_put_uint(next_arg(), 10, 2);
	text_arg(user);
	return ask(FUNCTION_POOL_STATS);
}

void calls_listen(const char *worker)
{
	redisReply *reply;

	listener = redis_server_connect();
	reply = redisCommand(listener, "SUBSCRIBE b:g:%s", worker);
	assert_non_null(reply);
	freeReplyObject(reply);
}

const char *calls_heard(void)
{
	static const char names[] = "\4\0acme\6\0agents";
	void *reply = NULL;
	redisReply *message;

	assert_int_equal(redisGetReply(listener, &reply), REDIS_OK);
	message = reply;
	assert_int_equal(message->elements, 3);
	assert_true(message->element[2]->len > sizeof(names) - 1);
	assert_memory_equal(message->element[2]->str, names, sizeof(names) - 1);
	buf_reset(&calls_answer);
	buf_put(&calls_answer, message->element[2]->str + sizeof(names) - 1,
		message->element[2]->len - sizeof(names) + 1);
	freeReplyObject(message);
	return calls_tail(0);
}

struct pool_fence calls_stored_fence(const char *user, const char *id)
{
	redisReply *reply = redisCommand(redis, "HGET " TAG "req %s\1%s", user, id);
	struct pool_fence fence;

	assert_int_equal(reply->type, REDIS_REPLY_STRING);
	memcpy(&fence.epoch, reply->str + 26, 4);
	memcpy(&fence.fence, reply->str + 30, 4);
	freeReplyObject(reply);
	return fence;
}

const char *calls_leases(void)
{
	static char out[1024];
	redisReply *reply = redisCommand(redis, "ZRANGE " TAG "lease 0 -1");

	out[0] = '\0';
	for (size_t i = 0; i < reply->elements; i++) {
		size_t used = strlen(out);

		snprintf(out + used, sizeof(out) - used, "%s%s", used ? " " : "", reply->element[i]->str);
	}
	for (char *p = out; *p; p++)
		if (*p == '\1')
			*p = '/';
	freeReplyObject(reply);
	return out;
}

int calls_setup(void **state)
{
	(void)state;
	calls_open(2);
	return 0;
}

int calls_teardown(void **state)
{
	(void)state;
	calls_close();
	return 0;
}

void calls_configure_ok(void)
{
	assert_int_equal(calls_configure(), POOL_OK);
}

int calls_ask(const char *user, int priority)
{
	return calls_acquire(ME, user, "1", priority, 1, 1);
}
