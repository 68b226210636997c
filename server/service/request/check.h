/* May this request run? From the question to the answer; also what status and explain ask, which change nothing. */
#ifndef BURSAR_SERVICE_REQUEST_CHECK_H
#define BURSAR_SERVICE_REQUEST_CHECK_H

#include "service/request/answer.h"
#include "service/worker/flow.h"
#include "service/request/pricing.h"
#include "service/repair/repair.h"

enum check_mode {
	CHECK_REAL,
	CHECK_EXPLAIN, /* what would it answer? */
	CHECK_STATUS, /* nothing is asked */
};

/* = bursar.v1.Quality */
enum quality { QUALITY_EXACT = 1, QUALITY_LOCAL = 2, QUALITY_BLIND = 3, QUALITY_PROVISIONAL = 4 };

/* Of a decision that the store made, on these accounts. */
enum quality quality_in_store(const struct standing *const standing[], int count);
/* Did the store make it, so that what is allowed holds something there? */
bool quality_holds(enum quality quality);

struct check_question {
	enum check_mode mode;
	const char *tenant, *user, *request_id, *interface, *model; /* checked ids; model "" = none */
	const char *price_mode; /* "" or NULL = standard */
	int64_t input_tokens, max_output_tokens; /* 0 = the tier's default */
	int64_t ttl_us; /* 0 = the server's */
	int64_t deadline_us; /* clock_mono_us; INT64_MAX = the server's */
};

struct check_answer {
	bool allowed, repeat, permanent;
	enum quality quality;
	const char *cause; /* why it is not exact; NULL when it is */
	enum reason reason;
	int64_t retry_after_us;
	const char *handle; /* "" when denied or nothing was asked */
	int64_t now_us, started_at_us, expires_at_us;
	enum reservation_state state;
	struct amounts held;
	const char *tier; /* the user's */
	const struct tier *better; /* what an upgrade would give; NULL when there is none */
	const char *language; /* the tenant's */
	struct priced priced;
	bool asked_model;
	struct request request;
	struct rows *rows; /* never NULL */
};

/* Embedded by the caller, alive until flow.done has run. Everything lies in `arena`, which outlives it. */
struct check {
	struct flow flow; /* ok: `answer` is filled. Denials are answers */
	struct worker *worker;
	struct arena *arena;
	struct check_question question;
	struct check_answer answer;
	/* its own */
	struct snapshot *snapshot;
	struct accounts accounts;
	struct model_name model; /* what the question's model leads to in the snapshot */
	struct request request;
	int rounds;
	bool looked_up;
	bool provisional_ok; /* PostgreSQL could not be asked: what is there decides, and the answer is not exact */
	struct wait wait;
	int64_t shared_until_us; /* clock_mono_us: so long it waits to know how many share an account; 0 = not yet */
	int64_t catalog_until_us; /* clock_mono_us: so long it waits for a tier that its snapshot lacks; 0 = not yet */
	struct repair *repair;
	struct limits_check op;
};

/* `check->question` is filled; `done` comes once, later or before this returns. */
void check_start(struct check *check, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* Called after the answer was turned into a reply: the limits in its rows point into the snapshot. */
void check_release(struct check *check);

#endif
