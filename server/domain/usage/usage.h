/*
 * Providers' usage objects, as they came, read into disjoint meters. The formats are a table (formats.c); docs/usage.md shows it.
 */
#ifndef BURSAR_DOMAIN_USAGE_USAGE_H
#define BURSAR_DOMAIN_USAGE_USAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "domain/record/entry.h"

enum {
	USAGE_ROUNDS_MAX = 64,
	USAGE_ITEMS_MAX = 512, /* of a list: each is searched for its usage */
	USAGE_UNKNOWN_MAX = 240
};

/* One request of several that an object tells of. */
struct usage_round {
	struct meters meters;
	const char *model; /* "": as the others */
};

struct usage_reading {
	const char *format; /* the name of the table's row */
	struct meters meters; /* disjoint; of all rounds together. Has passed meters_check */
	int rounds; /* 0: one request, or it is not told which used what */
	const struct usage_round *round; /* what is beyond USAGE_ROUNDS_MAX is in the last one */
	const char *model; /* as served; "": not told. A valid id */
	const char *mode; /* "": not told; "standard", "batch", ... */
	const char *region; /* "": not told, or none; "us", ... */
	bool cost_known; /* the provider says what it charges: */
	int64_t cost_nano; /* rounded up */
	bool estimated; /* nothing is told: zero or null everywhere */
	bool inconsistent; /* its numbers contradict each other: `meters` is the larger reading */
	bool total_known; /* the provider says how many tokens there are in all: */
	int64_t total; /* with those that it leaves out of its total on purpose. If not inconsistent, the sum of all tokens */
	char unknown[USAGE_UNKNOWN_MAX]; /* numbers that no row of the format knows: "a.b=12 c=3"; for the log */
};

/*
 * Reads what `provider` (a row of the table, an alias of one, or "" or "auto": recognized by its members) sent: the usage object, a
 * whole response that contains it, or an array of those that a stream consisted of. Texts are in the arena. ERR_INVALID for an
 * unknown provider, with the field "provider"; for what is not JSON, is neither of these, or has a member that is not a count, with
 * the field "json".
 */
bool usage_read(const char *provider, const char *json, size_t len, struct arena *arena, struct usage_reading *out,
	struct err *err);

/* How a request was bought, with what was told in place of what the check knew: "batch", "@us", "batch@us" (struct purchase). */
const char *usage_purchase(const struct usage_reading *reading, const char *checked, struct arena *arena);

#endif
