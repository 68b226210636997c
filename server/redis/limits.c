/* struct limits_store on Redis: each operation is one function call. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/metrics.h"
#include "domain/profile.h"
#include "redis/store_private.h"

struct redis_limits {
	struct limits_store store;
	struct redis_store redis;
};

/* Arguments before the keys: FCALL, the function, their number. */
enum { ARGS_BEFORE = 3, PARTITION_KEYS = 4 };

static struct redis_limits *limits_of(struct limits_store *store)
{
	return container_of(store, struct redis_limits, store);
}

/* True when the op has its status from the answer; a decision may follow in `cut`. */
static bool answered(struct limits_op *op, const redisReply *reply, const struct err *err, struct cut *cut)
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

static void op_begin(struct limits_op *op)
{
	op->err = (struct err){0};
	op->mask = 0;
	op->stale_count = 0;
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

static void arg_blob(struct redis_store *redis, struct redis_command *command, const struct belief *belief)
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
	codec_cancel(&redis->scratch, true, redis->window_us, (const uint8_t *)request_bytes + len - 8);
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

	list_each(given_up, at, after) {
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
	if (answered(&op->op, reply, err, &cut) && op->op.status <= LIMITS_REPEAT)
		codec_check_answer(&cut, op);
	op->op.done(&op->op);
}

static void check(struct limits_store *store, struct limits_check *op)
{
	struct redis_limits *limits = limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	op_begin(&op->op);
	op->op.impl[0] = limits;
	digest_of(redis, op->belief, op->count, digest);
	command = request_command(limits, FUNCTION_CHECK, check_done, op, op->tenant, op->user, op->request_id, op->belief,
		op->count);
	codec_check(&redis->scratch, op, redis->window_us, redis->expiry_charges, digest);
	arg_scratch(redis, command);
	redis_arg(command, op->info, op->info_len);
	for (int i = 0; i < op->count; i++)
		arg_blob(redis, command, &op->belief[i]);
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

	if (answered(&op->op, reply, err, &cut)) {
		if (op->op.status == LIMITS_OK || op->op.status == LIMITS_REPEAT)
			codec_settle_answer(&cut, op);
		else if (op->op.status == LIMITS_CLOSED)
			op->state = (enum reservation_state)cut_u8(&cut);
	}
	op->op.done(&op->op);
}

static void record(struct limits_store *store, struct limits_settle *op)
{
	struct redis_limits *limits = limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	op_begin(&op->op);
	digest_of(redis, op->belief, op->count, digest);
	command = request_command(limits, FUNCTION_RECORD, settle_done, op, op->tenant, op->user, op->request_id, op->belief,
		op->count);
	codec_record(&redis->scratch, op, redis->window_us, digest);
	arg_scratch(redis, command);
	redis_arg(command, op->usage, op->usage_len);
	redis_arg(command, op->info, op->info_len);
	for (int i = 0; i < op->count; i++)
		arg_blob(redis, command, &op->belief[i]);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void cancel(struct limits_store *store, struct limits_settle *op)
{
	struct redis_limits *limits = limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	op_begin(&op->op);
	digest_of(redis, op->belief, op->count, digest);
	command = request_command(limits, FUNCTION_CANCEL, settle_done, op, op->tenant, op->user, op->request_id, op->belief,
		op->count);
	codec_cancel(&redis->scratch, false, redis->window_us, digest);
	arg_scratch(redis, command);
	for (int i = 0; i < op->count; i++)
		arg_blob(redis, command, &op->belief[i]);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void renew_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_renew *op = command->user;
	struct cut cut;

	if (answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK)
		op->expires_at_us = cut_int(&cut, 7);
	op->op.done(&op->op);
}

static void renew(struct limits_store *store, struct limits_renew *op)
{
	struct redis_store *redis = &limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, renew_done, op);

	op_begin(&op->op);
	redis_arg_function(command, FUNCTION_RENEW, 2);
	key_marker(&redis->scratch, op->tenant, op->user, op->request_id);
	arg_scratch(redis, command);
	arg_partition(redis, command, partition_of(ACCOUNT_USER, op->tenant, op->user), KEY_DUE);
	arg_number7(redis, command, op->ttl_us);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

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

static void text_cut(struct cut *cut, char *out, size_t size)
{
	size_t len;
	const char *text = cut_str16(cut, &len);

	if (!text || len >= size) {
		cut->bad = true;
		return;
	}
	memcpy(out, text, len);
	out[len] = '\0';
}

static void answer_bad(struct limits_op *op, const struct cut *cut)
{
	if (!cut->bad)
		return;
	op->status = LIMITS_FAILED;
	err_set(&op->err, ERR_INTERNAL, "redis: its answer cannot be read");
}

static void birth_everywhere_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_birth *op = command->user;
	int64_t now_us = op->op.now_us;
	struct cut cut;

	if (answered(&op->op, reply, err, &cut)) {
		int count = cut_u16(&cut);

		op->undrained = 0;
		op->first_entry[0] = '\0';
		for (int i = 0; i < count && !cut.bad; i++) {
			char oldest[sizeof(op->first_entry)] = "";

			cut_u16(&cut);
			op->undrained += cut_u64(&cut);
			text_cut(&cut, oldest, sizeof(oldest));
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

	if (answered(&op->op, reply, err, &cut) && op->op.status == LIMITS_OK) {
		const uint8_t *generation = cut_bytes(&cut, 16);

		op->birth_us = cut_int(&cut, 7);
		op->undrained = cut_u64(&cut);
		text_cut(&cut, op->last_entry, sizeof(op->last_entry));
		text_cut(&cut, op->first_entry, sizeof(op->first_entry));
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

static void birth(struct limits_store *store, struct limits_birth *op)
{
	struct redis_limits *limits = limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command = redis_command_new(redis->link, birth_done, op);
	int partition = partition_of(op->kind, op->tenant, op->id);
	char generation[17];

	op_begin(&op->op);
	op->op.impl[0] = limits;
	fresh_generation(generation);
	redis_arg_function(command, FUNCTION_BIRTH, 2);
	arg_partition(redis, command, partition, KEY_GEN);
	arg_partition(redis, command, partition, KEY_OUT);
	redis_arg(command, generation, 16);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

/* For answers of which only the status matters. */
static void status_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_op *op = command->user;
	struct cut cut;

	answered(op, reply, err, &cut);
	op->done(op);
}

static void seed(struct limits_store *store, struct limits_seed *op)
{
	struct redis_store *redis = &limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, status_done, &op->op);
	const struct belief *belief = &op->belief;
	int partition = partition_of(belief->kind, belief->tenant, belief->id);
	const struct buf *policy;
	struct buf record = {0};
	uint32_t expires_s;

	op_begin(&op->op);
	redis_arg_function(command, FUNCTION_SEED, 3);
	arg_partition(redis, command, partition, KEY_GEN);
	arg_account(redis, command, belief->kind, belief->tenant, belief->id);
	arg_partition(redis, command, partition, KEY_POL);
	codec_seed(&record, op, &redis->packed, &expires_s);
	buf_put(&redis->scratch, op->generation, 16);
	buf_put_u32(&redis->scratch, expires_s);
	arg_scratch(redis, command);
	redis_arg(command, record.data, record.len);
	buf_release(&record);
	redis_arg(command, belief->policy->pid, 8);
	policy = policy_packed(&redis->packed, belief->policy);
	if (belief->own_policy || belief->kind != ACCOUNT_USER) /* the record carries it */
		redis_arg(command, "", 0);
	else
		redis_arg(command, policy->data, policy->len);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void policy(struct limits_store *store, struct limits_policy *op)
{
	struct redis_store *redis = &limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, status_done, &op->op);
	const struct belief *belief = &op->belief;
	const struct buf *bytes = policy_packed(&redis->packed, belief->policy);

	op_begin(&op->op);
	redis_arg_function(command, FUNCTION_POLICY, 2);
	arg_account(redis, command, belief->kind, belief->tenant, belief->id);
	arg_partition(redis, command, partition_of(belief->kind, belief->tenant, belief->id), KEY_POL);
	codec_policy(&redis->scratch, op);
	arg_scratch(redis, command);
	redis_arg(command, bytes->data, bytes->len);
	profile_pack(op->profile, &redis->scratch);
	arg_scratch(redis, command);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static void reset_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_reset *op = command->user;
	const struct policy *policy = op->belief.policy;
	struct cut cut;

	memset(op->lost, 0, sizeof(op->lost));
	if (answered(&op->op, reply, err, &cut) && (op->op.status == LIMITS_OK || op->op.status == LIMITS_REPEAT)) {
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
	op->op.done(&op->op);
}

static void reset(struct limits_store *store, struct limits_reset *op)
{
	struct redis_store *redis = &limits_of(store)->redis;
	struct redis_command *command = redis_command_new(redis->link, reset_done, op);
	const struct belief *belief = &op->belief;
	int partition = partition_of(belief->kind, belief->tenant, belief->id);

	op_begin(&op->op);
	redis_arg_function(command, FUNCTION_RESET, 4);
	key_reset_marker(&redis->scratch, belief->kind, belief->tenant, belief->id, op->request_id);
	arg_scratch(redis, command);
	arg_partition(redis, command, partition, KEY_OUT);
	arg_account(redis, command, belief->kind, belief->tenant, belief->id);
	arg_partition(redis, command, partition, KEY_POL);
	redis_arg(command, op->info, op->info_len);
	arg_blob(redis, command, belief);
	arg_number7(redis, command, redis->window_us);
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

struct limits_store *redis_limits_new(const struct redis_options *options, struct err *err)
{
	static const struct limits_store_ops ops = {.check = check,
		.record = record,
		.cancel = cancel,
		.renew = renew,
		.birth = birth,
		.seed = seed,
		.policy = policy,
		.reset = reset};
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
	redis_store_release(&limits_of(store)->redis);
	free(limits_of(store));
}

bool redis_limits_healthy(const struct limits_store *store)
{
	return redis_link_healthy(((const struct redis_limits *)store)->redis.link);
}
