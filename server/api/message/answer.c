/* Builds CheckResponse. */
#include "api/message/answer.h"

#include "api/message/convert.h"
#include "base/unconst.h"
#include "domain/text/headers.h"
#include "domain/text/texts.h"

/* The text for the user: why they were denied, how long to wait, what the next tier offers; or a first warning. */
static char *sentence(const struct check *check, const char *language)
{
	const struct check_answer *answer = &check->answer;
	const struct limit_row *row = answer->rows->binding;
	struct text_args args = {
		.language = language[0] ? language : NULL,
		.tenant_language = answer->language,
		.reason = answer->reason,
		.retry_after_us = answer->retry_after_us,
	};
	struct buf buf = {0};
	char *made;

	for (int i = 0; answer->allowed && !row && i < answer->rows->count; i++)
		if (answer->rows->row[i].notify)
			row = &answer->rows->row[i];
	if (answer->allowed && !row)
		return unconst("");
	if (row) {
		args.limit = row->limit;
		args.account_kind = row->account_kind;
		args.figures = row->figures;
		args.shared_by = rows_account(answer->rows, row)->shared_by;
		args.running = row_running(answer->rows, row);
		if (row->figures.first_end_us > answer->now_us)
			args.first_end_after_us = row->figures.first_end_us - answer->now_us;
	}
	if (answer->rows->closed)
		args.account_kind = answer->rows->closed->account->kind;
	if (answer->better && (!row || row->account_kind == ACCOUNT_USER)) {
		args.better_tier = answer->better->name;
		args.better = &answer->better->policy;
	}
	text_make(catalog_texts(check->snapshot->catalog, check->question.tenant), &args, &buf);
	made = arena_strndup(check->arena, buf_str(&buf), buf.len);
	buf_release(&buf);
	return made;
}

static size_t headers(const struct check *check, Bursar__V1__Header ***out)
{
	const struct rows *rows = check->answer.rows;
	struct header_limit *limits = arena_alloc(check->arena, sizeof(*limits) * (size_t)(rows->count + 1));
	struct header made[HEADERS_MAX];
	struct header_decision decision = {
		.now_us = check->answer.now_us,
		.denied = !check->answer.allowed,
		.reason = check->answer.reason,
		.binding = -1,
		.permanent = check->answer.permanent,
		.retry_after_us = check->answer.retry_after_us,
	};
	int n = 0;
	int count;

	for (int i = 0; i < rows->count; i++) {
		if (!rows->row[i].matched)
			continue;
		if (&rows->row[i] == rows->binding)
			decision.binding = n;
		limits[n++] = (struct header_limit){.account_kind = rows->row[i].account_kind,
			.limit = rows->row[i].limit,
			.figures = rows->row[i].figures};
	}
	count = headers_make(limits, n, &decision, check->arena, made);
	*out = message_list(check->arena, HEADERS_MAX);
	for (int i = 0; i < count; i++) {
		(*out)[i] = message_new(check->arena, Header, header);
		(*out)[i]->name = unconst(made[i].name);
		(*out)[i]->value = unconst(made[i].value);
	}
	return (size_t)count;
}

struct answer_form answer_form_of(const Bursar__V1__CheckRequest *request)
{
	return (struct answer_form){.language = request->language,
		.limits = request->verbose,
		.headers = request->verbose || request->headers};
}

Bursar__V1__CheckResponse *answer_to_message(const struct check *check, const struct answer_form *form)
{
	const struct check_answer *answer = &check->answer;
	struct arena *arena = check->arena;
	Bursar__V1__CheckResponse *message = message_new(arena, CheckResponse, check_response);

	message->allowed = answer->allowed;
	message->request_id = unconst(check->question.request_id);
	message->reservation = unconst(answer->handle);
	message->started_at_us = answer->started_at_us;
	message->expires_at_us = answer->expires_at_us;
	if ((answer->allowed || answer->repeat) && check->question.mode == CHECK_REAL)
		message->state = answer->state ? (Bursar__V1__ReservationState)answer->state
					       : BURSAR__V1__RESERVATION_STATE__RESERVATION_STATE_OPEN;
	message->repeat = answer->repeat;
	message->reason = (Bursar__V1__Reason)answer->reason;
	message->retry_after_us = answer->retry_after_us;
	message->tell = (Bursar__V1__Tell)answer->tell;
	message->permanent = answer->permanent;
	if (answer->rows->binding)
		message->binding = row_to_message(arena, answer->rows, answer->rows->binding);
	else if (answer->rows->closed && !answer->allowed && answer->reason == answer->rows->reason)
		message->binding = closed_to_message(arena, answer->rows);
	message->n_limits =
		rows_to_messages(arena, answer->rows, form->limits ? ROWS_MATCHED : ROWS_NOTABLE, &message->limits);
	message->quality = (Bursar__V1__Quality)answer->quality;
	message->cause = unconst(answer->cause ? answer->cause : "");
	message->tier = unconst(answer->tier);
	if (answer->allowed) {
		message->held_tokens = answer->held.input + answer->held.output;
		message->held_cost_nano_usd = answer->held.cost;
	}
	message->message = sentence(check, form->language);
	if (!answer->allowed || form->headers)
		message->n_headers = headers(check, &message->headers);
	message->unpriced = answer->priced.unpriced;
	message->bypassed = answer->rows->bypassed;
	return message;
}
