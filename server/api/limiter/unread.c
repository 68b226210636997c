/* Checks whose callers never get the answer. */
#include "api/limiter/unread.h"

#include <stddef.h>

/* Repeats count too: a repeat keeps the reservation from being given up for the first caller. */
static bool holds(const struct check *check)
{
	const struct check_answer *answer = &check->answer;

	return check->flow.ok && check->question.mode == CHECK_REAL && answer->allowed &&
	       quality_holds(answer->quality) && answer->state == RESERVATION_OPEN;
}

void unread_add(const struct check *check, struct limits_debt **debts)
{
	struct limits_store *limits = check->worker->parts.limits;
	struct limits_debt *debt;

	if (!holds(check))
		return;
	debt = limits->ops->debt(limits, &check->op);
	debt->next = *debts;
	*debts = debt;
}

static void ended(bool unread, void *ctx)
{
	limits_debts_end(ctx, unread);
}

void unread_watch(struct call *call, struct limits_debt *debts)
{
	size_t bytes = 0;

	for (const struct limits_debt *debt = debts; debt; debt = debt->next)
		bytes += debt->bytes;
	if (debts)
		call_on_ended(call, ended, debts, bytes);
}
