/* Writes the lines of a bill in three formats (put.h). */
#include "cli/report/put.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/meters.h"
#include "cli/common/view.h"
#include "cli/encoding/json.h"
#include "cli/text/format.h"
#include "cli/text/table.h"

static const Bursar__V1__TokenUsage no_usage = BURSAR__V1__TOKEN_USAGE__INIT;

/* The keys of a line, in sort order; `nameless` is what a table has for an empty one. */
static const struct key_column {
	unsigned by;
	const char *title, *csv, *nameless;
} key_columns[] = {
	{BY_USER, "~USER", "user", ""},
	{BY_DAY, "DAY", "day", ""},
	{BY_TIER, "~TIER", "tier", NO_TIER},
	{BY_MODEL, "PROVIDER", "provider", ""},
	{BY_MODEL, "~MODEL", "model", NO_MODEL},
	{BY_INTERFACE, "~INTERFACE", "interface", ""},
};
enum { KEY_MODEL = 4, KEY_COLUMNS = sizeof(key_columns) / sizeof(*key_columns) };

static void keys_of(const Bursar__V1__BillLine *line, const char *keys[KEY_COLUMNS])
{
	keys[0] = line->user;
	keys[1] = line->day;
	keys[2] = line->tier;
	keys[3] = line->provider;
	keys[KEY_MODEL] = line->model;
	keys[5] = line->interface;
}

static const Bursar__V1__TokenUsage *usage_of(const Bursar__V1__BillLine *line)
{
	return line->usage ? line->usage : &no_usage;
}

/* Notes how many of the line's requests are flagged for re-rating. */
static const char *unpriced_text(const Bursar__V1__BillLine *line, char text[40])
{
	if (line->unpriced_requests <= 0)
		return "";
	if (line->unpriced_requests >= line->requests)
		return " (unpriced)";
	snprintf(text, 40, " (%" PRId64 " unpriced)", line->unpriced_requests);
	return text;
}

/* `first` replaces the first key of the line; NULL keeps it. */
static void table_bill(struct table *table, unsigned by, const Bursar__V1__BillLine *line, const char *first)
{
	const Bursar__V1__TokenUsage *usage = usage_of(line);
	const char *keys[KEY_COLUMNS];
	char note[40];

	keys_of(line, keys);
	table_line(table);
	for (int i = 0; i < KEY_COLUMNS; i++) {
		if (!(by & key_columns[i].by))
			continue;
		if (first)
			table_cell(table, "%s", first);
		else
			table_cell(table, "%s%s", keys[i][0] ? keys[i] : key_columns[i].nameless,
				i == KEY_MODEL ? unpriced_text(line, note) : "");
		if (first)
			first = "";
	}
	table_count(table, line->requests);
	table_count(table, usage->input_tokens + usage->cached_input_tokens + usage->cache_write_tokens +
				   usage->audio_input_tokens);
	table_count(table, usage->output_tokens + usage->reasoning_tokens + usage->audio_output_tokens);
	table_money(table, line->cost_nano_usd);
}

static void put_heading(const struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out)
{
	buf_putf(out, "%s %s, ", kind_name(part->ref ? part->ref->kind : 0), part->ref ? part->ref->id : "?");
	if (put->month)
		buf_putf(out, "%.7s\n", part->from_day);
	else
		buf_putf(out, "%s to %s\n", part->from_day, part->to_day);
}

/* What the total includes of corrections, and what providers say of it. */
static void put_notes(const Bursar__V1__BillLine *total, struct buf *out)
{
	if (total->corrected_requests) {
		buf_put_str(out, "  re-rated: ");
		put_count(out, total->corrected_requests);
		buf_put_str(
			out, total->corrected_requests == 1 ? " request; the total was " : " requests; the total was ");
		put_money(out, total->cost_nano_usd - total->corrections_nano_usd + total->allowance_nano_usd);
		buf_put_str(out, " before\n");
	}
	if (total->allowance_requests) {
		buf_put_str(out, "  free allowances: ");
		put_money(out, total->allowance_nano_usd);
		buf_put_str(out, " of ");
		put_count(out, total->allowance_requests);
		buf_put_str(out, total->allowance_requests == 1 ? " request; without them the total is "
								: " requests; without them the total is ");
		put_money(out, total->cost_nano_usd + total->allowance_nano_usd);
		buf_put_str(out, "\n");
	}
	if (total->compared_requests) {
		buf_put_str(out, "  providers say: ");
		put_money(out, total->provider_cost_nano_usd);
		buf_put_str(out, " for ");
		put_count(out, total->compared_requests);
		buf_put_str(out,
			total->compared_requests == 1 ? " request; the price says " : " requests; the prices say ");
		put_money(out, total->list_cost_nano_usd);
		buf_put_str(out, "\n");
	}
}

