/* Settles a reservation (record, cancel) or keeps it open for longer (renew). */
#ifndef BURSAR_SERVICE_REQUEST_SETTLE_H
#define BURSAR_SERVICE_REQUEST_SETTLE_H

#include "domain/usage/usage.h"
#include "service/request/answer.h"
#include "service/request/check.h"
#include "service/worker/flow.h"
#include "service/request/pricing.h"
#include "service/repair/repair.h"

struct settle_question {
	bool cancel; /* false: record */
	bool forget, unless_repeated; /* for a cancel, as in struct limits_settle */
	uint64_t owed; /* likewise */
	struct handle handle; /* 0 accounts: unknown, the user's current ones apply; model NULL: unknown */
	const char *served; /* the model as the provider named it; "" = the check's */
	const char *interface; /* for a request that was never checked */
	const char *mode; /* "" = the check's; "standard" = none */
	struct meters meters;
	const struct usage_reading
		*reading; /* the provider's own usage, of which meters, served and mode are; or NULL */
	const char *usage_problem; /* what was wrong with it; or NULL */
	bool provider_cost_known; /* the provider said what it cost: */
	int64_t provider_cost_nano;
	int attempt;
	bool keep_open;
	int64_t deadline_us;
};

/* Bits of a record's fields, after those of the meters, which are 1 << METER_*. */
#define RECORD_FIELD_MODEL (1U << METER_COUNT)
#define RECORD_FIELD_MODE (2U << METER_COUNT)
#define RECORD_FIELD_PROVIDER_COST (4U << METER_COUNT)
_Static_assert(METER_COUNT <= 29, "the bits of a record's fields must fit 32");

struct settle_answer {
	bool repeat, late;
	enum reservation_state state;
	struct amounts charged, released;
	struct priced priced;
	int64_t list_nano; /* what the price says, if the provider said what it cost */
	struct meters meters;
	struct rows *rows;
	enum quality quality;
	unsigned differs; /* for a repeat: bits of the fields that differ from the record that counts */
	const struct entry_usage
		*recorded; /* for a repeat: the usage this attempt was recorded with; NULL if no longer known */
};

/* Embedded in the caller like struct check. */
struct settle {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	struct settle_question question;
	struct settle_answer answer;
	/* internal */
	struct snapshot *snapshot;
	struct accounts accounts;
	const char *checked; /* the check's model; NULL until known */
	const char *checked_mode; /* the check's mode; "" until known */
	struct model_name model; /* the checked model, else the served one: the request counts against its limits */
	struct model_name served; /* the served model, else the checked one */
	int rounds;
	bool asked_info, unknown_ok, counted;
	struct repair *repair;
	struct hold *hold; /* NULL: not needed */
	struct limits_settle op;
	struct limits_birth birth;
	struct ledger_lookup ledger;
	struct arena looked; /* as in struct repair */
};

void settle_start(struct settle *settle, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));
/* Like check_release. */
void settle_release(struct settle *settle);

struct renew {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	const char *tenant, *user, *request_id;
	int64_t ttl_us; /* 0 = the server's default */
	int64_t expires_at_us; /* out */
	struct limits_renew op;
};

void renew_start(struct renew *renew, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
