/* A pool's settings: how many slots, and who waits how long. pool_pack packs them for Redis. */
#ifndef BURSAR_DOMAIN_POOL_H
#define BURSAR_DOMAIN_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define POOL_NAME_MAX 64 /* bytes: a-z 0-9 . _ - */
#define POOL_DEFAULT "agent-execution" /* every tenant has it; the option max_concurrent_agents sets its slots */
#define POOL_LEVELS_MAX 16
#define POOL_SLOTS_MAX 100000
#define POOL_QUEUE_MAX 1000000

/* A priority that is not listed has its number as weight, and the pool's level_queue_limit. */
struct pool_level {
	int priority; /* 1..100 */
	int weight; /* 1..10,000 */
	int queue_limit; /* 0 = the pool's level_queue_limit */
};

/* Durations are in microseconds. docs/pool.md says what each one means to a user. */
struct pool_settings {
	char name[POOL_NAME_MAX + 1];
	uint32_t gen; /* increases with each change */
	int slots; /* 0..POOL_SLOTS_MAX */
	bool slots_from_option; /* the option max_concurrent_agents sets slots */
	bool paused; /* nothing is granted */
	bool available; /* after a failover continue at once, at the risk of too many leases for one lease time */
	int queue_limit, level_queue_limit, user_queue_limit; /* user 0 = 2 x cap + 8 */
	int64_t lease_us, ack_us, grace_us, tombstone_us, worker_us;
	int64_t age_us, starve_us, predicted_wait_max_us, wait_max_us, estimate_us, learn_margin_us, drain_us;
	int age_every;
	int debt; /* estimates by which a user may be ahead of others */
	int level_count;
	struct pool_level level[POOL_LEVELS_MAX];
};

/* The settings of a pool with this name for which nothing is set. */
void pool_settings_default(struct pool_settings *out, const char *name, int slots);

/* Are they within bounds and consistent? ERR_INVALID names the field as the API spells it ("wait_max_us"). */
bool pool_settings_check(const struct pool_settings *settings, struct err *err) __attribute__((warn_unused_result));
bool pool_name_check(const char *name, const char *field, struct err *err) __attribute__((warn_unused_result));

/* Appends `cfg` of docs/pool-store.md. */
void pool_pack(struct buf *out, const struct pool_settings *settings);

#endif
