/*
 * Writes a streamed report part by part: as a table for people, CSV, or one JSON document. Keeps only the current
 * part in memory.
 */
#ifndef BURSAR_CLI_REPORT_PUT_H
#define BURSAR_CLI_REPORT_PUT_H

#include <stdbool.h>

#include "base/buf.h"
#include "c/bursar.h"

enum report_format { REPORT_TABLE, REPORT_CSV, REPORT_JSON };

/* Bits: what the lines are grouped by. */
enum { BY_DAY = 1, BY_MODEL = 2, BY_INTERFACE = 4, BY_USER = 8, BY_TIER = 16 };

struct report_put {
	enum report_format format;
	unsigned by;
	bool colour;
	bool month; /* the days are a complete month */
	bool begun; /* private */
	bool any_line;
};

/*
 * Appends the next part. The part with the total is the last and ends the document. CSV has a heading, RFC 4180 quoting
 * and money in USD with nine decimals. It has a line for the total only if the report is not grouped at all.
 */
void report_put_part(struct report_put *put, const Bursar__V1__ReportPart *part, struct buf *out);

#endif
