/* The backend in Redis: the server's own limits store and outbox store, one call at a time. */
#include "redis.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <uv.h>

#include "base/arena.h"
#include "base/list.h"
#include "domain/record/entry.h"
#include "domain/limit/policy_pack.h"
#include "redis/codec/codec.h"
#include "redis/codec/keys.h"
#include "redis/stores.h"
#include "redis_server.h"

#define TIMEOUT_US INT64_C(20000000)

struct redis_backend {
	struct backend backend;
	uv_loop_t loop;
	struct limits_store *stores[2], *limits; /* both paths, the general path alone; one of them */
	struct outbox_store *outbox;
	redisContext *direct;
	int64_t now_us, window_us;
	struct arena arena;
	struct buf key, info;
};

/* Moves the test's clock and removes the markers whose window has ended by it, as Redis would by its own clock. */
static const char clock_script[] = "for _, key in ipairs(redis.call('KEYS', 'b:{*}:[qr]:*')) do "
				   "if redis.call('PTTL', key) >= 0 then "
				   "redis.call('HSET', 'b:ends', key, ARGV[2]) redis.call('PERSIST', key) end end "
				   "local ends = redis.call('HGETALL', 'b:ends') "
				   "for i = 1, #ends, 2 do if tonumber(ends[i + 1]) <= tonumber(ARGV[1]) then "
				   "redis.call('DEL', ends[i]) redis.call('HDEL', 'b:ends', ends[i]) end end "
				   "redis.call('SET', 'b:clock', ARGV[1])";

static struct redis_backend *redis_of(struct backend *backend)
{
	return container_of(backend, struct redis_backend, backend);
}

static redisReply *checked(redisReply *reply)
{
	if (!reply || reply->type == REDIS_REPLY_ERROR) {
		fprintf(stderr, "redis: %s\n", reply ? reply->str : "no answer");
		exit(1);
	}
	return reply;
}

static bool came;

static void limits_came(struct limits_op *op)
{
	(void)op;
	came = true;
}

static void outbox_came(struct outbox_op *op)
{
	(void)op;
	came = true;
}

static void wait_for_answer(struct redis_backend *redis)
{
	while (!came)
		uv_run(&redis->loop, UV_RUN_ONCE);
}

void redis_general(struct backend *backend, bool general)
{
	struct redis_backend *redis = redis_of(backend);

	redis->limits = redis->stores[general];
}

/* Calls a method of the limits store and waits. */
#define CALL(redis_, method_, op_) \
	do { \
		int64_t deadline_us_ = (op_)->op.deadline_us; \
		(op_)->op.deadline_us = 0; \
		(op_)->op.done = limits_came; \
		came = false; \
		(redis_)->limits->ops->method_((redis_)->limits, op_); \
		wait_for_answer(redis_); \
		(op_)->op.deadline_us = deadline_us_; \
		if ((op_)->op.status == LIMITS_FAILED) \
			fprintf(stderr, "redis: %s\n", (op_)->op.err.text); \
	} while (0)

/* Gives the operation the info that the server would send: expiry needs to know the accounts. */
#define INFO_MAKE(redis_, op_, request_id_) \
	do { \
		info_make(redis_, (op_)->tenant, (op_)->user, request_id_, (op_)->expected, (op_)->count); \
		(op_)->info = (const uint8_t *)(redis_)->info.data; \
		(op_)->info_len = (redis_)->info.len; \
	} while (0)

static void info_make(struct redis_backend *redis, const char *tenant, const char *user, const char *request_id,
	const struct expected expected[], int count)
{
	struct entry_info info = {
		.tenant = tenant, .user = user, .request_id = request_id ? request_id : "", .accounts = count};

	for (int i = 0; i < count; i++)
		info.account[i] = (struct entry_account){.kind = expected[i].kind, .id = expected[i].id};
	buf_reset(&redis->info);
	entry_info_pack(&info, &redis->info);
}

