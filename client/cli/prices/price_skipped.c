/* Shows what a public price list says and a price cannot (price_diff.h). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli/prices/price_diff.h"
#include "cli/text/table.h"

struct reason {
	const Bursar__V1__PriceSkipped *first;
	int count;
};

static int by_reason(const void *a, const void *b)
{
	const Bursar__V1__PriceSkipped *const *x = a, *const *y = b;
	int order = strcmp((*x)->why, (*y)->why);

	return order ? order : strcmp((*x)->field, (*y)->field);
}

static int by_count(const void *a, const void *b)
{
	const struct reason *x = a, *y = b;
	Bursar__V1__PriceSkipped const *first = x->first, *second = y->first;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : by_reason(&first, &second);
}

/* The reasons, the most frequent one first; returns how many there are. */
static size_t reasons_find(const Bursar__V1__ImportPricesResponse *answer, struct reason *out)
{
	Bursar__V1__PriceSkipped const **rows = mem_zalloc(answer->n_skipped + 1, sizeof(rows[0]));
	size_t count = 0;

	for (size_t i = 0; i < answer->n_skipped; i++)
		rows[i] = answer->skipped[i];
	qsort(rows, answer->n_skipped, sizeof(rows[0]), by_reason);
	for (size_t i = 0; i < answer->n_skipped; i++) {
		if (count == 0 || by_reason(&rows[i], &out[count - 1].first) != 0)
			out[count++] = (struct reason){.first = rows[i]};
		out[count - 1].count++;
	}
	free(rows);
	qsort(out, count, sizeof(*out), by_count);
	return count;
}

void price_skipped_show(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer)
{
	static const char *const columns[] = {">TIMES", "FIELD", "~WHY", "~FIRST", NULL};
	struct reason *reasons;
	struct table *table;
	size_t count;

	if (!answer->skipped_count)
		return;
	reasons = mem_zalloc(answer->n_skipped + 1, sizeof(*reasons));
	count = reasons_find(answer, reasons);
	table = table_new(columns, cli->colour);
	for (size_t i = 0; i < count; i++) {
		table_line(table);
		table_cell(table, "%d", reasons[i].count);
		table_cell(table, "%s", reasons[i].first->field);
		table_cell(table, "%s", reasons[i].first->why);
		table_cell(table, "%s %s", reasons[i].first->provider, reasons[i].first->model);
	}
	buf_putf(&cli->out, "\nnot imported, because a price cannot say it: %" PRId64 "%s\n", answer->skipped_count,
		answer->skipped_count > (int64_t)answer->n_skipped ? ", of which the first are" : "");
	table_put(&cli->out, table, "");
	table_free(table);
	free(reasons);
}
