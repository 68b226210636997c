/* How different two names are: for naming the one that was meant. */
#ifndef BURSAR_BASE_TEXT_DISTANCE_H
#define BURSAR_BASE_TEXT_DISTANCE_H

#include <stddef.h>

/* Levenshtein's distance of a name as somebody wrote it from one that there is; two letters that changed places count once, and '-'
 * and '_' are the same. SIZE_MAX when `b` is longer
 * than 63 bytes. */
size_t text_distance(const char *a, size_t a_len, const char *b);

/* From this distance on the name meant another thing altogether. */
size_t text_distance_limit(size_t len);

/* The name that was most likely meant, of those tried: `(struct meant){.typed = word}` begins. `name` is "" while none is near. */
struct meant {
	const char *typed;
	size_t distance;
	char name[64];
};
void meant_try(struct meant *meant, const char *name);

#endif
