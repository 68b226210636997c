/* A streamed report as text, part by part: a table for people, CSV, or one document of JSON. Nothing is kept but what is open. */
#ifndef BURSAR_CLI_REPORT_PUT_H
#define BURSAR_CLI_REPORT_PUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "c/bursar.h"

enum report_format { REPORT_TABLE, REPORT_CSV, REPORT_JSON };

/* What the lines are by: bits. */
enum { BY_DAY = 1, BY_MODEL = 2, BY_INTERFACE = 4, BY_USER = 8 };

struct report_put {
	enum report_format format;
	unsigned by;
	bool colour;
	bool month; /* the days are a whole month */
	bool begun; /* its own */
	bool any_line;
};

/*
 * Appends the next part. The part with the total is the last: it ends the document. CSV has a heading, quotes as RFC 4180 has them, money
 * in USD with nine decimals, and no line of the total, unless the report is by nothing: then that is its line.
 */
void report_put_part(struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out);

#endif
