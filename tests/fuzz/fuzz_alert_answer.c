/*
 * What destinations of alerts answer: the value of Retry-After up to a NUL, then the body. A pause is 0 to a day, digits mean what they
 * say, and what is kept of a body is one line of UTF-8.
 */
#include <string.h>

#include "base/utf8.h"
#include "deliver/answer.h"
#include "fuzz/fuzz.h"

#define DAY_US INT64_C(86400000000)
#define NOW_US INT64_C(1764488280000000)

static void check_header(const char *value, size_t len)
{
	int64_t us = answer_retry_after_us(value, len, NOW_US);
	size_t digits = 0;
	int64_t seconds = 0;

	HOLDS(us >= 0 && us <= DAY_US);
	while (digits < len && digits < 5 && value[digits] >= '0' && value[digits] <= '9')
		seconds = 10 * seconds + (value[digits++] - '0');
	if (!digits || digits < len)
		return;
#ifdef PLANTED_BUG
	HOLDS(us == seconds * 1000000); /* forgets the bound */
#else
	HOLDS(us == (seconds < 86400 ? seconds * 1000000 : DAY_US));
#endif
}

static void check_body(const char *body, size_t len)
{
	char line[40];
	int64_t us = answer_body_us(body, len);

	HOLDS(us >= 0 && us <= DAY_US);
	answer_line(body, len, line, sizeof(line));
	HOLDS(strlen(line) < sizeof(line) && utf8_valid(line, strlen(line)) && !strpbrk(line, "\r\n\x1b\x7f"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Copies without a NUL behind them, so that a read past the end is found. */
	const uint8_t *nul = memchr(data, 0, size);
	size_t len = nul ? (size_t)(nul - data) : size, rest = nul ? size - len - 1 : 0;
	char *header = malloc(len ? len : 1), *body = malloc(rest ? rest : 1);

	memcpy(header, data, len);
	memcpy(body, data + size - rest, rest);
	check_header(header, len);
	check_body(body, rest);
	free(header);
	free(body);
	return 0;
}
