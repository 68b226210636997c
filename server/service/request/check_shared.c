/* How many share what denied: the last step of an answer that is about a shared account. */
#include "base/clock.h"
#include "service/request/check_private.h"
#include "service/worker/shared.h"

enum { LOOK_US = 4000, WAIT_MOST_US = 100000 };

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
		struct account_rows *account = &rows->account[i];
		const struct party *party = account->party;

		if (party->kind == ACCOUNT_USER || !(all || account_failed(rows, account)))
			continue;
		if (!shared_users_of(
			    check->worker->shared, party->kind, check->question.tenant, party->id, &account->shared_by))
			complete = false;
	}
	return complete;
}

int64_t check_shared_wait(struct check *check)
{
	int64_t now_us = clock_mono_us();

	if (!check->shared_until_us) {
		check->shared_until_us = now_us + WAIT_MOST_US;
		/* Half of what the caller has left: the answer has to reach him. */
		if (check->question.deadline_us - now_us < 2 * WAIT_MOST_US)
			check->shared_until_us = now_us + (check->question.deadline_us - now_us) / 2;
	}
	return now_us < check->shared_until_us ? LOOK_US : 0;
}
