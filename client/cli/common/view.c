/* Shows messages to people (view.h). */
#include "cli/common/view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "cli/text/format.h"
#include "cli/text/limit_spec.h"
#include "cli/text/plain.h"

/* shared_by counts up to this number. */
enum { USUAL_WARN_PERCENT = 80, SHARED_COUNTED = 10000, MICRO = 1000 };

#define COUNT_LIMIT ((INT64_C(1) << 53) - 1)

static void put_field(struct cli *cli, const char *label, const char *text)
{
	buf_putf(&cli->out, "  %-12s ", label);
	put_plain(&cli->out, text);
	buf_put_str(&cli->out, "\n");
}

void view_field_buf(struct cli *cli, const char *label, struct buf *text)
{
	put_field(cli, label, buf_str(text));
	buf_reset(text);
}

void view_field(struct cli *cli, const char *label, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	put_field(cli, label, text);
}

const char *kind_name(Bursar__V1__AccountKind kind)
{
	static const char *const names[] = {"user", "user", "team", "org", "model", "tenant"};

	return (size_t)kind < sizeof(names) / sizeof(*names) ? names[kind] : "?";
}

/* The state that a reader should notice first, and its colour. */
static const char *limit_state(const Bursar__V1__LimitStatus *status, const char **colour)
{
	*colour = NULL;
	if (status->failed && status->only_held) {
		*colour = "yellow";
		return "held";
	}
	if (status->failed) {
		*colour = "red";
		return status->permanent ? "never" : "denied";
	}
	if (status->would_fail)
		return "would deny";
	if (status->notify || status->warning) {
		*colour = "yellow";
		return status->notify ? "warning (new)" : "warning";
	}
	return status->limit && status->limit->shadow ? "shadow" : "ok";
}

static void limit_line(struct table *table, const Bursar__V1__LimitStatus *status, int64_t now_us, struct buf *text)
{
	static const Bursar__V1__Limit none = BURSAR__V1__LIMIT__INIT;
	const Bursar__V1__Limit *limit = status->limit ? status->limit : &none;
	const char *colour, *state = limit_state(status, &colour);
	/* Nano-dollars flow back into a bucket all the time, so the amount used is rounded up to micro-dollars. */
	bool bucket_of_money = limit->kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_BUCKET &&
			       limit->dimension == BURSAR__V1__DIMENSION__DIMENSION_COST;

	table_line(table);
	table_cell(table, "%s", limit->name[0] ? limit->name : "?");
	table_cell(
		table, "%s%s%s", kind_name(status->account_kind), status->account_id[0] ? " " : "", status->account_id);
	put_amount(text, limit->dimension, bucket_of_money ? (status->used + MICRO - 1) / MICRO * MICRO : status->used);
	table_cell_buf(table, text);
	/* A limit at the maximum amount only counts; it does not limit anything. */
	if (status->effective_amount < COUNT_LIMIT)
		put_amount(text, limit->dimension, status->effective_amount);
	table_cell_buf(table, text);
	if (status->effective_amount < COUNT_LIMIT)
		put_amount(text, limit->dimension,
			bucket_of_money ? status->remaining / MICRO * MICRO : status->remaining);
	table_cell_buf(table, text);
	table_cell(table, "%d%%", status->used_percent);
	if (status->resets_at_us > now_us)
		put_duration(text, status->resets_at_us - now_us);
	table_cell_buf(table, text);
	table_cell(table, "%s", state);
	if (colour)
		table_colour(table, colour);
	if (status->retry_after_us > 0)
		put_duration(text, status->retry_after_us);
	table_cell_buf(table, text);
}

void view_rows(struct cli *cli, const char *const *columns, const void *messages, size_t count,
	void (*cells)(struct table *table, const void *message), const char *none)
{
	const void *const *message = messages;
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < count; i++) {
		table_line(table);
		cells(table, message[i]);
	}
	table_put(&cli->out, table, none);
	table_free(table);
}

void view_more_rows(struct cli *cli, const char *const *columns, const void *messages, size_t count,
	void (*cells)(struct table *table, const void *message))
{
	if (!count)
		return;
	buf_put_str(&cli->out, "\n");
	view_rows(cli, columns, messages, count, cells, "");
}

void view_more(struct cli *cli, size_t count)
{
	buf_putf(&cli->out, "(the first %zu; use --limit N for more)\n", count);
}

void view_limits(struct cli *cli, Bursar__V1__LimitStatus *const *limits, size_t count, int64_t now_us)
{
	static const char *const columns[] = {
		"~LIMIT", "~ACCOUNT", ">USED", ">OF", ">LEFT", ">%", "RESETS IN", "STATE", "RETRY IN", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < count; i++)
		limit_line(table, limits[i], now_us, &text);
	table_put(&cli->out, table, "  no limits");
	table_free(table);
	buf_release(&text);
}

