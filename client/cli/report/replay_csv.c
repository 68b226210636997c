/* Reads a file of requests row by row (replay_csv.h). */
#include "cli/report/replay_csv.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "base/text/csv.h"

enum { TIME, INPUT, OUTPUT };
enum { KIND_UNKNOWN, KIND_DATE, KIND_SECONDS };

static const char *const titles[] = {"time", "input tokens", "output tokens"};

static const struct {
	const char *name;
	int column;
} names[] = {
	{"timestamp", TIME},
	{"time", TIME},
	{"seconds", TIME},
	{"contexttokens", INPUT},
	{"input_tokens", INPUT},
	{"prompt_tokens", INPUT},
	{"generatedtokens", OUTPUT},
	{"output_tokens", OUTPUT},
	{"completion_tokens", OUTPUT},
};

void replay_csv_init(struct replay_csv *csv, FILE *file)
{
	*csv = (struct replay_csv){.file = file, .columns = {-1, -1, -1}};
}

/* Reads one line into csv->text without its end. */
static enum replay_result read_line(struct replay_csv *csv, struct err *err)
{
	size_t len = 0;
	int c;

	csv->line++;
	while ((c = getc_unlocked(csv->file)) != EOF && c != '\n') {
		if (c == '\0') {
			err_set(err, ERR_INVALID, "line %" PRId64 ": has a NUL byte; this is not a text file",
				csv->line);
			return REPLAY_BAD;
		}
		if (len >= REPLAY_LINE_MAX) {
			err_set(err, ERR_INVALID, "line %" PRId64 ": is longer than %d bytes", csv->line,
				REPLAY_LINE_MAX);
			return REPLAY_BAD;
		}
		csv->text[len++] = (char)c;
	}
	if (c == EOF && ferror(csv->file)) {
		err_set(err, ERR_INVALID, "line %" PRId64 ": cannot be read", csv->line);
		return REPLAY_BAD;
	}
	if (c == EOF && len == 0)
		return REPLAY_END;
	if (len > 0 && csv->text[len - 1] == '\r')
		len--;
	csv->text[len] = '\0';
	return REPLAY_ROW;
}

/* Splits the line into fields in place, without quotes and surrounding spaces. -1 with an error. */
static int cut_fields(struct replay_csv *csv, char *fields[REPLAY_COLUMNS_MAX], struct err *err)
{
	char *p = csv->text;
	int count = 0;

	for (;;) {
		char *end, *next;

		while (*p == ' ' || *p == '\t')
			p++;
		if (count == REPLAY_COLUMNS_MAX) {
			err_set(err, ERR_INVALID, "line %" PRId64 ": has more than %d columns", csv->line,
				REPLAY_COLUMNS_MAX);
			return -1;
		}
		if (*p == '"') {
			end = strchr(++p, '"');
			if (!end || (end[1] && end[1] != ',')) {
				err_set(err, ERR_INVALID, "line %" PRId64 ", column %d: the closing quote is missing",
					csv->line, count + 1);
				return -1;
			}
			next = end[1] ? end + 2 : NULL;
		} else {
			end = p + strcspn(p, ",");
			next = *end ? end + 1 : NULL;
			while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
				end--;
		}
		*end = '\0';
		fields[count++] = p;
		if (!next)
			return count;
		p = next;
	}
}

static bool read_header(struct replay_csv *csv, struct err *err)
{
	char *fields[REPLAY_COLUMNS_MAX];
	int count;

	/* A byte order mark, as spreadsheets write it. */
	if (strncmp(csv->text, "\xef\xbb\xbf", 3) == 0)
		memmove(csv->text, csv->text + 3, strlen(csv->text + 3) + 1);
	if (!csv_separator_check(csv->text, err))
		return false;
	count = cut_fields(csv, fields, err);
	if (count < 0)
		return false;
	for (int i = 0; i < count; i++) {
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
			if (strcasecmp(fields[i], names[k].name) != 0)
				continue;
			if (csv->columns[names[k].column] >= 0)
				return err_set(err, ERR_INVALID,
					"line %" PRId64 ", column %d: a second column for the %s", csv->line, i + 1,
					titles[names[k].column]);
			csv->columns[names[k].column] = i;
		}
	}
	for (int i = TIME; i <= OUTPUT; i++)
		if (csv->columns[i] < 0)
			return err_set(err, ERR_INVALID,
				"line %" PRId64 ": has no column for the %s; expected a first line such as "
				"TIMESTAMP,ContextTokens,GeneratedTokens or time,input_tokens,output_tokens",
				csv->line, titles[i]);
	csv->columns_count = count;
	return true;
}

