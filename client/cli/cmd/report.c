/* report month, days, tiers, forecast (commands.h): streamed bills, and a forecast for the month. */
#include "cli/cmd/commands.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/account/known.h"
#include "cli/common/read.h"
#include "cli/common/view.h"
#include "cli/report/compare.h"
#include "cli/report/month.h"
#include "cli/report/put.h"
#include "cli/text/format.h"

enum { PATIENCE_US = 2000000, TERMINAL_US = 500000, LINES_US = 10000000, TICK_US = 100000 };

/* One report in progress. */
struct report {
	struct cli *cli;
	struct report_put put;
	bool terminal, shown, whole, ended;
	int64_t next_us; /* when to show progress */
	struct bursar_error error;
};

/* Progress of a long report: redrawn on a terminal, elsewhere a line from time to time. */
static void show_progress(struct report *report, const Bursar__V1__ReportPart *part)
{
	int64_t now_us = clock_mono_us();
	struct buf text = {0};

	if (now_us < report->next_us || part->total)
		return;
	report->next_us = now_us + (report->terminal ? TERMINAL_US : LINES_US);
	report->shown = true;
	put_count(&text, part->done);
	buf_put_str(&text, " of ");
	put_count(&text, part->expected);
	fprintf(stderr, "%s%s %s%s", report->terminal ? "\r" : "", buf_str(&text),
		report->put.by & BY_USER ? "users" : "days", report->terminal ? "" : "\n");
	buf_release(&text);
}

static void part_came(void *ctx, void *message)
{
	struct report *report = ctx;
	const Bursar__V1__ReportPart *part = message;

	report_put_part(&report->put, part, &report->cli->out);
	cli_flush(report->cli);
	report->whole |= part->total != NULL;
	show_progress(report, part);
	bursar_free(message);
}

static void stream_ended(void *ctx, const struct bursar_error *error)
{
	struct report *report = ctx;

	report->ended = true;
	report->error = *error;
}

static int run_stream(struct cli *cli, const Bursar__V1__GetReportRequest *request, unsigned by)
{
	struct bursar *bursar = cli_bursar(cli);
	struct report report = {.cli = cli,
		.put = {.format = cli->json		     ? REPORT_JSON
				  : option_given(cli, "csv") ? REPORT_CSV
							     : REPORT_TABLE,
			.by = by,
			.month = !request->from_day[0],
			.colour = cli->colour},
		.terminal = isatty(STDERR_FILENO) != 0,
		.next_us = clock_mono_us() + PATIENCE_US};

	bursar_stream_open(bursar, BURSAR_GET_REPORT, request, part_came, stream_ended, &report);
	while (!report.ended)
		bursar_poll(bursar, TICK_US);
	if (report.shown && report.terminal)
		fputs("\r\033[K", stderr);
	if (report.error.code == BURSAR_OK && report.whole) {
		if (!report.put.any_line && report.put.format == REPORT_TABLE && cli->args_count)
			tell_if_unknown(cli, request->ref);
		return EXIT_DONE;
	}
	if (report.put.begun)
		fprintf(stderr, "bursar: the report was interrupted: the output is incomplete\n");
	return cli_failed(cli, &report.error);
}

/* "day,model"; "none". */
static bool read_by(struct cli *cli, unsigned *by)
{
	const char *text = option_given(cli, "by") ? option_text(cli, "by") : "day,model,interface";

	*by = 0;
	return strcmp(text, "none") == 0 || report_keys_read(cli, text, ", or use none by itself", by);
}

/* Reads the account; without ID, the whole tenant. */
static bool read_owner(struct cli *cli, Bursar__V1__AccountRef *ref)
{
	read_account_ref(cli, ref);
	if (ref->id[0])
		return true;
	if (option_given(cli, "kind") && ref->kind != BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT)
		return err_set(&cli->err, ERR_INVALID, "ID is missing: the id of the %s", kind_name(ref->kind));
	ref->kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT;
	return true;
}

static bool one_format(struct cli *cli)
{
	if (cli->json && option_given(cli, "csv"))
		return err_set(&cli->err, ERR_INVALID, "--csv and --json exclude each other: choose one");
	return true;
}

/* False with cli->err. */
static bool read_month(struct cli *cli, Bursar__V1__GetReportRequest *request)
{
	request->month = (char *)option_text(cli, "month");
	return !option_given(cli, "month") || month_check(cli, request->month);
}

