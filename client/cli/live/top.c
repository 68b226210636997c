/* Shows answers of a Watch once a second: on a screen, as text or as JSON lines (top.h). */
#include "cli/live/top.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/list.h"
#include "cli/common/view.h"
#include "cli/encoding/json.h"
#include "cli/live/live.h"
#include "cli/live/pool_watch.h"
#include "cli/live/terminal.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"
#include "cli/text/table.h"

enum { ROWS = 8, EVENTS = 500, WARM_UP = 5, MILLI = 1000, TICKS_A_SECOND = 10 };
/* Lines of a screen above the tables, and lines of a table besides its rows: an empty one and the heading. */
enum { LINES_ABOVE = 6, LINES_A_TABLE = 2, TABLES = 3, ROWS_MIN = 2 };

struct top {
	struct live live;
	bool screen, fresh; /* fresh: an answer has not been shown yet */
	bool counted; /* there are figures to show */
	int ticks;
	int64_t left; /* updates left to show */
	int answers, workers;
	int64_t weight_milli; /* seconds in the decayed counts, in thousandths */
	Bursar__V1__WatchResponse last; /* only its figures; lists are not used */
	Bursar__V1__WatchTotals totals;
	int64_t reason[10];
	struct hot users, models, interfaces;
	Bursar__V1__PoolStats *pool;
	int code;
};

void hot_add(struct hot *hot, const char *name, int64_t milli, bool denied)
{
	struct hot_name *rarest = NULL, *own = NULL;

	for (int i = 0; i < hot->count && !own; i++) {
		if (strcmp(hot->place[i].name, name) == 0)
			own = &hot->place[i];
		else if (!rarest || hot->place[i].milli < rarest->milli)
			rarest = &hot->place[i];
	}
	if (!own) {
		own = hot->count < HOT_PLACES ? &hot->place[hot->count++] : rarest;
		snprintf(own->name, sizeof(own->name), "%s", name);
		own->denied_milli = 0;
	}
	own->milli += milli;
	own->denied_milli += denied ? milli : 0;
}

void hot_fade(struct hot *hot)
{
	int kept = 0;

	for (int i = 0; i < hot->count; i++) {
		struct hot_name *own = &hot->place[i];

		own->milli = own->milli * 9 / 10;
		own->denied_milli = own->denied_milli * 9 / 10;
		if (own->milli > 0)
			hot->place[kept++] = *own;
	}
	memset(&hot->place[kept], 0, sizeof(hot->place[0]) * (size_t)(hot->count - kept));
	hot->count = kept;
}

static int compare_hot(const void *a, const void *b)
{
	const struct hot_name *x = a, *y = b;

	if (x->milli != y->milli)
		return x->milli < y->milli ? 1 : -1;
	return strcmp(x->name, y->name);
}

void hot_sort(struct hot *hot)
{
	qsort(hot->place, (size_t)hot->count, sizeof(hot->place[0]), compare_hot);
}

/* Output. */

static double seconds(const struct top *top)
{
	int64_t us = top->last.to_us - top->last.from_us;

	return us > 0 ? (double)us / 1e6 : 1;
}

static void put_rate(struct buf *out, const struct top *top, int64_t count, const char *what)
{
	buf_putf(out, "%.1f %s", (double)count / seconds(top), what);
}

static void show_sums(struct cli *cli, const struct top *top)
{
	const Bursar__V1__WatchTotals *totals = &top->totals;
	struct buf text = {0};

	put_rate(&text, top, totals->allowed + totals->denied, "per second: ");
	put_rate(&text, top, totals->allowed, "allowed, ");
	put_rate(&text, top, totals->denied, "denied");
	view_field_buf(cli, "checks", &text);
	for (int i = 1; i < 10; i++) {
		if (!top->reason[i])
			continue;
		if (text.len)
			buf_put_str(&text, ", ");
		put_enum(&text, &bursar__v1__reason__descriptor, i, "REASON_");
		buf_putf(&text, " %.1f", (double)top->reason[i] / seconds(top));
	}
	if (!text.len)
		buf_put_str(&text, "none");
	view_field_buf(cli, "denials", &text);
	put_rate(&text, top, totals->records, "per second: ");
	put_rate(&text, top, totals->input_tokens + totals->output_tokens, "tokens, ");
	put_money(&text, (int64_t)((double)totals->cost_nano / seconds(top)));
	view_field_buf(cli, "records", &text);
	put_rate(&text, top, totals->grants, "granted per second, ");
	put_rate(&text, top, totals->refusals, "refused");
	view_field_buf(cli, "slots", &text);
	buf_release(&text);
}

