/* struct outbox_store on Redis. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "domain/limit/name.h"
#include "base/text/pack.h"
#include "redis/codec/store_private.h"
#include "redis/limits/bell.h"
#include "redis/limits/sweep.h"

#define TIMEOUT_US INT64_C(2000000)

static void op_begin(struct outbox_op *op, struct redis_outbox *outbox)
{
	op->ok = false;
	op->err = (struct err){0};
	op->now_us = 0;
	op->impl[0] = outbox;
}

static int64_t deadline_of(const struct redis_outbox *outbox, const struct outbox_op *op)
{
	return op->deadline_us ? op->deadline_us : clock_mono_us() + outbox->redis.timeout_us;
}

static bool op_fails(struct outbox_op *op, const struct err *err)
{
	if (err)
		op->err = *err;
	else
		err_set(&op->err, ERR_INTERNAL, "redis: unreadable answer");
	op->ok = false;
	return false;
}

/* The status of a function's answer; -1 when there is none. */
static int status_of(struct outbox_op *op, const redisReply *reply, const struct err *err, struct cut *cut)
{
	int status;

	if (err || reply->type != REDIS_REPLY_STRING) {
		op_fails(op, err);
		return -1;
	}
	*cut = cut_of(reply->str, (size_t)reply->len);
	status = cut_u8(cut);
	op->now_us = cut_int(cut, 7);
	op->ok = true;
	return status;
}

static void waiting_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_waiting *op = command->user;
	struct cut cut;
	int count;

	op->entries = 0;
	op->age_us = 0;
	op->count = 0;
	if (status_of(&op->op, reply, err, &cut) == LIMITS_OK) {
		count = cut_u16(&cut);
		for (int i = 0; i < count && i < PARTITIONS; i++) {
			int64_t age_us;

			op->waiting[i].partition = cut_u16(&cut) % PARTITIONS;
			op->waiting[i].entries = cut_u64(&cut);
			text_cut_into(&cut, op->waiting[i].oldest, sizeof(op->waiting[i].oldest));
			if (cut.bad)
				break;
			age_us = op->op.now_us - strtoll(op->waiting[i].oldest, NULL, 10) * 1000;
			if (age_us > op->age_us)
				op->age_us = age_us;
			op->entries += op->waiting[i].entries;
			op->count++;
		}
		if (cut.bad)
			op_fails(&op->op, NULL);
		metric_set(METRIC_outbox_entries, 0, 0, (int64_t)op->entries);
		metric_set(METRIC_outbox_age_seconds, 0, 0, op->age_us / 1000000);
	}
	op->op.done(&op->op);
}

static void waiting(struct outbox_store *store, struct outbox_waiting *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_command *command = redis_command_new(outbox->redis.link, waiting_done, op);

	op_begin(&op->op, outbox);
	command->even_refused = true;
	redis_arg_function(command, FUNCTION_WAITING, PARTITIONS);
	for (int i = 0; i < PARTITIONS; i++)
		arg_partition(&outbox->redis, command, i, KEY_OUT);
	redis_send(command, deadline_of(outbox, &op->op));
}

static bool entry_read(const redisReply *id, const redisReply *bytes, struct arena *arena, struct outbox_entry *out)
{
	if (id->type != REDIS_REPLY_STRING || (size_t)id->len >= sizeof(out->id) || bytes->type != REDIS_REPLY_STRING)
		return false;
	memcpy(out->id, id->str, (size_t)id->len);
	out->id[id->len] = '\0';
	out->len = (size_t)bytes->len;
	out->bytes = (const uint8_t *)arena_strndup(arena, bytes->str, out->len);
	return true;
}

static bool drain_read(struct outbox_drain *op, const redisReply *reply)
{
	size_t n = reply->elements;

	if (reply->type != REDIS_REPLY_ARRAY || n < 2 || n % 2 || reply->element[0]->type != REDIS_REPLY_STRING ||
		reply->element[1]->type != REDIS_REPLY_INTEGER)
		return false;
	if (reply->element[0]->len >= 16)
		memcpy(op->generation, reply->element[0]->str, 16);
	op->entries = (uint64_t)reply->element[1]->integer;
	op->entry = n > 2 ? arena_zalloc(op->op.arena, n / 2 - 1, sizeof(*op->entry)) : NULL;
	for (size_t i = 2; i < n; i += 2)
		if (!entry_read(reply->element[i], reply->element[i + 1], op->op.arena, &op->entry[op->count++]))
			return false;
	return true;
}

static void drain_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_drain *op = command->user;

	memset(op->generation, 0, sizeof(op->generation));
	op->count = 0;
	op->entries = 0;
	if (err)
		op_fails(&op->op, err);
	else
		op->op.ok = drain_read(op, reply) || op_fails(&op->op, NULL);
	op->op.done(&op->op);
}

