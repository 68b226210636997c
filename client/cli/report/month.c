/* The month of a report (month.h). */
#include "cli/report/month.h"

#include <stdio.h>
#include <string.h>

bool month_check(struct cli *cli, const char *text)
{
	int year, month, used = 0;

	if (strlen(text) == 7 && sscanf(text, "%4d-%2d%n", &year, &month, &used) == 2 && used == 7 && month >= 1 &&
		month <= 12)
		return true;
	return err_set(&cli->err, ERR_INVALID, "--month: '%s' must look like 2026-11", text);
}
