/* Lines, words and values of the cases. */
#include "script.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "domain/time/date.h"

void line_fail(const struct line *line, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_error("%s:%d: ", line->file, line->number);
	vprint_error(fmt, ap);
	print_error("\n");
	va_end(ap);
	fail();
	__builtin_unreachable();
}

bool line_read(struct line *line, const char *text, size_t len)
{
	char *save = NULL;

	line->count = 0;
	line->expected = -1;
	if (len >= sizeof(line->text))
		line_fail(line, "the line is too long");
	memcpy(line->text, text, len);
	line->text[len] = '\0';
	line->text[strcspn(line->text, "#")] = '\0';
	for (char *word = strtok_r(line->text, " \t", &save); word; word = strtok_r(NULL, " \t", &save)) {
		if (strcmp(word, "->") == 0)
			line->expected = 0;
		else if (line->count + line->expected >= WORDS_MAX - 1)
			line_fail(line, "too many words");
		else if (line->expected >= 0)
			line->expect[line->expected++] = word;
		else
			line->word[line->count++] = word;
	}
	return line->count > 0;
}

static const char *value_of(char *const words[], int count, const char *key)
{
	size_t len = strlen(key);

	for (int i = 0; i < count; i++) {
		if (strncmp(words[i], key, len) != 0)
			continue;
		if (words[i][len] == '=')
			return words[i] + len + 1;
		if (words[i][len] == '\0')
			return words[i] + len;
	}
	return NULL;
}

const char *line_value(const struct line *line, const char *key)
{
	return value_of(line->word + 1, line->count - 1, key);
}

const char *line_wanted(const struct line *line, const char *key)
{
	return line->expected > 0 ? value_of(line->expect, line->expected, key) : NULL;
}

/* Parses digits with at most one '.', scaled by `scale`; *end points after them. */
static int64_t decimal(const struct line *line, const char *text, int64_t scale, const char **end)
{
	bool minus = *text == '-';
	int64_t whole = 0;
	int64_t part = 0;
	int64_t unit = scale;
	const char *p = text + (minus || *text == '+');

	if (*p < '0' || *p > '9')
		line_fail(line, "'%s' is no number", text);
	for (; (*p >= '0' && *p <= '9') || *p == '_'; p++)
		if (*p != '_' &&
			(__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, *p - '0', &whole)))
			line_fail(line, "'%s' is too large", text);
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9'; p++) {
			unit /= 10;
			part += (*p - '0') * unit;
		}
	if (__builtin_mul_overflow(whole, scale, &whole) || __builtin_add_overflow(whole, part, &whole))
		line_fail(line, "'%s' is too large", text);
	*end = p;
	return minus ? -whole : whole;
}

int64_t line_number(const struct line *line, const char *text)
{
	bool minus = text[0] == '-' && text[1] == '$';
	const char *end;
	int64_t number;

	if (minus)
		text++;
	number = *text == '$' ? decimal(line, text + 1, 1000000000, &end) : decimal(line, text, 1, &end);
	if (*end)
		line_fail(line, "'%s' is no number", text);
	return minus ? -number : number;
}

int64_t line_duration(const struct line *line, const char *text)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {{"us", 1}, {"ms", 1000}, {"s", 1000000}, {"m", 60000000}, {"h", INT64_C(3600000000)},
		{"d", INT64_C(86400000000)}};
	const char *unit = text + strspn(text, "+-0123456789._");

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(unit, units[i].name) == 0)
			return decimal(line, text, units[i].us, &unit);
	line_fail(line, "'%s' is no duration", text);
}

int64_t line_time(const struct line *line, const char *text)
{
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int used = 0;
	const char *end;
	int64_t second;

	if (sscanf(text, "%d-%d-%dT%d:%d:%n", &year, &month, &day, &hour, &minute, &used) != 5 || !used)
		line_fail(line, "'%s' is no time", text);
	second = decimal(line, text + used, 1000000, &end);
	if (strcmp(end, "Z") != 0)
		line_fail(line, "'%s' is no time in UTC", text);
	return ((date_days(year, month, day) * 24 + hour) * 60 + minute) * 60000000 + second;
}