static void drain(struct outbox_store *store, struct outbox_drain *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_store *redis = &outbox->redis;
	struct redis_command *command = redis_command_new(redis->link, drain_done, op);

	op_begin(&op->op, outbox);
	command->even_refused = true;
	redis_arg_function(command, FUNCTION_DRAIN, 2);
	arg_partition(redis, command, op->partition, KEY_GEN);
	arg_partition(redis, command, op->partition, KEY_OUT);
	buf_put_u32(&redis->scratch, (uint32_t)op->limit);
	arg_scratch(redis, command);
	redis_send(command, deadline_of(outbox, &op->op));
}

static void ack_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_ack *op = command->user;

	op->forgotten = 0;
	if (err || reply->type != REDIS_REPLY_INTEGER) {
		op_fails(&op->op, err);
	} else {
		op->op.ok = true;
		op->forgotten = (uint64_t)reply->integer;
	}
	op->op.done(&op->op);
}

/* XTRIM keeps the given id: so pass the one after the last. */
static void ack(struct outbox_store *store, struct outbox_ack *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_store *redis = &outbox->redis;
	struct redis_command *command = redis_command_new(redis->link, ack_done, op);
	char next[OUTBOX_ID_MAX];
	char *end;
	uint64_t ms = strtoull(op->last, &end, 10);
	uint64_t sequence = *end == '-' ? strtoull(end + 1, NULL, 10) : 0;

	op_begin(&op->op, outbox);
	command->even_refused = true;
	snprintf(next, sizeof(next), "%" PRIu64 "-%" PRIu64, ms, sequence + 1);
	redis_arg_text(command, "XTRIM");
	arg_partition(redis, command, op->partition, KEY_OUT);
	redis_arg_text(command, "MINID");
	redis_arg_text(command, next);
	redis_send(command, deadline_of(outbox, &op->op));
}

static void takeback_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_takeback *op = command->user;
	struct cut cut;

	op->taken = status_of(&op->op, reply, err, &cut) == LIMITS_OK;
	op->op.done(&op->op);
}

static void part_put(struct buf *out, const struct entry_part *part)
{
	for (int u = 0; u < WINDOW_COUNT; u++)
		buf_put_int(out, part->window_start[u], 7);
	buf_put_u8(out, (uint8_t)part->buckets);
	for (int i = 0; i < part->buckets; i++)
		buf_put_u32(out, part->bucket[i].limit_id);
}

/* What an entry charged, and its parts from `first` on. */
static void arg_entry(struct redis_store *redis, struct redis_command *command, const struct entry *entry, int first)
{
	amounts_put(&redis->scratch, &entry->amounts);
	buf_put_uint(&redis->scratch, interface_hash(entry->info.interface), 6);
	buf_put_uint(&redis->scratch, model_hash(entry_counted_model(&entry->info)), 6);
	counted_put(&redis->scratch, &entry->amounts, 0);
	arg_scratch(redis, command);
	for (int i = first; i < entry->info.accounts; i++) {
		part_put(&redis->scratch, &entry->part[i]);
		arg_scratch(redis, command);
	}
}

static void takeback(struct outbox_store *store, struct outbox_takeback *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_store *redis = &outbox->redis;
	struct redis_command *command = redis_command_new(redis->link, takeback_done, op);
	const struct entry_info *info = &op->entry->info;

	op_begin(&op->op, outbox);
	redis_arg_function(command, FUNCTION_TAKEBACK, 2 + info->accounts);
	arg_partition(redis, command, op->partition, KEY_OUT);
	arg_partition(redis, command, op->partition, KEY_POL);
	for (int i = 0; i < info->accounts; i++)
		arg_account(redis, command, info->account[i].kind, info->tenant, info->account[i].id);
	redis_arg_text(command, op->id);
	arg_entry(redis, command, op->entry, 0);
	redis_send(command, deadline_of(outbox, &op->op));
}

static void charge_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_charge *op = command->user;
	struct cut cut;

	(void)status_of(&op->op, reply, err, &cut);
	op->op.done(&op->op);
}

static void charge(struct outbox_store *store, struct outbox_charge *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_store *redis = &outbox->redis;
	struct redis_command *command = redis_command_new(redis->link, charge_done, op);
	const struct entry_info *info = &op->entry->info;
	int first = info->accounts - op->accounts;

	op_begin(&op->op, outbox);
	redis_arg_function(command, FUNCTION_CHARGE, 1 + op->accounts);
	arg_partition(redis, command, op->partition, KEY_POL);
	for (int i = first; i < info->accounts; i++)
		arg_account(redis, command, info->account[i].kind, info->tenant, info->account[i].id);
	arg_entry(redis, command, op->entry, first);
	redis_send(command, deadline_of(outbox, &op->op));
}

