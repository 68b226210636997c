/*
 * Paths into JSON: names separated by dots, compared as raw_json_same_name does. `name[member=word]` takes those that have the
 * word in this member; without a name, the value itself if it has. Of an array, every item counts. Alternatives are separated by |.
 */
#ifndef BURSAR_DOMAIN_USAGE_PATH_H
#define BURSAR_DOMAIN_USAGE_PATH_H

#include "domain/usage/raw_json.h"

enum path_unit {
	PATH_WHOLE, /* whole numbers */
	PATH_UP, /* whole numbers: fractions are rounded up, each by itself */
	PATH_COUNT /* how many values there are, whatever they are */
};

struct path_sum {
	bool told; /* a value that is not null was found */
	int64_t sum; /* at most COUNT_MAX + 1: more than may be counted */
};

/*
 * The sum of the numbers at the first alternative that is not 0; marks those of all alternatives as read. null is as good as absent.
 * ERR_INVALID names the member when it is not a number from 0 to 2^53-1, or a fraction with PATH_WHOLE.
 */
bool path_sum(struct raw_json *from, const char *path, enum path_unit unit, struct path_sum *out, struct err *err);

/* The first value at the first alternative that has one that is not null; NULL when there is none. */
struct raw_json *path_first(struct raw_json *from, const char *path);

/* All values that are not null, at the first alternative that has one: at most `max`. Returns how many there are, even if more. */
int path_all(struct raw_json *from, const char *path, struct raw_json *out[], int max);

/* Marks all numbers below these paths as read. */
void path_known(struct raw_json *from, const char *path);

/* int64 sums that stay at COUNT_MAX + 1 once they exceed COUNT_MAX. */
int64_t capped_sum(int64_t a, int64_t b);

#endif
