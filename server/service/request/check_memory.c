/* Denials that are answered without the store (service/worker/denials.h, service/request/check_private.h). */
#include "base/observe/metrics.h"
#include "service/request/check_private.h"

bool check_remembered(struct check *check)
{
	struct worker *worker = check->worker;
	struct check_answer *answer = &check->answer;
	struct denials_answer found;

	check->ask =
		(struct denials_ask){.request_id = check->question.request_id, .id_is_new = check->question.id_is_new};
	if (!worker->denials || check->question.mode != CHECK_REAL ||
		!denials_answer(worker->denials, &check->accounts, &check->request, &check->ask, &found))
		return false;
	metric_inc(METRIC_denials_remembered_total, 0, 0);
	answer->rows = rows_make(&check->accounts, (const struct standing *const *)found.standing,
		check->accounts.count, &check->request, found.first_end_us, found.now_us);
	answer->quality = QUALITY_REMEMBERED;
	answer->now_us = found.now_us;
	return true;
}

void check_remember(struct check *check)
{
	if (check->worker->denials && check->question.mode == CHECK_REAL && check->answer.quality == QUALITY_EXACT)
		denials_learn(check->worker->denials, &check->accounts, &check->op, &check->ask);
}