static void raise_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_raise *op = command->user;
	struct cut cut;
	int status = status_of(&op->op, reply, err, &cut);

	op->absent = status == LIMITS_ABSENT;
	op->raised = status == LIMITS_OK ? cut_u8(&cut) : 0;
	op->lowered = status == LIMITS_OK ? cut_u8(&cut) : 0;
	if (op->raised)
		metric_add(METRIC_reconcile_raised_total, 0, 0, op->raised);
	op->op.done(&op->op);
}

static void raise_counters(struct outbox_store *store, struct outbox_raise *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_store *redis = &outbox->redis;
	struct redis_command *command = redis_command_new(redis->link, raise_done, op);

	op_begin(&op->op, outbox);
	redis_arg_function(command, FUNCTION_RAISE, 2);
	arg_account(redis, command, op->kind, op->tenant, op->id);
	arg_partition(redis, command, partition_of(op->kind, op->tenant, op->id), KEY_POL);
	buf_put_u8(&redis->scratch, (uint8_t)op->count);
	for (int i = 0; i < op->count; i++) {
		buf_put_u32(&redis->scratch, op->window[i].limit_id);
		buf_put_int(&redis->scratch, op->window[i].window_start, 7);
		buf_put_int(&redis->scratch, op->window[i].seen, 7);
		buf_put_int(&redis->scratch, op->window[i].known, 7);
	}
	arg_scratch(redis, command);
	redis_send(command, deadline_of(outbox, &op->op));
}

static void counters_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct outbox_counters *op = command->user;
	struct cut cut;
	int status = status_of(&op->op, reply, err, &cut);

	op->count = 0;
	op->high = false;
	op->absent = status == LIMITS_ABSENT;
	if (status == LIMITS_OK) {
		int count;

		op->high = cut_u8(&cut);
		count = cut_u8(&cut);

		for (int i = 0; i < count && i < LIMITS_MAX; i++) {
			op->window[i].limit_id = cut_u32(&cut);
			op->window[i].dimension = (enum dimension)cut_u8(&cut);
			op->window[i].unit = (enum window_unit)cut_u8(&cut);
			op->window[i].interface_hash = cut_uint(&cut, 6);
			op->window[i].model_hash = cut_uint(&cut, 6);
			op->window[i].window_start = cut_int(&cut, 7);
			op->window[i].settled = cut_int(&cut, 7);
			op->window[i].held = cut_int(&cut, 7);
			op->count++;
		}
		if (cut.bad || cut.left)
			op_fails(&op->op, NULL);
	}
	op->op.done(&op->op);
}

static void counters(struct outbox_store *store, struct outbox_counters *op)
{
	struct redis_outbox *outbox = outbox_of(store);
	struct redis_store *redis = &outbox->redis;
	struct redis_command *command = redis_command_new(redis->link, counters_done, op);

	op_begin(&op->op, outbox);
	redis_arg_function(command, FUNCTION_COUNTERS, 2);
	arg_account(redis, command, op->kind, op->tenant, op->id);
	arg_partition(redis, command, partition_of(op->kind, op->tenant, op->id), KEY_POL);
	redis_send(command, deadline_of(outbox, &op->op));
}

static bool when_any(struct outbox_store *store, void (*rung)(void *arg), void *arg)
{
	return redis_bell_await(outbox_of(store)->bell, rung, arg);
}

struct outbox_store *redis_outbox_new(const struct redis_options *options, struct err *err)
{
	static const struct outbox_store_ops ops = {.waiting = waiting,
		.drain = drain,
		.ack = ack,
		.takeback = takeback,
		.overdue = store_overdue,
		.sweep = store_sweep,
		.charge = charge,
		.raise = raise_counters,
		.counters = counters,
		.when_any = when_any};
	struct redis_outbox *outbox = mem_zalloc(1, sizeof(*outbox));

	outbox->store.ops = &ops;
	if (!redis_store_init(&outbox->redis, options, TIMEOUT_US, err)) {
		free(outbox);
		return NULL;
	}
	outbox->bell = redis_bell_new(options);
	return &outbox->store;
}

void redis_outbox_free(struct outbox_store *store)
{
	if (!store)
		return;
	redis_bell_free(outbox_of(store)->bell);
	redis_store_release(&outbox_of(store)->redis);
	free(outbox_of(store));
}

bool redis_outbox_ready(const struct outbox_store *store, struct err *why)
{
	return redis_link_ready(((const struct redis_outbox *)store)->redis.link, why);
}
