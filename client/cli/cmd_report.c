/* report, stats, proof: figures and bills. */
#include "cli/commands.h"

#include <stdio.h>
#include <string.h>

#include "cli/format.h"
#include "cli/proof.h"
#include "cli/table.h"
#include "cli/view.h"

static int64_t all_tokens(const Bursar__V1__TokenUsage *usage, bool input)
{
	if (!usage)
		return 0;
	if (input)
		return usage->input_tokens + usage->cached_input_tokens + usage->cache_write_tokens +
		       usage->audio_input_tokens;
	return usage->output_tokens + usage->reasoning_tokens + usage->audio_output_tokens;
}

static void count_cell(struct table *table, struct buf *text, int64_t count)
{
	put_count(text, count);
	table_cell_buf(table, text);
}

static void money_cell(struct table *table, struct buf *text, int64_t nano)
{
	put_money(text, nano);
	table_cell_buf(table, text);
}

static void bill_line(struct table *table, const Bursar__V1__BillLine *line, const char *day, struct buf *text)
{
	table_line(table);
	table_cell(table, "%s", day);
	table_cell(table, "%s", line->provider);
	table_cell(table, "%s%s", line->model, line->unpriced_requests > 0 ? " (unpriced)" : "");
	table_cell(table, "%s", line->interface);
	count_cell(table, text, line->requests);
	count_cell(table, text, all_tokens(line->usage, true));
	count_cell(table, text, all_tokens(line->usage, false));
	money_cell(table, text, line->cost_nano_usd);
}

static void show_report(struct cli *cli, const Bursar__V1__MonthlyReport *report)
{
	static const char *const columns[] = {
		"DAY", "PROVIDER", "MODEL", "INTERFACE", ">REQUESTS", ">INPUT", ">OUTPUT", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	buf_putf(&cli->out, "%s %s, %s\n", kind_name(report->ref ? report->ref->kind : 0),
		report->ref ? report->ref->id : "?", report->month);
	for (size_t i = 0; i < report->n_lines; i++)
		bill_line(table, report->lines[i], report->lines[i]->day, &text);
	if (report->n_lines > 0 && report->total)
		bill_line(table, report->total, "total", &text);
	table_put(&cli->out, table, "  nothing was used");
	table_free(table);
	buf_release(&text);
}

static bool is_month(const char *text)
{
	int year, month, used = 0;

	return strlen(text) == 7 && sscanf(text, "%4d-%2d%n", &year, &month, &used) == 2 && used == 7 && month >= 1 &&
	       month <= 12;
}

static int run_report(struct cli *cli)
{
	Bursar__V1__GetMonthlyReportRequest request = BURSAR__V1__GET_MONTHLY_REPORT_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	Bursar__V1__MonthlyReport *report;
	int code;

	request.month = (char *)option_text(cli, "month");
	if (option_given(cli, "month") && !is_month(request.month)) {
		err_set(&cli->err, ERR_INVALID, "--month: '%s' must look like 2026-11", request.month);
		return cli_usage(cli);
	}
	read_account_ref(cli, &ref);
	if (!ref.id[0]) {
		ref.kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TENANT;
		ref.id = ref.tenant[0] ? ref.tenant : (char *)"default";
	}
	request.ref = &ref;
	report = cli_call(cli, BURSAR_GET_MONTHLY_REPORT, &request, &code);
	if (!report)
		return code;
	if (!cli_json(cli, report))
		show_report(cli, report);
	bursar_free(report);
	return EXIT_DONE;
}

static void show_named(struct cli *cli, const char *title, Bursar__V1__NamedUse *const *uses, size_t count)
{
	const char *const columns[] = {title, ">REQUESTS", ">INPUT", ">OUTPUT", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < count; i++) {
		table_line(table);
		table_cell(table, "%s", uses[i]->name[0] ? uses[i]->name : "-");
		count_cell(table, &text, uses[i]->requests);
		count_cell(table, &text, uses[i]->input_tokens);
		count_cell(table, &text, uses[i]->output_tokens);
		money_cell(table, &text, uses[i]->cost_nano_usd);
	}
	if (count > 0) {
		buf_put_str(&cli->out, "\n");
		table_put(&cli->out, table, "");
	}
	table_free(table);
	buf_release(&text);
}

static void show_tiers(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"TIER", ">ACCOUNTS", ">SUSPENDED", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < stats->n_accounts_by_tier; i++) {
		table_line(table);
		table_cell(table, "%s", stats->accounts_by_tier[i]->tier);
		count_cell(table, &text, stats->accounts_by_tier[i]->accounts);
		count_cell(table, &text, stats->accounts_by_tier[i]->suspended);
	}
	table_put(&cli->out, table, "no accounts");
	table_free(table);
	buf_release(&text);
}

