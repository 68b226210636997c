/* Tables for people, by libsmartcols. */
#ifndef BURSAR_CLI_TABLE_H
#define BURSAR_CLI_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct table;

/*
 * A table of the named columns: a name that begins with '>' is of numbers (to the right), one that begins with '~'
 * of what may be long (ids, texts) and is wrapped when the terminal is narrow; there, columns in which nothing stands
 * are left out, too. `colour` lets table_colour have an effect. Free with table_free.
 */
struct table *table_new(const char *const *columns, bool colour);

/* Begins a line; the cells that follow belong to it. */
void table_line(struct table *table);

/* The next cell of the line, as printf makes it. */
void table_cell(struct table *table, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The next cell is what the buffer holds, which is emptied. */
void table_cell_buf(struct table *table, struct buf *text);

/* The next cell as put_count and put_money write it. */
void table_count(struct table *table, int64_t count);
void table_money(struct table *table, int64_t nano);

/* Colours the last cell: "red", "yellow", "green" (libsmartcols' names). */
void table_colour(struct table *table, const char *colour);

/* Appends the table: a heading, then the lines; nothing but `none` and a line end when there are no lines. */
void table_put(struct buf *out, struct table *table, const char *none);

void table_free(struct table *table);

#endif
