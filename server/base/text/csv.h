/* Rows of a CSV file, one at a time, into memory of fixed size. */
#ifndef BURSAR_BASE_TEXT_CSV_H
#define BURSAR_BASE_TEXT_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define CSV_FIELDS_MAX 32
#define CSV_ROW_MAX 8192 /* bytes of a row's fields with their ends */

/* A reader over borrowed text: `(struct csv){.at = text, .left = len}` stands before line 1. */
struct csv {
	const char *at;
	size_t left;
	int line; /* of the row read last, from 1 */
};

struct csv_row {
	int count;
	const char *field[CSV_FIELDS_MAX]; /* terminated, in `text` */
	char text[CSV_ROW_MAX];
};

/*
 * Reads the next row that is not empty; `count` is 0 at the end. Fields are parted by commas; one in double quotes may
 * hold commas and doubled quotes, but no line end. Lines end in LF or CRLF; a byte order mark is skipped. ERR_INVALID
 * with "line N: ..." for quotes out of place, NUL bytes, bad UTF-8, too many or too long fields; `row` is then undefined.
 */
bool csv_next(struct csv *csv, struct csv_row *row, struct err *err) __attribute__((warn_unused_result));

/* ERR_INVALID when a file with this line, which is to hold the columns' names, is separated by something other than commas. */
bool csv_separator_check(const char *line, struct err *err) __attribute__((warn_unused_result));

#endif
