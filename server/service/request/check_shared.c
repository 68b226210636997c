/* How many users share an account that denied: the last step of a check (service/request/check_private.h). */
#include "base/clock.h"
#include "service/request/check_private.h"
#include "service/worker/shared.h"

enum { LOOK_US = 4000, WAIT_MAX_US = 100000 };

static bool account_failed(const struct rows *rows, const struct account_rows *account)
{
	for (int i = 0; i < account->count; i++)
		if (rows->row[account->first + i].failed)
			return true;
	return false;
}

bool check_shared_fill(struct check *check)
{
	struct rows *rows = check->answer.rows;
	bool all = check->question.mode != CHECK_REAL, complete = true;

	for (int i = 0; i < rows->accounts; i++) {
		struct account_rows *row = &rows->account[i];
		const struct request_account *account = row->account;

		if (account->kind == ACCOUNT_USER || !(all || account_failed(rows, row)))
			continue;
		if (!shared_users_of(
			    check->worker->shared, account->kind, check->question.tenant, account->id, &row->shared_by))
			complete = false;
	}
	return complete;
}

int64_t check_shared_wait(struct check *check)
{
	int64_t now_us = clock_mono_us();

	if (!check->shared_until_us) {
		check->shared_until_us = now_us + WAIT_MAX_US;
		/* At most half of the caller's remaining time, so that the answer still reaches them. */
		if (check->question.deadline_us - now_us < 2 * WAIT_MAX_US)
			check->shared_until_us = now_us + (check->question.deadline_us - now_us) / 2;
	}
	return now_us < check->shared_until_us ? LOOK_US : 0;
}
