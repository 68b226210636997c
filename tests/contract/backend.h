/*
 * What the contract's cases run on: a store that decides, driven step by step with a clock of the test's. Two of them:
 * the C model in memory, and the Lua in a real Redis. Every call is synchronous: when it returns, the answer stands in
 * the operation (`done` is not called; `deadline_us` is ignored). LIMITS_FAILED ends the run.
 */
#ifndef TESTS_CONTRACT_BACKEND_H
#define TESTS_CONTRACT_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "store/limits.h"

struct backend;

struct backend_ops {
	const char *name;
	bool slow; /* a call costs a round trip: polls are made in fewer, longer steps */

	/* NULL when it cannot run here (no redis-server, ...): says why on stderr, and the run is skipped. */
	struct backend *(*open)(void);
	void (*close)(struct backend *backend);

	/* Forgets everything. */
	void (*clear)(struct backend *backend);
	/* From now on the store's clock stands at now_us. It may go back. */
	void (*clock)(struct backend *backend, int64_t now_us);
	/* The idempotency window of markers (default 15 min), and whether an expiry charges the estimate (default not). */
	void (*settings)(struct backend *backend, int64_t window_us, bool expiry_charges);

	/* Writes an account that is not there yet: op->expected, profile, limits; the generation is the backend's matter. */
	void (*seed)(struct backend *backend, struct limits_seed *op);
	/* As `policy` of store/limits.h: writes through when the version is higher. */
	void (*policy)(struct backend *backend, struct limits_policy *op);
	void (*adopt)(struct backend *backend, struct limits_adopt *op);
	void (*check)(struct backend *backend, struct limits_check *op);
	void (*record)(struct backend *backend, struct limits_settle *op);
	void (*cancel)(struct backend *backend, struct limits_settle *op);
	void (*give_up)(struct backend *backend, struct limits_settle *op);
	void (*renew)(struct backend *backend, struct limits_renew *op);
	void (*reset)(struct backend *backend, struct limits_reset *op);
	void (*adjust)(struct backend *backend, struct limits_adjust *op);

	/* Expires every reservation that is due. How many. The expected are those of all accounts in use, by kind: they
	 * carry the boundaries of the windows. */
	int (*expire)(struct backend *backend, const struct expected expected[], int count);

	/* The account's state as it is stored, neither rolled nor converted; false when it is absent. `expected->policy` is
	 * the state's policy when the pids agree, else one in the arena. */
	bool (*look)(struct backend *backend, const struct expected *expected, struct arena *arena,
		struct account_state *out);
};

struct backend {
	const struct backend_ops *ops;
};

extern const struct backend_ops backend_model;

#endif
