/* Channels of alerts (alert.h). */
#include "cli/alert/alert.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "cli/common/view.h"
#include "cli/text/file.h"
#include "cli/text/format.h"
#include "cli/text/parse.h"

typedef Bursar__V1__AlertChannel channel_message; /* for offsetof */

/* An option that makes a channel of its kind, and the field that its value is for; NULL: none. */
static const struct way {
	const char *option;
	Bursar__V1__AlertChannelKind kind;
	size_t field;
} ways[] = {
	{"webhook", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_WEBHOOK, offsetof(channel_message, target)},
	{"email", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_EMAIL, offsetof(channel_message, target)},
	{"slack", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_SLACK, offsetof(channel_message, url)},
	{"discord", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_DISCORD, offsetof(channel_message, url)},
	{"teams", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_TEAMS, offsetof(channel_message, url)},
	{"telegram", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_TELEGRAM, offsetof(channel_message, token)},
	{"command", BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_COMMAND, offsetof(channel_message, target)},
};

static void text_put(Bursar__V1__AlertChannel *channel, size_t field, const char *text)
{
	*(char **)(void *)((char *)channel + field) = (char *)text;
}

/* The lines of a file, in the arena. */
static bool read_lines(struct cli *cli, struct arena *arena, const char *option, char ***lines, size_t *count)
{
	struct buf text = {0};
	bool ok = file_read(option_text(cli, option), &text, &cli->err);

	*count = 0;
	*lines = arena_zalloc(arena, text.len / 2 + 2, sizeof(**lines));
	for (const char *at = ok ? buf_str(&text) : ""; *(at += strspn(at, "\r\n"));) {
		size_t len = strcspn(at, "\r\n");

		(*lines)[(*count)++] = arena_strndup(arena, at, len);
		at += len;
	}
	buf_release(&text);
	if (ok && !*count)
		return err_set(&cli->err, ERR_INVALID, "--%s: %s is empty", option, option_text(cli, option));
	return ok || err_prefix(&cli->err, "--%s: ", option);
}

/* The kind's option, or --kind. */
static bool read_way(struct cli *cli, Bursar__V1__AlertChannel *channel)
{
	const struct way *given = NULL;

	if (option_given(cli, "kind"))
		channel->kind = (Bursar__V1__AlertChannelKind)cli_enum(
			&bursar__v1__alert_channel_kind__descriptor, "ALERT_CHANNEL_KIND_", option_text(cli, "kind"));
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		if (!option_given(cli, ways[i].option))
			continue;
		if (given || (option_given(cli, "kind") && channel->kind != ways[i].kind))
			return err_set(&cli->err, ERR_INVALID, "--%s: a channel has one destination; --%s is another",
				ways[i].option, given ? given->option : "kind");
		given = &ways[i];
		channel->kind = given->kind;
		text_put(channel, given->field, option_text(cli, given->option));
	}
	if (option_given(cli, "chat"))
		channel->target = (char *)option_text(cli, "chat");
	if (option_given(cli, "server"))
		channel->url = (char *)option_text(cli, "server");
	return channel->kind ||
	       err_set(&cli->err, ERR_INVALID,
		       "there is no channel %s yet: give --webhook, --email, --slack, --discord, --teams, "
		       "--telegram or --command",
		       cli_arg(cli, 0));
}

static bool read_secret_file(struct cli *cli, struct arena *arena, Bursar__V1__AlertChannel *channel)
{
	const struct way *way = &ways[0];
	char **lines;
	size_t count;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
		if (ways[i].kind == channel->kind)
			way = &ways[i];
	if (channel->kind == BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_EMAIL ||
		channel->kind == BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_COMMAND)
		return err_set(
			&cli->err, ERR_INVALID, "--secret-file: channels of kind %s have no secret", way->option);
	if (!read_lines(cli, arena, "secret-file", &lines, &count))
		return false;
	if (channel->kind == BURSAR__V1__ALERT_CHANNEL_KIND__ALERT_CHANNEL_KIND_WEBHOOK) {
		channel->signing_secrets = lines;
		channel->n_signing_secrets = count;
		return true;
	}
	if (count > 1)
		return err_set(&cli->err, ERR_INVALID, "--secret-file: must hold one line");
	text_put(channel, way->field, lines[0]);
	return true;
}

/* --header none: those that are stored are forgotten. */
static void read_headers(struct cli *cli, Bursar__V1__PutAlertChannelRequest *request)
{
	Bursar__V1__AlertChannel *channel = request->channel;

	channel->headers = (char **)option_list(cli, "header", &channel->n_headers);
	request->clear_headers = channel->n_headers == 1 && strcmp(channel->headers[0], "none") == 0;
	if (request->clear_headers)
		channel->n_headers = 0;
}

