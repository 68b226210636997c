/* Checks whose callers never get the answer: what they hold goes back. */
#ifndef BURSAR_API_LIMITER_UNREAD_H
#define BURSAR_API_LIMITER_UNREAD_H

#include "rpc/call.h"
#include "service/request/check.h"

/*
 * Before the call is answered, and before check_release(): should its caller never get the answer, all of these checks are given up that
 * hold something for it. One call of unread_watch() a call, behind all its unread_add(); `debts` begins as NULL.
 */
void unread_add(const struct check *check, struct limits_debt **debts);
void unread_watch(struct call *call, struct limits_debt *debts);

#endif
