/* What is owed to Redis: sent again until it is done. */
#include "redis/limits/debts.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/observe/log.h"
#include "base/observe/metrics.h"
#include "base/units.h"
#include "domain/record/entry.h"

/* The most that one loop remembers. The breaker keeps them few; any beyond that are left to expire. */
enum { DEBTS_MAX = 10000 };
/* Free ones that are kept. */
enum { SPARES_MAX = 1024 };
#define PAUSE_MIN_US INT64_C(1000)
#define PAUSE_MAX_US SECOND_US

struct debt {
	struct limits_debt handle; /* for debts that may become owed */
	struct list link;
	struct debts *debts;
	struct debt_terms terms;
	struct redis_command *waiting; /* to be sent at due_us; NULL while in flight */
	int64_t due_us, pause_us;
	size_t rooms;
	char keys[]; /* terms.keys, until it is owed: from then on its commands have them */
};

static void on_due(uv_timer_t *timer);

static struct debt *debt_take(struct debts *debts, size_t bytes)
{
	size_t rooms = bytes ? (bytes + DEBT_ROOM - 1) / DEBT_ROOM : 1;
	struct list *spare = rooms <= DEBT_ROOMS ? list_pop_front(&debts->spare[rooms - 1]) : NULL;
	struct debt *debt;

	if (spare)
		debts->spares--;
	debt = spare ? container_of(spare, struct debt, link) : mem_realloc(NULL, sizeof(*debt) + rooms * DEBT_ROOM);
	*debt = (struct debt){.debts = debts, .rooms = rooms};
	list_init(&debt->link);
	return debt;
}

static void debt_give(struct debt *debt)
{
	struct debts *debts = debt->debts;

	if (debts->closing || debt->rooms > DEBT_ROOMS || debts->spares >= SPARES_MAX) {
		free(debt);
		return;
	}
	list_push_front(&debts->spare[debt->rooms - 1], &debt->link);
	debts->spares++;
}

static void debt_end(struct debt *debt)
{
	metric_add(METRIC_redis_owed, 0, 0, -1);
	debt->debts->count--;
	list_remove(&debt->link);
	debt_give(debt);
}

static void debt_drop(struct debt *debt)
{
	metric_inc(METRIC_redis_owed_dropped_total, 0, 0);
	log_warn("reservation is left to expire", F("why", debt->debts->closing ? "stopping" : "redis is away"));
	debt_end(debt);
}

static void wake_at(struct debts *debts, int64_t due_us)
{
	int64_t wait_us = due_us - clock_mono_us();
	uint64_t wait_ms = wait_us > 0 ? (uint64_t)(wait_us + 999) / 1000 : 0;

	if (uv_is_active((uv_handle_t *)debts->timer) && uv_timer_get_due_in(debts->timer) <= wait_ms)
		return;
	uv_update_time(debts->timer->loop);
	uv_timer_start(debts->timer, on_due, wait_ms, 0);
}

static void on_due(uv_timer_t *timer)
{
	struct debts *debts = timer->data;
	int64_t now_us = clock_mono_us();

	list_each (&debts->open, at, after) {
		struct debt *debt = container_of(at, struct debt, link);
		struct redis_command *command = debt->waiting;

		if (!command)
			continue;
		if (debt->due_us > now_us) {
			wake_at(debts, debt->due_us);
			continue;
		}
		debt->waiting = NULL;
		redis_send(command, debt->terms.until_us);
	}
}

static void again(struct debt *debt, struct redis_command *command, int64_t pause_us)
{
	debt->waiting = command;
	debt->due_us = clock_mono_us() + pause_us;
	wake_at(debt->debts, debt->due_us);
}

static void answered(struct redis_command *command, const redisReply *reply, const struct err *err);

static struct redis_command *command_begin(struct debt *debt, int keys)
{
	struct redis_command *command = redis_command_new(debt->debts->redis->link, answered, debt);

	command->owed = true;
	redis_arg_function(command, FUNCTION_GIVEUP, keys);
	return command;
}

static void command_end(struct debt *debt, struct redis_command *command)
{
	struct redis_store *redis = debt->debts->redis;

	codec_give_up(&redis->scratch, debt->terms.nonce, debt->terms.accounts_digest);
	arg_scratch(redis, command);
}

static struct redis_command *command_of(struct debt *debt, const struct redis_args *keys)
{
	struct redis_command *command = command_begin(debt, keys->count);

	redis_args(command, keys);
	command_end(debt, command);
	return command;
}

/* The keys are the command's arguments, except those before them and the last one. */
static struct redis_command *command_again(struct debt *debt, const struct redis_command *command)
{
	struct redis_args keys = redis_args_at(command, ARGS_BEFORE, command->argc - ARGS_BEFORE - 1);

	return command_of(debt, &keys);
}

