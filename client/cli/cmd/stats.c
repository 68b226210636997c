/* stats, report top, proof (commands.h): a tenant's figures, and the proof that its books agree. */
#include "cli/cmd/commands.h"

#include <stdio.h>
#include <time.h>

#include "cli/common/view.h"
#include "cli/report/month.h"
#include "cli/report/proof.h"
#include "cli/text/table.h"

/* `nameless` is shown for an empty name. */
static void show_named(
	struct cli *cli, const char *title, const char *nameless, Bursar__V1__NamedUse *const *uses, size_t count)
{
	const char *const columns[] = {title, ">REQUESTS", ">INPUT", ">OUTPUT", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < count; i++) {
		table_line(table);
		table_cell(table, "%s", uses[i]->name[0] ? uses[i]->name : nameless);
		table_count(table, uses[i]->requests);
		table_count(table, uses[i]->input_tokens);
		table_count(table, uses[i]->output_tokens);
		table_money(table, uses[i]->cost_nano_usd);
	}
	if (count > 0) {
		buf_put_str(&cli->out, "\n");
		table_put(&cli->out, table, "");
	}
	table_free(table);
}

static void show_tiers(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"TIER", ">ACCOUNTS", ">SUSPENDED", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < stats->n_accounts_by_tier; i++) {
		table_line(table);
		table_cell(table, "%s", stats->accounts_by_tier[i]->tier);
		table_count(table, stats->accounts_by_tier[i]->accounts);
		table_count(table, stats->accounts_by_tier[i]->suspended);
	}
	table_put(&cli->out, table, "no accounts");
	table_free(table);
}

static void show_users(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"~USER", ">REQUESTS", ">TOKENS", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < stats->n_top_users; i++) {
		table_line(table);
		table_cell(table, "%s", stats->top_users[i]->user);
		table_count(table, stats->top_users[i]->requests);
		table_count(table, stats->top_users[i]->tokens);
		table_money(table, stats->top_users[i]->cost_nano_usd);
	}
	table_put(&cli->out, table, "nothing was used");
	table_free(table);
}

static void show_groups(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	show_named(cli, "~TEAM", "", stats->by_team, stats->n_by_team);
	show_named(cli, "~ORG", "", stats->by_org, stats->n_by_org);
}

static void show_days(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"DAY", ">REQUESTS", ">TOKENS", ">COST", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < stats->n_days; i++) {
		table_line(table);
		table_cell(table, "%s", stats->days[i]->day);
		table_count(table, stats->days[i]->requests);
		table_count(table, stats->days[i]->tokens);
		table_money(table, stats->days[i]->cost_nano_usd);
	}
	if (stats->n_days > 0) {
		buf_put_str(&cli->out, "\n");
		table_put(&cli->out, table, "");
	}
	table_free(table);
}

/* NULL after saying why, with the exit code in `code`. */
static Bursar__V1__GetStatsResponse *ask_stats(struct cli *cli, int64_t from_us, int64_t to_us, int *code)
{
	Bursar__V1__GetStatsRequest request = BURSAR__V1__GET_STATS_REQUEST__INIT;
	int64_t top = option_number(cli, "top", 0);

	request.tenant = (char *)option_text(cli, "tenant");
	request.from_us = from_us;
	request.to_us = to_us;
	request.top = (int32_t)top;
	if (top <= 100)
		return cli_call(cli, BURSAR_GET_STATS, &request, code);
	err_set(&cli->err, ERR_INVALID, "--top: must be at most 100");
	*code = cli_usage(cli);
	return NULL;
}

static int run_stats(struct cli *cli)
{
	int code;
	Bursar__V1__GetStatsResponse *stats =
		ask_stats(cli, option_number(cli, "from", 0), option_number(cli, "to", 0), &code);

	if (!stats)
		return code;
	if (!cli_json(cli, stats)) {
		show_tiers(cli, stats);
		buf_put_str(&cli->out, "\n");
		show_users(cli, stats);
		show_groups(cli, stats);
		show_days(cli, stats);
		show_named(cli, "~MODEL", NO_MODEL, stats->by_model, stats->n_by_model);
		show_named(cli, "~INTERFACE", "", stats->by_interface, stats->n_by_interface);
		show_named(cli, "TOTAL", "all", &stats->total, stats->total != NULL);
	}
	bursar_free(stats);
	return EXIT_DONE;
}

static int run_top(struct cli *cli)
{
	const char *month = option_text(cli, "month");
	struct tm begin = {.tm_mday = 1}, end;
	int64_t from_us = 0, to_us = 0;
	int code;

	if (option_given(cli, "month")) {
		if (!month_check(cli, month) || sscanf(month, "%4d-%2d", &begin.tm_year, &begin.tm_mon) != 2)
			return cli_usage(cli);
		begin.tm_year -= 1900;
		end = begin; /* tm_mon counts from 0, so it already is the next month */
		begin.tm_mon--;
		from_us = (int64_t)timegm(&begin) * 1000000;
		to_us = (int64_t)timegm(&end) * 1000000 - 1;
	}
	Bursar__V1__GetStatsResponse *stats = ask_stats(cli, from_us, to_us, &code);
	if (!stats)
		return code;
	if (!cli_json(cli, stats)) {
		show_users(cli, stats);
		show_groups(cli, stats);
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
	cli_flush(cli);
	if (!right)
		fprintf(stderr, "  %s\n",
			proof->undrained ? "Some entries are on their way to the ledger: try again in a moment."
					 : "Both change while they are read: try again in a moment. If they still "
					   "differ, run 'bursar doctor'.");
	buf_release(&line);
	bursar_free(proof);
	return right ? EXIT_DONE : EXIT_DENIED;
}

static const struct command commands[] = {
	{
		COMMAND("report top", "", "show which users, teams and orgs cost most in a month", run_top),
		.about = "Teams and orgs include the use of those who were members at the time.",
		.options = {OPTION_TENANT, OPTION_MONTH,
			{'n', "top", OPTION_SOME, "N", "how many of each to show, at most 100 (default: 10)", NULL}},
		.examples = {"report top", "report top --tenant acme --month 2026-10 -n 50"},
	},
	{
		COMMAND("stats", "", "show usage: users by tier, top users and groups, days, models, interfaces",
			run_stats),
		.options = {OPTION_TENANT,
			{'\0', "from", OPTION_DAY, "DAY", "the first day (UTC; default: the 1st of the month of --to)",
				NULL},
			{'\0', "to", OPTION_DAY, "DAY", "the last day (default: today); at most 366 days", NULL},
			{'n', "top", OPTION_SOME, "N",
				"how many users, teams and orgs to show by cost, at most 100 (default: 10)", NULL}},
		.examples = {"stats", "stats --tenant acme --from -7d --top 20"},
	},
	{
		COMMAND("proof", "", "compare a tenant's ledger, roll-ups and counters", run_proof),
		.about = "Reads them by separate paths and compares them: the ledger with the roll-ups for the current "
			 "month (UTC), and each user's counters with the ledger's sums for the same windows. After a "
			 "reset, and in another time zone, those windows are not the UTC month: then the counters have "
			 "a separate sum. Exit code 0 when all agree, 1 when something differs or is still on its way "
			 "to the ledger.",
		.options = {OPTION_TENANT},
		.examples = {"proof", "proof --tenant acme --json"},
	},
};

const struct command_group stats_commands = {"Figures", commands, sizeof(commands) / sizeof(*commands)};