void view_limit(struct buf *out, const Bursar__V1__Limit *limit)
{
	Bursar__V1__Limit shown = *limit;

	if (shown.warn_percent == USUAL_WARN_PERCENT)
		shown.warn_percent = 0;
	shown.until_us = 0;
	limit_spec_put(out, &shown, false);
}

static void policy_cells(struct table *table, const void *message)
{
	const Bursar__V1__Limit *limit = message;
	struct buf text = {0};

	table_cell(table, "%s", limit->name);
	view_limit(&text, limit);
	if (limit->until_us) {
		buf_put_str(&text, " until ");
		put_time_from(&text, limit->until_us, clock_wall_us());
	}
	table_cell_buf(table, &text);
	buf_release(&text);
}

void view_policy(struct cli *cli, Bursar__V1__Limit *const *limits, size_t count, const char *none)
{
	static const char *const columns[] = {"NAME", "~LIMIT", NULL};

	view_rows(cli, columns, limits, count, policy_cells, none);
}

/* "2 per 1M", "10 per 1000 calls", "0.04 per image" */
static void put_price(struct buf *out, const Bursar__V1__CostLine *line)
{
	int64_t per = line->price_per > 0 ? line->price_per : 1000000, nano;
	size_t len = strlen(line->unit);

	if (__builtin_mul_overflow(line->price_pico_usd_per_token, per, &nano))
		nano = INT64_MAX;
	put_money(out, nano / 1000);
	if (per == 1000000)
		buf_put_str(out, " per 1M");
	else if (per == 1)
		buf_putf(out, " per %.*s", (int)(len ? len - 1 : 0), line->unit);
	else
		buf_putf(out, " per %" PRId64 " %s", per, line->unit);
}

/* Why the cost is flagged for re-rating. */
/* What the price says, if that is not what was charged. */
static void view_list_cost(struct cli *cli, const Bursar__V1__CostBreakdown *cost)
{
	struct buf text = {0};

	if (!cost->provider_cost)
		return;
	buf_put_str(&text, "charged what the provider says; the price says ");
	put_money(&text, cost->list_cost_nano_usd);
	view_field_buf(cli, "note", &text);
	buf_release(&text);
}

static void view_unpriced(struct cli *cli, const Bursar__V1__CostBreakdown *cost)
{
	if (cost->served_model[0] && cost->model[0])
		view_field(cli, "note", "no price is known for %s: charged as %s, flagged for re-rating",
			cost->served_model, cost->model);
	else if (cost->served_model[0])
		view_field(cli, "note", "no price is known for %s: flagged for re-rating", cost->served_model);
	if (cost->standard_rate)
		view_field(cli, "note", "the price does not have this mode: the standard rate, flagged for re-rating");
	if (cost->capped)
		view_field(cli, "note", "more than a counter can hold: flagged for re-rating");
	if (cost->unpriced && !cost->served_model[0] && !cost->standard_rate && !cost->capped)
		view_field(cli, "note", "no price is known: flagged for re-rating");
	view_list_cost(cli, cost);
}

static void cost_cells(struct table *table, const void *message)
{
	const Bursar__V1__CostLine *line = message;
	struct buf text = {0};

	table_cell(table, "%s", line->token_class);
	table_count(table, line->tokens);
	put_price(&text, line);
	table_cell_buf(table, &text);
	/* Rounded up to nano-USD for display; the sum above is rounded once. */
	table_money(table, line->cost_pico_usd / 1000 + (line->cost_pico_usd % 1000 != 0));
	buf_release(&text);
}

void view_cost(struct cli *cli, const Bursar__V1__CostBreakdown *cost)
{
	static const char *const columns[] = {"METER", ">COUNT", ">PRICE", ">COST", NULL};
	struct buf text = {0};

	put_money(&text, cost->cost_nano_usd);
	if (cost->model[0])
		buf_putf(&text, "  %s%s%s", cost->provider, cost->provider[0] ? " " : "", cost->model);
	view_field_buf(cli, "cost", &text);
	if (cost->above_context)
		view_field(cli, "note", "long-context rates apply");
	view_unpriced(cli, cost);
	if (cost->parent_rate)
		view_field(cli, "note", "a meter without its own price costs the rate of input or output");
	if (cost->n_lines > 0)
		view_rows(cli, columns, cost->lines, cost->n_lines, cost_cells, "");
	buf_release(&text);
}

void view_returned(struct cli *cli, const Bursar__V1__CancelResponse *answer)
{
	struct buf text = {0};

	put_count(&text, answer->released_tokens);
	buf_put_str(&text, " tokens, ");
	put_money(&text, answer->released_cost_nano_usd);
	view_field_buf(cli, "returned", &text);
	buf_release(&text);
}

