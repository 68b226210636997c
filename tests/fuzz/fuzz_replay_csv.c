/* The replay's file of requests: every accepted row can be sent; an error names its line, unless the file is empty. */
#include <string.h>

#include "cli/report/replay_csv.h"
#include "fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	FILE *file = size ? fmemopen((void *)(uintptr_t)data, size, "r") : NULL;
	enum replay_result result;
	struct replay_row row;
	struct replay_csv csv;
	struct err err = {0};
	int64_t rows = 0;
#ifdef PLANTED_BUG
	int64_t last_us = 0;
#endif

	if (!file)
		return 0;
	replay_csv_init(&csv, file);
	while ((result = replay_csv_next(&csv, &row, &err)) == REPLAY_ROW) {
		HOLDS(row.input_tokens >= 0 && row.input_tokens <= REPLAY_TOKENS_MAX);
		HOLDS(row.output_tokens >= 0 && row.output_tokens <= REPLAY_TOKENS_MAX);
		HOLDS(row.time_us >= 0);
#ifdef PLANTED_BUG
		/* The mistake: assuming that requests come in order. */
		HOLDS(row.time_us >= last_us);
		last_us = row.time_us;
#endif
		rows++;
	}
	HOLDS(rows <= (int64_t)size);
	if (result == REPLAY_BAD)
		HOLDS(err.code == ERR_INVALID &&
			(strncmp(err.text, "line ", 5) == 0 || (rows == 0 && strncmp(err.text, "is empty;", 9) == 0)));
	fclose(file);
	return 0;
}
