/* watch, top: what is decided, as it is decided. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/list.h"
#include "cli/format.h"
#include "cli/json.h"
#include "cli/live.h"
#include "cli/top.h"

enum { INTERVAL_US = 250000, EVENTS = 500 };

struct watching {
	struct live live;
	int64_t left;
};

static void put_clock(struct buf *out, int64_t us)
{
	time_t second = (time_t)(us / 1000000);
	struct tm tm;
	char text[16];

	localtime_r(&second, &tm);
	strftime(text, sizeof(text), "%H:%M:%S", &tm);
	buf_putf(out, "%s.%03d", text, (int)(us / 1000 % 1000));
}

static void put_use(struct buf *out, const Bursar__V1__WatchEvent *event)
{
	if (event->model[0])
		buf_putf(out, "  %s", event->model);
	buf_put_str(out, "  ");
	put_count(out, event->input_tokens);
	buf_put_str(out, " + ");
	put_count(out, event->output_tokens);
	buf_put_str(out, " tokens, ");
	put_money(out, event->cost_nano);
}

static void put_denial(struct buf *out, const Bursar__V1__WatchEvent *event)
{
	buf_put_str(out, "  ");
	put_enum(out, &bursar__v1__reason__descriptor, (int)event->reason, "REASON_");
	if (!event->limit[0])
		return;
	buf_put_str(out, ": ");
	put_enum(out, &bursar__v1__account_kind__descriptor, (int)event->account_kind, "ACCOUNT_KIND_");
	buf_putf(out, "'s limit %s", event->limit);
}

static void put_slot(struct buf *out, const Bursar__V1__WatchEvent *event)
{
	buf_putf(out, "  slot of %s", event->pool);
	if (event->cause[0])
		buf_putf(out, ": %s", event->cause);
	if (event->waited_us > 0) {
		buf_put_str(out, " after ");
		put_duration(out, event->waited_us);
	}
}

static void put_event(struct cli *cli, const Bursar__V1__WatchEvent *event)
{
	static const char *const words[] = {"?", "denied", "recorded", "cancelled", "granted", "refused"};
	bool allowed = event->kind == BURSAR__V1__WATCH_KIND__WATCH_KIND_CHECK && event->allowed;
	unsigned kind = (unsigned)event->kind < 6 ? (unsigned)event->kind : 0;
	bool no = !allowed && (kind == 1 || kind == 5);
	char word[16];

	put_clock(&cli->out, event->at_us);
	snprintf(word, sizeof(word), "  %-9s", allowed ? "allowed" : words[kind]);
	cli_put_coloured(cli, no ? "31" : "32", word);
	buf_put_str(&cli->out, "  ");
	if (option_given(cli, "all-tenants"))
		buf_putf(&cli->out, "%s/", event->tenant);
	buf_put_str(&cli->out, event->user);
	if (event->interface[0])
		buf_putf(&cli->out, " (%s)", event->interface);
	if (kind == BURSAR__V1__WATCH_KIND__WATCH_KIND_CHECK && !allowed)
		put_denial(&cli->out, event);
	else if (allowed || kind == BURSAR__V1__WATCH_KIND__WATCH_KIND_RECORD)
		put_use(&cli->out, event);
	else if (event->pool[0])
		put_slot(&cli->out, event);
	buf_put_str(&cli->out, "\n");
}

static bool on_answer(struct live *live, const Bursar__V1__WatchResponse *answer)
{
	struct watching *watching = container_of(live, struct watching, live);
	struct cli *cli = live->cli;

	for (size_t i = 0; i < answer->n_events && watching->left > 0; i++, watching->left--) {
		if (cli->json)
			json_put_line(&cli->out, &answer->events[i]->base);
		else
			put_event(cli, answer->events[i]);
	}
	cli_flush(cli);
	if (answer->gap)
		fprintf(stderr, "bursar: something was lost on the way\n");
	if (answer->left_out > 0)
		fprintf(stderr, "bursar: and about %" PRId64 " more\n", answer->left_out);
	return watching->left > 0;
}

static int run_watch(struct cli *cli)
{
	struct watching watching = {
		.live = {.cli = cli, .answer = on_answer}, .left = option_number(cli, "count", INT64_MAX)};
	Bursar__V1__WatchRequest request;

	live_request(cli, &request);
	request.interval_us = INTERVAL_US;
	request.max_events_given_case = BURSAR__V1__WATCH_REQUEST__MAX_EVENTS_GIVEN_MAX_EVENTS;
	request.max_events = EVENTS;
	return live_run(&watching.live, &request);
}

static const struct command commands[] = {
	{
		.name = "watch",
		.args = "",
		.summary = "show what is decided, as it is decided",
		.about = "A line for each check, record, cancel, and slot that is granted or refused, of every bursard "
			 "on the same "
			 "Redis. When there are more than can be shown, a sample is, and standard error says how many "
			 "are left "
			 "out; of one user (--user) all are shown. The first come about a second after the start. "
			 "Ctrl-C ends.",
		.options = {OPTIONS_WATCH, {'n', "count", OPTION_SOME, "N", "end after so many lines", NULL}},
		.examples = {"watch", "watch --user alice", "watch --denied --reason budget", "watch --json -n 100",
			NULL},
		.run = run_watch,
	},
	{
		.name = "top",
		.args = "",
		.summary = "show the load: decisions, denials, users, models, a pool",
		.about = "Figures of the last second, anew every second; users, models and interfaces by what they "
			 "asked in the last "
			 "ten or so, estimated from a sample. On a terminal it has the screen until q or Ctrl-C.",
		.options = {OPTIONS_WATCH,
			{'\0', "pool", OPTION_TEXT, "POOL", "the pool shown (default: agent-execution)", NULL},
			{'n', "count", OPTION_SOME, "N", "show them so many times, as text", NULL},
			{'\0', "once", OPTION_FLAG, NULL, "the same as -n 1", NULL}},
		.examples = {"top", "top --once", "top --json -n 10", NULL},
		.run = top_run,
	},
};

const struct command_group watch_commands = {"Live views", commands, sizeof(commands) / sizeof(*commands)};
