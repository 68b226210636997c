/* replay (commands.h): sends real traffic to the server, and proves that the books agree. */
#include "cli/cmd/commands.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/report/replay.h"
#include "cli/text/format.h"
#include "cli/text/parse.h"
#include "cli/text/table.h"

struct watch {
	int64_t begun_us, shown_us;
	bool terminal;
};

static void show_progress(void *ctx, const struct replay_sums *sums)
{
	struct watch *watch = ctx;
	int64_t now_us = clock_mono_us(), ran_us = now_us - watch->begun_us;
	struct buf cost = {0};

	if (now_us - watch->shown_us < (watch->terminal ? 100000 : 2000000))
		return;
	watch->shown_us = now_us;
	put_money(&cost, sums->own.cost_nano);
	fprintf(stderr,
		"%s%" PRId64 " requests, %" PRId64 " admitted, %" PRId64 " denied, %" PRId64 " recorded, %s, %" PRId64
		"/s%s",
		watch->terminal ? "\r\033[K" : "", sums->rows, sums->admitted, sums->denied, sums->own.requests,
		buf_str(&cost), ran_us > 0 ? sums->rows * 1000000 / ran_us : 0, watch->terminal ? "" : "\n");
	buf_release(&cost);
}

static void count_row(struct table *table, const char *what, int64_t count, struct buf *text)
{
	table_line(table);
	table_cell(table, "%s", what);
	put_count(text, count);
	table_cell_buf(table, text);
}

static void show_denials(struct table *table, const struct replay_sums *sums, struct buf *text)
{
	struct buf name = {0};

	for (int reason = 0; reason < REPLAY_REASONS; reason++) {
		if (sums->denied_by[reason] == 0)
			continue;
		buf_put_str(&name, "  ");
		put_enum(&name, &bursar__v1__reason__descriptor, reason, "REASON_");
		count_row(table, buf_str(&name), sums->denied_by[reason], text);
		buf_reset(&name);
	}
	buf_release(&name);
}

