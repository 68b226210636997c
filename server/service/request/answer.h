/* The limits in an answer: one row for each, built from what the store answered. */
#ifndef BURSAR_SERVICE_REQUEST_ANSWER_H
#define BURSAR_SERVICE_REQUEST_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/limit/decision.h"
#include "service/worker/accounts.h"
#include "store/limits.h"

struct limit_row {
	enum account_kind account_kind;
	const char *account_id; /* "" if the caller may not see it */
	const struct limit *limit;
	struct figures figures;
	bool matched; /* the request counts against this limit */
	bool failed, would_fail, notify;
};

struct account_rows {
	const struct request_account *account;
	const struct account_state *state;
	int first, count; /* its rows in the list */
	int64_t shared_by; /* number of users; 0 = unknown, or a user's own account */
};

/* All limits of all accounts of one decision, in the arena. */
struct rows {
	int count;
	struct limit_row *row;
	int accounts;
	struct account_rows account[ACCOUNTS_MAX];
	enum reason reason; /* of the closed account, or else of the binding limit; REASON_NONE if nothing failed */
	const struct limit_row *binding; /* the failed limit that recovers last, then first by reason; or NULL */
	const struct account_rows *closed; /* a suspended or deleted account: always denies; `binding` is NULL then */
	bool permanent;
	int64_t retry_after_us;
	bool bypassed;
	bool names_hidden; /* the names of shared accounts were removed */
};

/* Removes the names of shared accounts, for callers who may not see them. */
void rows_hide_names(struct rows *rows);

/* The number of open reservations behind what the limit holds: for a level its own count, else all of the account's. */
int64_t row_running(const struct rows *rows, const struct limit_row *row);

/* The account that the row belongs to. */
const struct account_rows *rows_account(const struct rows *rows, const struct limit_row *row);

/*
 * Accounts whose standing is NULL have no rows. Without a `request` (NULL: status, records) every limit matches and nothing is requested. `first_end_us` is when the
 * first of the user's open reservations expires; 0 = unknown.
 */
struct rows *rows_make(const struct accounts *accounts, const struct standing *const standing[], int count,
	const struct request *request, int64_t first_end_us, int64_t now_us);

#endif
