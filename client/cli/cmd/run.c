/* run (commands.h): a command that holds a slot of a pool while it runs. */
#include "cli/cmd/commands.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/common/child.h"
#include "cli/request/check.h"
#include "cli/text/format.h"

/* What run answers where the command's own exit code cannot be: below those of shells, above what commands use. */
enum { RUN_LOST = 123, RUN_NO_SLOT = 124, RUN_FAILED = 125 };

enum { POLL_US = 20000, KILL_AFTER_US = 10000000, TELL_EVERY_US = 10000000 };

struct run {
	struct cli *cli;
	struct bursar_slot *slot; /* NULL once it has ended */
	bool quiet, terminal, strict;
	bool shown; /* a line of the queue stands on the terminal */
	bool granted, lost;
	bool queued; /* the server has a place for us */
	bool away; /* it was told that no server answers */
	int64_t told_us; /* when the queue was told last, where there is no terminal */
	int64_t kill_us; /* when to kill what did not end by itself; 0 = it need not */
	char *lease;
	int code;
};

static void clear_line(struct run *run)
{
	if (run->shown)
		fputs("\r\033[K", stderr);
	run->shown = false;
}

static void tell(struct run *run, const char *text)
{
	clear_line(run);
	if (!run->quiet)
		fprintf(stderr, "bursar run: %s\n", text);
}

static void on_queued(void *ctx, const Bursar__V1__Queued *queued)
{
	struct run *run = ctx;
	struct buf text = {0};

	run->queued = true;
	run->away = false;
	if (run->quiet || (!run->terminal && run->told_us && clock_wall_us() - run->told_us < TELL_EVERY_US))
		return;
	run->told_us = clock_wall_us();
	buf_putf(&text, "waiting for a slot: position %d, about ", queued->position);
	put_duration(&text, queued->eta_us);
	buf_put_str(&text, " (");
	put_enum(&text, &bursar__v1__wait_reason__descriptor, (int)queued->reason, "WAIT_REASON_");
	buf_put_str(&text, ")");
	if (run->terminal)
		fprintf(stderr, "\r\033[K%s", buf_str(&text));
	else
		fprintf(stderr, "bursar run: %s\n", buf_str(&text));
	run->shown = run->terminal;
	buf_release(&text);
}

/* The command may record what it used by itself, and show its fence to what it writes to. */
static void set_environment(const Bursar__V1__Granted *granted, const Bursar__V1__CheckResponse *check)
{
	char fence[24];

	snprintf(fence, sizeof(fence), "%" PRIu64, granted->fence);
	setenv("BURSAR_LEASE", granted->lease, 1);
	setenv("BURSAR_FENCE", fence, 1);
	if (!check)
		return;
	setenv("BURSAR_RESERVATION", check->reservation, 1);
	setenv("BURSAR_REQUEST_ID", check->request_id, 1);
}

static void on_granted(void *ctx, const Bursar__V1__Granted *granted, const Bursar__V1__CheckResponse *check)
{
	struct run *run = ctx;

	clear_line(run);
	run->granted = true;
	run->lease = strdup(granted->lease);
	set_environment(granted, check);
}

static void on_draining(void *ctx, const Bursar__V1__Draining *draining)
{
	struct buf text = {0};

	buf_put_str(&text, "the pool shrinks: please end by ");
	put_time(&text, draining->finish_by_us);
	tell(ctx, buf_str(&text));
	buf_release(&text);
}

/*
 * A server that stops says so and leaves the lease to its time. Where the connection is just gone, the lease may be gone with it:
 * who has to be sure stops at once.
 */
static void on_reconnecting(void *ctx, const struct bursar_error *error)
{
	struct run *run = ctx;

	if (run->granted && run->strict && strcmp(error->reason, "DRAINING") != 0) {
		run->lost = true;
		bursar_slot_close(run->slot);
		return;
	}
	if (!run->away)
		tell(run, run->granted	? "the server is away; looking for it, the lease lives on for a while"
			  : run->queued ? "the server is away; looking for it, the place in the queue is kept"
					: "no server answers; trying again");
	run->away = true;
}

