/* struct limits_store on Redis: each operation is one function call. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/metrics.h"
#include "redis/limits_private.h"

/* Arguments before the keys: FCALL, the function, their number. */
enum { ARGS_BEFORE = 3, PARTITION_KEYS = 4 };

struct redis_limits *redis_limits_of(struct limits_store *store)
{
	return container_of(store, struct redis_limits, store);
}

bool limits_answered(struct limits_op *op, const redisReply *reply, const struct err *err, struct cut *cut)
{
	op->status = LIMITS_FAILED;
	if (err) {
		op->err = *err;
		return false;
	}
	if (!reply_cut(reply, cut, &op->err) || !codec_status(cut, op))
		return false;
	if (op->status == LIMITS_CLOCK)
		metric_inc(METRIC_redis_clock_retries_total, 0, 0);
	if (op->status == LIMITS_ABSENT)
		metric_inc(METRIC_redis_policy_misses_total, 0, 0);
	return true;
}

void limits_begin(struct limits_op *op)
{
	op->err = (struct err){0};
	op->mask = 0;
	op->stale_count = op->unseeded_count = 0;
	op->standings = 0;
}

/* FCALL of a function on a request: its marker, its partition's keys, its accounts. */
static struct redis_command *request_command(struct redis_limits *limits, enum redis_function function,
	void (*done)(struct redis_command *, const redisReply *, const struct err *), void *user, const char *tenant,
	const char *name, const char *request_id, const struct belief belief[], int count)
{
	struct redis_store *redis = &limits->redis;
	struct redis_command *command = redis_command_new(redis->link, done, user);
	int partition = partition_of(ACCOUNT_USER, tenant, name);

	redis_arg_function(command, function, PARTITION_KEYS + count);
	key_marker(&redis->scratch, tenant, name, request_id ? request_id : "");
	arg_scratch(redis, command);
	arg_partition(redis, command, partition, KEY_DUE);
	arg_partition(redis, command, partition, KEY_OUT);
	arg_partition(redis, command, partition, KEY_POL);
	for (int i = 0; i < count; i++)
		arg_account(redis, command, belief[i].kind, belief[i].tenant, belief[i].id);
	return command;
}

static void digest_of(struct redis_store *redis, const struct belief belief[], int count, uint8_t out[8])
{
	for (int i = 0; i < count; i++)
		accounts_digest_add(&redis->digest, belief[i].kind, belief[i].tenant, belief[i].id);
	accounts_digest_end(&redis->digest, out);
}

void limits_arg_blob(struct redis_store *redis, struct redis_command *command, const struct belief *belief)
{
	codec_blob(&redis->scratch, belief, &redis->packed);
	arg_scratch(redis, command);
}

static void ignore(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	(void)command;
	(void)reply;
	(void)err;
}

static void arg_copy(struct redis_command *to, const struct redis_command *from, int index)
{
	size_t len;
	const char *p = redis_arg_at(from, index, &len);

	redis_arg(to, p, len);
}

/*
 * A check was allowed after its caller had been told that nobody knows: what it holds is given back. Not when the same
 * request was checked again meanwhile, by us (then `late` was taken away) or by anybody (then the function refuses).
 */
static void check_late(struct redis_command *check, const redisReply *reply)
{
	struct redis_limits *limits = check->user;
	struct redis_store *redis = &limits->redis;
	int count = (check->argc - ARGS_BEFORE - PARTITION_KEYS - 2) / 2;
	int request = ARGS_BEFORE + PARTITION_KEYS + count;
	struct redis_command *cancel;
	const char *request_bytes;
	size_t len;

	if (reply->type != REDIS_REPLY_STRING || reply->len < 1 || reply->str[0] != LIMITS_OK)
		return;
	request_bytes = redis_arg_at(check, request, &len);
	cancel = redis_command_new(redis->link, ignore, NULL);
	redis_arg_function(cancel, FUNCTION_CANCEL, PARTITION_KEYS + count);
	for (int i = 0; i < PARTITION_KEYS + count; i++)
		arg_copy(cancel, check, ARGS_BEFORE + i);
	codec_cancel(
		&redis->scratch, CANCEL_UNLESS_REPEATED, redis->window_us, (const uint8_t *)request_bytes + len - 8);
	arg_scratch(redis, cancel);
	for (int i = 0; i < count; i++)
		arg_copy(cancel, check, request + 2 + i);
	redis_send(cancel, 0);
}

