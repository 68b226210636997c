/* The operations of struct limits_store on one account: its partition's birth, seeding, write-through, reset. */
#include <stdlib.h>
#include <string.h>

#include "domain/limit/profile.h"
#include "base/text/pack.h"
#include "redis/limits/private.h"

static bool id_earlier(const char *a, const char *b)
{
	char *a_end;
	char *b_end;
	unsigned long long a_ms = strtoull(a, &a_end, 10);
	unsigned long long b_ms = strtoull(b, &b_end, 10);

	if (a_ms != b_ms)
		return a_ms < b_ms;
	return *a_end && *b_end && strtoull(a_end + 1, NULL, 10) < strtoull(b_end + 1, NULL, 10);
}

static void answer_bad(struct limits_op *op, const struct cut *cut)
{
	if (!cut->bad)
		return;
	op->status = LIMITS_FAILED;
	err_set(&op->err, ERR_INTERNAL, "redis: unreadable answer");
}

static void birth_everywhere_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_birth *op = command->user;
	int64_t now_us = op->op.now_us;
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut)) {
		int count = cut_u16(&cut);

		op->undrained = 0;
		op->first_entry[0] = '\0';
		for (int i = 0; i < count && !cut.bad; i++) {
			char oldest[sizeof(op->first_entry)] = "";

			cut_u16(&cut);
			op->undrained += cut_u64(&cut);
			text_cut_into(&cut, oldest, sizeof(oldest));
			if (!op->first_entry[0] || id_earlier(oldest, op->first_entry))
				memcpy(op->first_entry, oldest, sizeof(oldest));
		}
		op->op.now_us = now_us;
		answer_bad(&op->op, &cut);
	}
	op->op.done(&op->op);
}

static void birth_everywhere(struct redis_store *redis, struct limits_birth *op)
{
	struct redis_command *command = redis_command_new(redis->link, birth_everywhere_done, op);

	redis_arg_function(command, FUNCTION_WAITING, PARTITIONS);
	for (int i = 0; i < PARTITIONS; i++)
		arg_partition(redis, command, i, KEY_OUT);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void birth_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_birth *op = command->user;
	struct redis_limits *limits = op->op.impl[0];
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK) {
		const uint8_t *generation = cut_bytes(&cut, 16);

		op->birth_us = cut_int(&cut, 7);
		op->undrained = cut_u64(&cut);
		text_cut_into(&cut, op->last_entry, sizeof(op->last_entry));
		text_cut_into(&cut, op->first_entry, sizeof(op->first_entry));
		answer_bad(&op->op, &cut);
		if (op->op.status == LIMITS_OK) {
			memcpy(op->generation, generation, 16);
			op->generation[16] = '\0';
			if (op->everywhere) {
				birth_everywhere(&limits->redis, op);
				return;
			}
		}
	}
	op->op.done(&op->op);
}

void limits_birth_start(struct limits_store *store, struct limits_birth *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command = redis_command_new(redis->link, birth_done, op);
	int partition = partition_of(op->kind, op->tenant, op->id);
	char generation[17];

	limits_begin(&op->op);
	op->op.impl[0] = limits;
	fresh_generation(generation);
	redis_arg_function(command, FUNCTION_BIRTH, 2);
	arg_partition(redis, command, partition, KEY_GEN);
	arg_partition(redis, command, partition, KEY_OUT);
	redis_arg(command, generation, 16);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

/* For answers that consist only of a status. */
static void status_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_op *op = command->user;
	struct cut cut;

	limits_answered(op, reply, err, &cut);
	op->done(op);
}

static void policy_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	const struct limits_policy *op = command->user;

	limits_changed(&op->expected, 1);
	status_done(command, reply, err);
}

static void adopt_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	const struct limits_adopt *op = command->user;

	limits_changed(&op->expected, 1);
	status_done(command, reply, err);
}

void limits_seed_start(struct limits_store *store, struct limits_seed *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, status_done, &op->op);
	const struct expected *expected = &op->expected;
	int partition = partition_of(expected->kind, expected->tenant, expected->id);
	const struct buf *policy;
	struct buf record = {0};
	uint32_t expires_s;

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_SEED, 4);
	arg_partition(redis, command, partition, KEY_GEN);
	arg_account(redis, command, expected->kind, expected->tenant, expected->id);
	arg_partition(redis, command, partition, KEY_POL);
	arg_floor(redis, command, expected->kind, expected->tenant, expected->id);
	codec_seed(&record, op, &redis->packed, &expires_s);
	buf_put(&redis->scratch, op->generation, 16);
	buf_put_u32(&redis->scratch, expires_s);
	arg_scratch(redis, command);
	redis_arg(command, record.data, record.len);
	buf_release(&record);
	redis_arg(command, expected->policy->pid, 8);
	policy = policy_packed(&redis->packed, expected->policy);
	if (expected->own_policy || expected->kind != ACCOUNT_USER) /* the record carries it */
		redis_arg(command, "", 0);
	else
		redis_arg(command, policy->data, policy->len);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

void limits_policy_start(struct limits_store *store, struct limits_policy *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, policy_done, op);
	const struct expected *expected = &op->expected;
	const struct buf *bytes = policy_packed(&redis->packed, expected->policy);

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_POLICY, 3);
	arg_account(redis, command, expected->kind, expected->tenant, expected->id);
	arg_partition(redis, command, partition_of(expected->kind, expected->tenant, expected->id), KEY_POL);
	arg_floor(redis, command, expected->kind, expected->tenant, expected->id);
	codec_policy(&redis->scratch, op);
	arg_scratch(redis, command);
	redis_arg(command, bytes->data, bytes->len);
	profile_pack(op->profile, &redis->scratch);
	arg_scratch(redis, command);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

