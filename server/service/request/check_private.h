/* Between the files of the check. */
#ifndef BURSAR_SERVICE_REQUEST_CHECK_PRIVATE_H
#define BURSAR_SERVICE_REQUEST_CHECK_PRIVATE_H

#include "service/request/check.h"

struct check *check_of(struct flow *flow);
enum flow_result check_step_resolve(struct flow *flow);
enum flow_result check_step_finish(struct flow *flow);
/* Asks PostgreSQL who these accounts are; the flow goes on when check->repair is done. */
void check_look_up(struct check *check, uint32_t mask);
/* check_away.c: the store did not answer, with what flow->err says. */
enum flow_result check_step_away(struct flow *flow);

/* The request of the question at the user's tier and at today's price. */
bool check_request_make(struct check *check, struct err *err);
/* Equal contents, equal digest: texts, lifetimes and the model's name may differ between repeats. */
void check_digest_make(const struct check *check, uint8_t digest[8]);
/* Fills op.info: who, from where, for which model, on which accounts. */
void check_info_make(struct check *check);
/* Until when the store is waited for; and until when, on its clock, what it decides is of use to anybody. */
void check_times_make(struct check *check);
const char *check_handle_make(const struct check *check);
/* check_shared.c: says in the rows how many share each account that denied, or that is looked at. False: one is being asked for. */
bool check_shared_fill(struct check *check);
/* So long until it is worth to look again; 0: it was long enough. */
int64_t check_shared_wait(struct check *check);

#endif