static void show_users(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"USER", ">REQUESTS", ">TOKENS", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < stats->n_top_users; i++) {
		table_line(table);
		table_cell(table, "%s", stats->top_users[i]->user);
		count_cell(table, &text, stats->top_users[i]->requests);
		count_cell(table, &text, stats->top_users[i]->tokens);
		money_cell(table, &text, stats->top_users[i]->cost_nano_usd);
	}
	buf_put_str(&cli->out, "\n");
	table_put(&cli->out, table, "nothing was used");
	table_free(table);
	buf_release(&text);
}

static void show_days(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"DAY", ">REQUESTS", ">TOKENS", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < stats->n_days; i++) {
		table_line(table);
		table_cell(table, "%s", stats->days[i]->day);
		count_cell(table, &text, stats->days[i]->requests);
		count_cell(table, &text, stats->days[i]->tokens);
		money_cell(table, &text, stats->days[i]->cost_nano_usd);
	}
	if (stats->n_days > 0) {
		buf_put_str(&cli->out, "\n");
		table_put(&cli->out, table, "");
	}
	table_free(table);
	buf_release(&text);
}

static int run_stats(struct cli *cli)
{
	Bursar__V1__GetStatsRequest request = BURSAR__V1__GET_STATS_REQUEST__INIT;
	Bursar__V1__GetStatsResponse *stats;
	int code;

	request.tenant = (char *)option_text(cli, "tenant");
	request.from_us = option_number(cli, "from", 0);
	request.to_us = option_number(cli, "to", 0);
	request.top = (int32_t)option_number(cli, "top", 0);
	if (option_number(cli, "top", 0) > 100) {
		err_set(&cli->err, ERR_INVALID, "--top: must be at most 100");
		return cli_usage(cli);
	}
	stats = cli_call(cli, BURSAR_GET_STATS, &request, &code);
	if (!stats)
		return code;
	if (!cli_json(cli, stats)) {
		show_tiers(cli, stats);
		show_users(cli, stats);
		show_days(cli, stats);
		show_named(cli, "MODEL", stats->by_model, stats->n_by_model);
		show_named(cli, "INTERFACE", stats->by_interface, stats->n_by_interface);
		show_named(cli, "TOTAL", &stats->total, stats->total != NULL);
	}
	bursar_free(stats);
	return EXIT_DONE;
}

static int run_proof(struct cli *cli)
{
	Bursar__V1__GetProofRequest request = BURSAR__V1__GET_PROOF_REQUEST__INIT;
	Bursar__V1__Proof *proof;
	struct buf line = {0};
	bool right;
	int code;

	request.tenant = (char *)option_text(cli, "tenant");
	proof = cli_call(cli, BURSAR_GET_PROOF, &request, &code);
	if (!proof)
		return code;
	right = proof_put(&line, proof, NULL);
	if (!cli_json(cli, proof))
		buf_put_str(&cli->out, buf_str(&line));
	buf_release(&line);
	bursar_free(proof);
	return right ? EXIT_DONE : EXIT_DENIED;
}

static const struct command commands[] = {
	{
		.name = "report month",
		.args = "[ID]",
		.summary = "show the bill of a month",
		.about = "Of one account, or without ID of the whole tenant: a line for each day, model and interface.",
		.options = {OPTION_TENANT, OPTION_KIND,
			{'m', "month", OPTION_TEXT, "YYYY-MM", "which one (default: the running one, UTC)", NULL}},
		.examples = {"report month alice", "report month --tenant acme --month 2026-10 --json"},
		.run = run_report,
	},
	{
		.name = "stats",
		.args = "",
		.summary = "show who used how much, by tier, user, day, model and interface",
		.about = "",
		.options = {OPTION_TENANT, {'\0', "from", OPTION_TIME, "TIME", "from then on (default: -30d)", NULL},
			{'\0', "to", OPTION_TIME, "TIME", "until then (default: now)", NULL},
			{'\0', "top", OPTION_COUNT, "N", "users by cost, at most 100 (default: 10)", NULL}},
		.examples = {"stats", "stats --tenant acme --from -7d --top 20"},
		.run = run_stats,
	},
	{
		.name = "proof",
		.args = "",
		.summary = "compare ledger, roll-ups and counters of a tenant",
		.about =
			"The three are read by separate paths and compared here, for the running month (UTC). Exit "
			"code 0 when they agree, 1 when they do not. They can not agree where an account was reset in "
			"this "
			"month, lives in another time zone, or is on a tier without monthly limits of requests, tokens "
			"and cost: the ledger knows of use there that the counters of this month do not.",
		.options = {OPTION_TENANT},
		.examples = {"proof", "proof --tenant acme --json"},
		.run = run_proof,
	},
};

const struct command_group report_commands = {"Figures", commands, sizeof(commands) / sizeof(*commands)};
