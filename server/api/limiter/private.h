/* Between the files of the Limiter service. */
#ifndef BURSAR_API_LIMITER_PRIVATE_H
#define BURSAR_API_LIMITER_PRIVATE_H

#include "api/limiter/limiter.h"
#include "bursar/v1/limiter.pb-c.h"
#include "rpc/call.h"
#include "service/request/check.h"
#include "service/pool/pool.h"
#include "service/request/settle.h"

/* A record, and the release of its lease where it has one. Embedded by the caller, alive until `done` has run. */
struct record_run {
	struct settle settle; /* its flow says how the record went; settle_release is the caller's */
	struct lease_call lease;
	bool release; /* the lease is to be released after the record */
	bool released; /* the lease has ended */
	void (*done)(struct record_run *run);
};
bool record_prepare(const Bursar__V1__RecordRequest *request, struct worker *worker, struct arena *arena,
	struct record_run *run, struct err *err);
/* `run` is prepared; a record that fails releases nothing. */
void record_start(
	struct record_run *run, struct worker *worker, int64_t deadline_us, void (*done)(struct record_run *run));

/* The handle, or tenant, user, request_id and (`needs_start`) started_at. */
bool handle_of_ref(const Bursar__V1__ReservationRef *ref, bool needs_start, struct arena *arena, struct handle *out,
	struct err *err);
/* Both take checked messages. The second leaves the handle empty where there is no reservation. */
void question_of_check(const Bursar__V1__CheckRequest *request, struct arena *arena, struct check_question *out);
bool question_of_record(
	const Bursar__V1__RecordRequest *request, struct arena *arena, struct settle_question *out, struct err *err);

/* `names`: the caller may see those of shared accounts. */
Bursar__V1__RecordResponse *record_to_message(const struct record_run *run, bool names);
void cancel_to_message(const struct settle *settle, Bursar__V1__CancelResponse *out);

/* Renew and Cancel by lease; they end the call. */
void limiter_renew_lease(struct call *call, struct worker *worker, const Bursar__V1__RenewRequest *request);
void limiter_cancel_lease(struct call *call, struct worker *worker, const Bursar__V1__CancelRequest *request);

#endif
