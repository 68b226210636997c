/*
 * The text of the cases: a line consists of words; a word may be key=value; "->" precedes what is expected. A comment
 * runs from '#' to the end of the line. tests/contract/README.md lists the statements.
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
	int expected; /* words after it; -1 if there is no "->" */
	char *word[WORDS_MAX], *expect[WORDS_MAX];
	char text[512]; /* the words point into it */
};

/* Fails the test with the position and a message. */
void line_fail(const struct line *line, const char *fmt, ...) __attribute__((format(printf, 2, 3), noreturn));

/* Splits a line. False if it has no words. */
bool line_read(struct line *line, const char *text, size_t len);

/* The value of key=value among the words; "" for a bare `key`, NULL if the key is missing. */
const char *line_value(const struct line *line, const char *key);
const char *line_wanted(const struct line *line, const char *key);

/* Numbers: "1_000", "$1.25" (nano-USD). Durations: "90s", "1.5s", "15m", "24h", "3d", "8571428us". Times:
 * "2026-03-29T01:59:59.5Z". */
int64_t line_number(const struct line *line, const char *text);
int64_t line_duration(const struct line *line, const char *text);
int64_t line_time(const struct line *line, const char *text);

#endif
