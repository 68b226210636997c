/* Rows of a CSV file. */
#include "base/text/csv.h"

#include <string.h>

#include "base/utf8.h"

/* One line without its line end. */
struct line {
	const char *at, *end;
	int number, column;
	char *out, *out_end;
};

static bool bad(const struct line *line, struct err *err, const char *what)
{
	return err_set(err, ERR_INVALID, "line %d, field %d: %s", line->number, line->column, what);
}

static bool put(struct line *line, char c, struct err *err)
{
	if (line->out == line->out_end)
		return bad(line, err, "the row is longer than 8 KiB");
	*line->out++ = c;
	return true;
}

/* Reads from behind an opening quote to behind the closing one. */
static bool quoted(struct line *line, struct err *err)
{
	while (line->at < line->end) {
		char c = *line->at++;

		if (c == '"') {
			if (line->at == line->end || *line->at == ',')
				return true;
			if (*line->at++ != '"')
				return bad(line, err,
					"double each quote inside quotes, and put a comma after the closing quote");
		}
		if (!put(line, c, err))
			return false;
	}
	return bad(line, err, "the closing quote is missing on this line");
}

static bool plain(struct line *line, struct err *err)
{
	while (line->at < line->end && *line->at != ',') {
		if (*line->at == '"')
			return bad(line, err, "quote inside a field; put the field into quotes and double it");
		if (!put(line, *line->at++, err))
			return false;
	}
	return true;
}

static bool split(struct line *line, struct csv_row *row, struct err *err)
{
	row->count = 0;
	for (;;) {
		line->column = row->count + 1;
		if (row->count == CSV_FIELDS_MAX)
			return bad(line, err, "a row has at most 256 fields");
		row->field[row->count++] = line->out;
		if (line->at < line->end && *line->at == '"') {
			line->at++;
			if (!quoted(line, err))
				return false;
		} else if (!plain(line, err)) {
			return false;
		}
		if (!put(line, '\0', err))
			return false;
		if (line->at == line->end)
			return true;
		line->at++;
	}
}

bool csv_next(struct csv *csv, struct csv_row *row, struct err *err)
{
	if (csv->line == 0 && csv->left >= 3 && memcmp(csv->at, "\xef\xbb\xbf", 3) == 0) {
		csv->at += 3;
		csv->left -= 3;
	}
	while (csv->left > 0) {
		const char *newline = memchr(csv->at, '\n', csv->left);
		size_t whole = newline ? (size_t)(newline - csv->at) + 1 : csv->left;
		struct line line = {.at = csv->at,
			.end = csv->at + whole - (newline != NULL),
			.number = ++csv->line,
			.column = 1,
			.out = row->text,
			.out_end = row->text + sizeof(row->text)};

		csv->at += whole;
		csv->left -= whole;
		if (line.end > line.at && line.end[-1] == '\r')
			line.end--;
		if (line.end == line.at)
			continue;
		if (memchr(line.at, '\0', (size_t)(line.end - line.at)))
			return bad(&line, err, "has a NUL byte; the file must be CSV text");
		if (!utf8_valid(line.at, (size_t)(line.end - line.at)))
			return bad(&line, err, "is not valid UTF-8");
		return split(&line, row, err);
	}
	row->count = 0;
	return true;
}

bool csv_separator_check(const char *line, struct err *err)
{
	if (strchr(line, ','))
		return true;
	if (strchr(line, ';'))
		return err_set(err, ERR_INVALID, "line 1: columns are separated by ';'; save the file with commas");
	if (strchr(line, '\t'))
		return err_set(err, ERR_INVALID, "line 1: columns are separated by tabs; save the file with commas");
	return true;
}