static bool read_secrets(struct cli *cli, struct arena *arena, Bursar__V1__PutAlertChannelRequest *request)
{
	Bursar__V1__AlertChannel *channel = request->channel;

	if (option_given(cli, "signing-secret"))
		channel->signing_secrets = (char **)option_list(cli, "signing-secret", &channel->n_signing_secrets);
	if (option_given(cli, "header"))
		read_headers(cli, request);
	if (option_given(cli, "header-file") &&
		!read_lines(cli, arena, "header-file", &channel->headers, &channel->n_headers))
		return false;
	return !option_given(cli, "secret-file") || read_secret_file(cli, arena, channel);
}

/* "22:00-07:00", "22:00-07:00[Europe/Berlin]", "none" */
static bool read_quiet(struct cli *cli, struct arena *arena, Bursar__V1__AlertChannel *channel)
{
	const char *text = option_text(cli, "quiet"), *dash = strchr(text, '-'), *zone = strchr(text, '[');
	size_t end = zone ? (size_t)(zone - text) : strlen(text);

	channel->quiet_from_minute = channel->quiet_to_minute = 0;
	channel->quiet_zone = (char *)"";
	if (strcmp(text, "none") == 0)
		return true;
	if (!dash || (size_t)(dash - text) > end || (zone && text[strlen(text) - 1] != ']') ||
		!parse_minute(text, (size_t)(dash - text), &channel->quiet_from_minute, &cli->err) ||
		!parse_minute(dash + 1, end - (size_t)(dash + 1 - text), &channel->quiet_to_minute, &cli->err))
		return err_set(&cli->err, ERR_INVALID,
			"--quiet: '%s' must look like 22:00-07:00 or 22:00-07:00[Europe/Berlin]", text);
	if (zone)
		channel->quiet_zone = arena_strndup(arena, zone + 1, strlen(zone) - 2);
	return true;
}

/* "30", "30/min" */
static bool read_rate(struct cli *cli, Bursar__V1__AlertChannel *channel)
{
	const char *text = option_text(cli, "rate");
	char *end;
	long rate = strtol(text, &end, 10);

	if (end == text || (*end && strcmp(end, "/min") != 0) || rate < 0 || rate > INT32_MAX)
		return err_set(&cli->err, ERR_INVALID, "--rate: '%s' must be messages a minute, such as 30/min", text);
	channel->rate_per_minute = (int32_t)rate;
	return true;
}

static bool read_digest(struct cli *cli, Bursar__V1__AlertChannel *channel)
{
	const char *text = option_text(cli, "digest");

	channel->digest_us = 0;
	return strcmp(text, "none") == 0 || parse_duration(text, strlen(text), &channel->digest_us, &cli->err) ||
	       err_prefix(&cli->err, "--digest: ");
}

static void read_texts(struct cli *cli, Bursar__V1__AlertChannel *channel)
{
	static const struct {
		const char *option;
		size_t field;
	} texts[] = {{"language", offsetof(channel_message, language)}, {"title", offsetof(channel_message, title)},
		{"body", offsetof(channel_message, body)}};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (option_given(cli, texts[i].option))
			text_put(channel, texts[i].field, option_text(cli, texts[i].option));
}

static void read_switches(struct cli *cli, Bursar__V1__AlertChannel *channel)
{
	if (option_given(cli, "enabled"))
		channel->disabled = option_text(cli, "enabled")[0] == 'n';
	if (option_given(cli, "system"))
		channel->system = option_text(cli, "system")[0] == 'y';
	if (option_given(cli, "ordered"))
		channel->ordered = option_text(cli, "ordered")[0] == 'y';
	if (option_given(cli, "least"))
		channel->least = (Bursar__V1__AlertSeverity)cli_enum(
			&bursar__v1__alert_severity__descriptor, "ALERT_SEVERITY_", option_text(cli, "least"));
}

bool alert_channel_read(struct cli *cli, struct arena *arena, Bursar__V1__PutAlertChannelRequest *request)
{
	Bursar__V1__AlertChannel *channel = request->channel;

	read_texts(cli, channel);
	read_switches(cli, channel);
	return read_way(cli, channel) && read_secrets(cli, arena, request) &&
	       (!option_given(cli, "quiet") || read_quiet(cli, arena, channel)) &&
	       (!option_given(cli, "rate") || read_rate(cli, channel)) &&
	       (!option_given(cli, "digest") || read_digest(cli, channel));
}

