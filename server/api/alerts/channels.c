/* Channels of alerts (api/admin/private.h). Secrets come in and are stored; no answer has them, but those that were just made. */
#include "api/admin/private.h"
#include "api/alerts/private.h"
#include "base/crypto/webhook.h"
#include "base/unconst.h"
#include "domain/alert/change.h"

struct put_call {
	struct alert_channel_put op;
	struct call *call;
	struct alert_channel wanted;
	bool by_operator;
	bool clear_headers;
	const char *allow; /* alert_allow */
	char made[WEBHOOK_SECRET_SIZE]; /* "": nothing was made */
};

static void put_done(struct admin_job *job)
{
	struct put_call *put = container_of(job, struct put_call, op.job);
	struct arena *arena = call_arena(put->call);
	Bursar__V1__PutAlertChannelResponse *answer =
		message_new(arena, PutAlertChannelResponse, put_alert_channel_response);

	if (!admin_went_well(put->call, job))
		return;
	answer->channel = alert_channel_to_message(arena, &put->op.channel);
	answer->signing_secrets = message_list(arena, 1);
	if (put->made[0])
		answer->signing_secrets[answer->n_signing_secrets++] = put->made;
	call_reply_message(put->call, &answer->base);
}

static bool secrets_fill(struct put_call *put, struct alert_channel *wanted, struct err *err)
{
	const char *field;

	if (wanted->kind == CHANNEL_WEBHOOK && !wanted->secret.secrets) {
		webhook_secret_make(put->made);
		wanted->secret.secret[wanted->secret.secrets++] = put->made;
	}
	return !alert_channel_lacks(wanted, &field) ||
	       err_invalid(
		       err, field, "is required for a new channel of kind %s", alert_channel_kind_name(wanted->kind));
}

/* Runs on one of the store's threads. */
static bool put_change(struct alert_channel_put *op, struct alert_channel *channel, bool known, struct err *err)
{
	struct put_call *put = container_of(op, struct put_call, op);
	struct alert_channel wanted = put->wanted;

	if (!put->by_operator && (wanted.system || (known && channel->system))) {
		err_set(err, ERR_PERMISSION, "channel.system: only operators may change a channel with it");
		return err_reason(err, "OPERATORS_ONLY");
	}
	if (!alert_channel_complete(&wanted, known ? channel : NULL, put->clear_headers, op->job.arena, err) ||
		!secrets_fill(put, &wanted, err) || !alert_channel_check(&wanted, err) ||
		!alert_channel_may_go(&wanted, known ? channel : NULL, put->allow, err))
		return err_prefix(err, "channel.");
	*channel = wanted;
	return true;
}

static bool put_read(const Bursar__V1__PutAlertChannelRequest *request, struct put_call *put, struct err *err)
{
	if (request->clear_headers && request->channel->n_headers)
		return err_invalid(
			err, "clear_headers", "must not be given together with headers, which replace all of them");
	return alert_channel_from_message(request->channel, put->op.tenant, &put->wanted, err) ||
	       err_prefix(err, "channel.");
}

void admin_put_alert_channel(struct call *call, void *ctx)
{
	struct put_call *put = arena_zalloc(call_arena(call), 1, sizeof(*put));
	const Bursar__V1__PutAlertChannelRequest *request =
		request_take(call, &bursar__v1__put_alert_channel_request__descriptor);
	const struct worker *worker = ctx;
	struct err err;

	if (!request)
		return;
	put->call = call;
	put->allow = worker->parts.conf->alert_allow;
	put->by_operator = alerts_by_operator(call);
	put->op.tenant = tenant_or_default(request->channel->tenant);
	put->op.name = request->channel->name;
	put->op.change = put_change;
	put->clear_headers = request->clear_headers;
	if (!put_read(request, put, &err)) {
		call_fail(call, &err);
		return;
	}
	put->op.job = admin_question(call, put_done);
	if (admin_job_begin(call, &put->op.job, request->reason))
		admin_ask(ctx, alert_channel_put, &put->op);
}

static void list_answer(struct call *call, const struct alert_channel_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListAlertChannelsResponse *answer =
		message_new(arena, ListAlertChannelsResponse, list_alert_channels_response);

	admin_rows(arena, op, answer->channels, answer->n_channels, alert_channel_to_message);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(list_call, alert_channel_list, ListAlertChannelsRequest, list_alert_channels_request, list_done, list_answer)

void admin_list_alert_channels(struct call *call, void *ctx)
{
	struct list_call *list = list_call_new(call);

	if (!list)
		return;
	list->op.job = admin_question(call, list_done);
	list->op.tenant = tenant_or_default(list->request->tenant);
	admin_ask(ctx, alert_channel_list, &list->op);
}

static void delete_answer(struct call *call, const struct alert_channel_delete *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__DeleteAlertChannelResponse *answer =
		message_new(arena, DeleteAlertChannelResponse, delete_alert_channel_response);

	answer->cancelled = op->gone.cancelled;
	answer->silent_rules = message_list(arena, (size_t)op->gone.silent_rules);
	for (int i = 0; i < op->gone.silent_rules; i++)
		answer->silent_rules[answer->n_silent_rules++] = unconst(op->gone.silent_rule[i]);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(delete_call, alert_channel_delete, DeleteAlertChannelRequest, delete_alert_channel_request, delete_done,
	delete_answer)

void admin_delete_alert_channel(struct call *call, void *ctx)
{
	struct delete_call *gone = delete_call_new(call);

	if (!gone)
		return;
	gone->op.job = admin_question(call, delete_done);
	gone->op.tenant = tenant_or_default(gone->request->tenant);
	gone->op.name = gone->request->name;
	gone->op.system_too = alerts_by_operator(call);
	if (admin_job_begin(call, &gone->op.job, gone->request->reason))
		admin_ask(ctx, alert_channel_delete, &gone->op);
}