/* NEEDKEYS: the reservation counts on other accounts than the check expected. NULL when they cannot be read. */
static struct redis_command *command_on(
	struct debt *debt, const struct redis_command *before, const struct limits_op *op, struct arena *arena)
{
	struct redis_store *redis = debt->debts->redis;
	struct redis_args keys = redis_args_at(before, ARGS_BEFORE, PARTITION_KEYS);
	struct redis_command *command;
	struct entry_info info;

	if (!op->info || !entry_info_unpack(op->info, op->info_len, arena, &info))
		return NULL;
	command = command_begin(debt, PARTITION_KEYS + info.accounts);
	redis_args(command, &keys);
	for (int i = 0; i < info.accounts; i++) {
		arg_account(redis, command, info.account[i].kind, info.tenant, info.account[i].id);
		accounts_digest_add(&redis->digest, info.account[i].kind, info.tenant, info.account[i].id);
	}
	accounts_digest_end(&redis->digest, debt->terms.accounts_digest);
	command_end(debt, command);
	return command;
}

static int64_t pause_next(struct debt *debt)
{
	debt->pause_us = debt->pause_us * 2 < PAUSE_MAX_US ? debt->pause_us * 2 : PAUSE_MAX_US;
	return debt->pause_us;
}

/* An error not of the connection: Redis may be full, or refuse the call, for a while. */
static void failed(struct debt *debt, const struct redis_command *command)
{
	if (debt->debts->closing || clock_mono_us() >= debt->terms.until_us) {
		debt_drop(debt);
		return;
	}
	again(debt, command_again(debt, command), pause_next(debt));
}

/*
 * An answer, whatever it says, is final if the check could no longer be decided at its time. Before that, a copy of the
 * check may still arrive, because it may have been sent over several connections.
 */
static void answered(struct redis_command *command, const redisReply *reply, const struct err *err)
{
	struct debt *debt = command->user;
	struct arena arena = {0};
	struct limits_op op = {.arena = &arena};
	struct redis_command *next = NULL;
	struct cut cut;
	int64_t ahead_us;

	if (err || !reply_cut(reply, &cut, &op.err) || !codec_status(&cut, &op)) {
		failed(debt, command);
		arena_release(&arena);
		return;
	}
	ahead_us = debt->terms.latest_us - op.now_us + 1;
	if (op.status == LIMITS_NEEDKEYS && (next = command_on(debt, command, &op, &arena)))
		again(debt, next, pause_next(debt));
	else if (ahead_us > 0)
		again(debt, command_again(debt, command), ahead_us < PAUSE_MAX_US ? ahead_us : PAUSE_MAX_US);
	else
		debt_end(debt);
	arena_release(&arena);
}

static struct debt *debt_of(struct limits_debt *handle)
{
	return container_of(handle, struct debt, handle);
}

struct limits_debt *debt_new(struct debts *debts, const struct debt_terms *terms)
{
	struct debt *debt = debt_take(debts, terms->keys.len);

	debt->terms = *terms;
	debt->pause_us = PAUSE_MIN_US;
	memcpy(debt->keys, terms->keys.bytes, terms->keys.len);
	debt->terms.keys.bytes = debt->keys;
	debt->handle.bytes = sizeof(*debt) + debt->rooms * DEBT_ROOM;
	return &debt->handle;
}

void debt_owe(struct limits_debt *handle)
{
	struct debt *debt = debt_of(handle);
	struct debts *debts = debt->debts;

	list_push_back(&debts->open, &debt->link);
	debts->count++;
	metric_add(METRIC_redis_owed, 0, 0, 1);
	if (debts->closing || debts->count > DEBTS_MAX)
		debt_drop(debt);
	else
		redis_send(command_of(debt, &debt->terms.keys), debt->terms.until_us);
}

void debt_forgive(struct limits_debt *handle)
{
	debt_give(debt_of(handle));
}

void debts_add(struct debts *debts, const struct debt_terms *terms)
{
	debt_owe(debt_new(debts, terms));
}

void debts_init(struct debts *debts, struct redis_store *redis, uv_loop_t *loop)
{
	debts->redis = redis;
	list_init(&debts->open);
	for (int i = 0; i < DEBT_ROOMS; i++)
		list_init(&debts->spare[i]);
	debts->timer = mem_zalloc(1, sizeof(*debts->timer));
	debts->timer->data = debts;
	uv_timer_init(loop, debts->timer);
}

static void on_closed(uv_handle_t *handle)
{
	free(handle);
}

/* Sends those that wait, so that the link fails them together with those in flight. */
void debts_close(struct debts *debts)
{
	debts->closing = true;
	list_each (&debts->open, at, after) {
		struct debt *debt = container_of(at, struct debt, link);
		struct redis_command *command = debt->waiting;

		debt->waiting = NULL;
		if (command)
			redis_send(command, debt->terms.until_us);
	}
	for (int i = 0; i < DEBT_ROOMS; i++)
		for (struct list *spare; (spare = list_pop_front(&debts->spare[i]));)
			free(container_of(spare, struct debt, link));
	uv_close((uv_handle_t *)debts->timer, on_closed);
}
