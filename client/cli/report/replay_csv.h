/*
 * Reads a file of requests row by row: when each came, and how many tokens it had.
 *
 * The first line names the columns, in any order: the time (TIMESTAMP, time, seconds), the input (ContextTokens,
 * input_tokens, prompt_tokens) and the output (GeneratedTokens, output_tokens, completion_tokens). Other columns are
 * ignored. A time is "2023-11-16 18:15:46.6805900" (UTC) or plain seconds ("12.5"). Fields may be in double quotes.
 * Lines end in LF or CRLF; empty lines are skipped.
 */
#ifndef BURSAR_CLI_REPLAY_CSV_H
#define BURSAR_CLI_REPLAY_CSV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/err.h"

enum { REPLAY_LINE_MAX = 1024, REPLAY_COLUMNS_MAX = 32, REPLAY_TOKENS_MAX = 1000000000 };

struct replay_row {
	int64_t time_us; /* since 1970, or since the origin of plain seconds */
	int64_t input_tokens, output_tokens;
};

/* Embed one, call replay_csv_init. Its members are private. */
struct replay_csv {
	FILE *file;
	int64_t line;
	int columns[3]; /* of time, input and output */
	int columns_count;
	int time_kind;
	char text[REPLAY_LINE_MAX + 2];
};

enum replay_result { REPLAY_ROW, REPLAY_END, REPLAY_BAD };

/* Reads from `file`, which still belongs to the caller. */
void replay_csv_init(struct replay_csv *csv, FILE *file);

/* Optional: reads the first line before the first row. False with ERR_INVALID, as below. */
bool replay_csv_header(struct replay_csv *csv, struct err *err);

/*
 * The next row. REPLAY_BAD with ERR_INVALID, which names line and column and says what would be right ("line 3, column
 * ContextTokens: ..."); the reader cannot be used after that.
 */
enum replay_result replay_csv_next(struct replay_csv *csv, struct replay_row *row, struct err *err);

#endif
