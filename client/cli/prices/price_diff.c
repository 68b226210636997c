/* Shows people prices, and what changes in them (price_diff.h). */
#include "cli/prices/price_diff.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/common/view.h"
#include "cli/text/format.h"
#include "cli/text/parse.h"
#include "cli/text/table.h"

static const struct rate {
	const char *name;
	size_t price, context; /* offsets in a Price and in a ContextTier; 0: not a member */
} rates[] = {
	{"input", offsetof(Bursar__V1__Price, input), offsetof(Bursar__V1__ContextTier, input)},
	{"output", offsetof(Bursar__V1__Price, output), offsetof(Bursar__V1__ContextTier, output)},
	{"cached input", offsetof(Bursar__V1__Price, cached_input), offsetof(Bursar__V1__ContextTier, cached_input)},
	{"cache write", offsetof(Bursar__V1__Price, cache_write), offsetof(Bursar__V1__ContextTier, cache_write)},
	{"reasoning", offsetof(Bursar__V1__Price, reasoning), 0},
	{"audio input", offsetof(Bursar__V1__Price, audio_input), 0},
	{"audio output", offsetof(Bursar__V1__Price, audio_output), 0},
	{"other rates", offsetof(Bursar__V1__Price, rates), offsetof(Bursar__V1__ContextTier, rates)},
	{"rates of modes", offsetof(Bursar__V1__Price, mode_rates), 0},
	{"regions", offsetof(Bursar__V1__Price, regions), 0},
	{"hours", offsetof(Bursar__V1__Price, hours), 0},
	{"allowances", offsetof(Bursar__V1__Price, allowances), 0},
};
enum { RATES = sizeof(rates) / sizeof(rates[0]) };

static const char *text_at(const void *message, size_t offset)
{
	return message ? *(char *const *)(const void *)((const char *)message + offset) : "";
}

/* "+20.0%" */
static void put_percent(struct buf *out, const char *before, const char *after)
{
	int64_t was, is;
	struct err err;

	if (!parse_usd(before, strlen(before), &was, &err) || !parse_usd(after, strlen(after), &is, &err) || was == 0)
		return;
	__int128 permille = ((__int128)is - was) * 1000 / was;
	int64_t shown = (int64_t)(permille < 0 ? -permille : permille);
	buf_putf(out, "%c%" PRId64 ".%" PRId64 "%%", permille < 0 ? '-' : '+', shown / 10, shown % 10);
}

/* The table of changes, and what the next row begins with. */
struct diff {
	struct table *table;
	const Bursar__V1__PriceChange *change;
	bool named;
};

static void put_row(struct diff *diff, const char *what, const char *before, const char *after)
{
	const Bursar__V1__PriceChange *change = diff->change;
	bool added = change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED;
	struct buf percent = {0};

	if (strcmp(before, after) == 0)
		return;
	table_line(diff->table);
	table_cell(diff->table, "%s", diff->named ? "" : added ? "new" : "changed");
	table_colour(diff->table, added ? "green" : "yellow");
	table_cell(diff->table, "%s", diff->named ? "" : change->after->provider);
	table_cell(diff->table, "%s", diff->named ? "" : change->after->model);
	table_cell(diff->table, "%s%s%s", change->after->tenant, change->after->account[0] ? " " : "",
		change->after->account);
	table_cell(diff->table, "%s", what);
	table_cell(diff->table, "%s", or_dash(before));
	table_cell(diff->table, "%s", or_dash(after));
	put_percent(&percent, before, after);
	if (change->big_move && percent.len)
		buf_put_str(&percent, " !");
	table_cell_buf(diff->table, &percent);
	if (change->big_move)
		table_colour(diff->table, "red");
	diff->named = true;
	buf_release(&percent);
}

static void put_contexts(struct diff *diff, const Bursar__V1__Price *before, const Bursar__V1__Price *after)
{
	size_t was = before ? before->n_context_tiers : 0;
	char what[80];

	for (size_t i = 0; i < was || i < after->n_context_tiers; i++) {
		const Bursar__V1__ContextTier *old = i < was ? before->context_tiers[i] : NULL;
		const Bursar__V1__ContextTier *new = i < after->n_context_tiers ? after->context_tiers[i] : NULL;
		int64_t above = new ? new->above_tokens : old ? old->above_tokens : 0;
		bool moved = old && new && old->above_tokens != new->above_tokens;

		for (size_t r = 0; r < RATES; r++) {
			if (!rates[r].context)
				continue;
			snprintf(what, sizeof(what), "%s above %" PRId64, rates[r].name, above);
			put_row(diff, what, moved ? "" : text_at(old, rates[r].context),
				text_at(new, rates[r].context));
		}
	}
}

static void put_modes(struct buf *out, const Bursar__V1__Price *price)
{
	for (size_t i = 0; price && i < price->n_modes; i++)
		buf_putf(out, "%s%s=%d/%d", i > 0 ? " " : "", price->modes[i]->mode, price->modes[i]->numerator,
			price->modes[i]->denominator);
}

static void put_until(struct buf *out, const Bursar__V1__Price *price)
{
	if (price && price->effective_to_us)
		put_time(out, price->effective_to_us);
}

