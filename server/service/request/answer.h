/* What an answer says of limits: one row each, made of what the store answered. */
#ifndef BURSAR_SERVICE_REQUEST_ANSWER_H
#define BURSAR_SERVICE_REQUEST_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "domain/limit/decision.h"
#include "service/worker/accounts.h"
#include "store/limits.h"

struct limit_row {
	enum account_kind account_kind;
	const char *account_id; /* "" where the caller may not know it */
	const struct limit *limit;
	struct figures figures;
	bool matched; /* the request counts on it */
	bool failed, would_fail, notify;
};

struct account_rows {
	const struct request_account *account;
	const struct account_state *state;
	int first, count; /* its rows in the list */
	int64_t shared_by; /* users; 0 = not known, or a user's own account */
};

/* All limits of all accounts of one decision. Lies in the arena. */
struct rows {
	int count;
	struct limit_row *row;
	int accounts;
	struct account_rows account[ACCOUNTS_MAX];
	enum reason
		reason; /* of what denies: an account that is closed, else the binding limit; REASON_NONE when nothing failed */
	const struct limit_row *
		binding; /* the failed one that is last to recover; of several the first by reason. NULL when no limit failed */
	const struct account_rows
		*closed; /* suspended or deleted, so that it denies whatever the limits say; then `binding` is NULL */
	bool permanent;
	int64_t retry_after_us;
	bool bypassed;
	bool names_hidden; /* of shared accounts */
};

/* For callers who may not know what the shared accounts are called. */
void rows_hide_names(struct rows *rows);

/* How many open reservations it is held for: all of its account's, as nobody counts them by limit; a level does. */
int64_t row_running(const struct rows *rows, const struct limit_row *row);

/* The account that the row is of. */
const struct account_rows *rows_account(const struct rows *rows, const struct limit_row *row);

/*
 * `request` NULL: nothing is asked (status, records): then every limit matches and nothing is requested. `first_end_us`: when the first of
 * the user's open reservations expires; 0 = not known.
 */
struct rows *rows_make(const struct accounts *accounts, const struct standing *const standing[], int count,
	const struct request *request, int64_t first_end_us, int64_t now_us);

#endif
