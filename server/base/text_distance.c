/* Levenshtein's distance, by one row of its table. */
#include "base/text_distance.h"

#include <stdint.h>
#include <string.h>

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

size_t text_distance(const char *a, size_t a_len, const char *b)
{
	size_t costs[64];
	size_t b_len = strlen(b);

	if (b_len >= 64)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		costs[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = costs[0];

		costs[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = diagonal + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);

			diagonal = costs[j];
			if (costs[j] + 1 < best)
				best = costs[j] + 1;
			if (costs[j - 1] + 1 < best)
				best = costs[j - 1] + 1;
			costs[j] = best;
		}
	}
	return costs[b_len];
}

size_t text_distance_limit(size_t len)
{
	return len / 3 + 2;
}