static void put_kind(struct buf *out, const Bursar__V1__AlertChannel *channel)
{
	put_enum(out, &bursar__v1__alert_channel_kind__descriptor, (int)channel->kind, "ALERT_CHANNEL_KIND_");
}

/* What it does, the most important first. */
static const char *state_word(const Bursar__V1__AlertChannel *channel)
{
	if (channel->disabled)
		return "disabled";
	if (channel->open_until_us)
		return "paused";
	return channel->failures ? "failing" : "ok";
}

static void view_state(struct cli *cli, const Bursar__V1__AlertChannel *channel)
{
	struct buf text = {0};

	buf_put_str(&text, state_word(channel));
	if (channel->failures)
		buf_putf(&text, ", %d failed attempt%s in a row", channel->failures, channel->failures == 1 ? "" : "s");
	if (channel->open_until_us) {
		buf_put_str(&text, ", next attempt ");
		put_time_from(&text, channel->open_until_us, clock_wall_us());
	}
	view_field_buf(cli, "state", &text);
	buf_release(&text);
}

static void view_times(struct cli *cli, const Bursar__V1__AlertChannel *channel)
{
	struct buf text = {0};

	if (channel->digest_us) {
		put_duration(&text, channel->digest_us);
		view_field_buf(cli, "digest", &text);
	}
	if (channel->quiet_from_minute != channel->quiet_to_minute) {
		put_minute(&text, channel->quiet_from_minute);
		buf_put_str(&text, "-");
		put_minute(&text, channel->quiet_to_minute);
		buf_putf(&text, " %s, except for what is critical",
			channel->quiet_zone[0] ? channel->quiet_zone : "UTC");
		view_field_buf(cli, "quiet", &text);
	}
	if (channel->rate_per_minute)
		view_field(cli, "rate", "%d messages per minute", channel->rate_per_minute);
	buf_release(&text);
}

void alert_show_channel(struct cli *cli, const Bursar__V1__AlertChannel *channel)
{
	struct buf text = {0};

	buf_putf(&cli->out, "channel %s\n", channel->name);
	put_kind(&text, channel);
	buf_putf(&text, " to %s", or_dash(channel->target));
	view_field_buf(cli, "sends by", &text);
	view_state(cli, channel);
	put_enum(&text, &bursar__v1__alert_severity__descriptor, (int)channel->least, "ALERT_SEVERITY_");
	buf_putf(&text, " or worse%s", channel->system ? ", and what concerns the whole installation" : "");
	view_field_buf(cli, "gets", &text);
	view_times(cli, channel);
	if (channel->ordered)
		view_field(cli, "order", "one message after the other");
	if (channel->language[0])
		view_field(cli, "language", "%s", channel->language);
	if (channel->title[0])
		view_field(cli, "title", "%s", channel->title);
	if (channel->body[0])
		view_field(cli, "body", "%s", channel->body);
	alert_put_words(&text, channel->secrets_set, channel->n_secrets_set);
	if (channel->n_secrets_set)
		view_field_buf(cli, "secrets set", &text);
	if (channel->pending)
		view_field(cli, "waiting", "%" PRId64, channel->pending);
	buf_release(&text);
}

static void channel_cells(struct table *table, const void *message)
{
	const Bursar__V1__AlertChannel *channel = message;
	struct buf text = {0};

	table_cell(table, "%s", channel->name);
	put_kind(&text, channel);
	table_cell_buf(table, &text);
	table_cell(table, "%s", channel->target);
	put_enum(&text, &bursar__v1__alert_severity__descriptor, (int)channel->least, "ALERT_SEVERITY_");
	table_cell_buf(table, &text);
	table_cell(table, "%s", channel->system ? "yes" : "");
	alert_put_words(&text, channel->secrets_set, channel->n_secrets_set);
	table_cell_buf(table, &text);
	table_count(table, channel->pending);
	table_cell(table, "%s", state_word(channel));
	if (channel->failures)
		table_colour(table, "red");
	buf_release(&text);
}

void alert_show_channels(struct cli *cli, const Bursar__V1__ListAlertChannelsResponse *answer)
{
	static const char *const columns[] = {
		"~CHANNEL", "KIND", "~TO", "LEAST", "SYSTEM", "~SECRETS SET", ">WAITING", "STATE", NULL};

	view_rows(cli, columns, answer->channels, answer->n_channels, channel_cells,
		"no channels: nobody is told; 'bursar alert channel put' makes one");
}
