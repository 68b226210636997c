/* Converts rules and channels of alerts. */
#include "api/message/alert_admin.h"

#include "base/units.h"
#include "base/unconst.h"

/* Numbers of the API and of the domain are the same, but for what "all" is. */
enum { ALL = -1 };

static int64_t seconds_usual(enum alert_kind kind)
{
	switch (kind) {
	case ALERT_STARVING:
	case ALERT_LEDGER_LAG:
		return 60;
	case ALERT_PRICES_OLD:
		return 120 * (DAY_US / SECOND_US);
	case ALERT_KEY_ENDS:
		return 7 * (DAY_US / SECOND_US);
	default:
		return 0;
	}
}

static int percent_usual(enum alert_kind kind)
{
	if (kind == ALERT_PROJECTED)
		return 100;
	return kind == ALERT_ANOMALY ? 300 : 0;
}

static void put_accounts(struct arena *arena, Bursar__V1__AlertRule *message, const struct alert_rule *rule)
{
	message->account_kinds = arena_zalloc(arena, ACCOUNT_TENANT, sizeof(*message->account_kinds));
	for (int kind = ACCOUNT_USER; kind <= ACCOUNT_TENANT; kind++)
		if (rule->account_kinds & 1u << kind)
			message->account_kinds[message->n_account_kinds++] = (Bursar__V1__AccountKind)kind;
	message->account = unconst(rule->account);
	message->tier = unconst(rule->tier);
	message->team = unconst(rule->team);
}

static void put_when(struct arena *arena, Bursar__V1__AlertRule *message, const struct alert_rule *rule)
{
	message->percents = arena_zalloc(arena, ALERT_THRESHOLDS_MAX, sizeof(*message->percents));
	for (int i = 0; i < rule->percents; i++)
		message->percents[message->n_percents++] = rule->percent_at[i];
	message->amounts = arena_zalloc(arena, ALERT_THRESHOLDS_MAX, sizeof(*message->amounts));
	for (int i = 0; i < rule->amounts; i++)
		message->amounts[message->n_amounts++] = rule->amount_at[i];
	message->percent = rule->percent;
	message->minimum_nano_usd = rule->minimum_nano;
	message->after_s = rule->after_us / SECOND_US;
}

Bursar__V1__AlertRule *alert_rule_to_message(struct arena *arena, const char *tenant, const struct alert_rule *rule)
{
	Bursar__V1__AlertRule *message = message_new(arena, AlertRule, alert_rule);

	message->tenant = unconst(tenant);
	message->name = unconst(rule->name);
	message->kind = (Bursar__V1__AlertKind)rule->kind;
	message->severity = (Bursar__V1__AlertSeverity)rule->severity;
	message->disabled = !rule->enabled;
	put_accounts(arena, message, rule);
	message->limit = unconst(rule->limit_name);
	message->dimension = (Bursar__V1__Dimension)(rule->dimension + 1);
	message->window = (Bursar__V1__CalendarWindow)(rule->unit + 1);
	put_when(arena, message, rule);
	message->channels = message_list(arena, ALERT_RULE_CHANNELS_MAX);
	for (int i = 0; i < rule->channels; i++)
		message->channels[message->n_channels++] = unconst(rule->channel[i]);
	message->no_channels = !rule->to_all && rule->channels == 0;
	message->shipped = !rule->tenant[0];
	message->updated_at_us = rule->updated_at_us;
	message->etag = unconst(rule->etag);
	return message;
}

static bool lists_read(const Bursar__V1__AlertRule *message, struct alert_rule *out, struct err *err)
{
	for (size_t i = 0; i < message->n_account_kinds; i++) {
		if (message->account_kinds[i] == BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_UNSPECIFIED)
			return err_invalid(err, "account_kinds", "must be user, team, org, model or tenant");
		out->account_kinds |= 1u << message->account_kinds[i];
	}
	/* The table of fields has bounded the lists. */
	for (size_t i = 0; i < message->n_percents; i++)
		out->percent_at[out->percents++] = message->percents[i];
	for (size_t i = 0; i < message->n_amounts; i++)
		out->amount_at[out->amounts++] = message->amounts[i];
	for (size_t i = 0; i < message->n_channels; i++)
		out->channel[out->channels++] = message->channels[i];
	return true;
}

