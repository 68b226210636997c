/*
 * A use case's stores, built on the C model and on lists, without Redis and PostgreSQL. fake_run delivers the answers.
 */
#ifndef TESTS_UNIT_SERVICE_FAKES_H
#define TESTS_UNIT_SERVICE_FAKES_H

#include "base/arena.h"
#include "base/buf.h"
#include "lib/test.h"
#include "service/request/check.h"
#include "service/worker/flow.h"
#include "service/worker/worker.h"
#include "store/catalog_build.h"
#include "store/changes.h"

#define FAKES_MAX 32
#define FAKE_EVENTS_MAX 4096

/* One operation that waits for its answer. */
struct fake_event {
	void (*run)(void *op);
	void *op;
};

struct fake_account {
	enum account_kind kind;
	char id[ID_MAX + 1];
	uint32_t version, epoch;
	struct buf meta;
	struct policy policy;
	struct account_state state;
};

struct fake_marker {
	char request_id[ID_MAX + 1];
	uint8_t digest[8];
	struct buf info;
	struct reservation reservation;
	enum account_kind kind[ACCOUNTS_MAX];
	char id[ACCOUNTS_MAX][ID_MAX + 1];
	struct amounts last;
};

/* What PostgreSQL knows of an account. */
struct fake_row {
	enum account_kind kind;
	const char *id;
	struct account_profile profile;
	struct usage_window window[4];
	int windows;
};

/* Reports every change of an account by an operation on the fake store, before the operation is answered. */
struct fake_changes {
	struct changes_store store;
	bool off; /* cannot follow now */
	bool unconfirmed; /* follows are not confirmed yet */
	bool step; /* this machine's clock was set since the last sign of life */
	int64_t silent_us; /* how long ago that was */
	uint64_t session, tickets;
	int follows; /* accounts asked for */
};

struct fake {
	struct limits_store limits;
	struct fake_changes changes;
	struct accounts_store accounts_store;
	struct admin_store admin; /* only takes notes for alerts, and counts them */
	int notes;
	struct timers timers;
	struct catalog_source catalog;
	struct conf conf;
	struct worker *worker;
	struct arena arena;
	int64_t now_us; /* the store's clock */
	bool away; /* the store does not answer */
	bool slow; /* because time was up, not because it cannot be reached */
	int missed; /* how many more checks stay unanswered */
	bool durable_away; /* PostgreSQL does not answer */
	bool durable_slow; /* callers give up before PostgreSQL answers */
	int settled_meanwhile; /* how many times something is settled on each limit between reading and adopting */
	int undrained; /* how many more births report a waiting entry */
	bool ledger_found, ledger_counted;
	int64_t birth_us;
	int checks, lookups, births, waits, policies, adoptions;
	int kept, given_back; /* debts of checks that ended: as forgiven, as owed */
	uint64_t owed; /* of the last cancel: the check that the store cancels later if it does not answer */
	struct fake_account account[FAKES_MAX];
	int accounts;
	struct fake_marker marker[FAKES_MAX];
	int markers;
	const char *told[4]; /* the places in which a denial was told */
	int tolds;
	struct fake_row row[FAKES_MAX];
	int rows;
	struct fake_event event[FAKE_EVENTS_MAX];
	int events;
	struct tenant tenant; /* settings of "default"; fake_publish applies them */
	enum fail_policy pro_policy; /* of tier pro; 0 = the same as all tiers; likewise */
};

/*
 * A worker on fake stores, with the shipped tiers and one model ("gpt-5-mini" of openai). Release it with fake_release.
 */
void fake_init(struct fake *fake);
void fake_release(struct fake *fake);
/* A test whose *state is a fake of its own. */
int fake_setup(void **state);
/* The same, with a worker that remembers denials. */
int fake_setup_remembering(void **state);
int fake_teardown(void **state);
#define FAKED(name) TEST_WITH(name, fake_setup, fake_teardown)
#define REMEMBERING(name) TEST_WITH(name, fake_setup_remembering, fake_teardown)
/* The end of a flow, which is only counted; from 0 in each test. */
void fake_done(struct flow *flow);
extern int fake_done_count;
/* What a caller of tenant "default" asks about gpt-5-mini. */
struct check_question fake_question(const char *user, const char *request_id, int64_t input, int64_t max_output);
/* Runs a check whose question is there to its end. */
void fake_check_run(struct fake *fake, struct check *check);
/* Starts a check of 100 input and at most 50 output tokens; fake_check also runs it to its end. */
struct check *fake_check_start(struct fake *fake, enum check_mode mode, const char *user, const char *request_id);
struct check *fake_check(struct fake *fake, enum check_mode mode, const char *user, const char *request_id);
/* Makes a new catalog from the settings in fake->tenant. */
void fake_publish(struct fake *fake, enum fail_policy fail_policy);
/* fake_limits.c */
extern const struct limits_store_ops fake_limits_ops;
/* Has `run` called with `op` by fake_run. */
void fake_later(struct fake *fake, void (*run)(void *op), void *op);
/* Answers all operations, including those that the answers lead to. */
void fake_run(struct fake *fake);

struct fake_account *fake_account_find(struct fake *fake, enum account_kind kind, const char *id);
struct fake_row *fake_row_add(struct fake *fake, enum account_kind kind, const char *id, uint32_t version);

#endif
