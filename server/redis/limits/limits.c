/* struct limits_store on Redis: each operation is one function call. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/metrics.h"
#include "redis/limits/private.h"

/* How long a cancel that Redis did not answer stays owed: ordinary reservations have expired by then. */
#define OWED_US INT64_C(900000000)

static struct redis_command *request_command(struct redis_limits *limits, enum redis_function function,
	void (*done)(struct redis_command *, const redisReply *, const struct err *), void *user, const char *tenant,
	const char *name, const char *request_id, const struct expected expected[], int count)
{
	key_marker(&limits->redis.scratch, tenant, name, request_id ? request_id : "");
	return limits_request_command(limits, function, done, user, tenant, name, expected, count);
}

static void digest_of(struct redis_store *redis, const struct expected expected[], int count, uint8_t out[8])
{
	for (int i = 0; i < count; i++)
		accounts_digest_add(&redis->digest, expected[i].kind, expected[i].tenant, expected[i].id);
	accounts_digest_end(&redis->digest, out);
}

/* Never 0, and never one that any loop has used for the same request before. */
static uint64_t nonce_next(struct redis_limits *limits)
{
	if (++limits->nonce == 0)
		++limits->nonce;
	return limits->nonce;
}

/* What a debt of the check is made of when its command is gone (op.impl[1]). */
struct check_kept {
	struct redis_args keys; /* set when the check is answered */
	uint8_t accounts_digest[8];
};

/* The check may have been decided or may still be: whatever it holds is owed. */
static void owe_check(struct redis_limits *limits, const struct limits_check *op, const struct redis_command *command)
{
	struct debt_terms terms = {.keys = redis_args_at(command, ARGS_BEFORE, PARTITION_KEYS + op->count),
		.nonce = op->nonce,
		.latest_us = op->latest_us,
		.until_us = clock_mono_us() + op->ttl_us};
	const struct check_kept *kept = op->op.impl[1];

	memcpy(terms.accounts_digest, kept->accounts_digest, sizeof(kept->accounts_digest));
	debts_add(&limits->debts, &terms);
}

static void keep_keys(struct limits_check *op, const struct redis_command *command)
{
	struct check_kept *kept = op->op.impl[1];

	kept->keys = redis_args_at(command, ARGS_BEFORE, PARTITION_KEYS + op->count);
	kept->keys.bytes = arena_strndup(op->op.arena, kept->keys.bytes, kept->keys.len);
}

static void check_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_check *op = command->user;
	struct redis_limits *limits = op->op.impl[0];
	struct cut cut;

	if (err && command->in_doubt && !op->dry_run)
		owe_check(limits, op, command);
	if (limits_answered(&op->op, reply, err, &cut) && op->op.status <= LIMITS_REPEAT)
		codec_check_answer(&cut, op);
	if (limits_sent_again(&limits->redis, command, &op->op, op->expected, op->count))
		return;
	if (!op->dry_run && (op->op.status == LIMITS_OK || op->op.status == LIMITS_REPEAT))
		keep_keys(op, command);
	/* Taking frees nothing, but from now on the request id has a reservation. */
	if (!op->dry_run && op->op.status != LIMITS_DENIED)
		limits_changed(op->expected, 1);
	op->op.done(&op->op);
}

static void check(struct limits_store *store, struct limits_check *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct check_kept *kept = arena_alloc(op->op.arena, sizeof(*kept));
	struct redis_command *command;

	limits_begin(&op->op);
	op->op.impl[0] = limits;
	op->op.impl[1] = kept;
	if (!op->nonce)
		op->nonce = nonce_next(limits);
	digest_of(redis, op->expected, op->count, kept->accounts_digest);
	command = request_command(limits, op->dry_run ? FUNCTION_LOOK : FUNCTION_CHECK, check_done, op, op->tenant,
		op->user, op->request_id, op->expected, op->count);
	codec_check(&redis->scratch, op, redis->window_us, redis->expiry_charges, kept->accounts_digest);
	arg_scratch(redis, command);
	redis_arg(command, op->info, op->info_len);
	limits_arg_blobs(redis, command, op->expected, op->count);
	if (op->tell_place && !op->dry_run) {
		codec_tell(&redis->scratch, op);
		arg_scratch(redis, command);
	}
	redis_send(command, store_deadline(redis, op->op.deadline_us));
}

static struct limits_debt *check_debt(struct limits_store *store, const struct limits_check *op)
{
	const struct check_kept *kept = op->op.impl[1];
	struct debt_terms terms = {.keys = kept->keys, .nonce = op->nonce, .until_us = clock_mono_us() + op->ttl_us};
	struct limits_debt *debt;

	memcpy(terms.accounts_digest, kept->accounts_digest, sizeof(kept->accounts_digest));
	debt = debt_new(&redis_limits_of(store)->debts, &terms);
	debt->store = store;
	return debt;
}

