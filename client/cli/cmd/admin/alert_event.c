/* alert event ..., alert delivery ... (commands.h): what happened, and its way to people. */
#include "cli/cmd/admin/admin.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "cli/alert/alert.h"
#include "cli/common/view.h"
#include "cli/encoding/json.h"
#include "cli/live/live.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"

enum { PAUSE_S = 1, KINDS_MAX = 16 };

static void put_severity(struct buf *out, const Bursar__V1__AlertEvent *event)
{
	put_enum(out, &bursar__v1__alert_severity__descriptor, (int)event->severity, "ALERT_SEVERITY_");
}

static const char *colour(const Bursar__V1__AlertEvent *event)
{
	static const char *const colours[] = {NULL, "green", "yellow", "red"};

	return (unsigned)event->severity < 4 ? colours[event->severity] : NULL;
}

static void event_cells(struct table *table, const void *message)
{
	const Bursar__V1__AlertEvent *event = message;
	struct buf text = {0};

	table_cell(table, "%" PRId64, event->id);
	table_time(table, event->at_us);
	put_severity(&text, event);
	table_cell_buf(table, &text);
	if (colour(event))
		table_colour(table, colour(event));
	table_cell(table, "%s", event->rule);
	table_cell(table, "%s%s%s", event->account_kind ? kind_name(event->account_kind) : "",
		event->account_kind ? " " : "", event->account);
	table_cell(table, "%s", event->text);
	buf_release(&text);
}

static void show_events(struct cli *cli, const Bursar__V1__ListAlertEventsResponse *answer)
{
	static const char *const columns[] = {">EVENT", "WHEN", "SEVERITY", "~RULE", "~ACCOUNT", "~TEXT", NULL};

	view_rows(cli, columns, answer->events, answer->n_events, event_cells, "no events");
}

static Bursar__V1__AlertKind kind_given(const struct cli *cli)
{
	return (Bursar__V1__AlertKind)cli_enum(
		&bursar__v1__alert_kind__descriptor, "ALERT_KIND_", option_text(cli, "kind"));
}

/* The filters that a list and a stream have in common. */
static void read_filter(const struct cli *cli, Bursar__V1__ListAlertEventsRequest *request)
{
	request->tenant = (char *)option_text(cli, "tenant");
	request->kind = kind_given(cli);
	request->rule = (char *)option_text(cli, "rule");
	request->account = (char *)option_text(cli, "account");
	request->account_kind = (Bursar__V1__AccountKind)cli_enum(
		&bursar__v1__account_kind__descriptor, "ACCOUNT_KIND_", option_text(cli, "account-kind"));
	request->least = (Bursar__V1__AlertSeverity)cli_enum(
		&bursar__v1__alert_severity__descriptor, "ALERT_SEVERITY_", option_text(cli, "least"));
	request->language = (char *)option_text(cli, "language");
}

struct following {
	struct live live;
	Bursar__V1__ListAlertEventsRequest filter;
	int64_t cursor, left;
};

static bool wanted(const Bursar__V1__ListAlertEventsRequest *filter, const Bursar__V1__AlertEvent *event)
{
	return (!filter->rule[0] || strcmp(filter->rule, event->rule) == 0) &&
	       (!filter->account[0] || strcmp(filter->account, event->account) == 0) &&
	       (!filter->account_kind || filter->account_kind == event->account_kind) &&
	       event->severity >= filter->least;
}

static void put_line(struct cli *cli, const Bursar__V1__AlertEvent *event)
{
	static const char *const colours[] = {"0", "32", "33", "31"};
	struct buf word = {0};

	put_time(&cli->out, event->at_us);
	buf_put_str(&cli->out, "  ");
	put_severity(&word, event);
	while (word.len < strlen("critical"))
		buf_put_str(&word, " ");
	cli_put_coloured(cli, colours[(unsigned)event->severity < 4 ? event->severity : 0], buf_str(&word));
	buf_put_str(&cli->out, "  ");
	put_plain(&cli->out, event->text);
	buf_put_str(&cli->out, "\n");
	buf_release(&word);
}