const char *account_state_name(const Bursar__V1__Account *account)
{
	return account->deleted				   ? "deleted"
	       : account->suspended			   ? "suspended"
	       : account->bypass			   ? "bypassed"
	       : account->grace_until_us > clock_wall_us() ? "grace"
							   : "active";
}

/* Appends the zone's name, and until when windows of the previous zone still run. */
static void put_zone(
	struct buf *out, const char *zone, Bursar__V1__KeptWindow *const *kept, size_t count, int64_t now_us)
{
	const char *separator = "; still in the previous zone: ";

	buf_put_str(out, zone[0] ? zone : "UTC");
	for (size_t i = 0; i < count; i++) {
		if (kept[i]->ends_at_us <= now_us)
			continue;
		buf_put_str(out, separator);
		put_enum(out, &bursar__v1__calendar_window__descriptor, (int)kept[i]->window, "CALENDAR_WINDOW_");
		buf_put_str(out, " ");
		put_time_from(out, kept[i]->ends_at_us, now_us);
		separator = ", ";
	}
}

void view_account(struct cli *cli, const Bursar__V1__Account *account, const char *note)
{
	const Bursar__V1__AccountRef *ref = account->ref;
	struct buf text = {0};

	buf_putf(&cli->out, "%s %s\n", kind_name(ref ? ref->kind : 0), ref ? ref->id : "?");
	view_field(cli, "tenant", "%s", ref && ref->tenant[0] ? ref->tenant : "default");
	view_field(cli, "tier", "%s%s", account->tier[0] ? account->tier : "the tenant's default",
		account->known ? "" : " (never put)");
	if (account->deleted)
		view_field(cli, "state", "deleted");
	else if (account->suspended)
		view_field(cli, "state", "suspended%s%s", account->suspended_reason[0] ? ": " : "",
			account->suspended_reason);
	else
		view_field(cli, "state", "%s", account->bypass ? "bypassed: counted, never denied" : "active");
	if (account->team[0] || account->org[0])
		view_field(cli, "parents", "team %s, org %s", or_dash(account->team), or_dash(account->org));
	if (account->grace_until_us > clock_wall_us()) {
		buf_putf(&text, "%d%% more until ", account->grace_percent ? account->grace_percent : 100);
		put_time_from(&text, account->grace_until_us, clock_wall_us());
		view_field_buf(cli, "grace", &text);
	}
	put_zone(&text, account->time_zone, account->kept_windows, account->n_kept_windows, clock_wall_us());
	view_field_buf(cli, "time zone", &text);
	if (account->updated_at_us) {
		put_time(&text, account->updated_at_us);
		buf_putf(&text, " (version %" PRId64 ")", account->version);
		view_field_buf(cli, "changed", &text);
	}
	if (account->pending)
		view_field(cli, "note", "committed, on its way to the store");
	if (note)
		view_field(cli, "note", "%s", note);
	if (account->n_overrides > 0)
		view_policy(cli, account->overrides, account->n_overrides, "");
	buf_release(&text);
}

static void put_shared(struct buf *out, int64_t users)
{
	buf_put_str(out, "  shared by ");
	put_count(out, users);
	buf_putf(out, "%s user%s", users >= SHARED_COUNTED ? " or more" : "", users == 1 ? "" : "s");
}

void view_accounts(struct cli *cli, Bursar__V1__AccountStatus *const *accounts, size_t count, int64_t now_us)
{
	struct buf text = {0};

	for (size_t i = 0; i < count; i++) {
		const Bursar__V1__AccountStatus *account = accounts[i];

		buf_putf(&cli->out, "%s%s %s", i > 0 ? "\n" : "", kind_name(account->kind), account->id);
		if (account->tier[0])
			buf_putf(&cli->out, "  tier %s%s", account->tier,
				account->has_overrides ? " with overrides" : "");
		if (account->shared_by > 0)
			put_shared(&cli->out, account->shared_by);
		if (account->suspended)
			cli_put_coloured(cli, "31", "  suspended");
		if (account->deleted)
			cli_put_coloured(cli, "31", "  deleted");
		if (account->bypass)
			buf_put_str(&cli->out, "  bypassed");
		buf_put_str(&cli->out, "  ");
		put_zone(&cli->out, account->time_zone, account->kept_windows, account->n_kept_windows, now_us);
		if (account->open_reservations > 0)
			buf_putf(&cli->out, "  %" PRId64 " open", account->open_reservations);
		if (account->grace_until_us > now_us) {
			buf_putf(&text, "  grace of %d%% for ", account->grace_percent ? account->grace_percent : 100);
			put_duration(&text, account->grace_until_us - now_us);
			buf_put_str(&cli->out, buf_str(&text));
			buf_reset(&text);
		}
		buf_put_str(&cli->out, "\n");
		view_limits(cli, account->limits, account->n_limits, now_us);
	}
	buf_release(&text);
}
