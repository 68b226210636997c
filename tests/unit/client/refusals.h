/* Texts that a parser refuses, and what its errors say. */
#ifndef TESTS_UNIT_CLIENT_REFUSALS_H
#define TESTS_UNIT_CLIENT_REFUSALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct refusal {
	const char *text;
	const char *says; /* a part of the error's text; after a '^': how it begins */
};

/* Fails unless `accepts` returns false for every row's text, with the error that the row describes. */
#define ALL_REFUSED(rows, accepts) all_refused(rows, sizeof(rows) / sizeof(*(rows)), accepts, __FILE__, __LINE__)
void all_refused(const struct refusal *rows, size_t count, bool (*accepts)(const char *text, struct err *err),
	const char *file, int line);

#endif
