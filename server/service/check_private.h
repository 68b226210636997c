/* Between the files of the check. */
#ifndef BURSAR_SERVICE_CHECK_PRIVATE_H
#define BURSAR_SERVICE_CHECK_PRIVATE_H

#include "service/check.h"

/* The request of the question at the user's tier and at today's price. */
bool check_request_make(struct check *check, struct err *err);
/* Equal contents, equal digest: texts and lifetimes may differ between repeats. */
void check_digest_make(const struct check_question *question, uint8_t digest[8]);
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