bool alert_rule_from_message(
	const Bursar__V1__AlertRule *message, const char *tenant, struct alert_rule *out, struct err *err)
{
	struct alert_rule rule = {
		.tenant = tenant,
		.name = message->name,
		.kind = (enum alert_kind)message->kind,
		.severity = message->severity ? (enum alert_severity)message->severity : ALERT_WARNING,
		.enabled = !message->disabled,
		.account = message->account,
		.tier = message->tier,
		.team = message->team,
		.limit_name = message->limit,
		.dimension = message->dimension ? (int)message->dimension - 1 : ALL,
		.unit = message->window ? (int)message->window - 1 : ALL,
		.minimum_nano = message->minimum_nano_usd,
		.to_all = !message->no_channels && message->n_channels == 0,
	};

	rule.percent = message->percent ? message->percent : percent_usual(rule.kind);
	rule.after_us = (message->after_s ? message->after_s : seconds_usual(rule.kind)) * SECOND_US;
	if (message->no_channels && message->n_channels)
		return err_invalid(err, "no_channels", "conflicts with channels: give only one of them");
	*out = rule;
	return lists_read(message, out, err) && alert_rule_check(out, err);
}

static void put_secrets_set(struct arena *arena, Bursar__V1__AlertChannel *message, const struct alert_secret *secret)
{
	const struct {
		const char *field;
		bool set;
	} fields[] = {{"url", secret->url[0]}, {"token", secret->token[0]}, {"signing_secrets", secret->secrets > 0},
		{"headers", secret->headers > 0}};

	message->secrets_set = message_list(arena, sizeof(fields) / sizeof(fields[0]));
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].set)
			message->secrets_set[message->n_secrets_set++] = unconst(fields[i].field);
}

Bursar__V1__AlertChannel *alert_channel_to_message(struct arena *arena, const struct alert_channel *channel)
{
	Bursar__V1__AlertChannel *message = message_new(arena, AlertChannel, alert_channel);

	message->tenant = unconst(channel->tenant);
	message->name = unconst(channel->name);
	message->kind = (Bursar__V1__AlertChannelKind)channel->kind;
	message->disabled = !channel->enabled;
	message->system = channel->system;
	message->least = (Bursar__V1__AlertSeverity)channel->least;
	message->target = unconst(channel->target);
	message->language = unconst(channel->language);
	message->title = unconst(channel->title);
	message->body = unconst(channel->body);
	message->digest_us = channel->digest_us;
	message->quiet_from_minute = channel->quiet_from;
	message->quiet_to_minute = channel->quiet_to;
	message->quiet_zone = unconst(channel->quiet_zone);
	message->rate_per_minute = channel->rate_per_minute;
	message->ordered = channel->ordered;
	put_secrets_set(arena, message, &channel->secret);
	message->failures = channel->failures;
	message->open_until_us = channel->open_until_us;
	message->pending = channel->pending;
	message->updated_at_us = channel->updated_at_us;
	message->etag = unconst(channel->etag);
	return message;
}

bool alert_channel_from_message(
	const Bursar__V1__AlertChannel *message, const char *tenant, struct alert_channel *out, struct err *err)
{
	struct alert_channel channel = {
		.tenant = tenant,
		.name = message->name,
		.kind = (enum alert_channel_kind)message->kind,
		.enabled = !message->disabled,
		.system = message->system,
		.ordered = message->ordered,
		.least = message->least ? (enum alert_severity)message->least : ALERT_INFO,
		.target = message->target,
		.language = message->language,
		.title = message->title,
		.body = message->body,
		.secret = {.url = message->url, .token = message->token},
		.digest_us = message->digest_us,
		.quiet_from = message->quiet_from_minute,
		.quiet_to = message->quiet_to_minute,
		.quiet_zone = message->quiet_zone,
		.rate_per_minute = message->rate_per_minute,
	};
	struct alert_secret *secret = &channel.secret;

	if (message->digest_us % SECOND_US)
		return err_invalid(err, "digest_us", "must be whole seconds");
	for (size_t i = 0; i < message->n_signing_secrets; i++)
		secret->secret[secret->secrets++] = message->signing_secrets[i];
	for (size_t i = 0; i < message->n_headers; i++)
		secret->header[secret->headers++] = message->headers[i];
	*out = channel;
	return true;
}
