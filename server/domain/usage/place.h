/* Finds the usage object in what a provider sent, and what is beside it. */
#ifndef BURSAR_DOMAIN_USAGE_PLACE_H
#define BURSAR_DOMAIN_USAGE_PLACE_H

#include "domain/usage/formats.h"
#include "domain/usage/path.h"
#include "domain/usage/usage.h"

struct usage_place_found {
	const struct usage_format *format;
	struct raw_json *usage, *outer, *root; /* `outer` contains `usage`; all three may be the same */
};

/*
 * Looks for a usage object of `format` (NULL: of any that can be recognized) in `root`. False when there is none, or all that it
 * could say is null.
 */
bool usage_locate(const struct usage_format *format, struct raw_json *root, struct usage_place_found *out);

/* Takes model, mode and region as far as they are told; the others stay. */
void usage_facts(const struct usage_place_found *place, struct arena *arena, struct usage_reading *out);

/* What the provider charges. ERR_INVALID for what is not a decimal from 0. Out parameters are left alone if it is not told. */
bool usage_cost(
	const struct usage_place_found *place, struct arena *arena, bool *known, int64_t *nano, struct err *err);

/* Lists the numbers that nothing has read. */
void usage_unknown(struct raw_json *usage, char out[USAGE_UNKNOWN_MAX]);

#endif
