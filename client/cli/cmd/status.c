/* status, cost, explain (commands.h): questions that change nothing. */
#include "cli/cmd/commands.h"

#include "cli/account/known.h"
#include "cli/common/view.h"
#include "cli/request/check.h"
#include "cli/request/record.h"
#include "cli/text/format.h"

static int run_status(struct cli *cli)
{
	Bursar__V1__GetStatusRequest request = BURSAR__V1__GET_STATUS_REQUEST__INIT;
	Bursar__V1__GetStatusResponse *answer;
	int code;

	request.user = (char *)cli_arg(cli, 0);
	request.tenant = (char *)option_text(cli, "tenant");
	request.model = (char *)option_text(cli, "model");
	answer = cli_call(cli, BURSAR_GET_STATUS, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer)) {
		Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;

		view_accounts(cli, answer->accounts, answer->n_accounts, answer->now_us);
		ref.id = request.user;
		ref.tenant = request.tenant;
		ref.kind = BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER;
		if (!status_shows_use(answer))
			tell_if_unknown(cli, &ref);
		if (answer->quality == BURSAR__V1__QUALITY__QUALITY_LOCAL ||
			answer->quality == BURSAR__V1__QUALITY__QUALITY_BLIND)
			cli_put_coloured(cli, "33", "The store did not answer: these are the last known levels.\n");
		if (answer->quality == BURSAR__V1__QUALITY__QUALITY_PROVISIONAL)
			cli_put_coloured(
				cli, "33", "PostgreSQL did not answer: these may be the limits of the default tier.\n");
	}
	bursar_free(answer);
	return EXIT_DONE;
}

static bool has_tokens(struct cli *cli, const struct usage_options *options)
{
	const Bursar__V1__TokenUsage *usage = &options->usage;

	if (options->from_provider || usage->input_tokens || usage->cached_input_tokens || usage->cache_write_tokens ||
		usage->output_tokens || usage->reasoning_tokens || usage->audio_input_tokens ||
		usage->audio_output_tokens)
		return true;
	return err_set(&cli->err, ERR_INVALID,
		"the number of tokens is missing: give --input-tokens N, --output-tokens N or --usage FILE");
}

static void show_cost(struct cli *cli, const Bursar__V1__EstimateCostResponse *answer)
{
	if (answer->cost)
		view_cost(cli, answer->cost);
}

static int run_cost(struct cli *cli)
{
	Bursar__V1__EstimateCostRequest request = BURSAR__V1__ESTIMATE_COST_REQUEST__INIT;
	struct usage_options usage;
	int code;

	if (!read_usage(cli, &usage) || !has_tokens(cli, &usage)) {
		usage_options_release(&usage);
		return cli_usage(cli);
	}
	request.model = (char *)cli_arg(cli, 0);
	request.tenant = (char *)option_text(cli, "tenant");
	request.user = (char *)option_text(cli, "user");
	request.usage = usage.from_provider ? NULL : &usage.usage;
	request.provider_usage = usage.from_provider ? &usage.provider : NULL;
	request.mode = (char *)option_text(cli, "mode");
	request.at_us = option_number(cli, "at", 0);
	code = cli_show(cli, BURSAR_ESTIMATE_COST, &request, show_cost);
	usage_options_release(&usage);
	return code;
}

static void share_cells(struct table *table, const void *message)
{
	const Bursar__V1__SharedUse *share = message;

	table_cell(table, "%s", share->user);
	table_count(table, share->requests);
	table_money(table, share->cost_nano_usd);
}

/* The users who used most of the team or org that denied. */
static void show_shared(struct cli *cli, const Bursar__V1__ExplainResponse *answer)
{
	static const char *const columns[] = {"~USED MOST BY", ">REQUESTS", ">COST", NULL};

	if (answer->n_shared_with)
		view_rows(cli, columns, answer->shared_with, answer->n_shared_with, share_cells, "");
}

static int run_explain(struct cli *cli)
{
	Bursar__V1__ExplainRequest request = BURSAR__V1__EXPLAIN_REQUEST__INIT;
	Bursar__V1__CheckRequest check;
	Bursar__V1__ExplainResponse *answer;
	int code;

	if (!read_check(cli, &check))
		return cli_usage(cli);
	request.check = &check;
	answer = cli_call(cli, BURSAR_EXPLAIN, &request, &code);
	if (!answer)
		return code;
	code = answer->response && answer->response->allowed ? EXIT_DONE : EXIT_DENIED;
	if (!cli_json(cli, answer)) {
		if (answer->response) {
			answer->response->request_id[0] =
				'\0'; /* generated for this question: no request has this id */
			show_decision(cli, answer->response);
		}
		for (size_t i = 0; i < answer->n_steps; i++)
			buf_putf(&cli->out, "%2zu. %s\n", i + 1, answer->steps[i]);
		show_shared(cli, answer);
	}
	bursar_free(answer);
	return code;
}

static const struct command commands[] = {
	{
		COMMAND("status", "USER", "show the limits of a user's accounts and what is left of them", run_status),
		.about = "Shows every limit of the user, their team, their org and the tenant, with what is left and "
			 "when it resets.",
		.options = {OPTION_TENANT, {'m', "model", OPTION_TEXT, "MODEL", "also show the model's account", NULL}},
		.examples = {"status alice", "status alice -m gpt-5.4 --json"},
	},
	{
		COMMAND("cost", "MODEL", "show what a request would cost", run_cost),
		.about = "The same calculation as for a record: exact, rounded up once to a nano-dollar.",
		.options = {OPTION_TENANT, {'u', "user", OPTION_TEXT, "USER", "use the prices of this account", NULL},
			OPTIONS_USAGE,
			{'\0', "at", OPTION_TIME, "TIME", "use the prices in force at this time (default: now)", NULL}},
		.examples = {"cost gpt-5.4 --input-tokens 1200 --output-tokens 500",
			"cost claude-sonnet-5 --input-tokens 200 --cached-tokens 9k --output-tokens 1k --mode batch"},
	},
	{
		COMMAND("explain", "USER", "show what check would answer, limit by limit", run_explain),
		.about = "Nothing is counted. Exit code 0 when the request would be allowed, 1 when denied.",
		.options = {OPTION_TENANT, OPTIONS_ASK},
		.examples = {"explain alice -m gpt-5.4 --input-tokens 50k"},
	},
};

const struct command_group status_commands = {"Questions", commands, sizeof(commands) / sizeof(*commands)};
