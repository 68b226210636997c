/* Levenshtein distance with transpositions, using three rows of its table. */
#include "base/text/distance.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { NAME_LEN_MAX = 63 };

static char fold(char c)
{
	return c == '-' ? '_' : c;
}

/* Two swapped letters are one error, and the most frequent one. Before both indices there are two letters. */
static bool is_swap(const char *a, size_t i, const char *b, size_t j)
{
	return fold(a[i - 1]) == fold(b[j - 2]) && fold(a[i - 2]) == fold(b[j - 1]);
}

size_t text_distance(const char *a, size_t a_len, const char *b)
{
	size_t rows[3][NAME_LEN_MAX + 1];
	size_t *older = rows[0], *old = rows[1], *now = rows[2];
	size_t b_len = strlen(b);

	if (b_len > NAME_LEN_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		old[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t *spare = older;

		now[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			now[j] = old[j - 1] + (fold(a[i - 1]) == fold(b[j - 1]) ? 0 : 1);
			if (old[j] + 1 < now[j])
				now[j] = old[j] + 1;
			if (now[j - 1] + 1 < now[j])
				now[j] = now[j - 1] + 1;
			if (i > 1 && j > 1 && is_swap(a, i, b, j) && older[j - 2] + 1 < now[j])
				now[j] = older[j - 2] + 1;
		}
		older = old;
		old = now;
		now = spare;
	}
	return old[b_len];
}

size_t text_distance_limit(size_t len)
{
	return len / 3 + 2;
}

void meant_try(struct meant *meant, const char *name)
{
	size_t len = strlen(meant->typed);
	size_t most = len <= 4 ? 1 : len <= 8 ? 2 : 3;
	size_t distance = text_distance(meant->typed, len, name);

	/* A one-letter name with another letter is a different name. */
	if (distance > most || distance >= len || (meant->name[0] && distance >= meant->distance))
		return;
	meant->distance = distance;
	memcpy(meant->name, name, strlen(name) + 1);
}