/* What the limits store does when it has been given the info. */
#define WITH_INFO(name, method, type, id) \
	static void name(struct backend *backend, struct type *op) \
	{ \
		INFO_MAKE(redis_of(backend), op, op->id); \
		CALL(redis_of(backend), method, op); \
	}
WITH_INFO(redis_check_op, check, limits_check, request_id)
WITH_INFO(redis_record, record, limits_settle, request_id)
WITH_INFO(redis_adjust, adjust, limits_adjust, adjustment_id)

/* What the limits store does without anything around it. */
#define PASSED_ON(method, type) \
	static void redis_##method(struct backend *backend, struct type *op) \
	{ \
		CALL(redis_of(backend), method, op); \
	}
PASSED_ON(cancel, limits_settle)
PASSED_ON(give_up, limits_settle)
PASSED_ON(renew, limits_renew)
PASSED_ON(reset, limits_reset)
PASSED_ON(policy, limits_policy)
PASSED_ON(adopt, limits_adopt)

static void redis_seed(struct backend *backend, struct limits_seed *op)
{
	struct redis_backend *redis = redis_of(backend);
	struct limits_birth birth = {.op.arena = op->op.arena,
		.kind = op->expected.kind,
		.tenant = op->expected.tenant,
		.id = op->expected.id};

	CALL(redis, birth, &birth);
	memcpy(op->generation, birth.generation, sizeof(op->generation));
	op->now_us = birth.op.now_us;
	CALL(redis, seed, op);
}

static int redis_expire(struct backend *backend, const struct expected expected[], int count)
{
	struct redis_backend *redis = redis_of(backend);
	struct outbox_sweep sweep = {.op.arena = &redis->arena, .limit = 64};
	int expired = 0;

	for (int i = 0; i < count; i++) {
		if (expected[i].kind != ACCOUNT_USER)
			continue;
		sweep.partition = partition_of(ACCOUNT_USER, expected[i].tenant, expected[i].id);
		do {
			sweep.op.done = outbox_came;
			came = false;
			redis->outbox->ops->sweep(redis->outbox, &sweep);
			wait_for_answer(redis);
			expired += sweep.expired;
			arena_reset(&redis->arena);
		} while (sweep.expired > 0);
	}
	return expired;
}

static const struct policy *policy_of(
	struct redis_backend *redis, const struct expected *expected, const redisReply *record, struct arena *arena)
{
	struct policy *policy;
	const uint8_t *bytes;
	uint8_t pid[8];
	size_t len;
	redisReply *reply = NULL;

	if (!codec_record_pid(record->str, (size_t)record->len, pid))
		return NULL;
	if (memcmp(pid, expected->policy->pid, 8) == 0)
		return expected->policy;
	bytes = codec_record_policy(record->str, (size_t)record->len, &len);
	if (!len) {
		buf_reset(&redis->key);
		key_partition(&redis->key, partition_of(expected->kind, expected->tenant, expected->id), KEY_POL);
		reply = checked(redisCommand(redis->direct, "HGET %s %b", buf_str(&redis->key), pid, (size_t)8));
		bytes = (const uint8_t *)reply->str;
		len = (size_t)reply->len;
	}
	policy = arena_zalloc(arena, 1, sizeof(*policy));
	if (!policy_unpack(bytes, len, policy))
		policy = NULL;
	freeReplyObject(reply);
	return policy;
}

static bool redis_look(
	struct backend *backend, const struct expected *expected, struct arena *arena, struct account_state *out)
{
	struct redis_backend *redis = redis_of(backend);
	const struct policy *policy;
	redisReply *reply;
	bool found;

	buf_reset(&redis->key);
	key_account(&redis->key, expected->kind, expected->tenant, expected->id);
	reply = checked(redisCommand(redis->direct, "GET %s", buf_str(&redis->key)));
	policy = reply->type == REDIS_REPLY_STRING ? policy_of(redis, expected, reply, arena) : NULL;
	found = policy && codec_record_state(reply->str, (size_t)reply->len, policy, out);
	if (reply->type == REDIS_REPLY_STRING && !found)
		checked(NULL);
	freeReplyObject(reply);
	return found;
}

