/* Shared by the handlers of alerts. */
#ifndef BURSAR_API_ALERTS_PRIVATE_H
#define BURSAR_API_ALERTS_PRIVATE_H

#include "api/auth/auth.h"
#include "api/message/alert_admin.h"
#include "store/admin_alerts.h"

/* Whether the caller may do what concerns the whole installation. */
static inline bool alerts_by_operator(const struct call *call)
{
	return !caller_tenant(call)[0];
}

/* Reads a page_token: the id after which to go on; 0 for the first page. */
bool alerts_token_read(const char *token, int64_t *before, struct err *err) __attribute__((warn_unused_result));
char *alerts_token_make(struct arena *arena, int64_t last);

#endif
