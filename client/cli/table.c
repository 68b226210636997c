/* Tables for people. */
#include "cli/table.h"

#include <libsmartcols/libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/format.h"

struct table {
	struct libscols_table *cols;
	struct libscols_line *line;
	size_t cell;
};

struct table *table_new(const char *const *columns, bool colour)
{
	struct table *table = calloc(1, sizeof(*table));

	if (!table)
		abort();
	table->cols = scols_new_table();
	if (!table->cols)
		abort();
	scols_table_enable_colors(table->cols, colour);
	/* Into a pipe the lines are as long as they need to be; on a terminal they fit it. */
	if (!isatty(STDOUT_FILENO)) {
		scols_table_set_termforce(table->cols, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(table->cols, 10000);
	}
	for (; *columns; columns++) {
		int flags = **columns == '>' ? SCOLS_FL_RIGHT : **columns == '~' ? SCOLS_FL_WRAP : 0;

		scols_table_new_column(table->cols, *columns + (flags != 0), 0, flags);
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

void table_cell_buf(struct table *table, struct buf *text)
{
	if (scols_line_set_data(table->line, table->cell++, buf_str(text)) != 0)
		abort(); /* a line with more cells than columns: our own bug */
	buf_reset(text);
}

void table_cell(struct table *table, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (scols_line_set_data(table->line, table->cell++, text) != 0)
		abort();
}

void table_count(struct table *table, int64_t count)
{
	struct buf text = {0};

	put_count(&text, count);
	table_cell_buf(table, &text);
	buf_release(&text);
}

void table_money(struct table *table, int64_t nano)
{
	struct buf text = {0};

	put_money(&text, nano);
	table_cell_buf(table, &text);
	buf_release(&text);
}

void table_colour(struct table *table, const char *colour)
{
	scols_cell_set_color(scols_line_get_cell(table->line, table->cell - 1), colour);
}

/* libsmartcols fills the last column with spaces up to its width; nobody wants them at the end of a line. */
static void put_trimmed(struct buf *out, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), used = len;

		while (used > 0 && text[used - 1] == ' ')
			used--;
		buf_put(out, text, used);
		buf_put_str(out, "\n");
		text += len + (text[len] == '\n');
	}
}

void table_put(struct buf *out, struct table *table, const char *none)
{
	char *text = NULL;

	if (scols_table_is_empty(table->cols)) {
		buf_putf(out, "%s\n", none);
		return;
	}
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
