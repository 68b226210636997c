/* Gives back what a check holds when its caller never receives the answer. */
#ifndef BURSAR_API_LIMITER_UNREAD_H
#define BURSAR_API_LIMITER_UNREAD_H

#include "rpc/call.h"
#include "service/request/check.h"

/*
 * Call unread_add() for each check before its check_release(), then unread_watch() once per call, before the call is
 * answered: if the caller never receives the answer, every one of these checks that holds something is given up.
 * `debts` starts as NULL.
 */
void unread_add(const struct check *check, struct limits_debt **debts);
void unread_watch(struct call *call, struct limits_debt *debts);

#endif
