/* run (commands.h): runs a command while holding a slot of a pool. */
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

/* Exit codes when there is none from the command: below those of shells, above what commands use. */
enum { RUN_LOST = 123, RUN_NO_SLOT = 124, RUN_FAILED = 125 };

enum { POLL_US = 20000, KILL_AFTER_US = 10000000, TELL_EVERY_US = 10000000 };

struct run {
	struct cli *cli;
	struct bursar_slot *slot; /* NULL once it has ended */
	bool quiet, terminal, strict;
	bool shown; /* the terminal shows a line about the queue */
	bool granted, lost;
	bool queued; /* we have a place in the queue */
	bool away; /* the user was told that no server answers */
	int64_t told_us; /* when the queue was last reported, without a terminal */
	int64_t kill_us; /* when to kill the command if it has not ended; 0 = never */
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

/* The command may record its own usage, and pass its fence to whatever it writes to. */
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

	buf_put_str(&text, "the pool is shrinking: end by ");
	put_time(&text, draining->finish_by_us);
	tell(ctx, buf_str(&text));
	buf_release(&text);
}

/*
 * A server that shuts down says so, and the lease runs on. If the connection just breaks, the lease may be lost too:
 * with --strict, the command is stopped at once.
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
		tell(run, run->granted
				  ? "the connection to the server is lost; reconnecting, the lease is valid for a while"
			  : run->queued
				  ? "the connection to the server is lost; reconnecting, the place in the queue is kept"
				  : "the server does not answer; trying again");
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

/* True when a slot was granted; otherwise run->code is the exit code. */
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

/* The lease is lost: with --strict, nothing may continue that others assume has ended. */
static void stop_if_lost(struct run *run)
{
	if (!run->lost || !run->strict)
		return;
	if (run->kill_us == 0) {
		tell(run, "the lease is lost: stopping the command");
		child_terminate();
		run->kill_us = clock_wall_us() + KILL_AFTER_US;
	} else if (clock_wall_us() >= run->kill_us) {
		child_kill_all();
	}
}

/* Keeps the slot until everything that the command started has ended. */
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

/* Records the request and releases its slot in one call. */
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

	if (!read_check(cli, &check)) {
		cli_usage(cli);
		return RUN_FAILED;
	}
	check.user = (char *)option_text(cli, "user");
	check.request_id = (char *)option_text(cli, "id");
	if (!check.user[0]) {
		err_set(&cli->err, ERR_INVALID, "--user is missing: give the user whose request this is");
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
		COMMAND("run", "COMMAND [ARG...]", "run a command while holding a slot of a pool", run_run),
		.about = "Checks the user's request, waits in the pool's queue (the terminal shows the position), runs "
			 "the command while holding the slot, and releases the slot when the command has ended. Put -- "
			 "before a command that has options.\n\nThe command finds BURSAR_LEASE, BURSAR_FENCE, "
			 "BURSAR_RESERVATION and BURSAR_REQUEST_ID in its environment. When it has ended, its request "
			 "is recorded with no tokens. If the command records its tokens itself, use "
			 "--no-record.\n\nSignals: SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed to "
			 "the command, and bursar run waits for it to end. While bursar run is still waiting for a "
			 "slot, they end it, and its place in the queue is released. Signals that were ignored at the "
			 "start (nohup) stay ignored.\n\nWhen bursar run is killed (SIGKILL), the command and "
			 "everything that it has started are killed too; only then does the slot go to the next in the "
			 "queue. Two processes make sure of that, so the command also dies when the other one of them, "
			 "or both, are killed. In those two cases the slot may be granted some milliseconds before the "
			 "command is gone, and children of the command outlive it when both are killed. A program that "
			 "changes its user (set-user-ID) cannot be killed this way.\n\nThe exit code is the command's "
			 "(128 + N when signal N killed it); 123 when it was stopped under --strict, 124 when there "
			 "was no slot (denied, queue full, waited too long), 125 when bursar failed, 126 and 127 when "
			 "the command cannot be run or found.",
		.options =
			{
				{'u', "user", OPTION_TEXT, "USER", "the user whose request this is; required", NULL},
				{'p', "pool", OPTION_TEXT, "POOL", "the pool (default: agent-execution)", NULL},
				{'n', "seats", OPTION_SOME, "N", "the number of slots to take (default: 1)", NULL},
				{'w', "max-wait", OPTION_DURATION, "DURATION",
					"the longest time to wait (default: the pool's)", NULL},
				{'\0', "strict", OPTION_FLAG, NULL, "stop the command when its lease may be lost",
					NULL},
				{'\0', "no-record", OPTION_FLAG, NULL,
					"do not record the request: the command does that itself", NULL},
				{'q', "quiet", OPTION_FLAG, NULL, "print nothing about the queue", NULL},
				{'\0', "id", OPTION_TEXT, "ID", "the request's id (default: random)", NULL},
				OPTION_TENANT,
				OPTIONS_ASK,
				{0},
			},
		.examples = {"run --user ann -- ./agent --task 17",
			"run -u ann -p gpu -n 2 -w 1min --strict -- python3 train.py", NULL},
	},
};

const struct command_group run_commands = {"Running under a slot", commands, sizeof(commands) / sizeof(*commands)};