static void show_hot(struct cli *cli, const struct top *top, struct hot *hot, const char *title, int rows)
{
	const char *const columns[] = {title, ">PER SECOND", ">DENIED", NULL};
	struct table *table = table_new(columns, cli->colour);
	double weight = (double)top->weight_milli;

	hot_sort(hot);
	for (int i = 0; i < hot->count && i < rows; i++) {
		table_line(table);
		table_cell(table, "%s", hot->place[i].name);
		table_cell(table, "%.1f", (double)hot->place[i].milli / weight);
		table_cell(table, "%.1f", (double)hot->place[i].denied_milli / weight);
		if (hot->place[i].denied_milli * 2 > hot->place[i].milli)
			table_colour(table, "red");
	}
	if (hot->count) {
		buf_put_str(&cli->out, "\n");
		table_put(&cli->out, table, "");
	}
	table_free(table);
}

/*
 * Divides the remaining lines of the screen among the tables. Users get the largest share, and what the others do not
 * need.
 */
static void show_tables(struct cli *cli, struct top *top)
{
	int free = top->screen ? terminal_rows() - LINES_ABOVE - TABLES * LINES_A_TABLE : 2 * ROWS;
	int small = free / 4 > ROWS_MIN ? free / 4 : ROWS_MIN;
	int models = top->models.count < small ? top->models.count : small;
	int interfaces = top->interfaces.count < small ? top->interfaces.count : small;
	int users = top->screen ? free - models - interfaces : ROWS;

	show_hot(cli, top, &top->users, "~USER", users > ROWS_MIN ? users : ROWS_MIN);
	show_hot(cli, top, &top->models, "~MODEL", models);
	show_hot(cli, top, &top->interfaces, "~INTERFACE", interfaces);
}

static void show(struct top *top)
{
	struct cli *cli = top->live.cli;
	struct buf line = {0};

	buf_putf(&cli->out, "bursar top: %s", cli->address);
	if (top->counted)
		buf_putf(&cli->out, ", %d worker%s%s", top->last.workers, top->last.workers == 1 ? "" : "s",
			top->last.gap ? ", some events were lost" : "");
	buf_putf(&cli->out, "%s\n", top->screen ? "  (q ends)" : "");
	if (top->counted)
		show_sums(cli, top);
	else
		view_field(cli, "checks", "%s",
			top->answers || top->pool ? "listening; the first figures appear in a moment" : "connecting");
	if (top->pool) {
		pool_put_line(&line, top->pool, (double)top->totals.grants / seconds(top), NULL);
		view_field_buf(cli, "pool", &line);
	}
	show_tables(cli, top);
	if (top->screen)
		terminal_put_screen(&cli->out);
	else if (top->left > 1)
		buf_put_str(&cli->out, "\n");
	cli_flush(cli);
	buf_release(&line);
}

static void take_events(struct top *top, const Bursar__V1__WatchResponse *answer)
{
	hot_fade(&top->users);
	hot_fade(&top->models);
	hot_fade(&top->interfaces);
	top->weight_milli = top->weight_milli * 9 / 10 + (int64_t)(seconds(top) * (double)MILLI);
	for (size_t i = 0; i < answer->n_events; i++) {
		const Bursar__V1__WatchEvent *event = answer->events[i];

		if (event->kind != BURSAR__V1__WATCH_KIND__WATCH_KIND_CHECK)
			continue;
		hot_add(&top->users, event->user, event->stands_for_milli, !event->allowed);
		hot_add(&top->models, event->model[0] ? event->model : NO_MODEL, event->stands_for_milli,
			!event->allowed);
		hot_add(&top->interfaces, event->interface, event->stands_for_milli, !event->allowed);
	}
}

