/* Ends expired reservations: finds the partitions that have some, asks for a few, then ends each on its accounts. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "redis/codec/store_private.h"
#include "redis/limits/sweep.h"

/* One sweep. Freed when the last of its reservations has been answered. */
struct sweep {
	struct outbox_sweep *op;
	struct redis_store *redis;
	int64_t deadline_us;
	int open;
	bool failed;
};

static void sweep_end(struct sweep *sweep)
{
	struct outbox_sweep *op = sweep->op;

	op->op.ok = !sweep->failed;
	free(sweep);
	op->op.done(&op->op);
}

static void expire_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct sweep *sweep = command->user;

	if (err) {
		sweep->failed = true;
		sweep->op->op.err = *err;
	} else if (reply->type == REDIS_REPLY_STRING && reply->len > 0 && reply->str[0] == LIMITS_OK) {
		sweep->op->expired++;
		metric_inc(METRIC_expired_total, 0, 0);
	}
	if (--sweep->open == 0)
		sweep_end(sweep);
}

static void expire_send(struct sweep *sweep, const char *marker, size_t marker_len, const struct entry_info *info)
{
	struct redis_store *redis = sweep->redis;
	struct redis_command *command = redis_command_new(redis->link, expire_done, sweep);
	int partition = sweep->op->partition;
	uint8_t digest[8];

	redis_arg_function(command, FUNCTION_EXPIRE, 4 + info->accounts);
	redis_arg(command, marker, marker_len);
	arg_partition(redis, command, partition, KEY_DUE);
	arg_partition(redis, command, partition, KEY_OUT);
	arg_partition(redis, command, partition, KEY_POL);
	for (int i = 0; i < info->accounts; i++) {
		arg_account(redis, command, info->account[i].kind, info->tenant, info->account[i].id);
		accounts_digest_add(&redis->digest, info->account[i].kind, info->tenant, info->account[i].id);
	}
	accounts_digest_end(&redis->digest, digest);
	buf_put_u8(&redis->scratch, redis->expiry_charges ? EXPIRE_CHARGES : 0);
	buf_put_int(&redis->scratch, redis->window_us, 7);
	buf_put(&redis->scratch, digest, sizeof(digest));
	arg_scratch(redis, command);
	sweep->open++;
	redis_send(command, sweep->deadline_us);
}

static void due_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct sweep *sweep = command->user;
	struct outbox_sweep *op = sweep->op;
	struct cut cut = {0};
	int count = 0;

	if (err || !reply_cut(reply, &cut, &op->op.err)) {
		sweep->failed = true;
		if (err)
			op->op.err = *err;
	} else {
		cut_u8(&cut);
		op->op.now_us = cut_int(&cut, 7);
		count = cut_u16(&cut);
	}
	op->more = count >= op->limit;
	sweep->open = 1;
	for (int i = 0; i < count && !cut.bad; i++) {
		struct entry_info info;
		size_t marker_len;
		size_t info_len;
		const char *marker = cut_str16(&cut, &marker_len);
		const char *bytes = cut_str16(&cut, &info_len);

		if (bytes && entry_info_unpack((const uint8_t *)bytes, info_len, op->op.arena, &info))
			expire_send(sweep, marker, marker_len, &info);
	}
	if (--sweep->open == 0)
		sweep_end(sweep);
}

static void overdue_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_overdue *op = command->user;
	struct cut cut = {0};
	int64_t open;
	int count;

	if (err) {
		op->op.err = *err;
	} else if (reply_cut(reply, &cut, &op->op.err)) {
		cut_u8(&cut);
		op->op.now_us = cut_int(&cut, 7);
		count = cut_u16(&cut);
		for (int i = 0; i < count && i < PARTITIONS; i++)
			op->partition[op->count++] = cut_u16(&cut) % PARTITIONS;
		open = cut_int(&cut, 7);
		op->op.ok = !cut.bad || err_set(&op->op.err, ERR_INTERNAL, "redis: unreadable answer");
		if (op->op.ok)
			metric_set(METRIC_reservations_open, 0, 0, open);
	}
	op->op.done(&op->op);
}

void store_overdue(struct outbox_store *store, struct outbox_overdue *op)
{
	struct redis_store *redis = &outbox_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, overdue_done, op);

	op->op.ok = false;
	op->op.err = (struct err){0};
	op->op.now_us = 0;
	op->count = 0;
	redis_arg_function(command, FUNCTION_OVERDUE, PARTITIONS);
	for (int i = 0; i < PARTITIONS; i++)
		arg_partition(redis, command, i, KEY_DUE);
	redis_send(command, op->op.deadline_us ? op->op.deadline_us : clock_mono_us() + redis->timeout_us);
}

void store_sweep(struct outbox_store *store, struct outbox_sweep *op)
{
	struct redis_store *redis = &outbox_of(store)->redis;
	struct sweep *sweep = mem_zalloc(1, sizeof(*sweep));
	struct redis_command *command = redis_command_new(redis->link, due_done, sweep);

	op->op.ok = false;
	op->op.err = (struct err){0};
	op->op.now_us = 0;
	op->expired = 0;
	op->more = false;
	op->limit = op->limit < 1 || op->limit > 64 ? 64 : op->limit;
	*sweep = (struct sweep){.op = op,
		.redis = redis,
		.deadline_us = op->op.deadline_us ? op->op.deadline_us : clock_mono_us() + redis->timeout_us};
	redis_arg_function(command, FUNCTION_DUE, 1);
	arg_partition(redis, command, op->partition, KEY_DUE);
	buf_put_u16(&redis->scratch, (uint16_t)op->limit);
	arg_scratch(redis, command);
	redis_send(command, sweep->deadline_us);
}