/* The same request is checked again: the answer that is still to come must not be cancelled. */
static void check_repeated(struct redis_link *link, const struct redis_command *again)
{
	struct list *given_up = redis_given_up(link);
	size_t len;
	const char *marker = redis_arg_at(again, ARGS_BEFORE, &len);

	list_each (given_up, at, after) {
		struct redis_command *command = container_of(at, struct redis_command, link);
		size_t other_len;
		const char *other;

		if (!command->late)
			continue;
		other = redis_arg_at(command, ARGS_BEFORE, &other_len);
		if (other_len == len && memcmp(marker, other, len) == 0)
			command->late = NULL;
	}
}

static void check_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_check *op = command->user;
	struct cut cut;

	command->user = op->op.impl[0];
	if (limits_answered(&op->op, reply, err, &cut) && op->op.status <= LIMITS_REPEAT)
		codec_check_answer(&cut, op);
	op->op.done(&op->op);
}

static void check(struct limits_store *store, struct limits_check *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	limits_begin(&op->op);
	op->op.impl[0] = limits;
	digest_of(redis, op->belief, op->count, digest);
	command = request_command(limits, op->dry_run ? FUNCTION_LOOK : FUNCTION_CHECK, check_done, op, op->tenant,
		op->user, op->request_id, op->belief, op->count);
	codec_check(&redis->scratch, op, redis->window_us, redis->expiry_charges, digest);
	arg_scratch(redis, command);
	redis_arg(command, op->info, op->info_len);
	for (int i = 0; i < op->count; i++)
		limits_arg_blob(redis, command, &op->belief[i]);
	if (!op->dry_run) {
		command->late = check_late;
		check_repeated(redis->link, command);
	}
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void settle_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_settle *op = command->user;
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut)) {
		if (op->op.status == LIMITS_OK || op->op.status == LIMITS_REPEAT)
			codec_settle_answer(&cut, op);
		else if (op->op.status == LIMITS_CLOSED)
			op->state = (enum reservation_state)cut_u8(&cut);
	}
	op->op.done(&op->op);
}

static void record(struct limits_store *store, struct limits_settle *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	limits_begin(&op->op);
	digest_of(redis, op->belief, op->count, digest);
	command = request_command(
		limits, FUNCTION_RECORD, settle_done, op, op->tenant, op->user, op->request_id, op->belief, op->count);
	codec_record(&redis->scratch, op, redis->window_us, digest);
	arg_scratch(redis, command);
	redis_arg(command, op->usage, op->usage_len);
	redis_arg(command, op->info, op->info_len);
	for (int i = 0; i < op->count; i++)
		limits_arg_blob(redis, command, &op->belief[i]);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void cancel(struct limits_store *store, struct limits_settle *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];
	int flags;

	limits_begin(&op->op);
	digest_of(redis, op->belief, op->count, digest);
	command = request_command(
		limits, FUNCTION_CANCEL, settle_done, op, op->tenant, op->user, op->request_id, op->belief, op->count);
	flags = (op->forget ? CANCEL_FORGET : 0) | (op->unless_repeated ? CANCEL_UNLESS_REPEATED : 0);
	codec_cancel(&redis->scratch, flags, redis->window_us, digest);
	arg_scratch(redis, command);
	for (int i = 0; i < op->count; i++)
		limits_arg_blob(redis, command, &op->belief[i]);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void renew_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_renew *op = command->user;
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK)
		op->expires_at_us = cut_int(&cut, 7);
	op->op.done(&op->op);
}

static void renew(struct limits_store *store, struct limits_renew *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, renew_done, op);

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_RENEW, 2);
	key_marker(&redis->scratch, op->tenant, op->user, op->request_id);
	arg_scratch(redis, command);
	arg_partition(redis, command, partition_of(ACCOUNT_USER, op->tenant, op->user), KEY_DUE);
	arg_number7(redis, command, op->ttl_us);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

struct limits_store *redis_limits_new(const struct redis_options *options, struct err *err)
{
	static const struct limits_store_ops ops = {.check = check,
		.record = record,
		.cancel = cancel,
		.renew = renew,
		.birth = limits_birth_start,
		.seed = limits_seed_start,
		.policy = limits_policy_start,
		.adopt = limits_adopt_start,
		.reset = limits_reset_start,
		.erase = limits_erase_start,
		.facts = limits_facts_start};
	struct redis_limits *limits = mem_zalloc(1, sizeof(*limits));

	limits->store.ops = &ops;
	if (!redis_store_init(&limits->redis, options, 50000, err)) {
		free(limits);
		return NULL;
	}
	return &limits->store;
}

void redis_limits_free(struct limits_store *store)
{
	if (!store)
		return;
	redis_store_release(&redis_limits_of(store)->redis);
	free(redis_limits_of(store));
}

bool redis_limits_ready(const struct limits_store *store, struct err *why)
{
	return redis_link_ready(((const struct redis_limits *)store)->redis.link, why);
}