void limits_adopt_start(struct limits_store *store, struct limits_adopt *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, adopt_done, op);
	const struct expected *expected = &op->expected;

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_ADOPT, 2);
	arg_account(redis, command, expected->kind, expected->tenant, expected->id);
	arg_partition(redis, command, partition_of(expected->kind, expected->tenant, expected->id), KEY_POL);
	limits_arg_blob(redis, command, expected);
	codec_adopt(&redis->scratch, op);
	arg_scratch(redis, command);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void reset_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_reset *op = command->user;
	const struct policy *policy = op->expected.policy;
	struct cut cut;

	memset(op->lost, 0, sizeof(op->lost));
	if (limits_answered(&op->op, reply, err, &cut) &&
		(op->op.status == LIMITS_OK || op->op.status == LIMITS_REPEAT)) {
		int count = cut_u8(&cut);

		for (int n = 0; n < count && !cut.bad; n++) {
			uint32_t id = cut_u32(&cut);
			int64_t lost;

			cut_u16(&cut);
			lost = cut_int(&cut, 7);
			for (int i = 0; i < policy->count; i++)
				if (policy->limits[i].id == id)
					op->lost[i] = lost;
		}
		answer_bad(&op->op, &cut);
	}
	limits_changed(&op->expected, 1);
	op->op.done(&op->op);
}

void limits_reset_start(struct limits_store *store, struct limits_reset *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, reset_done, op);
	const struct expected *expected = &op->expected;
	int partition = partition_of(expected->kind, expected->tenant, expected->id);

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_RESET, 4);
	key_reset_marker(&redis->scratch, expected->kind, expected->tenant, expected->id, op->request_id);
	arg_scratch(redis, command);
	arg_partition(redis, command, partition, KEY_OUT);
	arg_account(redis, command, expected->kind, expected->tenant, expected->id);
	arg_partition(redis, command, partition, KEY_POL);
	redis_arg(command, op->info, op->info_len);
	limits_arg_blob(redis, command, expected);
	arg_number7(redis, command, redis->window_us);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void adjust_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_adjust *op = command->user;
	struct redis_limits *limits = op->op.impl[0];
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_DENIED) {
		op->lacking.account = cut_u8(&cut);
		op->lacking.limit_id = cut_u32(&cut);
		op->lacking.settled = cut_int(&cut, 7);
		answer_bad(&op->op, &cut);
	}
	if (limits_sent_again(&limits->redis, command, &op->op, op->expected, op->count))
		return;
	limits_changed(op->expected, op->count);
	op->op.done(&op->op);
}

static void adjustment_put(struct buf *out, const struct limits_adjust *op, int64_t window_us)
{
	amounts_put(out, &op->amounts);
	buf_put_uint(out, op->interface_hash, 6);
	buf_put_uint(out, op->model_hash, 6);
	buf_put_int(out, op->started_at_us, 7);
	buf_put_int(out, op->counted_at_us, 7);
	buf_put_u8(out, op->ledger_only);
	buf_put_int(out, window_us, 7);
	buf_put(out, op->digest, sizeof(op->digest));
	counted_put(out, &op->amounts, 0);
}

void limits_adjust_start(struct limits_store *store, struct limits_adjust *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;

	limits_begin(&op->op);
	op->op.impl[0] = limits;
	key_reset_marker(&redis->scratch, ACCOUNT_USER, op->tenant, op->user, op->adjustment_id);
	command = limits_request_command(
		limits, FUNCTION_ADJUST, adjust_done, op, op->tenant, op->user, op->expected, op->count);
	adjustment_put(&redis->scratch, op, redis->window_us);
	arg_scratch(redis, command);
	redis_arg(command, op->usage, op->usage_len);
	redis_arg(command, op->info, op->info_len);
	limits_send(redis, command, op->expected, op->count, op->op.deadline_us);
}

static void erase_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_erase *op = command->user;
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK) {
		op->open = cut_u32(&cut);
		op->until_us = cut_int(&cut, 7);
		op->undrained = (int64_t)cut_u64(&cut);
		answer_bad(&op->op, &cut);
	}
	change_note(ACCOUNT_USER, op->tenant, op->user);
	op->op.done(&op->op);
}

void limits_erase_start(struct limits_store *store, struct limits_erase *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, erase_done, op);
	int partition = partition_of(ACCOUNT_USER, op->tenant, op->user);

	limits_begin(&op->op);
	redis_arg_function(command, FUNCTION_ERASE, 4);
	arg_partition(redis, command, partition, KEY_DUE);
	arg_partition(redis, command, partition, KEY_OUT);
	arg_account(redis, command, ACCOUNT_USER, op->tenant, op->user);
	arg_floor(redis, command, ACCOUNT_USER, op->tenant, op->user);
	key_marker(&redis->scratch, op->tenant, op->user, "");
	arg_scratch(redis, command);
	/* As entry_info_pack writes them, one after the other. */
	buf_put_u16(&redis->scratch, (uint16_t)strlen(op->tenant));
	buf_put_str(&redis->scratch, op->tenant);
	buf_put_u16(&redis->scratch, (uint16_t)strlen(op->user));
	buf_put_str(&redis->scratch, op->user);
	arg_scratch(redis, command);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}
