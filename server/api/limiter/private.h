/* Shared by the files of the Limiter service. */
#ifndef BURSAR_API_LIMITER_PRIVATE_H
#define BURSAR_API_LIMITER_PRIVATE_H

#include "api/limiter/limiter.h"
#include "bursar/v1/limiter.pb-c.h"
#include "rpc/call.h"
#include "service/request/check.h"
#include "service/pool/pool.h"
#include "service/request/settle.h"

/* A record and, if it has a lease, its release. Embedded by the caller; must live until `done` has run. */
struct record_run {
	struct settle settle; /* its flow has the record's outcome; the caller calls settle_release */
	struct lease_call lease;
	bool release; /* release the lease after the record */
	bool released; /* the lease has ended */
	void (*done)(struct record_run *run);
};
bool record_prepare(const Bursar__V1__RecordRequest *request, struct worker *worker, struct arena *arena,
	struct record_run *run, struct err *err);
/* `run` must be prepared. A record that fails does not release its lease. */
void record_start(
	struct record_run *run, struct worker *worker, int64_t deadline_us, void (*done)(struct record_run *run));

/* Takes either the handle, or tenant, user, request_id and, with `needs_start`, started_at. */
bool handle_of_ref(const Bursar__V1__ReservationRef *ref, bool needs_start, struct arena *arena, struct handle *out,
	struct err *err);
/*
 * Both take validated messages. `call` is what the request came with: a call that was sent before may have made a
 * reservation. The second leaves the handle empty when there is no reservation.
 */
void question_of_check(const Bursar__V1__CheckRequest *request, const struct call *call, struct arena *arena,
	struct check_question *out);
/* The answer to one of many checks, or its error: sets one of both. In the check's arena. */
void check_to_item(struct check *check, const Bursar__V1__CheckRequest *request, const struct call *call,
	Bursar__V1__CheckResponse **response, Bursar__V1__ItemError **error);
bool question_of_record(
	const Bursar__V1__RecordRequest *request, struct arena *arena, struct settle_question *out, struct err *err);

/* `names`: whether the caller may see the names of shared accounts. */
Bursar__V1__RecordResponse *record_to_message(const struct record_run *run, bool names);
void cancel_to_message(const struct settle *settle, Bursar__V1__CancelResponse *out);

/* A check that is recorded as soon as it is allowed. Embedded by the caller; must live until `done` has run. */
struct settled_check {
	struct check *check; /* answered; its answer then says that it is recorded, if it could be */
	struct settle settle;
	void (*done)(struct settled_check *self);
};
/* Makes a question that is asked as what will be recorded; nothing without `settle`. */
void question_settles(const Bursar__V1__CheckRequest *request, struct check_question *out);
/* Whether an answered check with `settle` has something to record. */
bool check_to_settle(const struct check *check);
void check_settle(struct settled_check *self, struct worker *worker, struct arena *arena,
	void (*done)(struct settled_check *self));
/* Of checks elsewhere than in Check. ERR_INVALID names `settle`. */
bool settles_in_check_only(const Bursar__V1__CheckRequest *request, struct err *err)
	__attribute__((warn_unused_result));

/* What the user `key` was charged this month, in two reads of the ledger. Embedded by the caller like a record_run. */
struct user_costs {
	struct account_key key;
	Bursar__V1__UserCosts *costs; /* out, in the arena; says itself what it lacks */
	/* internal */
	struct worker *worker;
	struct arena *arena;
	int64_t today; /* since 1970, UTC */
	struct report_page page;
	void (*done)(struct user_costs *self);
};
void user_costs_read(
	struct user_costs *self, struct worker *worker, struct arena *arena, void (*done)(struct user_costs *self));

/* Renew and Cancel by lease; both end the call. */
void limiter_renew_lease(struct call *call, struct worker *worker, const Bursar__V1__RenewRequest *request);
void limiter_cancel_lease(struct call *call, struct worker *worker, const Bursar__V1__CancelRequest *request);

#endif