static int code_of(const struct bursar_error *error)
{
	if (!error->from_server || error->code == BURSAR_CANCELLED)
		return RUN_FAILED;
	return error->code == BURSAR_RESOURCE_EXHAUSTED ? RUN_NO_SLOT : RUN_FAILED;
}

static void on_ended(void *ctx, const Bursar__V1__CheckResponse *denied, const struct bursar_error *error)
{
	struct run *run = ctx;

	clear_line(run);
	run->slot = NULL;
	if (run->granted) {
		if (error->code != BURSAR_OK)
			run->lost = true;
		if (run->lost)
			tell(run, error->code == BURSAR_OK ? "the lease may be lost" : error->message);
		return;
	}
	if (denied) {
		show_decision(run->cli, denied);
		fwrite(buf_str(&run->cli->out), 1, run->cli->out.len, stderr);
		buf_reset(&run->cli->out);
		run->code = RUN_NO_SLOT;
	} else if (error->code != BURSAR_OK) {
		cli_failed(run->cli, error);
		run->code = code_of(error);
	}
}

static const struct bursar_slot_events events = {on_queued, on_granted, on_draining, on_reconnecting, on_ended};

static void turn(struct run *run)
{
	bursar_poll(cli_bursar(run->cli), POLL_US);
	if (run->slot)
		bursar_slot_tick(run->slot);
}

/* True when there is a slot; else run->code says what to answer. */
static bool wait_for_slot(struct run *run)
{
	int number = 0;

	while (run->slot && !run->granted) {
		turn(run);
		number = child_guard_killed() ? SIGKILL : child_signal();
		if (number && run->slot) {
			run->code = 128 + number;
			bursar_slot_close(run->slot);
			while (run->slot)
				turn(run);
			return false;
		}
	}
	return run->granted;
}

/* The lease is lost: under --strict nothing may go on that others think is over. */
static void stop_if_lost(struct run *run)
{
	if (!run->lost || !run->strict)
		return;
	if (run->kill_us == 0) {
		tell(run, "the lease is lost: the command is stopped");
		child_terminate();
		run->kill_us = clock_wall_us() + KILL_AFTER_US;
	} else if (clock_wall_us() >= run->kill_us) {
		child_kill_all();
	}
}

/* The slot is kept until nothing works under it any more. */
static void end_all(struct run *run)
{
	while (!child_kill_all())
		turn(run);
}

static void run_command(struct run *run)
{
	if (!child_start(run->cli->args)) {
		run->code = RUN_FAILED;
		return;
	}
	while (!child_poll(&run->code)) {
		turn(run);
		if (child_guard_killed())
			break;
		stop_if_lost(run);
	}
	if (child_guard_killed() || run->kill_us)
		end_all(run);
	if (run->kill_us)
		run->code = RUN_LOST;
}

/* The request is in the books with what it used, and its slot free, in one call. */
static void record(struct run *run)
{
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;
	struct bursar_error error;
	Bursar__V1__RecordResponse *answer;

	if (option_given(run->cli, "no-record"))
		return;
	request.usage = &usage;
	request.lease = run->lease;
	answer = bursar_record(cli_bursar(run->cli), &request, &error);
	if (!answer && error.code != BURSAR_FAILED_PRECONDITION)
		fprintf(stderr, "bursar run: not recorded (%s): %s\n", bursar_code_name(error.code), error.message);
	bursar_free(answer);
}

static void release(struct run *run)
{
	record(run);
	if (run->slot)
		bursar_slot_close(run->slot);
	while (run->slot)
		turn(run);
}