/* The first answers are empty: workers must first learn that somebody is watching. */
static bool on_answer(struct live *live, const void *message)
{
	const Bursar__V1__WatchResponse *answer = message;
	struct top *top = container_of(live, struct top, live);
	/* On a screen, workers may join one by one; printed output should cover all of them. */
	bool warm =
		(answer->workers > 0 && (top->screen || top->workers == answer->workers)) || top->answers >= WARM_UP;

	top->answers++;
	top->workers = answer->workers;
	if (!warm)
		return true;
	if (live->cli->json) {
		json_put_line(&live->cli->out, &answer->base);
		buf_put_str(&live->cli->out, "\n");
		cli_flush(live->cli);
		return --top->left > 0;
	}
	top->last.from_us = answer->from_us;
	top->last.to_us = answer->to_us;
	top->last.workers = answer->workers;
	top->last.gap = answer->gap;
	top->totals = *answer->totals;
	memset(top->reason, 0, sizeof(top->reason));
	for (size_t i = 0; i < answer->totals->n_denied_by; i++)
		if ((unsigned)answer->totals->denied_by[i]->reason < 10)
			top->reason[answer->totals->denied_by[i]->reason] = answer->totals->denied_by[i]->count;
	take_events(top, answer);
	top->counted = top->fresh = true;
	return true;
}

/* False with top->code when the pool's figures cannot be read. */
static bool look_at_pool(struct top *top)
{
	struct cli *cli = top->live.cli;
	Bursar__V1__GetPoolStatsRequest request = BURSAR__V1__GET_POOL_STATS_REQUEST__INIT;
	Bursar__V1__PoolRef ref = BURSAR__V1__POOL_REF__INIT;
	struct bursar_error error;

	ref.tenant = (char *)option_text(cli, "tenant");
	ref.name = (char *)option_text(cli, "pool");
	request.ref = &ref;
	bursar_free(top->pool);
	top->pool = bursar_call(cli_bursar(cli), BURSAR_GET_POOL_STATS, &request, &error);
	if (top->pool)
		return true;
	terminal_back();
	top->code = cli_failed(cli, &error);
	return false;
}

/* A screen shows the pool as soon as it is known, even before the first figures. */
static bool on_tick(struct live *live)
{
	struct top *top = container_of(live, struct top, live);
	bool meanwhile = top->screen && !top->counted && top->ticks++ % TICKS_A_SECOND == 0;

	if (top->screen && terminal_asked_to_quit(0))
		return false;
	if (!top->fresh && !meanwhile)
		return true;
	top->fresh = false;
	if (!option_given(live->cli, "all-tenants") && !look_at_pool(top))
		return false;
	show(top);
	return meanwhile || --top->left > 0;
}

int top_run(struct cli *cli)
{
	struct top *top = mem_zalloc(1, sizeof(*top));
	Bursar__V1__WatchRequest request;
	int code;

	*top = (struct top){.live = {.cli = cli, .answer = on_answer, .tick = on_tick},
		.left = option_number(cli, "count", option_given(cli, "once") ? 1 : INT64_MAX),
		.code = EXIT_DONE};
	top->screen = top->left == INT64_MAX && !cli->json && terminal_is_there();
	live_request(cli, &request);
	request.max_events_given_case = BURSAR__V1__WATCH_REQUEST__MAX_EVENTS_GIVEN_MAX_EVENTS;
	request.max_events = EVENTS;
	cli_bursar(cli); /* report an invalid address before taking the screen */
	if (top->screen) {
		terminal_take();
		show(top);
	}
	code = live_run(&top->live, &request);
	terminal_back();
	if (code == EXIT_DONE)
		code = top->code;
	bursar_free(top->pool);
	free(top);
	return code;
}
