/* The month or days of a report, and what it is grouped by. */
#ifndef BURSAR_CLI_MONTH_H
#define BURSAR_CLI_MONTH_H

#include "cli/core/command.h"

/* Checks for the form "2026-11". False with cli->err. */
bool month_check(struct cli *cli, const char *text);

/* The option's day in the server's format, or "". */
char *day_text(const struct cli *cli, const char *option, char out[16]);

/* What a report is grouped by: "day,model" as bits of put.h. False with cli->err; `also` ends the list of what is right. */
enum { REPORT_KEYS = 5 };
bool report_keys_read(struct cli *cli, const char *text, const char *also, unsigned *by);
/* The same as the server names it; returns how many. */
size_t report_keys(unsigned by, Bursar__V1__ReportKey out[REPORT_KEYS]);

#define OPTION_MONTH \
	{ \
		'm', "month", OPTION_TEXT, "YYYY-MM", "the month (default: the current one, UTC)", NULL \
	}

#endif