static int run_run(struct cli *cli)
{
	Bursar__V1__AcquireRequest request = BURSAR__V1__ACQUIRE_REQUEST__INIT;
	Bursar__V1__CheckRequest check;
	int code;
	struct run run = {.cli = cli,
		.quiet = option_given(cli, "quiet"),
		.strict = option_given(cli, "strict"),
		.terminal = isatty(STDERR_FILENO) != 0};

	read_check(cli, &check);
	check.user = (char *)option_text(cli, "user");
	check.request_id = (char *)option_text(cli, "id");
	if (!check.user[0]) {
		err_set(&cli->err, ERR_INVALID, "--user is missing: whose request is it?");
		cli_usage(cli);
		return RUN_FAILED;
	}
	request.check = &check;
	request.pool = (char *)option_text(cli, "pool");
	request.seats = (int32_t)option_number(cli, "seats", 0);
	request.max_wait_us = option_number(cli, "max-wait", 0);
	if (!child_guard(&code))
		return code;
	run.slot = bursar_slot_open(cli_bursar(cli), &request, &events, &run, cli_timeout_us(cli));
	if (wait_for_slot(&run)) {
		run_command(&run);
		release(&run);
	}
	free(run.lease);
	return run.code;
}

static const struct command commands[] = {
	{
		.name = "run",
		.args = "COMMAND [ARG...]",
		.summary = "run a command while holding a slot of a pool",
		.about =
			"Asks for the user, waits in the pool's queue (the place is shown on the terminal), runs the "
			"command "
			"while it holds the slot, and gives the slot back when the command has ended. Put -- before a "
			"command that has options.\n\n"
			"The command finds BURSAR_LEASE, BURSAR_FENCE, BURSAR_RESERVATION and BURSAR_REQUEST_ID in its "
			"environment. When it has ended, its request is recorded, with no tokens unless it has "
			"recorded "
			"them by itself: then give --no-record.\n\n"
			"Signals: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 go to the command, and "
			"bursar run waits for its end. While it still waits for a slot, they end it, and its "
			"place is given back. Signals that were ignored at the start (nohup) stay ignored.\n\n"
			"When bursar run is killed (SIGKILL), it takes the command and everything that the "
			"command has started with it; only then does the slot go to the next in the queue. Two "
			"processes see to that, so the command also dies when the other one of them, or both, are "
			"killed. In those two cases the slot may be granted some milliseconds before the command "
			"is gone, and children of the command outlive it when both are killed. A program that "
			"changes its user (set-user-ID) cannot be killed this way.\n\n"
			"The exit code is the command's (128 + N when signal N killed it); 123 when it was stopped "
			"under "
			"--strict, 124 when there was no slot (denied, queue full, waited too long), 125 when bursar "
			"failed, "
			"126 and 127 when the command cannot be run or found.",
		.options =
			{
				{'u', "user", OPTION_TEXT, "USER", "whose request it is; required", NULL},
				{'p', "pool", OPTION_TEXT, "POOL", "the pool (default: agent-execution)", NULL},
				{'n', "seats", OPTION_SOME, "N", "slots that it takes (default: 1)", NULL},
				{'w', "max-wait", OPTION_DURATION, "DURATION", "wait no longer (default: the pool's)",
					NULL},
				{'\0', "strict", OPTION_FLAG, NULL, "stop the command when its lease may be lost",
					NULL},
				{'\0', "no-record", OPTION_FLAG, NULL, "the command records by itself", NULL},
				{'q', "quiet", OPTION_FLAG, NULL, "say nothing of the queue", NULL},
				{'\0', "id", OPTION_TEXT, "ID", "the request's id (default: a random one)", NULL},
				OPTION_TENANT,
				OPTIONS_ASK,
				{0},
			},
		.examples = {"run --user ann -- ./agent --task 17",
			"run -u ann -p gpu -n 2 -w 1min --strict -- python3 train.py", NULL},
		.run = run_run,
	},
};

const struct command_group run_commands = {"Running under a slot", commands, sizeof(commands) / sizeof(*commands)};
