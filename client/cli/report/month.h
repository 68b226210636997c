/* The month of a report. */
#ifndef BURSAR_CLI_MONTH_H
#define BURSAR_CLI_MONTH_H

#include "cli/core/command.h"

/* Checks for the form "2026-11". False with cli->err. */
bool month_check(struct cli *cli, const char *text);

#define OPTION_MONTH \
	{ \
		'm', "month", OPTION_TEXT, "YYYY-MM", "the month (default: the current one, UTC)", NULL \
	}

#endif
