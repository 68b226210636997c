/* Finds ids similar to a mistyped one: for error texts, never for pricing. */
#include <string.h>

#include "domain/price/price_book.h"

#define NEAREST_MAX 8

struct near {
	const char *id;
	int distance;
};

/* How many insertions, deletions and changes turn `a` into `b`; stops counting at `limit`. */
static int edit_distance(const char *a, const char *b, int limit)
{
	int row[ID_MAX + 1];
	int n = (int)strnlen(b, ID_MAX);
	int m = (int)strnlen(a, ID_MAX);

	if (m - n >= limit || n - m >= limit)
		return limit;
	for (int j = 0; j <= n; j++)
		row[j] = j;
	for (int i = 1; i <= m; i++) {
		int diagonal = row[0];
		int least = row[0] = i;

		for (int j = 1; j <= n; j++) {
			int change = diagonal + (a[i - 1] != b[j - 1]);
			int gap = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < gap ? change : gap;
			least = row[j] < least ? row[j] : least;
		}
		if (least >= limit)
			return limit;
	}
	return row[n] < limit ? row[n] : limit;
}

/* Keeps the best `max` candidates, in order. */
static void offer(struct near *best, int *count, int max, const char *id, int distance)
{
	int at = *count;

	while (at > 0 && best[at - 1].distance > distance)
		at--;
	if (at >= max)
		return;
	if (*count < max)
		(*count)++;
	memmove(&best[at + 1], &best[at], (size_t)(*count - at - 1) * sizeof(*best));
	best[at] = (struct near){.id = id, .distance = distance};
}

/* Compares `id` with `model` as given and with `bare`, without who serves it; the better match counts. */
static void consider(struct near *best, int *count, int max, const char *model, const char *bare, const char *id)
{
	/* With more than half of it changed, it is a different word. */
	int limit = (int)strnlen(bare, ID_MAX) / 2 + 2;
	int distance;

	if (*count == max && best[max - 1].distance < limit)
		limit = best[max - 1].distance;
	distance = edit_distance(bare, id, limit);
	if (bare != model && distance > 0)
		distance = edit_distance(model, id, distance);
	if (distance < limit)
		offer(best, count, max, id, distance);
}

int price_nearest(const struct price_book *book, const char *tenant, const char *model, const char *out[], int max)
{
	const char *slash = strchr(model, '/');
	const char *bare = slash && slash[1] ? slash + 1 : model;
	struct price_name name;
	struct near best[NEAREST_MAX + 1];
	const char *last = "";
	int count = 0;

	if (max > NEAREST_MAX)
		max = NEAREST_MAX;
	price_name_init(&name, model);
	while (price_name_next(&name))
		bare = name.text;
	for (int i = 0; max > 0 && i < book->count; i++) {
		const struct price *price = &book->prices[i];
		bool visible = !*price->account && (!*price->tenant || (tenant && strcmp(price->tenant, tenant) == 0));

		if (!visible || strcmp(price->model, last) == 0)
			continue;
		last = price->model;
		consider(best, &count, max, model, bare, price->model);
	}
	for (int i = 0; i < count; i++)
		out[i] = best[i].id;
	return count;
}
