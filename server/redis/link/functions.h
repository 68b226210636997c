/*
 * The libraries of functions in Redis, that of the limits (lua/) and that of the pools (lua/pool/): a source with its name
 * filled in, and the names of its functions. A link loads one of the two; Redis can hold both.
 */
#ifndef BURSAR_REDIS_LINK_FUNCTIONS_H
#define BURSAR_REDIS_LINK_FUNCTIONS_H

#include <stddef.h>

/* F(NAME, text) */
#define REDIS_FUNCTIONS(F) \
	F(READY, "ready") \
	F(CHECK, "check") \
	F(LOOK, "look") \
	F(RECORD, "record") \
	F(CANCEL, "cancel") \
	F(RENEW, "renew") \
	F(OVERDUE, "overdue") \
	F(DUE, "due") \
	F(EXPIRE, "expire") \
	F(GIVEUP, "giveup") \
	F(BIRTH, "birth") \
	F(SEED, "seed") \
	F(POLICY, "policy") \
	F(ADOPT, "adopt") \
	F(RESET, "reset") \
	F(ADJUST, "adjust") \
	F(WAITING, "waiting") \
	F(ERASE, "erase") \
	F(RESERVATIONS, "reservations") \
	F(RESERVATION, "reservation") \
	F(DRAIN, "drain") \
	F(TAKEBACK, "takeback") \
	F(CHARGE, "charge") \
	F(RAISE, "raise") \
	F(COUNTERS, "counters") \
	F(POOL_CONFIGURE, "pool_configure") \
	F(POOL_EPOCH, "pool_epoch") \
	F(POOL_ACQUIRE, "pool_acquire") \
	F(POOL_RENEW, "pool_renew") \
	F(POOL_RELEASE, "pool_release") \
	F(POOL_CANCEL, "pool_cancel") \
	F(POOL_SYNC, "pool_sync") \
	F(POOL_TICK, "pool_tick") \
	F(POOL_RESUME, "pool_resume") \
	F(POOL_STATS, "pool_stats")

enum redis_function {
#define FUNCTION_ENUM_(name, text) FUNCTION_##name,
	REDIS_FUNCTIONS(FUNCTION_ENUM_)
#undef FUNCTION_ENUM_
		FUNCTION_COUNT
};

/* A source whose @V@ was replaced by its hash. Only the names of functions that occur in the source are valid. */
struct redis_library {
	char *source;
	size_t source_len;
	char hash[9];
	char names[FUNCTION_COUNT][32]; /* "bursar_check_0123abcd" */
};

/* Fills in the hash of the source, which is copied. Tests pass a source with another clock. */
void redis_library_init(struct redis_library *library, const char *source, size_t len);
void redis_library_release(struct redis_library *library);

/* The built-in libraries. Created once per process, at the first call; any thread. */
const struct redis_library *redis_library_builtin(void);
const struct redis_library *redis_library_pool(void);

#endif