static bool on_answer(struct live *live, const void *message)
{
	struct following *following = container_of(live, struct following, live);
	const Bursar__V1__EventsResponse *answer = message;
	struct cli *cli = live->cli;

	following->cursor = answer->cursor;
	if (!answer->event || !wanted(&following->filter, answer->event))
		return true;
	if (cli->json) {
		json_put_line(&cli->out, &answer->event->base);
		buf_put_str(&cli->out, "\n");
	} else {
		put_line(cli, answer->event);
	}
	cli_flush(cli);
	return --following->left > 0;
}

/* One kind, or all of the tenant's. */
static size_t kinds_followed(const struct cli *cli, Bursar__V1__AlertKind kinds[KINDS_MAX])
{
	size_t count = 0;

	if (kind_given(cli)) {
		kinds[0] = kind_given(cli);
		return 1;
	}
	for (int kind = BURSAR__V1__ALERT_KIND__ALERT_KIND_THRESHOLD; kind <= BURSAR__V1__ALERT_KIND__ALERT_KIND_TEST;
		kind++)
		if (kind != BURSAR__V1__ALERT_KIND__ALERT_KIND_LEDGER_LAG &&
			kind != BURSAR__V1__ALERT_KIND__ALERT_KIND_DRIFT &&
			kind != BURSAR__V1__ALERT_KIND__ALERT_KIND_PRICES_OLD)
			kinds[count++] = (Bursar__V1__AlertKind)kind;
	return count;
}

/* A stream that breaks, as when its bursard is restarted, continues after what was shown. */
static int run_follow(struct cli *cli)
{
	struct following following = {
		.live = {.cli = cli, .answer = on_answer}, .left = option_number(cli, "limit", INT64_MAX)};
	Bursar__V1__EventsRequest request = BURSAR__V1__EVENTS_REQUEST__INIT;
	Bursar__V1__AlertKind kinds[KINDS_MAX];

	bursar__v1__list_alert_events_request__init(&following.filter);
	read_filter(cli, &following.filter);
	request.tenant = following.filter.tenant;
	request.language = following.filter.language;
	request.kinds = kinds;
	request.n_kinds = kinds_followed(cli, kinds);
	while (!live_stream(&following.live, BURSAR_EVENTS, &request)) {
		if (!following.cursor ||
			(following.live.error.code != BURSAR_UNAVAILABLE && following.live.error.code != BURSAR_OK))
			return cli_failed(cli, &following.live.error);
		request.after = following.cursor;
		sleep(PAUSE_S);
	}
	return EXIT_DONE;
}

static int run_events(struct cli *cli)
{
	Bursar__V1__ListAlertEventsRequest request = BURSAR__V1__LIST_ALERT_EVENTS_REQUEST__INIT;

	if (option_given(cli, "follow")) {
		if (!option_given(cli, "system") && !option_given(cli, "from") && !option_given(cli, "to"))
			return run_follow(cli);
		err_set(&cli->err, ERR_INVALID,
			"--follow shows the tenant's events from now on: without --system, --from and --to");
		return cli_usage(cli);
	}
	read_filter(cli, &request);
	request.system = option_given(cli, "system");
	request.from_us = option_number(cli, "from", 0);
	request.to_us = option_number(cli, "to", 0);
	return cli_show_pages(cli, BURSAR_LIST_ALERT_EVENTS, &request, 100, show_events);
}

static int run_deliveries(struct cli *cli)
{
	Bursar__V1__ListAlertDeliveriesRequest request = BURSAR__V1__LIST_ALERT_DELIVERIES_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.channel = (char *)option_text(cli, "channel");
	request.state = (Bursar__V1__AlertDeliveryState)cli_enum(
		&bursar__v1__alert_delivery_state__descriptor, "ALERT_DELIVERY_STATE_", option_text(cli, "state"));
	return cli_show_pages(cli, BURSAR_LIST_ALERT_DELIVERIES, &request, 100, alert_show_deliveries);
}

