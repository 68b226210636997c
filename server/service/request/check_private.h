/* Shared by the files of the check. */
#ifndef BURSAR_SERVICE_REQUEST_CHECK_PRIVATE_H
#define BURSAR_SERVICE_REQUEST_CHECK_PRIVATE_H

#include "service/request/check.h"

struct check *check_of(struct flow *flow);
enum flow_result check_step_resolve(struct flow *flow);
enum flow_result check_step_finish(struct flow *flow);
/* Looks up the accounts in `mask` in PostgreSQL; the flow goes on when check->repair is done. */
void check_look_up(struct check *check, uint32_t mask);
/* check_away.c: the store did not answer; flow->err says why. */
enum flow_result check_step_away(struct flow *flow);

/*
 * check_memory.c: true if the request is denied by what this worker remembers; the answer is filled in then. And, for a
 * check that the store denied: remembers that.
 */
bool check_remembered(struct check *check);
void check_remember(struct check *check);

/* check_request.c: builds the request from the question, with the defaults of the user's tier and the current price. */
bool check_request_make(struct check *check, struct err *err);
/*
 * Equal contents give equal digests; a repeat may differ in its texts, its lifetime and the alias it uses for the
 * model.
 */
void check_digest_make(const struct check *check, uint8_t digest[8]);
/* Fills op.info: user, interface, model and accounts. */
void check_info_make(struct check *check);
/* Sets how long to wait for the store, and the time on the store's clock after which its decision is of no use. */
void check_times_make(struct check *check);
const char *check_handle_make(const struct check *check);
/*
 * check_shared.c: fills in how many users share each account that denied or, in explain and status, each shared
 * account. False if a count is still being queried.
 */
bool check_shared_fill(struct check *check);
/* How long to wait before looking again; 0 if the check has waited long enough. */
int64_t check_shared_wait(struct check *check);

#endif