static void put_change(struct table *table, const Bursar__V1__PriceChange *change)
{
	struct diff diff = {.table = table, .change = change};
	struct buf was = {0}, is = {0};

	for (size_t r = 0; r < RATES; r++)
		put_row(&diff, rates[r].name, text_at(change->before, rates[r].price),
			text_at(change->after, rates[r].price));
	put_contexts(&diff, change->before, change->after);
	put_modes(&was, change->before);
	put_modes(&is, change->after);
	put_row(&diff, "modes", buf_str(&was), buf_str(&is));
	buf_reset(&was);
	buf_reset(&is);
	put_until(&was, change->before);
	put_until(&is, change->after);
	put_row(&diff, "until", buf_str(&was), buf_str(&is));
	if (!diff.named) /* if a rate changed, the row is already shown */
		put_row(&diff, "source", change->before ? change->before->source : "", change->after->source);
	buf_release(&was);
	buf_release(&is);
}

struct price_counts price_changes_count(const Bursar__V1__ImportPricesResponse *answer)
{
	struct price_counts counts = {.all = answer->n_changes, .same = (size_t)answer->same_count};

	for (size_t i = 0; i < answer->n_changes; i++) {
		const Bursar__V1__PriceChange *change = answer->changes[i];

		counts.same += change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME;
		counts.new += change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED;
		counts.changed += change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_CHANGED;
		counts.big += change->big_move ? 1 : 0;
	}
	return counts;
}

void price_changes_show(
	struct cli *cli, const Bursar__V1__ImportPricesResponse *answer, const struct price_counts *counts)
{
	static const char *const columns[] = {
		"CHANGE", "PROVIDER", "~MODEL", "~FOR", "WHAT", ">OLD", ">NEW", ">BY", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < answer->n_changes; i++)
		if (answer->changes[i]->kind != BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME)
			put_change(table, answer->changes[i]);
	table_put(&cli->out, table, "nothing to change");
	buf_putf(&cli->out, "%zu new, %zu changed, %zu unchanged; USD per 1M tokens\n", counts->new, counts->changed,
		counts->same);
	table_free(table);
}

int price_changes_refuse(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer)
{
	cli_flush(cli);
	fprintf(stderr, "bursar: nothing was changed: these prices would change by more than a factor of 10:\n");
	for (size_t i = 0; i < answer->n_changes; i++) {
		const Bursar__V1__PriceChange *change = answer->changes[i];

		if (!change->big_move)
			continue;
		fprintf(stderr, "  %s %s: ", change->after->provider, change->after->model);
		if (change->line)
			fprintf(stderr, "line %d, ", change->line);
		fprintf(stderr, "input %s -> %s, output %s -> %s\n", change->before->input, change->after->input,
			change->before->output, change->after->output);
	}
	fprintf(stderr, "  Repeat the command with --yes if that is intended.\n");
	return EXIT_REFUSED;
}

static void show_lists(struct cli *cli, const Bursar__V1__Price *price)
{
	const char *const lists[][2] = {{"rates", price->rates}, {"mode rates", price->mode_rates},
		{"regions", price->regions}, {"hours", price->hours}, {"allowances", price->allowances}};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (lists[i][1][0])
			view_field(cli, lists[i][0], "%s", lists[i][1]);
}

void price_show(struct cli *cli, const Bursar__V1__Price *price)
{
	struct buf text = {0};

	buf_putf(&cli->out, "%s %s  (USD per 1M tokens)\n", price->provider, price->model);
	if (price->tenant[0])
		view_field(cli, "of", "tenant %s%s%s", price->tenant, price->account[0] ? ", account " : "",
			price->account);
	view_field(cli, "input", "%s  (cached %s, cache write %s)", or_dash(price->input), or_dash(price->cached_input),
		or_dash(price->cache_write));
	view_field(cli, "output", "%s  (reasoning %s)", or_dash(price->output), or_dash(price->reasoning));
	if (price->audio_input[0] || price->audio_output[0])
		view_field(cli, "audio", "%s in, %s out", or_dash(price->audio_input), or_dash(price->audio_output));
	for (size_t i = 0; i < price->n_context_tiers; i++) {
		const Bursar__V1__ContextTier *tier = price->context_tiers[i];

		put_count(&text, tier->above_tokens);
		buf_putf(&text, " tokens of input: %s in, %s out, cached %s, cache write %s%s%s", or_dash(tier->input),
			or_dash(tier->output), or_dash(tier->cached_input), or_dash(tier->cache_write),
			tier->rates[0] ? ", " : "", tier->rates);
		view_field_buf(cli, "above", &text);
	}
	for (size_t i = 0; i < price->n_modes; i++)
		view_field(cli, "mode", "%s costs %d/%d", price->modes[i]->mode, price->modes[i]->numerator,
			price->modes[i]->denominator);
	show_lists(cli, price);
	if (price->effective_from_us) {
		put_time(&text, price->effective_from_us);
		view_field_buf(cli, "from", &text);
	}
	if (price->effective_to_us) {
		put_time(&text, price->effective_to_us);
		view_field_buf(cli, "until", &text);
	}
	if (price->source[0])
		view_field(cli, "source", "%s", price->source);
	buf_release(&text);
}
