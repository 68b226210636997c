/*
 * What the contract's cases run on: a store that decides, driven step by step by the test's own clock. There are two:
 * the C model in memory and the Lua in a real Redis. Every call is synchronous: when it returns, the operation has the
 * answer (`done` is not called; `deadline_us` is ignored). LIMITS_FAILED ends the run.
 */
#ifndef TESTS_CONTRACT_BACKEND_H
#define TESTS_CONTRACT_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "store/limits.h"

struct backend;

struct backend_ops {
	const char *name;
	bool slow; /* a call costs a round trip, so polls take fewer, longer steps */

	/* NULL if it cannot run here (no redis-server, ...): says why on stderr, and the run is skipped. */
	struct backend *(*open)(void);
	void (*close)(struct backend *backend);

	/* Forgets everything. */
	void (*clear)(struct backend *backend);
	/* Sets the store's clock to now_us, which may be earlier than before. */
	void (*clock)(struct backend *backend, int64_t now_us);
	/*
	 * The idempotency window of markers (default 15 min), and whether an expiry charges the estimate (default no).
	 */
	void (*settings)(struct backend *backend, int64_t window_us, bool expiry_charges);

	/* Writes an absent account: op->expected, profile and limits; the backend supplies the generation. */
	void (*seed)(struct backend *backend, struct limits_seed *op);
	/* Like `policy` in store/limits.h: writes through if the version is higher. */
	void (*policy)(struct backend *backend, struct limits_policy *op);
	void (*adopt)(struct backend *backend, struct limits_adopt *op);
	void (*check)(struct backend *backend, struct limits_check *op);
	void (*record)(struct backend *backend, struct limits_settle *op);
	void (*cancel)(struct backend *backend, struct limits_settle *op);
	void (*give_up)(struct backend *backend, struct limits_settle *op);
	void (*renew)(struct backend *backend, struct limits_renew *op);
	void (*reset)(struct backend *backend, struct limits_reset *op);
	void (*adjust)(struct backend *backend, struct limits_adjust *op);

	/*
	 * Expires every reservation that is due and returns how many. `expected` has all accounts in use, by kind, with
	 * the boundaries of their windows.
	 */
	int (*expire)(struct backend *backend, const struct expected expected[], int count);

	/* The account's state as stored, neither rolled nor converted; false if it is absent. The state's policy is
	 * expected->policy if the pids agree, otherwise one in the arena. */
	bool (*look)(struct backend *backend, const struct expected *expected, struct arena *arena,
		struct account_state *out);
};

struct backend {
	const struct backend_ops *ops;
};

extern const struct backend_ops backend_model;

#endif