static void check_debt_end(struct limits_debt *debt, bool owed)
{
	if (owed)
		debt_owe(debt);
	else
		debt_forgive(debt);
}

static void settle_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_settle *op = command->user;
	struct redis_limits *limits = op->op.impl[0];
	struct cut cut;

	if (limits_answered(&op->op, reply, err, &cut)) {
		if (op->op.status == LIMITS_OK || op->op.status == LIMITS_REPEAT)
			codec_settle_answer(&cut, op);
		else if (op->op.status == LIMITS_CLOSED)
			op->state = (enum reservation_state)cut_u8(&cut);
	}
	if (limits_sent_again(&limits->redis, command, &op->op, op->expected, op->count))
		return;
	limits_changed(op->expected, op->count);
	op->op.done(&op->op);
}

static struct redis_command *settle_command(struct limits_store *store, enum redis_function function,
	void (*done)(struct redis_command *, const redisReply *, const struct err *), struct limits_settle *op,
	uint8_t digest[8])
{
	struct redis_limits *limits = redis_limits_of(store);

	limits_begin(&op->op);
	op->op.impl[0] = limits;
	digest_of(&limits->redis, op->expected, op->count, digest);
	return request_command(
		limits, function, done, op, op->tenant, op->user, op->request_id, op->expected, op->count);
}

static void record(struct limits_store *store, struct limits_settle *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	if (!op->nonce)
		op->nonce = nonce_next(limits);
	command = settle_command(store, FUNCTION_RECORD, settle_done, op, digest);
	codec_record(&redis->scratch, op, redis->window_us, digest);
	arg_scratch(redis, command);
	redis_arg(command, op->usage, op->usage_len);
	redis_arg(command, op->info, op->info_len);
	limits_send(redis, command, op->expected, op->count, op->op.deadline_us);
}

static void cancel_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_settle *op = command->user;
	struct redis_limits *limits = op->op.impl[0];

	if (err && op->owed) {
		struct debt_terms terms = {.keys = redis_args_at(command, ARGS_BEFORE, PARTITION_KEYS + op->count),
			.nonce = op->owed,
			.until_us = clock_mono_us() + OWED_US};

		digest_of(&limits->redis, op->expected, op->count, terms.accounts_digest);
		debts_add(&limits->debts, &terms);
	}
	settle_done(command, reply, err);
}

static void cancel(struct limits_store *store, struct limits_settle *op)
{
	struct redis_limits *limits = redis_limits_of(store);
	struct redis_store *redis = &limits->redis;
	struct redis_command *command;
	uint8_t digest[8];

	if (!op->nonce)
		op->nonce = nonce_next(limits);
	command = settle_command(store, FUNCTION_CANCEL, cancel_done, op, digest);
	codec_cancel(&redis->scratch, op, redis->window_us, digest);
	arg_scratch(redis, command);
	limits_send(redis, command, op->expected, op->count, op->op.deadline_us);
}

static void give_up_done(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct limits_settle *op = command->user;
	struct cut cut;

	(void)limits_answered(&op->op, reply, err, &cut);
	limits_changed(op->expected, op->count);
	op->op.done(&op->op);
}

static void give_up(struct limits_store *store, struct limits_settle *op)
{
	struct redis_store *redis = &redis_limits_of(store)->redis;
	struct redis_command *command;
	uint8_t digest[8];

	command = settle_command(store, FUNCTION_GIVEUP, give_up_done, op, digest);
	codec_give_up(&redis->scratch, op->nonce, digest);
	arg_scratch(redis, command);
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
		.debt = check_debt,
		.debt_end = check_debt_end,
		.record = record,
		.cancel = cancel,
		.give_up = give_up,
		.renew = renew,
		.birth = limits_birth_start,
		.seed = limits_seed_start,
		.policy = limits_policy_start,
		.adopt = limits_adopt_start,
		.reset = limits_reset_start,
		.adjust = limits_adjust_start,
		.erase = limits_erase_start,
		.reservations = limits_reservations_start,
		.reservation = limits_reservation_start,
		.facts = limits_facts_start};
	struct redis_limits *limits = mem_zalloc(1, sizeof(*limits));

	limits->store.ops = &ops;
	if (!redis_store_init(&limits->redis, options, 50000, err)) {
		free(limits);
		return NULL;
	}
	debts_init(&limits->debts, &limits->redis, options->loop);
	fresh_bytes(&limits->nonce, sizeof(limits->nonce));
	return &limits->store;
}

void redis_limits_free(struct limits_store *store)
{
	if (!store)
		return;
	debts_close(&redis_limits_of(store)->debts);
	redis_store_release(&redis_limits_of(store)->redis);
	free(redis_limits_of(store));
}

int redis_limits_owed(const struct limits_store *store)
{
	return ((const struct redis_limits *)store)->debts.count;
}

bool redis_limits_ready(const struct limits_store *store, struct err *why)
{
	return redis_link_ready(((const struct redis_limits *)store)->redis.link, why);
}
