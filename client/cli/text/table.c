/* Tables for people (table.h). */
#include "cli/text/table.h"

#include <assert.h>
#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "cli/text/format.h"
#include "cli/text/plain.h"
#include "cli/text/screen.h"

enum { COLUMNS_MAX = 12, WRAP_MIN = 8 };

struct table {
	struct libscols_table *cols;
	struct libscols_line *line;
	size_t cell;
	bool wraps[COLUMNS_MAX];
};

struct table *table_new(const char *const *columns, bool colour)
{
	struct table *table = mem_zalloc(1, sizeof(*table));

	table->cols = scols_new_table();
	if (!table->cols)
		abort();
	scols_table_enable_colors(table->cols, colour);
	/* The width is decided here (fit), not by libsmartcols. */
	scols_table_set_termforce(table->cols, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table->cols, 10000);
	for (size_t i = 0; columns[i]; i++) {
		bool right = columns[i][0] == '>';

		assert(i < COLUMNS_MAX);
		table->wraps[i] = columns[i][0] == '~';
		scols_table_new_column(
			table->cols, columns[i] + (right || table->wraps[i]), 0, right ? SCOLS_FL_RIGHT : 0);
	}
	return table;
}

void table_line(struct table *table)
{
	table->line = scols_table_new_line(table->cols, NULL);
	table->cell = 0;
	if (!table->line)
		abort();
}

static void set_cell(struct table *table, const char *text)
{
	struct buf plain = {0};

	put_plain(&plain, text);
	if (scols_line_set_data(table->line, table->cell++, buf_str(&plain)) != 0)
		abort(); /* more cells than columns: our own bug */
	buf_release(&plain);
}

void table_cell_buf(struct table *table, struct buf *text)
{
	set_cell(table, buf_str(text));
	buf_reset(text);
}

void table_cell(struct table *table, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	set_cell(table, text);
}

static void table_number(struct table *table, int64_t number, void (*put)(struct buf *out, int64_t number))
{
	struct buf text = {0};

	put(&text, number);
	table_cell_buf(table, &text);
	buf_release(&text);
}

void table_count(struct table *table, int64_t count)
{
	table_number(table, count, put_count);
}

void table_money(struct table *table, int64_t nano)
{
	table_number(table, nano, put_money);
}

void table_duration(struct table *table, int64_t us)
{
	table_number(table, us, put_duration);
}

void table_time(struct table *table, int64_t us)
{
	table_number(table, us, put_time);
}

void table_colour(struct table *table, const char *colour)
{
	scols_cell_set_color(scols_line_get_cell(table->line, table->cell - 1), colour);
}

/* Drops the spaces with which libsmartcols fills the last column. Its escapes are our colours. */
static void put_trimmed(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), used = len;

		while (used > 0 && text[used - 1] == ' ')
			used--;
		for (size_t i = 0; i < used; i++)
			buf_put(out, text[i] == '\033' ? OWN_ESCAPE : &text[i], 1);
		buf_put_str(out, "\n");
		text += len + (text[len] == '\n');
	}
}

/* The widest text of a column, including its heading; 0 when the column is empty. */
static size_t widest(struct libscols_table *cols, struct libscols_column *column)
{
	struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;
	size_t most = 0, heading;

	if (!lines)
		abort();
	while (scols_table_next_line(cols, lines, &line) == 0) {
		const char *text = scols_line_get_column_data(line, column);
		size_t width = text ? screen_width(text) : 0;

		most = width > most ? width : most;
	}
	scols_free_iter(lines);
	heading = screen_width(scols_cell_get_data(scols_column_get_header(column)));
	return most && heading > most ? heading : most;
}

/* The width to which long columns are reduced, so that as few as possible are affected: the widest first. */
static size_t wrap_width(const struct table *table, const size_t *width, size_t count)
{
	size_t cap = screen_size().ws_col, screen = cap;

	while (cap > WRAP_MIN) {
		size_t sum = 0;

		for (size_t i = 0; i < count; i++)
			if (width[i])
				sum += (table->wraps[i] && width[i] > cap ? cap : width[i]) + 1;
		if (sum <= screen + 1)
			break;
		cap--;
	}
	return cap;
}

/* Wraps the text at `width`, at spaces where possible. */
static void put_broken(struct buf *out, const char *text, size_t width)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t len = screen_cut(text, left, (int)width), skip = 0;

		for (size_t at = len; len < left && at > 0; at--) {
			if (text[at] == ' ') {
				len = at;
				skip = 1;
				break;
			}
		}
		buf_put(out, text, len);
		text += len + skip;
		left -= len + skip;
		if (left > 0)
			buf_put_str(out, "\n");
	}
}

static void wrap(struct libscols_table *cols, struct libscols_column *column, size_t width)
{
	struct libscols_iter *lines = scols_new_iter(SCOLS_ITER_FORWARD);
	struct libscols_line *line;
	struct buf broken = {0};

	if (!lines)
		abort();
	scols_column_set_flags(column, SCOLS_FL_WRAP);
	scols_column_set_safechars(column, "\n");
	scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk, NULL);
	while (scols_table_next_line(cols, lines, &line) == 0) {
		const char *text = scols_line_get_column_data(line, column);

		if (!text || screen_width(text) <= width)
			continue;
		put_broken(&broken, text, width);
		if (scols_line_set_column_data(line, column, buf_str(&broken)) != 0)
			abort();
		buf_reset(&broken);
	}
	buf_release(&broken);
	scols_free_iter(lines);
}

/* On a screen: leaves out empty columns and wraps long text, so that the table fits. */
static void fit(const struct table *table)
{
	size_t count = scols_table_get_ncols(table->cols), width[COLUMNS_MAX], cap;

	for (size_t i = 0; i < count; i++)
		width[i] = widest(table->cols, scols_table_get_column(table->cols, i));
	cap = wrap_width(table, width, count);
	for (size_t i = 0; i < count; i++) {
		struct libscols_column *column = scols_table_get_column(table->cols, i);

		if (!width[i])
			scols_column_set_flags(column, SCOLS_FL_HIDDEN);
		else if (table->wraps[i] && width[i] > cap)
			wrap(table->cols, column, cap);
	}
}

void table_put(struct buf *out, struct table *table, const char *none)
{
	char *text = NULL;

	if (scols_table_is_empty(table->cols)) {
		buf_putf(out, "%s\n", none);
		return;
	}
	if (isatty(STDOUT_FILENO))
		fit(table);
	if (scols_print_table_to_string(table->cols, &text) != 0 || !text)
		abort();
	put_trimmed(out, text);
	free(text);
}

void table_free(struct table *table)
{
	if (!table)
		return;
	scols_unref_table(table->cols);
	free(table);
}
