/* Messages of alerts on their way to channels: tests, lists, and another try (api/admin/private.h). */
#include <stdlib.h>

#include "api/admin/private.h"
#include "api/alerts/private.h"
#include "base/units.h"

bool alerts_token_read(const char *token, int64_t *before, struct err *err)
{
	char *end;

	*before = strtoll(token, &end, 10);
	return (*end == '\0' && *before >= 0) ||
	       err_invalid(err, "page_token", "is not valid: pass next_page_token from the previous page");
}

char *alerts_token_make(struct arena *arena, int64_t last)
{
	return arena_printf(arena, "%lld", (long long)last);
}

static void put_log(struct arena *arena, Bursar__V1__AlertDelivery *message, const struct alert_delivery *row)
{
	message->log = message_list(arena, (size_t)row->logged);
	for (int i = 0; i < row->logged; i++) {
		Bursar__V1__AlertAttempt *attempt = message_new(arena, AlertAttempt, alert_attempt);

		attempt->attempt = row->log[i].attempt;
		attempt->at_us = row->log[i].at_us;
		attempt->took_us = row->log[i].took_us;
		attempt->status = row->log[i].status;
		attempt->error = unconst(row->log[i].error);
		message->log[message->n_log++] = attempt;
	}
}

static Bursar__V1__AlertDelivery *delivery_message(struct arena *arena, const struct alert_delivery *row)
{
	Bursar__V1__AlertDelivery *message = message_new(arena, AlertDelivery, alert_delivery);

	message->id = row->id;
	message->message_id = unconst(row->message_id);
	message->tenant = unconst(row->tenant);
	message->channel = unconst(row->channel);
	message->events = row->event;
	message->n_events = (size_t)row->events;
	message->test = row->test;
	message->state = (Bursar__V1__AlertDeliveryState)row->state;
	message->attempts = row->attempts;
	message->created_at_us = row->created_at_us;
	message->next_at_us = row->next_at_us;
	message->ended_at_us = row->ended_at_us;
	message->status = row->status;
	message->error = unconst(row->error);
	put_log(arena, message, row);
	return message;
}

static int64_t give_up_us(const struct worker *worker)
{
	return worker->parts.conf->alert_give_up_s * SECOND_US;
}

static void test_answer(struct call *call, const struct alert_test *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__TestAlertChannelResponse *answer =
		message_new(arena, TestAlertChannelResponse, test_alert_channel_response);

	answer->delivery = delivery_message(arena, &op->delivery);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(test_call, alert_test, TestAlertChannelRequest, test_alert_channel_request, test_done, test_answer)

void admin_test_alert_channel(struct call *call, void *ctx)
{
	struct test_call *test = test_call_new(call);

	if (!test)
		return;
	test->op.job = admin_question(call, test_done);
	test->op.tenant = tenant_or_default(test->request->tenant);
	test->op.name = test->request->name;
	test->op.now_us = worker_now_us(ctx);
	test->op.give_up_us = give_up_us(ctx);
	if (admin_job_begin(call, &test->op.job, test->request->reason))
		admin_ask(ctx, alert_test, &test->op);
}

static void list_answer(struct call *call, const struct alert_delivery_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListAlertDeliveriesResponse *answer =
		message_new(arena, ListAlertDeliveriesResponse, list_alert_deliveries_response);

	admin_rows(arena, op, answer->deliveries, answer->n_deliveries, delivery_message);
	if (op->more)
		answer->next_page_token = alerts_token_make(arena, op->rows[op->count - 1].id);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(list_call, alert_delivery_list, ListAlertDeliveriesRequest, list_alert_deliveries_request, list_done,
	list_answer)

void admin_list_alert_deliveries(struct call *call, void *ctx)
{
	struct list_call *list = list_call_new(call);
	struct err err;

	if (!list)
		return;
	list->op.job = admin_question(call, list_done);
	list->op.tenant = tenant_or_default(list->request->tenant);
	list->op.channel = list->request->channel;
	list->op.state = (enum alert_delivery_state)list->request->state;
	list->op.limit = admin_page(list->request->page_size, 100, 1000);
	if (alerts_token_read(list->request->page_token, &list->op.before, &err))
		admin_ask(ctx, alert_delivery_list, &list->op);
	else
		call_fail(call, &err);
}

static void get_answer(struct call *call, const struct alert_delivery_get *op)
{
	call_reply_message(call, &delivery_message(call_arena(call), &op->delivery)->base);
}

ADMIN_CALL(get_call, alert_delivery_get, GetAlertDeliveryRequest, get_alert_delivery_request, get_done, get_answer)

void admin_get_alert_delivery(struct call *call, void *ctx)
{
	struct get_call *get = get_call_new(call);

	if (!get)
		return;
	get->op.job = admin_question(call, get_done);
	get->op.tenant = tenant_or_default(get->request->tenant);
	get->op.id = get->request->id;
	admin_ask(ctx, alert_delivery_get, &get->op);
}

static void resend_answer(struct call *call, const struct alert_resend *op)
{
	call_reply_message(call, &delivery_message(call_arena(call), &op->delivery)->base);
}

ADMIN_CALL(resend_call, alert_resend, ResendAlertDeliveryRequest, resend_alert_delivery_request, resend_done,
	resend_answer)

void admin_resend_alert_delivery(struct call *call, void *ctx)
{
	struct resend_call *again = resend_call_new(call);

	if (!again)
		return;
	again->op.job = admin_question(call, resend_done);
	again->op.tenant = tenant_or_default(again->request->tenant);
	again->op.id = again->request->id;
	again->op.now_us = worker_now_us(ctx);
	again->op.give_up_us = give_up_us(ctx);
	if (admin_job_begin(call, &again->op.job, again->request->reason))
		admin_ask(ctx, alert_resend, &again->op);
}
