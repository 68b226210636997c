/* The file that replay reads: what it accepts, and which position its errors name. */

#include <string.h>

#include "cli/report/replay_csv.h"
#include "lib/test.h"
#include "refusals.h"

static struct replay_row row; /* the last that was read */
static int rows_read;

static enum replay_result read_text(const char *text, size_t len, struct err *err)
{
	FILE *file = fmemopen((void *)text, len, "r");
	struct replay_csv csv;
	enum replay_result result;

	assert_non_null(file);
	rows_read = 0;
	replay_csv_init(&csv, file);
	while ((result = replay_csv_next(&csv, &row, err)) == REPLAY_ROW)
		rows_read++;
	fclose(file);
	return result;
}

static bool csv_accepts(const char *text, struct err *err)
{
	return read_text(text, strlen(text), err) != REPLAY_BAD;
}

static void reads(const char *text, int rows, struct replay_row last)
{
	struct err err;

	assert_int_equal(read_text(text, strlen(text), &err), REPLAY_END);
	assert_int_equal(rows_read, rows);
	assert_int_equal(row.time_us, last.time_us);
	assert_int_equal(row.input_tokens, last.input_tokens);
	assert_int_equal(row.output_tokens, last.output_tokens);
}

TEST(the_published_trace_is_read)
{
	reads("TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n"
	      "2023-11-16 18:15:50.9951690,396,109\r\n",
		2,
		(struct replay_row){.time_us = INT64_C(1700158550995169), .input_tokens = 396, .output_tokens = 109});
}

TEST(columns_are_found_by_their_names)
{
	/* A blank after the closing quote of a field is one byte too many. */
	static const struct refusal wrong[] = {
		{"\xef\xbb\xbf\"id\", output_tokens ,Time,input_tokens\n\n\"a\",7, \"12.5\" ,3", ""}};

	ALL_REFUSED(wrong, csv_accepts);
	reads("\xef\xbb\xbf\"id\", output_tokens ,Time,input_tokens\n\n\"a\",7, \"12.5\",3", 1,
		(struct replay_row){.time_us = 12500000, .input_tokens = 3, .output_tokens = 7});
}

TEST(leap_days_and_month_ends_are_dates)
{
	reads("time,input_tokens,output_tokens\n2024-02-29T23:59:59Z,1,1\n2024-03-01 00:00:00,1,1\n", 2,
		(struct replay_row){.time_us = INT64_C(1709251200000000), .input_tokens = 1, .output_tokens = 1});
}

#define HEAD "time,input_tokens,output_tokens\n"

TEST(an_error_names_line_and_column)
{
	static const struct refusal rows[] = {
		{"\n", "is empty"},
		{"1,2,3\n", "line 1: has no column for the time"},
		{"time,input_tokens\n", "has no column for the output tokens"},
		{"time,seconds,input_tokens,output_tokens\n", "line 1, column 2: a second column for the time"},
		{HEAD "1,2\n", "line 2: has 2 columns, the first line has 3"},
		{HEAD "1,2,3,4\n", "line 2: has 4 columns"},
		{HEAD "1,2,3\n\n1,x,3\n", "line 4, column 2 (input tokens): 'x'"},
		{HEAD "1,2,-3\n", "line 2, column 3 (output tokens): '-3'"},
		{HEAD "1,2,1000000001\n", "not a whole number from 0 to 1000000000"},
		{HEAD "1,2,99999999999999999999\n", "column 3"},
		{HEAD "1,,3\n", "column 2 (input tokens): ''"},
		{HEAD "soon,2,3\n", "line 2, column 1 (time): 'soon'"},
		{HEAD "1.,2,3\n", "column 1 (time)"},
		{HEAD "1,2,3\n2023-11-16 18:15:46,2,3\n", "line 3, column 1 (time)"},
		{HEAD "2023-13-16 18:15:46,2,3\n", "column 1 (time)"},
		{HEAD "2023-11-16 24:15:46,2,3\n", "column 1 (time)"},
		{HEAD "\"1,2,3\n", "line 2, column 1: the closing quote is missing"},
	};

	ALL_REFUSED(rows, csv_accepts);
}

TEST(bytes_that_are_no_text_are_refused)
{
	static const char nul[] = HEAD "1,\0002,3\n";
	char line[3000], commas[200] = {0};
	struct err err;

	assert_int_equal(read_text(nul, sizeof(nul) - 1, &err), REPLAY_BAD);
	assert_non_null(strstr(err.text, "line 2: has a NUL byte"));
	memset(line, '1', sizeof(line));
	assert_int_equal(read_text(line, sizeof(line), &err), REPLAY_BAD);
	assert_non_null(strstr(err.text, "line 1: is longer than 1024 bytes"));
	memset(commas, ',', sizeof(commas) - 1);
	assert_int_equal(read_text(commas, strlen(commas), &err), REPLAY_BAD);
	assert_non_null(strstr(err.text, "more than 32 columns"));
}
