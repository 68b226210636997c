/* Decides whether a request may run. Also serves status and explain, which change nothing. */
#ifndef BURSAR_SERVICE_REQUEST_CHECK_H
#define BURSAR_SERVICE_REQUEST_CHECK_H

#include "service/request/answer.h"
#include "service/worker/denials.h"
#include "service/worker/flow.h"
#include "service/request/pricing.h"
#include "service/repair/repair.h"

enum check_mode {
	CHECK_REAL,
	CHECK_EXPLAIN, /* a dry run: what would a check answer? */
	CHECK_STATUS, /* no request: only the state of the limits */
};

/* = bursar.v1.Quality */
enum quality {
	QUALITY_EXACT = 1,
	QUALITY_LOCAL = 2,
	QUALITY_BLIND = 3,
	QUALITY_PROVISIONAL = 4,
	QUALITY_REMEMBERED = 5
};

/* The quality of a decision that the store made on these accounts. */
enum quality quality_in_store(const struct standing *const standing[], int count);
/* True if the store made the decision, so that an allowed request holds a reservation there. */
bool quality_holds(enum quality quality);

struct check_question {
	enum check_mode mode;
	const char *tenant, *user, *request_id, *interface, *model; /* validated ids; model "" = none */
	bool id_is_new; /* the server made the request id, so it cannot have a reservation */
	const char *price_mode; /* "" or NULL = standard */
	int64_t input_tokens;
	int64_t cached_input_tokens; /* of them, only for the cost */
	int64_t max_output_tokens; /* 0 = the tier's default, unless `exact_output` */
	bool exact_output;
	/* Of what is counted by the piece: how much is expected (struct request). */
	const int64_t *counted; /* NULL: nothing */
	uint32_t told;
	int expected_wrong; /* 1 + the index of the first expected use that is not of such a dimension, or is given twice */
	int64_t ttl_us; /* 0 = the server's default */
	const char
		*tell_place; /* where a denial would be told, and after which time again, as in struct limits_check */
	int64_t tell_again_us;
	int64_t deadline_us; /* clock_mono_us; INT64_MAX = the server's default */
};

struct check_answer {
	bool allowed, repeat, permanent;
	enum quality quality;
	const char *cause; /* why the store could not decide; NULL if it did */
	enum reason reason;
	int64_t retry_after_us;
	enum tell tell; /* of a denial: is the caller to tell it? */
	const char *handle; /* "" if denied or not CHECK_REAL */
	int64_t now_us, started_at_us, expires_at_us;
	enum reservation_state state;
	struct amounts held;
	const char *tier; /* the user's */
	const struct tier *better; /* the tier to upgrade to; NULL if there is none */
	const char *language; /* the tenant's */
	struct priced priced;
	bool asked_model;
	struct request request;
	struct rows *rows; /* never NULL */
};

/* Embedded in the caller and alive until flow.done has run. Everything is in `arena`, which must outlive it. */
struct check {
	struct flow flow; /* ok: `answer` is filled in. A denial is an answer too, not an error */
	struct worker *worker;
	struct arena *arena;
	struct check_question question;
	struct check_answer answer;
	/* internal */
	struct snapshot *snapshot;
	struct accounts accounts;
	struct model_name model; /* the question's model as resolved by the snapshot */
	struct request request;
	int rounds;
	bool looked_up;
	bool provisional_ok; /* PostgreSQL did not answer: provisional records may decide; the answer is not exact */
	struct wait wait;
	int64_t shared_until_us; /* clock_mono_us: until when to wait for how many share an account; 0 = not set */
	int64_t catalog_until_us; /* clock_mono_us: until when to wait for a missing tier; 0 = not set */
	struct repair *repair;
	struct limits_check op;
	struct denials_ask ask;
};

/* The caller has filled in check->question. `done` runs exactly once, possibly before this returns. */
void check_start(struct check *check, struct worker *worker, struct arena *arena, void (*done)(struct flow *flow));

/* Call it once the answer has been turned into a reply: the limits in its rows point into the snapshot. */
void check_release(struct check *check);

#endif