static void redis_clock(struct backend *backend, int64_t now_us)
{
	struct redis_backend *redis = redis_of(backend);

	freeReplyObject(checked(redisCommand(redis->direct, "EVAL %s 0 %" PRId64 " %" PRId64, clock_script, now_us,
		redis->now_us + redis->window_us)));
	redis->now_us = now_us;
}

static void stores_close(struct redis_backend *redis)
{
	for (int i = 0; i < 2; i++) {
		redis_limits_free(redis->stores[i]);
		redis->stores[i] = NULL;
	}
	redis_outbox_free(redis->outbox);
	redis->outbox = NULL;
	uv_run(&redis->loop, UV_RUN_NOWAIT);
}

static void redis_settings(struct backend *backend, int64_t window_us, bool expiry_charges)
{
	struct redis_backend *redis = redis_of(backend);
	struct redis_options options = {.loop = &redis->loop,
		.url = redis_server_url(),
		.timeout_us = TIMEOUT_US,
		.idempotency_window_us = window_us,
		.functions = redis_server_library(),
		.expired_charge_estimate = expiry_charges};

	bool general = redis->limits && redis->limits == redis->stores[1];

	stores_close(redis);
	redis->window_us = window_us;
	redis->stores[0] = redis_limits_new(&options, NULL);
	options.functions = redis_general_library();
	redis->stores[1] = redis_limits_new(&options, NULL);
	redis_general(backend, general);
	redis->outbox = redis_outbox_new(&options, NULL);
}

static void redis_clear(struct backend *backend)
{
	struct redis_backend *redis = redis_of(backend);

	freeReplyObject(checked(redisCommand(redis->direct, "FLUSHALL")));
	redis_settings(backend, INT64_C(900000000), false);
	redis->now_us = 0;
	freeReplyObject(checked(redisCommand(redis->direct, "SET b:clock 0")));
}

static struct backend *open_as(const struct backend_ops *ops)
{
	struct redis_backend *redis;

	if (!redis_server_start())
		return NULL;
	redis = mem_zalloc(1, sizeof(*redis));
	redis->backend.ops = ops;
	uv_loop_init(&redis->loop);
	redis->direct = redis_server_connect();
	redis_clear(&redis->backend);
	redis_general(&redis->backend, ops == &backend_redis_general);
	return &redis->backend;
}

static struct backend *redis_open(void)
{
	return open_as(&backend_redis);
}

static struct backend *general_open(void)
{
	return open_as(&backend_redis_general);
}

static void redis_close(struct backend *backend)
{
	struct redis_backend *redis = redis_of(backend);

	stores_close(redis);
	uv_run(&redis->loop, UV_RUN_DEFAULT);
	uv_loop_close(&redis->loop);
	redisFree(redis->direct);
	arena_release(&redis->arena);
	buf_release(&redis->key);
	buf_release(&redis->info);
	free(redis);
}

/* clang-format off */
#define REDIS_OPS(name_, open_) \
	{ \
		.name = name_, \
		.open = open_, \
		.slow = true, \
		.close = redis_close, \
		.clear = redis_clear, \
		.clock = redis_clock, \
		.settings = redis_settings, \
		.seed = redis_seed, \
		.policy = redis_policy, \
		.adopt = redis_adopt, \
		.check = redis_check_op, \
		.record = redis_record, \
		.cancel = redis_cancel, \
		.give_up = redis_give_up, \
		.renew = redis_renew, \
		.reset = redis_reset, \
		.adjust = redis_adjust, \
		.expire = redis_expire, \
		.look = redis_look, \
	}
/* clang-format on */

const struct backend_ops backend_redis = REDIS_OPS("redis", redis_open);
const struct backend_ops backend_redis_general = REDIS_OPS("redis, general path", general_open);
