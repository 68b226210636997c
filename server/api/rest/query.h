/* The parts of a request's target: percent-encoding, and the pairs of a query. */
#ifndef BURSAR_API_REST_QUERY_H
#define BURSAR_API_REST_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"

/* Text in an arena, or in what it was cut from; not necessarily terminated. */
struct rest_text {
	const char *text;
	size_t len;
};

/*
 * Percent-decodes a part of a path, or with `form` of a query, where '+' is a space. ERR_INVALID naming `field` when it is
 * not valid percent-encoding, or when what comes out is not UTF-8 or has a NUL.
 */
bool rest_decode(const char *text, size_t len, bool form, const char *field, struct arena *arena, struct rest_text *out,
	struct err *err) __attribute__((warn_unused_result));

/* The next pair of a query, still encoded; moves *at behind it. A name without "=" has a value of NULL. False at the end. */
bool rest_pair_next(const char **at, struct rest_text *name, struct rest_text *value);

#endif
