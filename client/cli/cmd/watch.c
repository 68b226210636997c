/* watch, top (commands.h): live views of decisions. */
#include "cli/cmd/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "base/list.h"
#include "cli/encoding/json.h"
#include "cli/live/live.h"
#include "cli/live/top.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"
#include "cli/text/screen.h"

/* PATIENCE: how many answers, four a second, may come without a worker before the user is told. */
enum { INTERVAL_US = 250000, EVENTS = 500, PATIENCE = 12 };

/* Columns of a line: as wide as the widest content so far, within bounds, so that most lines align. */
enum column { COLUMN_USER, COLUMN_INTERFACE, COLUMN_MODEL, COLUMN_INPUT, COLUMN_OUTPUT, COLUMNS };
static const struct {
	size_t least, most;
	bool right;
} columns[COLUMNS] = {
	[COLUMN_USER] = {12, 32, false},
	[COLUMN_INTERFACE] = {9, 16, false},
	[COLUMN_MODEL] = {12, 28, false},
	[COLUMN_INPUT] = {7, 12, true},
	[COLUMN_OUTPUT] = {6, 12, true},
};

struct watching {
	struct live live;
	int64_t left;
	int workers, silent; /* in the previous answer; consecutive answers without any */
	int told; /* the number of workers last reported; -1: none yet */
	size_t width[COLUMNS];
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

/* Appends `text`, padded to the width of the column, and empties it. */
static void put_column(struct watching *watching, enum column column, struct buf *text)
{
	struct buf *out = &watching->live.cli->out;
	size_t *width = &watching->width[column], own = screen_width(buf_str(text));

	if (own > *width)
		*width = own < columns[column].most ? own : columns[column].most;
	if (*width < columns[column].least)
		*width = columns[column].least;
	buf_put_str(out, "  ");
	if (!columns[column].right)
		buf_put(out, text->data, text->len);
	for (; own < *width; own++)
		buf_put_str(out, " ");
	if (columns[column].right)
		buf_put(out, text->data, text->len);
	buf_reset(text);
}

static void put_use(struct watching *watching, const Bursar__V1__WatchEvent *event)
{
	struct buf text = {0};

	put_count(&text, event->input_tokens);
	put_column(watching, COLUMN_INPUT, &text);
	buf_put_str(&watching->live.cli->out, " +");
	put_count(&text, event->output_tokens);
	put_column(watching, COLUMN_OUTPUT, &text);
	buf_put_str(&watching->live.cli->out, " tokens  ");
	put_money(&watching->live.cli->out, event->cost_nano);
	buf_release(&text);
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

/* The columns that every line has: user, interface and model. */
static void put_who(struct watching *watching, const Bursar__V1__WatchEvent *event)
{
	struct buf text = {0};

	if (option_given(watching->live.cli, "all-tenants")) {
		put_plain(&text, event->tenant);
		buf_put_str(&text, "/");
	}
	put_plain(&text, event->user);
	put_column(watching, COLUMN_USER, &text);
	put_plain(&text, or_dash(event->interface));
	put_column(watching, COLUMN_INTERFACE, &text);
	put_plain(&text, or_dash(event->model));
	put_column(watching, COLUMN_MODEL, &text);
	buf_release(&text);
}

static void put_event(struct watching *watching, const Bursar__V1__WatchEvent *event)
{
	static const char *const words[] = {"?", "denied", "recorded", "cancelled", "granted", "refused"};
	struct cli *cli = watching->live.cli;
	bool allowed = event->kind == BURSAR__V1__WATCH_KIND__WATCH_KIND_CHECK && event->allowed;
	unsigned kind = (unsigned)event->kind < 6 ? (unsigned)event->kind : 0;
	bool no = !allowed && (kind == 1 || kind == 5);
	char word[16];

	put_clock(&cli->out, event->at_us);
	snprintf(word, sizeof(word), "  %-9s", allowed ? "allowed" : words[kind]);
	cli_put_coloured(cli, no ? "31" : "32", word);
	put_who(watching, event);
	if (kind == BURSAR__V1__WATCH_KIND__WATCH_KIND_CHECK && !allowed)
		put_denial(&cli->out, event);
	else if (allowed || kind == BURSAR__V1__WATCH_KIND__WATCH_KIND_RECORD)
		put_use(watching, event);
	else if (event->pool[0])
		put_slot(&cli->out, event);
	while (cli->out.len > 0 && cli->out.data[cli->out.len - 1] == ' ')
		cli->out.len--;
	buf_put_str(&cli->out, "\n");
}

/*
 * Reports how many workers are sending their decisions. Workers take up to a second to learn that somebody is watching,
 * and they come and go. Goes to standard error, because it is not an event.
 */
static void tell_listening(struct watching *watching, const Bursar__V1__WatchResponse *answer)
{
	bool steady = answer->workers == watching->workers;

	watching->workers = answer->workers;
	if (!steady || answer->workers == watching->told || (!answer->workers && ++watching->silent < PATIENCE))
		return;
	watching->silent = 0;
	watching->told = answer->workers;
	if (answer->workers > 0)
		fprintf(stderr, "bursar: listening to %d worker%s; Ctrl-C ends\n", answer->workers,
			answer->workers == 1 ? "" : "s");
	else
		fprintf(stderr, "bursar: no worker is sending its decisions; 'bursar doctor' may show why\n");
}

static bool on_answer(struct live *live, const void *message)
{
	const Bursar__V1__WatchResponse *answer = message;
	struct watching *watching = container_of(live, struct watching, live);
	struct cli *cli = live->cli;

	if (!cli->json)
		tell_listening(watching, answer);
	for (size_t i = 0; i < answer->n_events && watching->left > 0; i++, watching->left--) {
		if (cli->json) {
			json_put_line(&cli->out, &answer->events[i]->base);
			buf_put_str(&cli->out, "\n");
		} else {
			put_event(watching, answer->events[i]);
		}
	}
	cli_flush(cli);
	if (answer->gap)
		fprintf(stderr, "bursar: some events were lost\n");
	if (answer->left_out > 0)
		fprintf(stderr, "bursar: and about %" PRId64 " more\n", answer->left_out);
	return watching->left > 0;
}

static int run_watch(struct cli *cli)
{
	struct watching watching = {
		.live = {.cli = cli, .answer = on_answer}, .left = option_number(cli, "count", INT64_MAX), .told = -1};
	Bursar__V1__WatchRequest request;

	live_request(cli, &request);
	request.interval_us = INTERVAL_US;
	request.max_events_given_case = BURSAR__V1__WATCH_REQUEST__MAX_EVENTS_GIVEN_MAX_EVENTS;
	request.max_events = EVENTS;
	return live_run(&watching.live, &request);
}

static const struct command commands[] = {
	{
		COMMAND("watch", "", "show decisions as they are made", run_watch),
		.about = "Prints one line for each check, record, cancel, and slot granted or refused, by every "
			 "bursard on the same Redis: time, decision, user, interface, model, and what was held or "
			 "charged, or the reason. Standard error says when it is listening, about a second after the "
			 "start. When there are too many events, it shows a sample, and standard error says how many "
			 "are left out; with --user, it shows all. Ctrl-C ends it.",
		.options = {OPTIONS_WATCH, {'n', "count", OPTION_SOME, "N", "stop after N lines", NULL}},
		.examples = {"watch", "watch --user alice", "watch --denied --reason budget", "watch --json -n 100",
			NULL},
	},
	{
		COMMAND("top", "", "show the load: decisions, denials, users, models, a pool", top_run),
		.about = "Shows figures of the last second, updated every second. Users, models and interfaces are "
			 "ordered by their requests in the last ten seconds or so, estimated from a sample. On a "
			 "terminal it uses the whole screen until q or Ctrl-C.",
		.options = {OPTIONS_WATCH,
			{'\0', "pool", OPTION_TEXT, "POOL", "the pool to show (default: agent-execution)", NULL},
			{'n', "count", OPTION_SOME, "N", "stop after N updates, shown as text", NULL},
			{'\0', "once", OPTION_FLAG, NULL, "the same as -n 1", NULL}},
		.examples = {"top", "top --once", "top --json -n 10", NULL},
	},
};

const struct command_group watch_commands = {"Live views", commands, sizeof(commands) / sizeof(*commands)};
