/* The pools in Redis: one call per function of lua/pool; hints come over a connection of their own (listener.c). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/crypto/random.h"
#include "redis/pools/private.h"

#define TIMEOUT_US INT64_C(2000000)

static struct redis_pools *pools_of(struct pools_store *store)
{
	return container_of(store, struct redis_pools, store);
}

static void put_ms(struct buf *out, int64_t us)
{
	int64_t ms = us > 0 ? (us + 999) / 1000 : 0;

	buf_put_u32(out, ms > UINT32_MAX ? UINT32_MAX : (uint32_t)ms);
}

static void put_text(struct buf *out, const char *text)
{
	buf_put_str16(out, text, strlen(text));
}

static void op_fail(struct pool_op *op, const struct err *err)
{
	op->status = POOL_FAILED;
	op->err = *err;
	op->grants = 0;
}

/* Reads the answer's bytes, and its status into the op; false: the op has failed. */
static bool op_answered(struct pool_op *op, const redisReply *reply, const struct err *err, struct cut *cut)
{
	struct err why;

	op->grants = 0;
	op->levels = 0;
	if (err) {
		op_fail(op, err);
		return false;
	}
	if (!reply_cut(reply, cut, &why) || !pool_read_head(op, cut)) {
		err_set(&why, ERR_INTERNAL, "redis: unreadable answer about a pool");
		op_fail(op, &why);
		return false;
	}
	return true;
}

static void op_ended(struct pool_op *op, bool read)
{
	struct err why;

	if (!read && op->status != POOL_FAILED) {
		err_set(&why, ERR_INTERNAL, "redis: unreadable answer about a pool");
		op_fail(op, &why);
	}
	op->done(op);
}

/* Defines name_done, which reads the answer of one function. */
#define DONE(name_, struct_, read_) \
	static void name_##_done(struct redis_command *command, const redisReply *reply, const struct err *err) \
	{ \
		struct struct_ *op = command->user; \
		struct cut cut; \
\
		op_ended(&op->op, !op_answered(&op->op, reply, err, &cut) || read_(op, &cut)); \
	}
DONE(configure, pool_configure, pool_read_configure)
DONE(epoch, pool_epoch, pool_read_epoch)
DONE(acquire, pool_acquire, pool_read_acquire)
DONE(renew, pool_renew, pool_read_renew)
DONE(release, pool_end, pool_read_release)
DONE(cancel, pool_end, pool_read_cancel)
DONE(sync, pool_sync, pool_read_sync)
DONE(tick, pool_tick, pool_read_tick)
DONE(stats, pool_stats, pool_read_stats)

typedef void answer_fn(struct redis_command *command, const redisReply *reply, const struct err *err);

/* Begins a call of a function, with its twelve keys. */
static struct redis_command *begin(
	struct redis_pools *pools, enum redis_function function, const struct pool_op *op, answer_fn *done, void *user)
{
	struct redis_command *command = redis_command_new(pools->redis.link, done, user);

	redis_arg_function(command, function, POOL_KEYS);
	for (int i = 0; i < POOL_KEYS; i++) {
		key_pool(&pools->redis.scratch, op->tenant, op->pool, (enum pool_key)i);
		arg_scratch(&pools->redis, command);
	}
	return command;
}

static void pool_call(struct redis_pools *pools, struct redis_command *command, const struct pool_op *op)
{
	redis_send(command, store_deadline(&pools->redis, op->deadline_us));
}

static void arg_request(struct redis_command *command, const struct pool_request *request)
{
	redis_arg_text(command, request->user);
	redis_arg_text(command, request->id);
}

static void configure(struct pools_store *store, struct pool_configure *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_CONFIGURE, &op->op, configure_done, op);
	char birth[33];

	pool_pack(scratch, op->settings);
	arg_scratch(&pools->redis, command);
	random_id(birth);
	redis_arg_text(command, birth);
	pool_call(pools, command, &op->op);
}

static void epoch(struct pools_store *store, struct pool_epoch *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_EPOCH, &op->op, epoch_done, op);

	buf_put_u32(scratch, op->epoch);
	buf_put_u8(scratch, op->first ? 1 : 0);
	arg_scratch(&pools->redis, command);
	redis_arg_text(command, op->claim);
	pool_call(pools, command, &op->op);
}

static void acquire(struct pools_store *store, struct pool_acquire *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_ACQUIRE, &op->op, acquire_done, op);

	buf_put_u32(scratch, op->gen);
	buf_put_u8(scratch, (uint8_t)op->priority);
	buf_put_u32(scratch, (uint32_t)op->cap);
	buf_put_u32(scratch, (uint32_t)op->seats);
	put_ms(scratch, op->wait_us);
	buf_put_u8(scratch, 0);
	arg_scratch(&pools->redis, command);
	redis_arg_text(command, store->worker);
	arg_request(command, &op->request);
	pool_call(pools, command, &op->op);
}

static void renew(struct pools_store *store, struct pool_renew *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_RENEW, &op->op, renew_done, op);

	redis_arg_text(command, op->by_worker ? store->worker : "");
	buf_put_u16(scratch, (uint16_t)op->count);
	for (int i = 0; i < op->count; i++) {
		const struct pool_grant *grant = &op->item[i].grant;

		put_text(scratch, grant->request.user);
		put_text(scratch, grant->request.id);
		buf_put_u32(scratch, grant->fence.epoch);
		buf_put_u32(scratch, grant->fence.fence);
	}
	arg_scratch(&pools->redis, command);
	pool_call(pools, command, &op->op);
}

