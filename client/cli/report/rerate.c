/* Prices recorded requests again (rerate.h): a dry run first, then the same call in earnest. */
#include "cli/report/rerate.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/common/confirm.h"
#include "cli/common/view.h"
#include "cli/report/month.h"
#include "cli/text/format.h"

enum { TICK_US = 100000, QUIET_US = 2000000, LINE_US = 10000000 };

/* One call in progress. */
struct rerating {
	struct cli *cli;
	Bursar__V1__RerateLedgerRequest *request;
	Bursar__V1__RerateLedgerResponse *last; /* the newest part of the answer; NULL: none yet */
	bool terminal, ended;
	int64_t started_us, told_us;
	struct bursar_error error;
};

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	(void)number;
	interrupted = 1;
}

static void part_came(void *ctx, void *message)
{
	struct rerating *run = ctx;

	bursar_free(run->last);
	run->last = message;
}

static void stream_ended(void *ctx, const struct bursar_error *error)
{
	struct rerating *run = ctx;

	run->ended = true;
	run->error = *error;
}

/* On a terminal one line that is redrawn, elsewhere a line from time to time; nothing if the run is short. */
static void show_progress(struct rerating *run)
{
	int64_t now_us = clock_mono_us();
	struct buf text = {0};

	if (!run->last || now_us - run->started_us < QUIET_US ||
		now_us - run->told_us < (run->terminal ? TICK_US : LINE_US))
		return;
	run->told_us = now_us;
	put_count(&text, run->last->scanned);
	buf_put_str(&text, " of ");
	put_count(&text, run->last->expected);
	buf_put_str(&text, " records, ");
	put_count(&text, run->last->corrected);
	buf_put_str(&text, run->request->dry_run ? " to correct" : " corrected");
	fprintf(stderr, run->terminal ? "\r\033[K%s" : "%s\n", buf_str(&text));
	buf_release(&text);
}

/* The signal then ends the process as usual. */
static void give_up(const struct rerating *run)
{
	fprintf(stderr, "%sbursar: interrupted: ", run->terminal ? "\r\033[K" : "");
	if (run->request->dry_run)
		fprintf(stderr, "nothing was changed\n");
	else
		fprintf(stderr,
			"%" PRId64 " were corrected, and perhaps the page that the server is working on\n"
			"  Repeat the command to continue: nothing is corrected twice.\n",
			run->last ? run->last->corrected : 0);
	signal(SIGINT, SIG_DFL);
	raise(SIGINT);
}

/* The last part of the answer (bursar_free); NULL with the exit code. */
static Bursar__V1__RerateLedgerResponse *rerate_call(
	struct cli *cli, Bursar__V1__RerateLedgerRequest *request, bool dry_run, int *code)
{
	struct bursar *bursar = cli_bursar(cli);
	struct rerating run = {.cli = cli,
		.request = request,
		.terminal = isatty(STDERR_FILENO) != 0,
		.started_us = clock_mono_us(),
		.told_us = clock_mono_us()};

	request->dry_run = dry_run;
	bursar_stream_open(bursar, BURSAR_RERATE_LEDGER, request, part_came, stream_ended, &run);
	while (!run.ended) {
		bursar_poll(bursar, TICK_US);
		if (interrupted)
			give_up(&run);
		show_progress(&run);
	}
	if (run.terminal)
		fputs("\r\033[K", stderr);
	if (run.error.code == BURSAR_OK && run.last && run.last->done)
		return run.last;
	*code = cli_failed(cli, &run.error);
	if (!dry_run && run.last && run.last->corrected > 0)
		fprintf(stderr, "  Repeat the command to continue: nothing is corrected twice.\n");
	bursar_free(run.last);
	return NULL;
}

static void put_model(struct table *table, const char *provider, const char *model)
{
	if (provider[0])
		table_cell(table, "%s/%s", provider, model);
	else
		table_cell(table, "%s (unpriced)", model[0] ? model : NO_MODEL);
}

static void put_costs(struct table *table, int64_t requests, int64_t before, int64_t after)
{
	table_count(table, requests);
	table_money(table, before);
	table_money(table, after);
	table_money(table, after - before);
}

static void show_lines(struct cli *cli, const Bursar__V1__RerateLedgerResponse *answer)
{
	static const char *const columns[] = {
		"~ON THE BILL", "~PRICED AS", ">REQUESTS", ">COST", ">NEW COST", ">DIFFERENCE", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < answer->n_lines; i++) {
		const Bursar__V1__RerateLine *line = answer->lines[i];

		table_line(table);
		if (line->others) {
			table_cell(table, "others");
			table_cell(table, "%s", "");
		} else {
			put_model(table, line->provider, line->model);
			put_model(table, line->new_provider, line->new_model);
		}
		put_costs(table, line->requests, line->cost_before_nano_usd, line->cost_after_nano_usd);
	}
	table_line(table);
	table_cell(table, "total");
	table_cell(table, "%s", "");
	put_costs(table, answer->corrected, answer->cost_before_nano_usd, answer->cost_after_nano_usd);
	table_put(&cli->out, table, "");
	table_free(table);
}