static void show_sums(struct cli *cli, const struct replay_plan *plan, const struct replay_sums *sums, int64_t ran_us)
{
	static const char *const columns[] = {"RESULT", ">", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	count_row(table, "requests", sums->rows, &text);
	count_row(table, "admitted", sums->admitted, &text);
	count_row(table, "denied", sums->denied, &text);
	show_denials(table, sums, &text);
	count_row(table, "warned", sums->warned, &text);
	if (sums->failed > 0)
		count_row(table, "failed", sums->failed, &text);
	if (sums->repeats > 0)
		count_row(table, "sent again", sums->repeats, &text);
	if (sums->inexact > 0)
		count_row(table, "decided without the store", sums->inexact, &text);
	count_row(table, "input tokens", sums->input_tokens, &text);
	count_row(table, "output tokens", sums->output_tokens, &text);
	table_line(table);
	table_cell(table, "cost");
	put_money(&text, sums->own.cost_nano);
	table_cell_buf(table, &text);
	table_put(&cli->out, table, "");
	table_free(table);
	put_duration(&text, ran_us);
	buf_putf(&cli->out, "tenant %s, %d users, %d in flight, %s, %" PRId64 " requests/s\n", plan->tenant,
		plan->users, plan->in_flight, buf_str(&text), ran_us > 0 ? sums->rows * 1000000 / ran_us : 0);
	buf_release(&text);
}

static void json_sums(struct cli *cli, const struct replay_plan *plan, const struct replay_sums *sums, int64_t ran_us,
	bool right, const char *line)
{
	json_t *denied = json_object(), *root;
	struct buf name = {0};
	char *text;

	for (int reason = 0; reason < REPLAY_REASONS; reason++) {
		put_enum(&name, &bursar__v1__reason__descriptor, reason, "REASON_");
		if (sums->denied_by[reason] > 0)
			json_object_set_new(denied, buf_str(&name), json_integer(sums->denied_by[reason]));
		buf_reset(&name);
	}
	buf_release(&name);
	root = json_pack("{s:s, s:I, s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:b, s:s}", "tenant",
		plan->tenant, "requests", (json_int_t)sums->rows, "admitted", (json_int_t)sums->admitted, "denied",
		(json_int_t)sums->denied, "denied_by", denied, "warned", (json_int_t)sums->warned, "failed",
		(json_int_t)sums->failed, "recorded", (json_int_t)sums->own.requests, "tokens",
		(json_int_t)sums->own.tokens, "cost_nano_usd", (json_int_t)sums->own.cost_nano, "unsure",
		(json_int_t)sums->own.unsure, "duration_us", (json_int_t)ran_us, "proof_ok", (int)right, "proof", line);
	text = root ? json_dumps(root, JSON_INDENT(2)) : NULL;
	if (!text)
		abort();
	buf_putf(&cli->out, "%s\n", text);
	free(text);
	json_decref(root);
}

/* Waits for the ledger, compares, and shows everything; the last line is the proof. */
static int show_end(struct cli *cli, const struct replay_plan *plan, const struct replay_sums *sums, int64_t ran_us)
{
	struct bursar_error error;
	Bursar__V1__Proof *proof;
	struct buf line = {0};
	bool right = false;

	if (!cli->json)
		show_sums(cli, plan, sums, ran_us);
	cli_flush(cli);
	if (sums->failed > 0) {
		fprintf(stderr, "bursar: %" PRId64 " requests failed, the first with:\n", sums->failed);
		cli_failed(cli, &sums->error);
	}
	proof = replay_drained(cli->bursar, plan->tenant, option_number(cli, "drain", 60000000), &error);
	if (proof)
		right = proof_put(&line, proof, &sums->own);
	else
		buf_putf(&line, "proof: FAILED (the server returned none: %s)\n", error.message);
	right = right && sums->failed == 0;
	if (proof && sums->failed > 0) {
		buf_reset(&line);
		buf_putf(&line, "proof: FAILED (%" PRId64 " of %" PRId64 " requests ended in an error)\n", sums->failed,
			sums->rows);
	}
	if (cli->json) {
		line.data[--line.len] = '\0'; /* without the line end */
		json_sums(cli, plan, sums, ran_us, right, buf_str(&line));
	} else {
		buf_put_str(&cli->out, buf_str(&line));
	}
	buf_release(&line);
	bursar_free(proof);
	return right ? EXIT_DONE : EXIT_DENIED;
}

/* Parses "2.5" as thousandths; "0" means as fast as possible. */
static bool read_speed(const char *text, int64_t *milli, struct err *err)
{
	int64_t nano;

	if (!*text || strspn(text, "0123456789.") != strlen(text) || !parse_usd(text, strlen(text), &nano, err))
		return err_set(err, ERR_INVALID,
			"--speed: '%s' is not a factor; write 1 for real time, 10, 0.5, or 0 for as fast as possible",
			text);
	if (nano != 0 && nano < 1000000)
		return err_set(err, ERR_INVALID, "--speed: '%s' is slower than 0.001", text);
	*milli = nano / 1000000;
	return true;
}

static bool read_plan(struct cli *cli, struct replay_plan *plan)
{
	int64_t users = option_number(cli, "users", 200), in_flight = option_number(cli, "in-flight", 64);

	if (users < 1 || users > REPLAY_USERS_MAX)
		return err_set(&cli->err, ERR_INVALID, "--users: must be 1 to %d", REPLAY_USERS_MAX);
	if (in_flight < 1 || in_flight > REPLAY_IN_FLIGHT_MAX)
		return err_set(&cli->err, ERR_INVALID, "--in-flight: must be 1 to %d", REPLAY_IN_FLIGHT_MAX);
	plan->users = (int)users;
	plan->in_flight = (int)in_flight;
	return !option_given(cli, "speed") || read_speed(option_text(cli, "speed"), &plan->speed_milli, &cli->err);
}

/* Opens a connection with longer timeouts than other commands use, so that it survives a restart of the server. */
static void open_patient(struct cli *cli)
{
	cli_open(cli, (struct bursar_options){.timeout_us = 60000000, .attempt_us = 10000000, .attempts = 100});
}

/* Checks with the normal timeout that the server answers, so that a wrong address is reported within seconds. */
static bool is_reachable(struct cli *cli, int *code)
{
	Bursar__V1__ListTiersRequest request = BURSAR__V1__LIST_TIERS_REQUEST__INIT;
	Bursar__V1__ListTiersResponse *answer = cli_call(cli, BURSAR_LIST_TIERS, &request, code);

	bursar_free(answer);
	bursar_close(cli->bursar);
	cli->bursar = NULL;
	return answer != NULL;
}

static int replay_file(struct cli *cli, struct replay_plan *plan, FILE *file)
{
	struct watch watch = {.terminal = isatty(STDERR_FILENO)};
	struct replay_sums sums = {0};
	struct bursar_error error;
	struct replay_csv csv;
	bool read;
	int code;

	replay_csv_init(&csv, file);
	if (!replay_csv_header(&csv, &cli->err)) {
		fprintf(stderr, "bursar replay: %s: %s\n", cli_arg(cli, 0), cli->err.text);
		return EXIT_USAGE;
	}
	if (!is_reachable(cli, &code))
		return code;
	open_patient(cli);
	if (!replay_prepare(cli->bursar, plan, &error))
		return cli_failed(cli, &error);
	watch.begun_us = watch.shown_us = clock_mono_us();
	read = replay_run(cli->bursar, plan, &csv, &sums, show_progress, &watch, &cli->err);
	if (watch.terminal)
		fputs("\r\033[K", stderr);
	if (!read)
		fprintf(stderr, "bursar replay: %s: %s\n", cli_arg(cli, 0), cli->err.text);
	if (!read && sums.rows == 0)
		return EXIT_USAGE;
	code = show_end(cli, plan, &sums, clock_mono_us() - watch.begun_us);
	return read ? code : EXIT_USAGE;
}

static int run_replay(struct cli *cli)
{
	struct replay_plan plan = {0};
	const char *path = cli_arg(cli, 0);
	char tenant[64], random[33];
	FILE *file;
	int code;

	if (!read_plan(cli, &plan))
		return cli_usage(cli);
	bursar_request_id(random);
	snprintf(tenant, sizeof(tenant), "replay-%.10s", random);
	plan.tenant = option_given(cli, "tenant") ? option_text(cli, "tenant") : tenant;
	file = strcmp(path, "-") == 0 ? stdin : fopen(path, "r");
	if (!file) {
		err_set(&cli->err, ERR_INVALID, "%s: %s", path, strerror(errno));
		return cli_usage(cli);
	}
	code = replay_file(cli, &plan, file);
	if (file != stdin)
		fclose(file);
	return code;
}

static const struct command commands[] = {
	{
		COMMAND("replay", "FILE.csv",
			"send a file of real requests through check and record, and prove that the books agree",
			run_replay),
		.about = "The first line of the file names its columns (TIMESTAMP,ContextTokens,GeneratedTokens or "
			 "time,input_tokens,output_tokens); a time is a date or plain seconds. Each run has its own "
			 "tenant, with users on the free, pro and enterprise tiers, who use telegram, discord, web and "
			 "api, and six models in turn. At the end, the ledger, the roll-ups, the counters and this "
			 "command's own count of acknowledged records are compared: the last line is 'proof: ok (...)' "
			 "with exit code 0, or 'proof: FAILED (...)' with exit code 1.",
		.options = {{'n', "users", OPTION_COUNT, "N", "the number of users (default: 200)", NULL},
			{'s', "speed", OPTION_TEXT, "X",
				"a multiple of real time; 0 = as fast as possible (default: 0)", NULL},
			{'c', "in-flight", OPTION_COUNT, "N", "the number of requests at the same time (default: 64)",
				NULL},
			{'\0', "drain", OPTION_DURATION, "DURATION",
				"how long to wait for the ledger at the end (default: 60s)", NULL},
			{'t', "tenant", OPTION_TEXT, "TENANT", "the name of the new tenant (default: replay-RANDOM)",
				NULL}},
		.examples = {"replay deploy/data/sample_requests.csv",
			"replay requests.csv --users 1000 --in-flight 256",
			"replay requests.csv --speed 10  # ten times as fast as real time"},
	},
};

const struct command_group replay_commands = {"Trying it out", commands, sizeof(commands) / sizeof(*commands)};