static void release(struct pools_store *store, struct pool_end *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_RELEASE, &op->op, release_done, op);

	buf_put_u32(scratch, op->fence.epoch);
	buf_put_u32(scratch, op->fence.fence);
	buf_put_u8(scratch, op->only_mine ? 1 : 0);
	arg_scratch(&pools->redis, command);
	redis_arg_text(command, store->worker);
	arg_request(command, &op->request);
	pool_call(pools, command, &op->op);
}

static void cancel(struct pools_store *store, struct pool_end *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_CANCEL, &op->op, cancel_done, op);

	buf_put_u8(scratch, op->only_mine ? 1 : 0);
	buf_put_u8(scratch, (uint8_t)op->outcome);
	arg_scratch(&pools->redis, command);
	redis_arg_text(command, store->worker);
	arg_request(command, &op->request);
	pool_call(pools, command, &op->op);
}

static void sync_(struct pools_store *store, struct pool_sync *op)
{
	struct redis_pools *pools = pools_of(store);
	struct buf *scratch = &pools->redis.scratch;
	struct redis_command *command = begin(pools, FUNCTION_POOL_SYNC, &op->op, sync_done, op);

	buf_put_u32(scratch, op->gen);
	buf_put_u8(scratch, op->goodbye ? 1 : 0);
	arg_scratch(&pools->redis, command);
	redis_arg_text(command, store->worker);
	buf_put_u16(scratch, (uint16_t)op->count);
	for (int i = 0; i < op->count; i++) {
		put_text(scratch, op->place[i].request.user);
		put_text(scratch, op->place[i].request.id);
	}
	arg_scratch(&pools->redis, command);
	pool_call(pools, command, &op->op);
}

static void tick(struct pools_store *store, struct pool_tick *op)
{
	struct redis_pools *pools = pools_of(store);
	struct redis_command *command = begin(pools, FUNCTION_POOL_TICK, &op->op, tick_done, op);

	buf_put_u32(&pools->redis.scratch, op->gen);
	arg_scratch(&pools->redis, command);
	pool_call(pools, command, &op->op);
}

static void resume(struct pools_store *store, struct pool_tick *op)
{
	struct redis_pools *pools = pools_of(store);

	op->next_us = 0;
	pool_call(pools, begin(pools, FUNCTION_POOL_RESUME, &op->op, tick_done, op), &op->op);
}

static void stats(struct pools_store *store, struct pool_stats *op)
{
	struct redis_pools *pools = pools_of(store);
	struct redis_command *command = begin(pools, FUNCTION_POOL_STATS, &op->op, stats_done, op);

	buf_put_u16(&pools->redis.scratch, (uint16_t)op->rows);
	arg_scratch(&pools->redis, command);
	redis_arg_text(command, op->user ? op->user : "");
	pool_call(pools, command, &op->op);
}

static void listen_(struct pools_store *store,
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg),
	void (*listening)(void *arg), void *arg)
{
	struct redis_pools *pools = pools_of(store);

	pools->hint = hint;
	pools->listening = listening;
	pools->arg = arg;
	redis_listener_start(pools->listener);
}

static void on_hint(const char *bytes, size_t len, void *arg)
{
	struct redis_pools *pools = arg;
	struct cut cut = cut_of(bytes, len);
	struct arena arena = {0};
	struct pool_hint hint;
	bool freed = false;

	pools->freed = &freed;
	if (pool_read_hint(&hint, &arena, &cut))
		for (int i = 0; i < hint.grants && !freed; i++)
			pools->hint(hint.tenant, hint.pool, &hint.grant[i], pools->arg);
	if (!freed)
		pools->freed = NULL;
	arena_release(&arena);
}

/* What was lost with the connection is recovered by sync. */
static void on_listening(void *arg)
{
	struct redis_pools *pools = arg;

	pools->listening(pools->arg);
}

static struct redis_listener *listener_of(struct redis_pools *pools, const struct redis_options *options)
{
	char channel[8 + POOL_WORKER_ID];

	snprintf(channel, sizeof(channel), "b:g:%s", pools->store.worker);
	return redis_listener_new(&(struct redis_listener_options){
		.loop = options->loop,
		.url = options->url,
		.tls_ca = options->tls_ca,
		.channel = channel,
		.heard = on_hint,
		.listening = on_listening,
		.arg = pools,
	});
}

static const struct pools_store_ops ops = {
	.configure = configure,
	.epoch = epoch,
	.acquire = acquire,
	.renew = renew,
	.release = release,
	.cancel = cancel,
	.sync = sync_,
	.tick = tick,
	.resume = resume,
	.stats = stats,
	.listen = listen_,
};

struct pools_store *redis_pools_new(const struct redis_options *options, struct err *err)
{
	struct redis_pools *pools = mem_zalloc(1, sizeof(*pools));
	struct redis_options own = *options;
	char id[33];

	if (!own.functions)
		own.functions = redis_library_pool();
	random_id(id);
	memcpy(pools->store.worker, id, POOL_WORKER_ID);
	pools->store.ops = &ops;
	if (!redis_store_init(&pools->redis, &own, TIMEOUT_US, err)) {
		free(pools);
		return NULL;
	}
	pools->listener = listener_of(pools, &own);
	return &pools->store;
}

void redis_pools_free(struct pools_store *store)
{
	struct redis_pools *pools;

	if (!store)
		return;
	pools = pools_of(store);
	redis_listener_free(pools->listener);
	redis_store_release(&pools->redis);
	if (pools->freed)
		*pools->freed = true;
	free(pools);
}

bool redis_pools_ready(const struct pools_store *store, struct err *why)
{
	return redis_link_ready(((const struct redis_pools *)store)->redis.link, why);
}
