/* How much two names differ: for suggesting the name that was meant. */
#ifndef BURSAR_BASE_TEXT_DISTANCE_H
#define BURSAR_BASE_TEXT_DISTANCE_H

#include <stddef.h>

/* Levenshtein distance between a name as typed and an existing one; two swapped letters count once, and '-' equals '_'.
 * SIZE_MAX when `b` is longer than 63 bytes. */
size_t text_distance(const char *a, size_t a_len, const char *b);

/* From this distance on, names are too different for a typo. */
size_t text_distance_limit(size_t len);

/* The name most likely meant, of those tried: start with `(struct meant){.typed = word}`. `name` is "" if none is near. */
struct meant {
	const char *typed;
	size_t distance;
	char name[64];
};
void meant_try(struct meant *meant, const char *name);

#endif
