/* Learning of changes from Redis: what is followed is noted, whoever changes it; and the end of every certainty is told. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lib/test.h"
#include "redis/codec/keys.h"
#include "redis_bench.h"

#define PATIENCE_US 30000000
enum { CHANGES_MS = 200 };

static struct redis_bench bench;
static struct changes_store *changes;
static struct changes_view before;
static uint64_t ticket;
static const char *const ann = "an:n/1 %", *const bob = "bob";

static struct changes_view look(void)
{
	struct changes_view view;

	changes->ops->view(changes, &view);
	return view;
}

static bool is_up(struct redis_bench *b)
{
	(void)b;
	return look().session && look().heard_us;
}

static bool is_another(struct redis_bench *b)
{
	(void)b;
	return look().session && look().session != before.session;
}

static bool is_heard_again(struct redis_bench *b)
{
	(void)b;
	return look().heard_us > before.heard_us;
}

static bool is_confirmed(struct redis_bench *b)
{
	(void)b;
	return look().in_effect >= ticket;
}

static uint32_t noted(const char *user)
{
	return change_count(change_key(ACCOUNT_USER, "acme", user));
}

static uint32_t noted_before;

static bool is_noted(struct redis_bench *b)
{
	(void)b;
	return noted(ann) != noted_before;
}

static int open_bench(void **state)
{
	struct redis_options options = {.loop = &bench.loop, .changes_ms = CHANGES_MS};

	(void)state;
	changes_begin();
	redis_bench_open(&bench, PATIENCE_US);
	options.url = redis_server_url();
	changes = redis_changes_new(&options, bench.limits);
	redis_bench_until(&bench, is_up);
	return 0;
}

static int close_bench(void **state)
{
	(void)state;
	redis_changes_free(changes);
	redis_bench_close(&bench);
	return 0;
}

#define FOLLOWING(name) TEST_WITH(name, open_bench, close_bench)

static void follow(const char *user)
{
	const struct changes_account account = {.kind = ACCOUNT_USER, .tenant = "acme", .id = user};

	noted_before = noted(ann);
	ticket = changes->ops->follow(changes, &account, 1);
	assert_true(ticket > 0);
	redis_bench_until(&bench, is_confirmed);
}

static void run(const char *command, const char *user)
{
	struct buf key = {0};
	redisReply *reply;

	key_account(&key, ACCOUNT_USER, "acme", user);
	reply = redisCommand(bench.direct, command, key.data, (size_t)key.len);
	assert_int_not_equal(reply->type, REDIS_REPLY_ERROR);
	freeReplyObject(reply);
	buf_release(&key);
}

/* Redis has executed everything sent before, and its messages have arrived. */
static void let_pass(void)
{
	before = look();
	redis_bench_until(&bench, is_heard_again);
	before = look();
	redis_bench_until(&bench, is_heard_again);
}

FOLLOWING(each_kind_of_change_is_noted_once)
{
	static const char *const commands[] = {
		"SET %b x", "APPEND %b y", "PEXPIRE %b 60000", "DEL %b", "SET %b x KEEPTTL"};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		follow(ann);
		run(commands[i], ann);
		redis_bench_until(&bench, is_noted);
		noted_before = noted(ann);
		run("SET %b again", ann);
		let_pass();
		assert_int_equal(noted(ann), noted_before);
	}
}

FOLLOWING(the_end_of_a_record_is_noted)
{
	run("SET %b x PX 50", ann);
	follow(ann);
	redis_bench_until(&bench, is_noted);
}

FOLLOWING(other_accounts_are_left_alone)
{
	follow(ann);
	run("SET %b x", bob);
	let_pass();
	assert_int_equal(noted(ann), noted_before);
}

FOLLOWING(a_call_of_this_process_is_noted_before_it_is_answered)
{
	uint32_t count = noted("cat");

	redis_bench_seed(&bench, "cat");
	assert_int_equal(redis_bench_ask(&bench, "cat", "r1"), LIMITS_OK);
	assert_true(noted("cat") != count);
}

FOLLOWING(a_flush_ends_the_session)
{
	before = look();
	freeReplyObject(redisCommand(bench.direct, "FLUSHALL"));
	redis_bench_until(&bench, is_another);
}

FOLLOWING(the_end_of_either_connection_ends_the_session)
{
	static const char *const types[] = {"pubsub", "normal"};

	for (int i = 0; i < 2; i++) {
		before = look();
		freeReplyObject(redisCommand(bench.direct, "CLIENT KILL TYPE %s", types[i]));
		redis_bench_until(&bench, is_another);
		redis_bench_until(&bench, is_up);
	}
}

/* Checks may be decided by another Redis by then. */
FOLLOWING(another_connection_of_the_checks_ends_the_session)
{
	redisReply *list = redisCommand(bench.direct, "CLIENT LIST");
	char *saved, *line = strtok_r(list->str, "\n", &saved);

	before = look();
	for (; line; line = strtok_r(NULL, "\n", &saved))
		if (strstr(line, "cmd=fcall") || strstr(line, "cmd=info"))
			freeReplyObject(redisCommand(bench.direct, "CLIENT KILL ID %lld", strtoll(line + 3, NULL, 10)));
	freeReplyObject(list);
	redis_bench_until(&bench, is_another);
}

FOLLOWING(what_is_heard_stays_recent_while_somebody_looks)
{
	struct changes_view view;

	let_pass();
	view = look();
	assert_true(view.time_us + (clock_mono_us() - view.heard_us) - clock_wall_us() < 1000000);
	assert_true(view.heard_us <= clock_mono_us());
}