/* Reads the first argument, a delivery's number. */
static bool read_id(struct cli *cli, int64_t *id)
{
	char *end;

	*id = strtoll(cli_arg(cli, 0), &end, 10);
	return (*end == '\0' && *id > 0) ||
	       err_set(&cli->err, ERR_INVALID,
		       "'%s' is not a delivery's number: 'bursar alert delivery list' shows them", cli_arg(cli, 0));
}

static int run_show(struct cli *cli)
{
	Bursar__V1__GetAlertDeliveryRequest request = BURSAR__V1__GET_ALERT_DELIVERY_REQUEST__INIT;

	if (!read_id(cli, &request.id))
		return cli_usage(cli);
	request.tenant = (char *)option_text(cli, "tenant");
	return cli_show(cli, BURSAR_GET_ALERT_DELIVERY, &request, alert_show_delivery);
}

static int run_resend(struct cli *cli)
{
	Bursar__V1__ResendAlertDeliveryRequest request = BURSAR__V1__RESEND_ALERT_DELIVERY_REQUEST__INIT;

	if (!read_id(cli, &request.id))
		return cli_usage(cli);
	request.tenant = (char *)option_text(cli, "tenant");
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_RESEND_ALERT_DELIVERY, &request, alert_show_delivery);
}

#define OPTION_LIMIT(what) \
	{ \
		'\0', "limit", OPTION_SOME, "N", what, NULL \
	}

static const struct command commands[] = {
	{
		COMMAND("alert event list", "", "list what happened, newest first; or show it as it happens",
			run_events),
		.about =
			"--follow prints one line for each event from now on, and continues when the server restarts. Ctrl-C ends "
			"it.",
		.options = {OPTION_TENANT, {'f', "follow", OPTION_FLAG, NULL, "show events as they happen", NULL},
			{'k', "kind", OPTION_CHOICE, "KIND", "only events of this kind", ALERT_KINDS "|test"},
			{'\0', "rule", OPTION_TEXT, "RULE", "only events that this rule found", NULL},
			{'\0', "account", OPTION_TEXT, "ID", "only events of the accounts of this id", NULL},
			{'\0', "account-kind", OPTION_CHOICE, "KIND", "only events of this kind of account",
				"user|team|org|model|tenant"},
			{'\0', "least", OPTION_CHOICE, "SEVERITY", "only events this bad or worse", ALERT_SEVERITIES},
			{'\0', "from", OPTION_TIME, "TIME", "events from this time on", NULL},
			{'\0', "to", OPTION_TIME, "TIME", "events before this time", NULL},
			{'\0', "system", OPTION_FLAG, NULL, "those of the whole installation (operators only)", NULL},
			{'\0', "language", OPTION_TEXT, "LANGUAGE", "of the texts (default: the tenant's)", NULL},
			OPTION_LIMIT("the maximum number of events to show (default: 100; with --follow, all)")},
		.examples = {"alert event list", "alert event list --account alice --from -7d",
			"alert event list --follow", "alert event list --system --json"},
	},
	{
		COMMAND("alert delivery list", "", "list messages to channels, newest first", run_deliveries),
		.options = {OPTION_TENANT,
			{'\0', "channel", OPTION_TEXT, "CHANNEL", "only messages to this channel", NULL},
			{'\0', "state", OPTION_CHOICE, "STATE", "only messages in this state; dead: given up",
				"waiting|delivered|dead|cancelled"},
			OPTION_LIMIT("the maximum number of messages to show (default: 100)")},
		.examples = {"alert delivery list", "alert delivery list --state dead --channel ops"},
	},
	{
		COMMAND("alert delivery show", "DELIVERY", "show a message to a channel, with its attempts", run_show),
		.options = {OPTION_TENANT},
		.examples = {"alert delivery show 17", "alert delivery show 17 --json"},
	},
	{
		COMMAND("alert delivery resend", "DELIVERY", "send a message again that was given up or delivered",
			run_resend),
		.about = "It keeps its webhook-id, so a receiver that has seen it can tell.",
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"alert delivery resend 17 --reason 'the hook works again'"},
	},
};

const struct command_group alert_event_commands = {"Alerts: events", commands, sizeof(commands) / sizeof(*commands)};
