/* Converts the alerts of documents (document.h). */
#include <string.h>

#include "api/admin/document.h"
#include "api/message/alert_admin.h"

bool document_tenant_check(const char *given, const char *tenant, const char *field, struct err *err)
{
	return !given[0] || strcmp(given, tenant) == 0 ||
	       err_invalid(err, field, "%.64s is another tenant; the request is for %.64s", given, tenant);
}

static Bursar__V1__AlertChannel *channel_message(struct arena *arena, const struct alert_channel *channel)
{
	struct alert_channel *settings = arena_zalloc(arena, 1, sizeof(*settings));

	*settings = *channel;
	settings->secret = (struct alert_secret){.url = "", .token = ""};
	settings->failures = 0;
	settings->open_until_us = settings->pending = settings->updated_at_us = 0;
	settings->etag[0] = '\0';
	return alert_channel_to_message(arena, settings);
}

static Bursar__V1__AlertRule *rule_message(struct arena *arena, const char *tenant, const struct alert_rule *rule)
{
	Bursar__V1__AlertRule *message = alert_rule_to_message(arena, tenant, rule);

	message->updated_at_us = 0;
	message->etag = unconst("");
	return message;
}

Bursar__V1__AlertDocument *document_alerts_message(struct arena *arena, const char *tenant,
	const struct alert_rule *rules, int rules_count, const struct alert_channel *channels, int channels_count)
{
	Bursar__V1__AlertDocument *message = message_new(arena, AlertDocument, alert_document);

	message->rules = message_list(arena, (size_t)rules_count);
	message->channels = message_list(arena, (size_t)channels_count);
	for (int i = 0; i < rules_count; i++)
		message->rules[message->n_rules++] = rule_message(arena, tenant, &rules[i]);
	for (int i = 0; i < channels_count; i++)
		message->channels[message->n_channels++] = channel_message(arena, &channels[i]);
	return message;
}

/* What it gives is stored nowhere in a document that is exported, and would be lost with the next one. */
static bool secrets_check(const Bursar__V1__AlertChannel *message, struct err *err)
{
	static const char why[] =
		"is secret, so a document does not hold it: put the channel once with it, and it stays";

	if (message->url[0])
		return err_invalid(err, "url", "%s", why);
	if (message->token[0])
		return err_invalid(err, "token", "%s", why);
	if (message->n_signing_secrets)
		return err_invalid(err, "signing_secrets", "%s", why);
	return !message->n_headers || err_invalid(err, "headers", "%s", why);
}

static bool channel_read(const Bursar__V1__AlertChannel *message, struct document *out, struct err *err)
{
	if (!document_tenant_check(message->tenant, out->tenant, "tenant", err) || !secrets_check(message, err))
		return false;
	for (int i = 0; i < out->channels; i++)
		if (strcmp(out->channel[i].name, message->name) == 0)
			return err_invalid(err, "name", "%s is listed twice", message->name);
	return alert_channel_from_message(message, out->tenant, &out->channel[out->channels], err);
}

static bool rule_read(const Bursar__V1__AlertRule *message, struct document *out, struct err *err)
{
	if (!document_tenant_check(message->tenant, out->tenant, "tenant", err))
		return false;
	for (int i = 0; i < out->rules; i++)
		if (strcmp(out->rule[i].name, message->name) == 0)
			return err_invalid(err, "name", "%s is listed twice", message->name);
	return alert_rule_from_message(message, out->tenant, &out->rule[out->rules], err);
}

bool document_alerts_read(
	const Bursar__V1__AlertDocument *message, struct arena *arena, struct document *out, struct err *err)
{
	if (!message)
		return true;
	out->alerts = true;
	out->channel = arena_zalloc(arena, message->n_channels + 1, sizeof(*out->channel));
	out->rule = arena_zalloc(arena, message->n_rules + 1, sizeof(*out->rule));
	for (; out->channels < (int)message->n_channels; out->channels++)
		if (!channel_read(message->channels[out->channels], out, err))
			return err_prefix(err, "alerts.channels[%d].", out->channels);
	for (; out->rules < (int)message->n_rules; out->rules++)
		if (!rule_read(message->rules[out->rules], out, err))
			return err_prefix(err, "alerts.rules[%d].", out->rules);
	return true;
}
