/*
 * A role in the background of a process: a set of chores on one loop, each of which is a flow that is started repeatedly,
 * when it is due. A role holds no state that a restart would lose, and any number of processes may have it.
 */
#ifndef BURSAR_SERVICE_ROLE_ROLE_H
#define BURSAR_SERVICE_ROLE_ROLE_H

#include "base/arena.h"
#include "base/timers.h"
#include "service/worker/flow.h"
#include "service/worker/worker.h"
#include "store/ledger.h"

enum { ROLE_CHORES_MAX = 16 };

/* One chore, with its flow. Its arena is reset before each run. */
struct chore {
	struct flow flow;
	struct role_chores *role;
	struct arena arena;
	enum flow_result (*first)(struct flow *flow);
	const char *name;
	int64_t interval_us; /* from the end of one run to the start of the next */
	int64_t next_us; /* clock_mono_us */
	bool asked_only; /* another chore starts it, never the clock */
	bool busy;
	bool again; /* set by the flow: there is more to do, so start over at once */
	bool failing; /* the last run failed; logged only the first time */
};

struct role_chores {
	struct worker *worker; /* the role's own; its stores, catalog, timers and conf are used */
	struct ledger_store *ledger; /* has the leases of its chores */
	const char *name; /* "ledger": for the log */
	char holder[96]; /* names this process as the holder of leases */
	bool stopping;
	int running; /* running chores, plus one until it is stopped */
	int chores;
	struct chore *chore[ROLE_CHORES_MAX];
	struct wait tick;
	void (*free)(struct role_chores *role); /* frees what embeds the role; the chores' arenas are released before */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

/* Fills in what all roles have in common. The caller has set worker, ledger, name and free; next, it adds the chores. */
void role_init(struct role_chores *role);
/* Adds a chore that the caller has filled in. */
void role_add(struct role_chores *role, struct chore *chore);
/* Starts the clock; the caller runs the loop. */
void role_start(struct role_chores *role);
/*
 * Call it on the loop's thread. Starts nothing new. `stopped` runs once, perhaps before this returns, when everything in
 * flight has ended and the role is freed; its stores may be freed then.
 */
void role_stop(struct role_chores *role, void (*stopped)(void *arg), void *arg);

struct chore *chore_of(struct flow *flow);
/* Starts the chore, unless it is running or the role is stopping. */
void chore_start(struct chore *chore);
/* Changes the interval. It also applies to the pause that is under way, from the end of the last run on. */
void chore_interval(struct chore *chore, int64_t interval_us);
bool chore_stopping(const struct chore *chore);
/* Asks for the lease `name`, so that one process at a time runs the chore. */
void chore_lease(struct chore *chore, struct ledger_lease *lease, const char *name, int64_t ttl_us,
	void (*done)(struct ledger_op *op));

/* FLOW_OWNER and FLOW_RESUME where the owner is a chore. */
#define CHORE_OWNER(name, owner) FLOW_OWNER_BY(name, owner, chore.flow)
#define CHORE_RESUME(callback, op, owner, member) FLOW_RESUME_IN(callback, op, owner, member, chore.flow)

/* chore.c, for role.c: sets the clock to the time at which the next chore is due. */
void role_tick(struct role_chores *role);
/* Also there: call it when one of role->running has ended; the last one frees a role that is stopping. */
void role_one_less(struct role_chores *role);

#endif
