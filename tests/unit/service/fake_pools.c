/* A store of pools that answers as the test tells it. */
#include "fake_pools.h"

#include <assert.h>
#include <string.h>

#include "base/list.h"

static void keep(struct pools_store *store, enum pools_call call, struct pool_op *op)
{
	struct fake_pools *fake = container_of(store, struct fake_pools, store);

	assert(fake->count < 64);
	fake->pending[fake->count].call = call;
	fake->pending[fake->count++].op = op;
	fake->made[call]++;
}

#define CALL(name, type, call) \
	static void name(struct pools_store *store, struct type *op) \
	{ \
		keep(store, call, &op->op); \
	}

CALL(configure, pool_configure, CALL_CONFIGURE)
CALL(epoch, pool_epoch, CALL_EPOCH)
CALL(acquire, pool_acquire, CALL_ACQUIRE)
CALL(renew, pool_renew, CALL_RENEW)
CALL(release, pool_end, CALL_RELEASE)
CALL(cancel, pool_end, CALL_CANCEL)
CALL(sync_pool, pool_sync, CALL_SYNC)
CALL(tick, pool_tick, CALL_TICK)
CALL(resume, pool_tick, CALL_RESUME)
CALL(stats, pool_stats, CALL_STATS)

static void listen(struct pools_store *store,
	void (*hint)(const char *tenant, const char *pool, const struct pool_grant *grant, void *arg),
	void (*listening)(void *arg), void *arg)
{
	struct fake_pools *fake = container_of(store, struct fake_pools, store);

	(void)listening;
	fake->hint = hint;
	fake->hint_arg = arg;
}

void fake_pools_init(struct fake_pools *fake)
{
	static const struct pools_store_ops ops = {
		.configure = configure,
		.epoch = epoch,
		.acquire = acquire,
		.renew = renew,
		.release = release,
		.cancel = cancel,
		.sync = sync_pool,
		.tick = tick,
		.resume = resume,
		.stats = stats,
		.listen = listen,
	};

	*fake = (struct fake_pools){.store = {.ops = &ops, .worker = "0123456789abcdef"}};
}

struct pool_op *fake_pools_pending(struct fake_pools *fake, enum pools_call call)
{
	for (int i = 0; i < fake->count; i++)
		if (call == CALL_ANY || fake->pending[i].call == call)
			return fake->pending[i].op;
	return NULL;
}

void fake_pools_answer(struct fake_pools *fake, struct pool_op *op, enum pool_status status)
{
	int at = 0;

	while (fake->pending[at].op != op)
		assert(++at < fake->count);
	fake->count--;
	memmove(&fake->pending[at], &fake->pending[at + 1], (size_t)(fake->count - at) * sizeof(fake->pending[0]));
	op->status = status;
	if (status == POOL_FAILED)
		err_set(&op->err, ERR_UNAVAILABLE, "redis is away");
	op->done(op);
}

void fake_pools_hint(struct fake_pools *fake, const char *user, const char *id, struct pool_fence fence)
{
	struct pool_grant grant = {.request = {user, id}, .fence = fence};

	fake->hint("default", POOL_DEFAULT, &grant, fake->hint_arg);
}