/* Runs the report for the days already in the request. */
static int run_report(struct cli *cli, const Bursar__V1__GetReportRequest *days)
{
	Bursar__V1__GetReportRequest request = *days;
	Bursar__V1__AccountRef ref;
	Bursar__V1__ReportKey by[REPORT_KEYS];
	unsigned bits;

	if (!one_format(cli) || !read_owner(cli, &ref) || !read_by(cli, &bits))
		return cli_usage(cli);
	request.ref = &ref;
	request.model = (char *)option_text(cli, "model");
	request.interface = (char *)option_text(cli, "interface");
	request.by = by;
	request.n_by = report_keys(bits, by);
	return run_stream(cli, &request, bits);
}

static int run_month(struct cli *cli)
{
	Bursar__V1__GetReportRequest request = BURSAR__V1__GET_REPORT_REQUEST__INIT;

	return read_month(cli, &request) ? run_report(cli, &request) : cli_usage(cli);
}

static int run_tiers(struct cli *cli)
{
	Bursar__V1__GetReportRequest request = BURSAR__V1__GET_REPORT_REQUEST__INIT;
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;
	Bursar__V1__ReportKey by[REPORT_KEYS];

	if (!one_format(cli) || !read_month(cli, &request))
		return cli_usage(cli);
	ref.tenant = (char *)option_text(cli, "tenant");
	ref.kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT;
	request.ref = &ref;
	request.by = by;
	request.n_by = report_keys(BY_TIER, by);
	return run_stream(cli, &request, BY_TIER);
}

static int run_days(struct cli *cli)
{
	Bursar__V1__GetReportRequest request = BURSAR__V1__GET_REPORT_REQUEST__INIT;
	char from[16], to[16];

	request.from_day = day_text(cli, "from", from);
	request.to_day = day_text(cli, "to", to);
	if (!option_given(cli, "from")) {
		err_set(&cli->err, ERR_INVALID, "--from is missing: give the first day");
		return cli_usage(cli);
	}
	return run_report(cli, &request);
}

static void view_use(struct cli *cli, const char *label, int64_t cost, int64_t requests)
{
	struct buf text = {0};

	put_money(&text, cost);
	buf_put_str(&text, ", ");
	put_count(&text, requests);
	buf_put_str(&text, requests == 1 ? " request" : " requests");
	view_field_buf(cli, label, &text);
	buf_release(&text);
}

static void show_budget(struct cli *cli, const Bursar__V1__Forecast *forecast)
{
	struct buf text = {0};

	if (!forecast->budget_name[0])
		return;
	put_money(&text, forecast->budget_nano_usd);
	buf_putf(&text, " (%s), ", forecast->budget_name);
	if (forecast->runs_out_on[0])
		buf_putf(&text, "runs out on %s", forecast->runs_out_on);
	else
		buf_put_str(&text, "lasts past the end of the month");
	view_field_buf(cli, "budget", &text);
	buf_release(&text);
}

static void show_forecast(struct cli *cli, const Bursar__V1__Forecast *forecast)
{
	buf_putf(&cli->out, "%s %s, %s\n", kind_name(forecast->ref ? forecast->ref->kind : 0),
		forecast->ref ? forecast->ref->id : "?", forecast->month);
	view_use(cli, "so far", forecast->cost_nano_usd, forecast->requests);
	view_use(cli, "month's end", forecast->projected_cost_nano_usd, forecast->projected_requests);
	if (forecast->basis == BURSAR__V1__FORECAST_BASIS__FORECAST_BASIS_DAYS && forecast->basis_days == 1)
		view_field(cli, "basis", "the last complete day");
	else if (forecast->basis == BURSAR__V1__FORECAST_BASIS__FORECAST_BASIS_DAYS)
		view_field(cli, "basis", "the mean of the last %d complete days", forecast->basis_days);
	else
		view_field(cli, "basis", "%s",
			forecast->basis == BURSAR__V1__FORECAST_BASIS__FORECAST_BASIS_TODAY
				? "today so far, counted as a whole day: no day is complete yet"
				: "nothing has been used yet");
	show_budget(cli, forecast);
}

static int run_forecast(struct cli *cli)
{
	Bursar__V1__GetForecastRequest request = BURSAR__V1__GET_FORECAST_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	Bursar__V1__Forecast *forecast;
	int code;

	if (!read_owner(cli, &ref))
		return cli_usage(cli);
	request.ref = &ref;
	forecast = cli_call(cli, BURSAR_GET_FORECAST, &request, &code);
	if (!forecast)
		return code;
	if (!cli_json(cli, forecast))
		show_forecast(cli, forecast);
	if (!cli->json && cli->args_count && forecast->basis == BURSAR__V1__FORECAST_BASIS__FORECAST_BASIS_NONE)
		tell_if_unknown(cli, &ref);
	bursar_free(forecast);
	return EXIT_DONE;
}

