/* The month that a report is of. */
#ifndef BURSAR_CLI_MONTH_H
#define BURSAR_CLI_MONTH_H

#include "cli/core/command.h"

/* "2026-11"? False with cli->err. */
bool month_check(struct cli *cli, const char *text);

#define OPTION_MONTH \
	{ \
		'm', "month", OPTION_TEXT, "YYYY-MM", "which one (default: the running one, UTC)", NULL \
	}

#endif