static void put_note(struct cli *cli, int64_t count, const char *what)
{
	if (!count)
		return;
	put_count(&cli->out, count);
	buf_putf(&cli->out, " %s\n", what);
}

/* What is not among the corrections, and why. */
static void show_notes(struct cli *cli, const Bursar__V1__RerateLedgerResponse *answer)
{
	put_note(cli, answer->unpriced, "still unpriced: 'report month --by model' names the models");
	put_note(cli, answer->adjusted, "left alone: somebody has corrected them by hand");
	put_note(cli, answer->erased, "left alone: their users have been erased");
	put_note(cli, answer->sums, "left alone: sums of several requests, and what each of them used is not known");
	put_note(cli, answer->waiting,
		"left alone: their correction is on its way to the ledger; repeat the command soon");
	put_note(cli, answer->ledger_only, "corrected on the bill alone: a counter has less than that takes away");
	put_note(
		cli, answer->gone_days, "days with use left alone: the ledger no longer has them, or they are too old");
}

static void show_plan(struct cli *cli, const Bursar__V1__RerateLedgerResponse *answer)
{
	put_count(&cli->out, answer->scanned);
	buf_put_str(&cli->out, answer->scanned == 1 ? " record, " : " records, ");
	put_count(&cli->out, answer->corrected);
	buf_put_str(&cli->out, " to correct\n");
	if (answer->corrected)
		show_lines(cli, answer);
	show_notes(cli, answer);
}

static void show_done(struct cli *cli, const Bursar__V1__RerateLedgerResponse *answer)
{
	cli_put_coloured(cli, "1;32", "corrected");
	buf_put_str(&cli->out, " ");
	put_count(&cli->out, answer->corrected);
	buf_put_str(&cli->out, answer->corrected == 1 ? " request: " : " requests: ");
	put_money(&cli->out, answer->cost_before_nano_usd);
	buf_put_str(&cli->out, " before, ");
	put_money(&cli->out, answer->cost_after_nano_usd);
	buf_put_str(&cli->out, " now\n");
	put_note(cli, answer->waiting,
		"left alone: their correction is on its way to the ledger; repeat the command soon");
	put_note(cli, answer->ledger_only, "corrected on the bill alone: a counter has less than that takes away");
}

/* After the dry run has been shown. */
static int apply(struct cli *cli, Bursar__V1__RerateLedgerRequest *request, int64_t count)
{
	Bursar__V1__RerateLedgerResponse *answer;
	struct buf question = {0};
	int code = EXIT_DONE;
	bool yes;

	buf_put_str(&question, "Correct ");
	put_count(&question, count);
	buf_put_str(&question, count == 1 ? " request?" : " requests?");
	yes = cli_confirm(cli, buf_str(&question), &code);
	buf_release(&question);
	if (!yes)
		return code;
	answer = rerate_call(cli, request, false, &code);
	return cli_end(cli, answer, code, show_done);
}

static bool request_read(struct cli *cli, Bursar__V1__RerateLedgerRequest *request, char from[16], char to[16])
{
	request->tenant = (char *)option_text(cli, "tenant");
	request->from_day = day_text(cli, "from", from);
	request->to_day = day_text(cli, "to", to);
	request->model = (char *)option_text(cli, "model");
	request->flagged = option_given(cli, "flagged");
	request->reason = (char *)option_text(cli, "reason");
	if (!option_given(cli, "from"))
		return err_set(&cli->err, ERR_INVALID, "--from is missing: give the first day");
	return option_given(cli, "dry-run") || request->reason[0] ||
	       err_set(&cli->err, ERR_INVALID,
		       "--reason is missing: it is kept in the ledger and in the audit log; --dry-run needs none");
}

int ledger_rerate(struct cli *cli)
{
	Bursar__V1__RerateLedgerRequest request = BURSAR__V1__RERATE_LEDGER_REQUEST__INIT;
	Bursar__V1__RerateLedgerResponse *plan;
	char from[16], to[16];
	int64_t count;
	int code = EXIT_DONE;

	if (!request_read(cli, &request, from, to))
		return cli_usage(cli);
	signal(SIGINT, on_interrupt);
	plan = rerate_call(cli, &request, true, &code);
	if (!plan)
		return code;
	count = plan->corrected;
	if (option_given(cli, "dry-run") || count == 0)
		return cli_end(cli, plan, code, show_plan);
	if (!cli->json)
		show_plan(cli, plan);
	bursar_free(plan);
	return apply(cli, &request, count);
}
