/*
 * The text of the cases: a line is words; a word may be key=value; "->" stands before what is expected. A comment runs
 * from '#' to the line's end. tests/contract/README.md has the statements.
 */
#ifndef TESTS_CONTRACT_SCRIPT_H
#define TESTS_CONTRACT_SCRIPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>

#define WORDS_MAX 32

struct line {
	const char *file;
	int number;
	int count; /* words before "->" */
	int expected; /* words behind it; -1 when there is no "->" */
	char *word[WORDS_MAX], *expect[WORDS_MAX];
	char text[512]; /* the words point in here */
};

/* Ends the test with the place and a sentence. */
void line_fail(const struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* Splits a line. False when it holds no words. */
bool line_read(struct line *line, const char *text, size_t len);

/* The value of key=value among the words; NULL when there is none. "" for a bare `key`. */
const char *line_value(const struct line *line, const char *key);
const char *line_wanted(const struct line *line, const char *key);

/* Numbers: "1_000", "$1.25" (nano-USD). Durations: "90s", "1.5s", "15m", "24h", "3d", "8571428us". Times:
 * "2026-03-29T01:59:59.5Z". */
int64_t line_number(const struct line *line, const char *text);
int64_t line_duration(const struct line *line, const char *text);
int64_t line_time(const struct line *line, const char *text);

#endif
