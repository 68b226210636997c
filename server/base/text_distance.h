/* How different two names are: for naming the one that was meant. */
#ifndef BURSAR_BASE_TEXT_DISTANCE_H
#define BURSAR_BASE_TEXT_DISTANCE_H

#include <stddef.h>

/* Levenshtein's distance of a name as somebody wrote it from one that there is; '-' and '_' are the same. SIZE_MAX when `b` is longer
 * than 63 bytes. */
size_t text_distance(const char *a, size_t a_len, const char *b);

/* From this distance on the name meant another thing altogether. */
size_t text_distance_limit(size_t len);

#endif
