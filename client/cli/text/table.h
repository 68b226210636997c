/* Tables for people, by libsmartcols. */
#ifndef BURSAR_CLI_TABLE_H
#define BURSAR_CLI_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct table;

/*
 * A table with the named columns. A name that begins with '>' is for numbers (aligned right), one that begins with '~'
 * for text that may be long (ids, texts), which is wrapped when the terminal is narrow. On a terminal, empty columns
 * are left out. table_colour works only with `colour`. Free with table_free.
 */
struct table *table_new(const char *const *columns, bool colour);

/* Begins a line; the cells that follow belong to it. */
void table_line(struct table *table);

/* The next cell of the line, as printf makes it. */
void table_cell(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The next cell is the contents of the buffer, which is emptied. */
void table_cell_buf(struct table *table, struct buf *text);

/* The next cell, as put_count or put_money writes it. */
void table_count(struct table *table, int64_t count);
void table_money(struct table *table, int64_t nano);
/* The next cell, as put_duration or put_time writes it. */
void table_duration(struct table *table, int64_t us);
void table_time(struct table *table, int64_t us);

/* Colours the last cell: "red", "yellow", "green" (libsmartcols' names). */
void table_colour(struct table *table, const char *colour);

/* Appends the table: a heading, then the lines; without lines, only `none` and a line end. */
void table_put(struct buf *out, struct table *table, const char *none);

void table_free(struct table *table);

#endif
