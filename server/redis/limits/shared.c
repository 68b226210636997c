/* What the operations of struct limits_store share (redis/limits/private.h). */
#include "base/observe/metrics.h"
#include "redis/limits/private.h"

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

struct redis_command *limits_request_command(struct redis_limits *limits, enum redis_function function,
	void (*done)(struct redis_command *, const redisReply *, const struct err *), void *user, const char *tenant,
	const char *name, const struct expected expected[], int count)
{
	struct redis_command *command = redis_command_new(limits->redis.link, done, user);
	struct redis_store *redis = &limits->redis;
	int partition = partition_of(ACCOUNT_USER, tenant, name);

	redis_arg_function(command, function, PARTITION_KEYS + count);
	arg_scratch(redis, command);
	arg_partition(redis, command, partition, KEY_DUE);
	arg_partition(redis, command, partition, KEY_OUT);
	arg_partition(redis, command, partition, KEY_POL);
	for (int i = 0; i < count; i++)
		arg_account(redis, command, expected[i].kind, expected[i].tenant, expected[i].id);
	return command;
}

void limits_arg_blob(struct redis_store *redis, struct redis_command *command, const struct expected *expected)
{
	codec_blob(&redis->scratch, expected, &redis->packed);
	arg_scratch(redis, command);
}

void limits_arg_blobs(
	struct redis_store *redis, struct redis_command *command, const struct expected expected[], int count)
{
	command->brief_at = command->argc;
	for (int i = 0; i < count; i++) {
		codec_blob(&redis->scratch, &expected[i], NULL);
		arg_scratch(redis, command);
	}
}

void limits_send(struct redis_store *redis, struct redis_command *command, const struct expected expected[], int count,
	int64_t deadline_us)
{
	limits_arg_blobs(redis, command, expected, count);
	redis_send(command, store_deadline(redis, deadline_us));
}

bool limits_sent_again(struct redis_store *redis, const struct redis_command *command, struct limits_op *op,
	const struct expected expected[], int count)
{
	struct redis_args before, after;
	struct redis_command *again;
	int behind;

	if (op->status != LIMITS_NO_POLICY)
		return false;
	if (!command->brief_at) {
		op->status = LIMITS_FAILED;
		return err_set(&op->err, ERR_INTERNAL, "redis: unreadable answer");
	}
	behind = command->brief_at + count;
	before = redis_args_at(command, 1, command->brief_at - 1);
	again = redis_command_new(redis->link, command->done, command->user);
	redis_arg(again, "FCALL", 5);
	redis_args(again, &before);
	for (int i = 0; i < count; i++)
		limits_arg_blob(redis, again, &expected[i]);
	if (behind < command->argc) {
		after = redis_args_at(command, behind, command->argc - behind);
		redis_args(again, &after);
	}
	redis_send(again, command->deadline_us);
	return true;
}

void limits_changed(const struct expected expected[], int count)
{
	for (int i = 0; i < count; i++)
		change_note(expected[i].kind, expected[i].tenant, expected[i].id);
}
