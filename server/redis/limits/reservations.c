/* Reservations as admins see them: those of a partition page by page, and single ones. */
#include <string.h>

#include "redis/limits/private.h"

static bool row_cut(struct cut *cut, struct arena *arena, struct reservation_row *out)
{
	const char *info;

	out->state = (enum reservation_state)cut_u8(cut);
	out->started_at_us = cut_int(cut, 7);
	out->expires_at_us = cut_int(cut, 7);
	amounts_cut(cut, &out->held);
	amounts_cut_used(cut, &out->used);
	out->attempts = cut_u32(cut);
	info = cut_str16(cut, &out->info_len);
	if (cut->bad)
		return false;
	out->info = (const uint8_t *)arena_strndup(arena, info, out->info_len);
	return true;
}

static void unreadable(struct limits_op *op)
{
	op->status = LIMITS_FAILED;
	err_set(&op->err, ERR_INTERNAL, "redis: unreadable answer");
}

static bool page_cut(struct cut *cut, struct limits_reservations *op)
{
	const char *after;
	size_t len;

	op->count = cut_u16(cut);
	if (cut->bad || op->count > op->limit)
		return false;
	op->row = arena_zalloc(op->op.arena, (size_t)op->count + 1, sizeof(*op->row));
	for (int i = 0; i < op->count; i++)
		if (!row_cut(cut, op->op.arena, &op->row[i]))
			return false;
	op->more = cut_u8(cut) != 0;
	op->after_us = cut_int(cut, 7);
	after = cut_str16(cut, &len);
	if (cut->bad)
		return false;
	op->after = arena_strndup(op->op.arena, after ? after : "", len);
	return true;
}

static void reservations_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_reservations *op = command->user;
	struct cut cut;

	op->count = 0;
	if (limits_answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK && !page_cut(&cut, op))
		unreadable(&op->op);
	op->op.done(&op->op);
}

void limits_reservations_start(struct limits_store *store, struct limits_reservations *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, reservations_done, op);

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_RESERVATIONS, 1);
	arg_partition(redis, command, op->partition, KEY_DUE);
	key_markers(&redis->scratch, op->partition, op->tenant, op->user);
	arg_scratch(redis, command);
	buf_put_int(&redis->scratch, op->after_us, 7);
	buf_put_u16(&redis->scratch, (uint16_t)op->limit);
	arg_scratch(redis, command);
	redis_arg(command, op->after, strlen(op->after));
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void reservation_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_reservation *op = command->user;
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK &&
		!row_cut(&cut, op->op.arena, &op->row))
		unreadable(&op->op);
	op->op.done(&op->op);
}

void limits_reservation_start(struct limits_store *store, struct limits_reservation *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, reservation_done, op);

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_RESERVATION, 1);
	key_marker(&redis->scratch, op->tenant, op->user, op->request_id);
	arg_scratch(redis, command);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}
