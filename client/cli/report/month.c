/* The month or days of a report, and what it is grouped by (month.h). */
#include "cli/report/month.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/report/put.h"

bool month_check(struct cli *cli, const char *text)
{
	int year, month, used = 0;

	if (strlen(text) == 7 && sscanf(text, "%4d-%2d%n", &year, &month, &used) == 2 && used == 7 && month >= 1 &&
		month <= 12)
		return true;
	return err_set(&cli->err, ERR_INVALID, "--month: '%s' must look like 2026-11", text);
}

char *day_text(const struct cli *cli, const char *option, char out[16])
{
	time_t at = (time_t)(option_number(cli, option, 0) / 1000000);
	struct tm tm;

	*out = '\0';
	if (option_given(cli, option))
		strftime(out, 16, "%Y-%m-%d", gmtime_r(&at, &tm));
	return out;
}

static const struct {
	const char *word;
	unsigned by;
	Bursar__V1__ReportKey key;
} keys[REPORT_KEYS] = {
	{"day", BY_DAY, BURSAR__V1__REPORT_KEY__REPORT_KEY_DAY},
	{"model", BY_MODEL, BURSAR__V1__REPORT_KEY__REPORT_KEY_MODEL},
	{"interface", BY_INTERFACE, BURSAR__V1__REPORT_KEY__REPORT_KEY_INTERFACE},
	{"user", BY_USER, BURSAR__V1__REPORT_KEY__REPORT_KEY_USER},
	{"tier", BY_TIER, BURSAR__V1__REPORT_KEY__REPORT_KEY_TIER},
};

bool report_keys_read(struct cli *cli, const char *text, const char *also, unsigned *by)
{
	for (;;) {
		size_t len = strcspn(text, ","), i = 0;

		while (i < REPORT_KEYS && (strlen(keys[i].word) != len || strncmp(keys[i].word, text, len) != 0))
			i++;
		if (i == REPORT_KEYS)
			return err_set(&cli->err, ERR_INVALID,
				"--by: '%.*s' is not one of day, model, interface, user and tier; join several with commas%s",
				(int)len, text, also);
		*by |= keys[i].by;
		if (!text[len])
			return true;
		text += len + 1;
	}
}

size_t report_keys(unsigned by, Bursar__V1__ReportKey out[REPORT_KEYS])
{
	size_t count = 0;

	for (int i = 0; i < REPORT_KEYS; i++)
		if (by & keys[i].by)
			out[count++] = keys[i].key;
	return count;
}