static int run_compare(struct cli *cli)
{
	Bursar__V1__AccountRef ref;

	return read_owner(cli, &ref) ? costs_compare(cli, &ref) : cli_usage(cli);
}

#define OPTION_CSV \
	{ \
		'\0', "csv", OPTION_FLAG, NULL, \
			"print CSV with a heading; money is in USD with nine decimals; an apostrophe precedes what " \
			"looks like a formula", \
			NULL \
	}
#define OPTIONS_REPORT \
	{'b', "by", OPTION_TEXT, "KEYS", \
		"what to group by: day, model, interface, user or tier, joined by commas; none = only the total " \
		"(default: day,model,interface)", \
		NULL}, \
		{'\0', "model", OPTION_TEXT, "MODEL", "only this model", NULL}, \
		{'i', "interface", OPTION_TEXT, "NAME", "only this interface", NULL}, OPTION_CSV

static const struct command commands[] = {
	{
		COMMAND("report month", "[ID]", "show a month's bill", run_month),
		.about = "Shows the bill of one account, or without ID of the whole tenant. A team or org is billed "
			 "for the use of those who were members at the time. The report is streamed, so it can be of "
			 "any length; --json makes it one document. Only a tenant can be grouped by user or by tier, "
			 "which is the user's at the time of the request.",
		.options = {OPTION_TENANT, OPTION_KIND, OPTION_MONTH, OPTIONS_REPORT},
		.examples = {"report month alice", "report month red --kind team --by model,day",
			"report month --tenant acme --month 2026-10 --json",
			"report month --by user --csv > bill.csv  # each user's share of the bill"},
	},
	{
		COMMAND("report days", "[ID]", "show the bill of a range of days", run_days),
		.about = "Like report month, for up to 366 days (UTC). By day, it shows the cost over time.",
		.options = {OPTION_TENANT, OPTION_KIND, {'\0', "from", OPTION_DAY, "DAY", "the first day", NULL},
			{'\0', "to", OPTION_DAY, "DAY", "the last day (default: today)", NULL}, OPTIONS_REPORT},
		.examples = {"report days --from 2026-11-01 --by day",
			"report days alice --from 2026-10-15 --to 2026-11-14", "report days --from -7d"},
	},
	{
		COMMAND("report tiers", "", "show what each tier cost in a month", run_tiers),
		.about =
			"A request counts in the tier that its user was on at the time. 'report month --by day,tier' shows "
			"it by day.",
		.options = {OPTION_TENANT, OPTION_MONTH, OPTION_CSV},
		.examples = {"report tiers", "report tiers --tenant acme --month 2026-10"},
	},
	{
		COMMAND("report forecast", "[ID]", "show what the current month will cost", run_forecast),
		.about = "Shows one account, or without ID the whole tenant: what was used so far, plus the mean of "
			 "the last complete days (up to seven) for the rest of the month (UTC). If the account has a "
			 "monthly budget, also shows the day on which it runs out at this pace.",
		.options = {OPTION_TENANT, OPTION_KIND},
		.examples = {"report forecast", "report forecast red --kind team", "report forecast alice --json"},
	},
	{
		COMMAND("report compare", "[ID]", "show where providers' costs differ from those of the prices",
			run_compare),
		.about = "Covers the requests of which the provider said what they cost, of one account, or without ID "
			 "of the whole tenant. What differs most comes first. Which of the two is charged is a setting "
			 "of the tenant: 'tenant put --cost-source'.",
		.options = {OPTION_TENANT, OPTION_KIND, OPTION_MONTH,
			{'\0', "from", OPTION_DAY, "DAY", "the first day, instead of --month", NULL},
			{'\0', "to", OPTION_DAY, "DAY", "the last day (default: today)", NULL},
			{'b', "by", OPTION_TEXT, "KEYS",
				"what to group by: day, model, user, joined by commas (default: model)", NULL},
			{'\0', "limit", OPTION_SOME, "N", "the maximum number of lines, up to 1000 (default: 100)",
				NULL}},
		.examples = {"report compare", "report compare --month 2026-11 --by day",
			"report compare --from -7d --by user,model --json"},
	},
};

const struct command_group report_commands = {"Bills", commands, sizeof(commands) / sizeof(*commands)};
