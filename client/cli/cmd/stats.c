/* stats, report top, proof (commands.h): a tenant's figures, and the proof that its books agree. */
#include "cli/cmd/commands.h"

#include <stdio.h>
#include <time.h>

#include "cli/common/view.h"
#include "cli/report/month.h"
#include "cli/report/proof.h"

static void use_cells(struct table *table, const Bursar__V1__NamedUse *use, const char *nameless)
{
	table_cell(table, "%s", use->name[0] ? use->name : nameless);
	table_count(table, use->requests);
	table_count(table, use->input_tokens);
	table_count(table, use->output_tokens);
	table_money(table, use->cost_nano_usd);
}

static void named_cells(struct table *table, const void *message)
{
	use_cells(table, message, "");
}

static void model_cells(struct table *table, const void *message)
{
	use_cells(table, message, NO_MODEL);
}

static void total_cells(struct table *table, const void *message)
{
	use_cells(table, message, "all");
}

static void show_named(struct cli *cli, const char *title, Bursar__V1__NamedUse *const *uses, size_t count,
	void (*cells)(struct table *table, const void *message))
{
	const char *const columns[] = {title, ">REQUESTS", ">INPUT", ">OUTPUT", ">COST", NULL};

	view_more_rows(cli, columns, uses, count, cells);
}

static void tier_cells(struct table *table, const void *message)
{
	const Bursar__V1__TierCount *tier = message;

	table_cell(table, "%s", tier->tier);
	table_count(table, tier->accounts);
	table_count(table, tier->suspended);
}

static void show_tiers(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"TIER", ">ACCOUNTS", ">SUSPENDED", NULL};

	view_rows(cli, columns, stats->accounts_by_tier, stats->n_accounts_by_tier, tier_cells, "no accounts");
}

static void user_cells(struct table *table, const void *message)
{
	const Bursar__V1__UserCost *use = message;

	table_cell(table, "%s", use->user);
	table_count(table, use->requests);
	table_count(table, use->tokens);
	table_money(table, use->cost_nano_usd);
}

static void show_users(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const columns[] = {"~USER", ">REQUESTS", ">TOKENS", ">COST", NULL};

	view_rows(cli, columns, stats->top_users, stats->n_top_users, user_cells, "nothing was used");
}

static void show_groups(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	show_named(cli, "~TEAM", stats->by_team, stats->n_by_team, named_cells);
	show_named(cli, "~ORG", stats->by_org, stats->n_by_org, named_cells);
}

static void day_cells(struct table *table, const void *message)
{
	const Bursar__V1__DayUse *use = message;

	table_cell(table, "%s", use->day);
	table_count(table, use->requests);
	table_count(table, use->tokens);
	table_money(table, use->cost_nano_usd);
}

static void show_stats(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	static const char *const day_columns[] = {"DAY", ">REQUESTS", ">TOKENS", ">COST", NULL};

	show_tiers(cli, stats);
	buf_put_str(&cli->out, "\n");
	show_users(cli, stats);
	show_groups(cli, stats);
	view_more_rows(cli, day_columns, stats->days, stats->n_days, day_cells);
	show_named(cli, "~MODEL", stats->by_model, stats->n_by_model, model_cells);
	show_named(cli, "~INTERFACE", stats->by_interface, stats->n_by_interface, named_cells);
	show_named(cli, "TOTAL", &stats->total, stats->total != NULL, total_cells);
}

static void show_top(struct cli *cli, const Bursar__V1__GetStatsResponse *stats)
{
	show_users(cli, stats);
	show_groups(cli, stats);
}

/* NULL after saying why, with the exit code in `code`. */
static Bursar__V1__GetStatsResponse *ask_stats(struct cli *cli, int64_t from_us, int64_t to_us, int64_t top, int *code)
{
	Bursar__V1__GetStatsRequest request = BURSAR__V1__GET_STATS_REQUEST__INIT;

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
	Bursar__V1__GetStatsResponse *stats = ask_stats(
		cli, option_number(cli, "from", 0), option_number(cli, "to", 0), option_number(cli, "top", 0), &code);

	return cli_end(cli, stats, code, show_stats);
}

/* The month of --month as from_us and to_us of a request; 0: none. False when it is wrong. */
static bool month_read(struct cli *cli, int64_t *from_us, int64_t *to_us)
{
	const char *month = option_text(cli, "month");
	struct tm begin = {.tm_mday = 1}, end;

	*from_us = *to_us = 0;
	if (!option_given(cli, "month"))
		return true;
	if (!month_check(cli, month) || sscanf(month, "%4d-%2d", &begin.tm_year, &begin.tm_mon) != 2)
		return false;
	begin.tm_year -= 1900;
	end = begin; /* tm_mon counts from 0, so it already is the next month */
	begin.tm_mon--;
	*from_us = (int64_t)timegm(&begin) * 1000000;
	*to_us = (int64_t)timegm(&end) * 1000000 - 1;
	return true;
}

static int run_top(struct cli *cli)
{
	Bursar__V1__GetStatsResponse *stats;
	int64_t from_us, to_us;
	int code;

	if (!month_read(cli, &from_us, &to_us))
		return cli_usage(cli);
	stats = ask_stats(cli, from_us, to_us, option_number(cli, "top", 0), &code);
	return cli_end(cli, stats, code, show_top);
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