static bool read_digits(const char **p, int digits, int *out)
{
	*out = 0;
	for (; digits > 0; digits--, (*p)++) {
		if (!isdigit((unsigned char)**p))
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

/* Parses ".6805900" as microseconds, truncated: only differences matter. True at the end of the text. */
static bool read_fraction(const char *p, int64_t *us)
{
	int64_t unit = 100000;

	*us = 0;
	if (*p == '.') {
		if (!isdigit((unsigned char)*++p))
			return false;
		for (; isdigit((unsigned char)*p); p++, unit /= 10)
			*us += (*p - '0') * unit;
	}
	return *p == '\0' || (*p == 'Z' && p[1] == '\0');
}

/* The days from 1970-01-01 to a Gregorian date. */
static int64_t days_of(int year, int month, int day)
{
	int64_t y = month <= 2 ? year - 1 : year, m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + day - 1 - 719468;
}

static bool read_date(const char *p, int64_t *out)
{
	static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, hour, minute, second;
	int64_t us;

	if (!read_digits(&p, 4, &year) || *p++ != '-' || !read_digits(&p, 2, &month) || *p++ != '-' ||
		!read_digits(&p, 2, &day))
		return false;
	if (*p != ' ' && *p != 'T')
		return false;
	p++;
	if (!read_digits(&p, 2, &hour) || *p++ != ':' || !read_digits(&p, 2, &minute) || *p++ != ':' ||
		!read_digits(&p, 2, &second))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > lengths[month - 1] || hour > 23 || minute > 59 ||
		second > 60 || !read_fraction(p, &us))
		return false;
	*out = (((days_of(year, month, day) * 24 + hour) * 60 + minute) * 60 + second) * 1000000 + us;
	return true;
}

static bool read_seconds(const char *p, int64_t *out)
{
	int64_t seconds = 0, us;
	int digits = 0;

	for (; isdigit((unsigned char)*p) && digits < 12; p++, digits++)
		seconds = seconds * 10 + (*p - '0');
	if (digits == 0 || !read_fraction(p, &us) || (*p && p[strlen(p) - 1] == 'Z'))
		return false;
	*out = seconds * 1000000 + us;
	return true;
}

static bool read_time(struct replay_csv *csv, const char *text, int64_t *out)
{
	if (csv->time_kind == KIND_UNKNOWN)
		csv->time_kind = strchr(text, '-') ? KIND_DATE : KIND_SECONDS;
	return csv->time_kind == KIND_DATE ? read_date(text, out) : read_seconds(text, out);
}

static bool read_tokens(const char *text, int64_t *out)
{
	int64_t n = 0;

	if (!*text || strlen(text) > 10)
		return false;
	for (; *text; text++) {
		if (!isdigit((unsigned char)*text))
			return false;
		n = n * 10 + (*text - '0');
	}
	*out = n;
	return n <= REPLAY_TOKENS_MAX;
}

static bool read_row(struct replay_csv *csv, struct replay_row *row, struct err *err)
{
	char *fields[REPLAY_COLUMNS_MAX];
	struct replay_row read = {0};
	int64_t *const tokens[] = {NULL, &read.input_tokens, &read.output_tokens};
	int count = cut_fields(csv, fields, err);

	if (count < 0)
		return false;
	if (count != csv->columns_count)
		return err_set(err, ERR_INVALID, "line %" PRId64 ": has %d columns, the first line has %d", csv->line,
			count, csv->columns_count);
	if (!read_time(csv, fields[csv->columns[TIME]], &read.time_us))
		return err_set(err, ERR_INVALID,
			"line %" PRId64 ", column %d (time): '%.60s' is not a time; expected %s, as in the rows before",
			csv->line, csv->columns[TIME] + 1, fields[csv->columns[TIME]],
			csv->time_kind == KIND_DATE ? "2023-11-16 18:15:46.68" : "seconds such as 12.5");
	for (int i = INPUT; i <= OUTPUT; i++)
		if (!read_tokens(fields[csv->columns[i]], tokens[i]))
			return err_set(err, ERR_INVALID,
				"line %" PRId64 ", column %d (%s): '%.60s' is not a whole number from 0 to %d",
				csv->line, csv->columns[i] + 1, titles[i], fields[csv->columns[i]], REPLAY_TOKENS_MAX);
	*row = read;
	return true;
}

/* The next line that is not empty. */
static enum replay_result next_line(struct replay_csv *csv, struct err *err)
{
	enum replay_result result;

	do {
		result = read_line(csv, err);
	} while (result == REPLAY_ROW && csv->text[strspn(csv->text, " \t")] == '\0');
	return result;
}

bool replay_csv_header(struct replay_csv *csv, struct err *err)
{
	enum replay_result result = next_line(csv, err);

	if (result == REPLAY_END)
		return err_set(err, ERR_INVALID,
			"is empty; expected a first line such as TIMESTAMP,ContextTokens,GeneratedTokens");
	return result == REPLAY_ROW && read_header(csv, err);
}

enum replay_result replay_csv_next(struct replay_csv *csv, struct replay_row *row, struct err *err)
{
	enum replay_result result;

	if (csv->columns_count == 0 && !replay_csv_header(csv, err))
		return REPLAY_BAD;
	result = next_line(csv, err);
	if (result != REPLAY_ROW)
		return result;
	return read_row(csv, row, err) ? REPLAY_ROW : REPLAY_BAD;
}
