/* Reads the rows of a CSV file, one at a time, into memory of fixed size. */
#ifndef BURSAR_BASE_TEXT_CSV_H
#define BURSAR_BASE_TEXT_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CSV_FIELDS_MAX 256
#define CSV_ROW_MAX 8192 /* bytes of a row's fields, terminators included */

/* A reader over borrowed text: initialise with `(struct csv){.at = text, .left = len}`. */
struct csv {
	const char *at;
	size_t left;
	int line; /* of the last row read, from 1 */
};

struct csv_row {
	int count;
	const char *field[CSV_FIELDS_MAX]; /* terminated, in `text` */
	char text[CSV_ROW_MAX];
};

/*
 * Reads the next non-empty row; `count` is 0 at the end. Commas separate fields; a field in double quotes may contain
 * commas and doubled quotes but no line end. Lines end in LF or CRLF; a byte order mark is skipped. ERR_INVALID with
 * "line N: ..." for misplaced quotes, NUL bytes, bad UTF-8, too many fields or too long ones; `row` is undefined.
 */
bool csv_next(struct csv *csv, struct csv_row *row, struct err *err) __attribute__((warn_unused_result));

/* ERR_INVALID when `line`, the one with the column names, uses another separator than commas. */
bool csv_separator_check(const char *line, struct err *err) __attribute__((warn_unused_result));

#endif
