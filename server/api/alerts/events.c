/* Lists what happened, with a sentence in the language that is asked for (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/alerts/private.h"
#include "api/message/alert.h"

struct list_call {
	struct alert_event_list op;
	struct call *call;
	const char *language;
};

static void list_done(struct admin_job *job)
{
	struct list_call *list = container_of(job, struct list_call, op.job);
	const struct alert_event_list *op = &list->op;
	struct arena *arena = call_arena(list->call);
	Bursar__V1__ListAlertEventsResponse *answer =
		message_new(arena, ListAlertEventsResponse, list_alert_events_response);

	if (!admin_went_well(list->call, job))
		return;
	answer->events = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++)
		answer->events[answer->n_events++] = alert_event_to_message(arena, &op->rows[i], list->language);
	if (op->more)
		answer->next_page_token = alerts_token_make(arena, op->rows[op->count - 1].id);
	call_reply_message(list->call, &answer->base);
}

/* The one asked for, or the tenant's. */
static bool language_find(struct list_call *list, struct worker *worker, const char *asked)
{
	struct snapshot *snapshot;
	const char *own;

	list->language = asked;
	if (asked[0])
		return true;
	if (!(snapshot = admin_snapshot(list->call, worker)))
		return false;
	own = catalog_tenant(snapshot->catalog, list->op.tenant)->language;
	list->language = arena_strndup(call_arena(list->call), own, strlen(own));
	snapshot_give(worker, snapshot);
	return true;
}

static bool request_check(struct call *call, const Bursar__V1__ListAlertEventsRequest *request, struct err *err)
{
	if (request->system && !alerts_by_operator(call)) {
		err_set(err, ERR_PERMISSION, "system: is for operators only");
		return err_reason(err, "OPERATORS_ONLY");
	}
	return !request->to_us || request->from_us <= request->to_us ||
	       err_invalid(err, "from_us", "is later than to_us");
}

void admin_list_alert_events(struct call *call, void *ctx)
{
	struct list_call *list = arena_zalloc(call_arena(call), 1, sizeof(*list));
	const Bursar__V1__ListAlertEventsRequest *request =
		request_take(call, &bursar__v1__list_alert_events_request__descriptor);
	int64_t before;
	struct err err;

	if (!request)
		return;
	if (!request_check(call, request, &err) || !alerts_token_read(request->page_token, &before, &err)) {
		call_fail(call, &err);
		return;
	}
	list->call = call;
	list->op = (struct alert_event_list){
		.job = admin_question(call, list_done),
		.tenant = tenant_or_default(request->tenant),
		.system = request->system,
		.kind = (enum alert_kind)request->kind,
		.rule = request->rule,
		.account_kind = (enum account_kind)request->account_kind,
		.account = request->account,
		.least = (enum alert_severity)request->least,
		.from_us = request->from_us,
		.to_us = request->to_us,
		.before = before,
		.limit = admin_page(request->page_size, 100, 1000),
	};
	if (language_find(list, ctx, request->language))
		admin_ask(ctx, alert_event_list, &list->op);
}
