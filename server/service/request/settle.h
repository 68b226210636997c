/* What became of a reservation: recorded, cancelled, kept for longer. */
#ifndef BURSAR_SERVICE_REQUEST_SETTLE_H
#define BURSAR_SERVICE_REQUEST_SETTLE_H

#include "service/request/answer.h"
#include "service/request/check.h"
#include "service/worker/flow.h"
#include "service/request/pricing.h"
#include "service/repair/repair.h"

struct settle_question {
	bool cancel; /* else record */
	bool forget, unless_repeated; /* of a cancel, as in struct limits_settle */
	uint64_t owed; /* likewise */
	struct handle handle; /* accounts 0: not known, as the user's are now; model NULL: not known */
	const char *served; /* the model as the provider named it; "" = the check's */
	const char *interface; /* of a request that was never checked */
	const char *mode; /* "" = the check's, "standard" */
	struct tokens tokens;
	int attempt;
	bool keep_open;
	int64_t deadline_us;
};

/* What a record says, beyond its token classes, whose bits are 1 << TOKEN_*. */
#define RECORD_FIELD_MODEL (1U << TOKEN_CLASS_COUNT)
#define RECORD_FIELD_MODE (2U << TOKEN_CLASS_COUNT)

struct settle_answer {
	bool repeat, late;
	enum reservation_state state;
	struct amounts charged, released;
	struct priced priced;
	struct tokens tokens;
	struct rows *rows;
	enum quality quality;
	unsigned differs; /* of a repeat: bits of RECORD_FIELD_*: what it says otherwise than the record that counts */
	const struct entry_usage
		*recorded; /* of a repeat: what this attempt was recorded with; NULL: nobody knows any more */
};

/* Embedded by the caller like struct check. */
struct settle {
	struct flow flow;
	struct worker *worker;
	struct arena *arena;
	struct settle_question question;
	struct settle_answer answer;
	/* its own */
	struct snapshot *snapshot;
	struct accounts accounts;
	const char *checked; /* the check's model; NULL until known */
	const char *checked_mode; /* "" likewise */
	struct model_name model; /* the check's, else the served one: on whose limits the request counts */
	struct model_name served; /* the served one, else the check's */
	int rounds;
	bool asked_info, unknown_ok, counted;
	struct repair *repair;
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
	int64_t ttl_us; /* 0 = the server's */
	int64_t expires_at_us; /* out */
	struct limits_renew op;
};

void renew_start(struct renew *renew, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

#endif