/* One table for each part: only its lines are in memory, and long reports repeat the heading. */
static void put_table(struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out)
{
	const char *columns[KEY_COLUMNS + 5];
	int count = 0;

	for (int i = 0; i < KEY_COLUMNS; i++)
		if (put->by & key_columns[i].by)
			columns[count++] = key_columns[i].title;
	memcpy(&columns[count], (const char *const[]){">REQUESTS", ">INPUT", ">OUTPUT", ">COST", NULL},
		5 * sizeof(*columns));
	struct table *table = table_new(columns, put->colour);
	if (!put->begun)
		put_heading(put, part, out);
	for (size_t i = 0; i < part->n_lines; i++)
		table_bill(table, put->by, part->lines[i], NULL);
	put->any_line |= part->n_lines > 0;
	if (part->total && (put->any_line || part->total->requests > 0))
		table_bill(table, put->by, part->total, "total");
	if (part->n_lines > 0 || part->total)
		table_put(out, table, "  nothing was used");
	if (part->total && meters_any(&usage_of(part->total)->base)) {
		buf_put_str(out, "  also used: ");
		put_meters(out, &usage_of(part->total)->base);
		buf_put_str(out, "\n");
	}
	if (part->total)
		put_notes(part->total, out);
	table_free(table);
}

static void csv_field(struct buf *out, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		buf_put_str(out, text);
		return;
	}
	buf_put(out, "\"", 1);
	for (; *text; text++) {
		if (*text == '"')
			buf_put(out, "\"", 1);
		buf_put(out, text, 1);
	}
	buf_put(out, "\"", 1);
}

/*
 * Whether a spreadsheet would run it, or even contact another server: it begins like a formula and is not a whole
 * number.
 */
static bool is_formula(const char *text)
{
	if (*text && strchr("+-", *text))
		return text[1 + strspn(text + 1, "0123456789")] != '\0' || !text[1];
	return *text && strchr("=@\t\r", *text);
}

/* A leading apostrophe tells spreadsheets that a field is text. */
static void csv_text(struct buf *out, const char *text)
{
	struct buf marked = {0};

	if (is_formula(text)) {
		buf_putf(&marked, "'%s", text);
		csv_field(out, buf_str(&marked));
		buf_release(&marked);
	} else {
		csv_field(out, text);
	}
}

static void csv_line(struct buf *out, unsigned by, const Bursar__V1__BillLine *line)
{
	const Bursar__V1__TokenUsage *usage = usage_of(line);
	const int64_t counts[] = {line->requests, usage->input_tokens, usage->cached_input_tokens,
		usage->cache_write_tokens, usage->output_tokens, usage->reasoning_tokens, usage->audio_input_tokens,
		usage->audio_output_tokens, line->unpriced_requests};
	const char *keys[KEY_COLUMNS];
	lldiv_t usd = lldiv(line->cost_nano_usd, 1000000000);

	keys_of(line, keys);
	for (int i = 0; i < KEY_COLUMNS; i++) {
		if (!(by & key_columns[i].by))
			continue;
		csv_text(out, keys[i]);
		buf_put(out, ",", 1);
	}
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		buf_putf(out, "%" PRId64 ",", counts[i]);
	buf_putf(out, "%s%lld.%09lld,", line->cost_nano_usd < 0 ? "-" : "", llabs(usd.quot), llabs(usd.rem));
	put_meters(out, &usage->base);
	buf_put_str(out, "\n");
}

static void put_csv(struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out)
{
	for (int i = 0; i < KEY_COLUMNS && !put->begun; i++)
		if (put->by & key_columns[i].by)
			buf_putf(out, "%s,", key_columns[i].csv);
	if (!put->begun)
		buf_put_str(out,
			"requests,input_tokens,cached_input_tokens,cache_write_tokens,output_tokens,reasoning_tokens,"
			"audio_input_tokens,audio_output_tokens,unpriced_requests,cost_usd,other_meters\n");
	for (size_t i = 0; i < part->n_lines; i++)
		csv_line(out, put->by, part->lines[i]);
	if (!put->by && part->total)
		csv_line(out, 0, part->total);
}

static void put_json(struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out)
{
	if (!put->begun) {
		buf_put_str(out, "{\"ref\": ");
		json_put_line(out, part->ref ? &part->ref->base : NULL);
		buf_putf(out, ", \"from_day\": \"%s\", \"to_day\": \"%s\", \"lines\": [", part->from_day, part->to_day);
	}
	for (size_t i = 0; i < part->n_lines; i++) {
		buf_put_str(out, put->any_line ? ",\n" : "\n");
		json_put_line(out, &part->lines[i]->base);
		put->any_line = true;
	}
	if (part->total) {
		buf_put_str(out, "\n], \"total\": ");
		json_put_line(out, &part->total->base);
		buf_put_str(out, "}\n");
	}
}

void report_put_part(struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out)
{
	switch (put->format) {
	case REPORT_TABLE:
		put_table(put, part, out);
		break;
	case REPORT_CSV:
		put_csv(put, part, out);
		break;
	case REPORT_JSON:
		put_json(put, part, out);
		break;
	}
	put->begun = true;
}
