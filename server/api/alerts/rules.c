/* Rules of alerts (api/admin/private.h). */
#include <string.h>

#include "api/admin/private.h"
#include "api/alerts/private.h"

static void put_answer(struct call *call, const struct alert_rule_put *op)
{
	call_reply_message(call, &alert_rule_to_message(call_arena(call), op->rule.tenant, &op->rule)->base);
}

ADMIN_CALL(put_call, alert_rule_put, PutAlertRuleRequest, put_alert_rule_request, put_done, put_answer)

/* Rules about the whole installation are those in force in the tenant `default` (domain/alert/judge.c). */
static bool system_check(struct call *call, const struct alert_rule *rule, struct err *err)
{
	if (!alert_kind_is_system(rule->kind))
		return true;
	if (!alerts_by_operator(call))
		return err_set(err, ERR_PERMISSION,
			"kind: %s concerns the whole installation: only operators may put such a rule",
			alert_kind_name(rule->kind));
	return strcmp(rule->tenant, "default") == 0 ||
	       err_invalid(err, "tenant", "%s concerns the whole installation: put the rule in the tenant default",
		       alert_kind_name(rule->kind));
}

static bool rule_read(struct call *call, const Bursar__V1__AlertRule *message, struct alert_rule *out, struct err *err)
{
	return alert_rule_from_message(message, tenant_or_default(message->tenant), out, err) &&
	       system_check(call, out, err);
}

void admin_put_alert_rule(struct call *call, void *ctx)
{
	struct put_call *put = put_call_new(call);
	struct err err;

	if (!put)
		return;
	if (!rule_read(call, put->request->rule, &put->op.rule, &err)) {
		err_prefix(&err, "rule.");
		call_fail(call, &err);
		return;
	}
	put->op.job = admin_question(call, put_done);
	if (admin_job_begin(call, &put->op.job, put->request->reason))
		admin_ask(ctx, alert_rule_put, &put->op);
}

static void list_answer(struct call *call, const struct alert_rule_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListAlertRulesResponse *answer =
		message_new(arena, ListAlertRulesResponse, list_alert_rules_response);

	answer->rules = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++)
		answer->rules[answer->n_rules++] = alert_rule_to_message(arena, op->tenant, &op->rows[i]);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(list_call, alert_rule_list, ListAlertRulesRequest, list_alert_rules_request, list_done, list_answer)

void admin_list_alert_rules(struct call *call, void *ctx)
{
	struct list_call *list = list_call_new(call);

	if (!list)
		return;
	list->op.job = admin_question(call, list_done);
	list->op.tenant = tenant_or_default(list->request->tenant);
	admin_ask(ctx, alert_rule_list, &list->op);
}

static void delete_answer(struct call *call, const struct alert_rule_delete *op)
{
	(void)op;
	call_reply_message(
		call, &message_new(call_arena(call), DeleteAlertRuleResponse, delete_alert_rule_response)->base);
}

ADMIN_CALL(
	delete_call, alert_rule_delete, DeleteAlertRuleRequest, delete_alert_rule_request, delete_done, delete_answer)

void admin_delete_alert_rule(struct call *call, void *ctx)
{
	struct delete_call *gone = delete_call_new(call);

	if (!gone)
		return;
	gone->op.job = admin_question(call, delete_done);
	gone->op.tenant = tenant_or_default(gone->request->tenant);
	gone->op.name = gone->request->name;
	if (admin_job_begin(call, &gone->op.job, gone->request->reason))
		admin_ask(ctx, alert_rule_delete, &gone->op);
}
