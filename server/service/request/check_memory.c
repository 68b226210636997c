/* Denials that are answered without the store (service/worker/denials.h, service/request/check_private.h). */
#include <string.h>

#include "base/crypto/hash.h"
#include "base/observe/metrics.h"
#include "service/request/check_private.h"

/* Of what the answer denies, and where that would be told. */
static uint64_t told_key(const struct check *check)
{
	const struct rows *rows = check->answer.rows;
	const struct limit_row *binding = rows->binding;
	const char *account = binding ? binding->account_id : rows->closed ? rows->closed->account->id : "";
	const char *place = check->question.tell_place;
	char room[512];
	struct buf buf = buf_on(room, sizeof(room));
	uint64_t key;

	buf_put_u32(&buf, binding ? binding->limit->id : 0);
	buf_put_u8(&buf, (uint8_t)(binding ? binding->account_kind : 0));
	buf_put_str16(&buf, account, strlen(account));
	buf_put_str16(&buf, place, strlen(place));
	key = hash64(buf.data, buf.len);
	buf_release(&buf);
	return key;
}

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
	answer->rows = rows_make(&check->accounts, (const struct standing *const *)found.standing,
		check->accounts.count, &check->request, found.first_end_us, found.now_us);
	if (check->question.tell_place) {
		if (!denials_told(worker->denials, &check->accounts, told_key(check), found.now_us))
			return false; /* only the store knows who is to tell it */
		answer->tell = TELL_NOT_AGAIN;
	}
	metric_inc(METRIC_denials_remembered_total, 0, 0);
	answer->quality = QUALITY_REMEMBERED;
	answer->now_us = found.now_us;
	return true;
}

void check_remember(struct check *check)
{
	struct denials *denials = check->worker->denials;

	if (!denials || check->question.mode != CHECK_REAL || check->answer.quality != QUALITY_EXACT)
		return;
	denials_learn(denials, &check->accounts, &check->op, &check->ask);
	if (check->op.tell)
		denials_tell(denials, &check->accounts, told_key(check), check->op.told_until_us);
}
