/* Public price lists: which one a text is, and names that several of its models have. */
#include "domain/price/public/price_public.h"

#include <stdlib.h>
#include <string.h>

#include "domain/price/price_change.h"
#include "domain/price/public/price_draft.h"

/* A row of the sheet, to be sorted by name. */
struct named_row {
	const struct price *price;
	const struct list_row *from;
	int at;
};

static int by_name(const void *a, const void *b)
{
	const struct named_row *x = a, *y = b;
	int order = strcmp(x->price->provider, y->price->provider);

	if (!order)
		order = strcmp(x->price->model, y->price->model);
	if (!order)
		order = x->from->other_name - y->from->other_name;
	return order ? order : x->at - y->at;
}

static bool same_name(const struct price *a, const struct price *b)
{
	return strcmp(a->provider, b->provider) == 0 && strcmp(a->model, b->model) == 0;
}

/* Of rows with one name, those of the first model stay; `gone` marks the others. */
static void group_settle(struct list_reader *reader, const struct named_row *rows, int count, bool *gone)
{
	struct draft draft = {.reader = reader};
	bool differ = false;

	for (int i = 1; i < count; i++) {
		if (rows[i].from->model == rows[0].from->model)
			continue;
		gone[rows[i].at] = true;
		differ = differ || !price_costs_same(rows[i].price, rows[0].price);
	}
	if (!differ || reader->first_wins)
		return;
	gone[rows[0].at] = true;
	memcpy(draft.price.provider, rows[0].price->provider, sizeof(draft.price.provider));
	memcpy(draft.price.model, rows[0].price->model, sizeof(draft.price.model));
	draft.line = reader->list->sheet.lines[rows[0].at];
	draft_skip(&draft, "", "the list has different prices for it");
}

static void names_settle(struct list_reader *reader)
{
	struct price_sheet *sheet = &reader->list->sheet;
	struct named_row *rows = mem_zalloc((size_t)sheet->count + 1, sizeof(*rows));
	bool *gone = mem_zalloc((size_t)sheet->count + 1, sizeof(*gone));
	int kept = 0;

	for (int i = 0; i < sheet->count; i++)
		rows[i] = (struct named_row){&sheet->prices[i], &reader->rows[i], i};
	qsort(rows, (size_t)sheet->count, sizeof(*rows), by_name);
	for (int i = 0, end; i < sheet->count; i = end) {
		for (end = i + 1; end < sheet->count && same_name(rows[i].price, rows[end].price);)
			end++;
		group_settle(reader, rows + i, end - i, gone);
	}
	for (int i = 0; i < sheet->count; i++) {
		if (gone[i])
			continue;
		sheet->lines[kept] = sheet->lines[i];
		if (kept != i)
			sheet->prices[kept] = sheet->prices[i];
		kept++;
	}
	sheet->count = kept;
	free(rows);
	free(gone);
}

static bool list_read(struct list_reader *reader, const struct tree *root, struct err *err)
{
	const struct tree *first = root->first;

	if (root->kind == TREE_LIST && first && tree_member(first, "models"))
		return genai_read(reader, root, err);
	for (; first && root->kind == TREE_OBJECT; first = first->next)
		if (tree_member(first, "litellm_provider"))
			return litellm_read(reader, root, err);
	return err_set(err, ERR_INVALID,
		"line 1: is neither litellm's model_prices_and_context_window.json nor a data file of genai-prices");
}

bool price_public_parse(const char *text, size_t len, int64_t now_us, struct price_public *out, struct err *err)
{
	struct arena arena = {0};
	struct list_reader reader = {.list = out, .arena = &arena, .now_us = now_us};
	const struct tree *root;
	bool ok;

	*out = (struct price_public){0};
	if (len > PRICE_CSV_BYTES_MAX)
		return err_set(err, ERR_INVALID, "file: is %zu bytes long; a price list has at most 8 MiB", len);
	ok = litellm_csv_is(text, len)
		     ? litellm_csv_tree(text, len, &arena, &root, err) && litellm_read(&reader, root, err)
		     : tree_parse(text, len, &arena, &root, err) && list_read(&reader, root, err);
	if (ok)
		names_settle(&reader);
	else
		price_public_release(out);
	/* Neither list has allowances that could be read. */
	out->sheet.given = PRICE_GIVEN_ALL & ~PRICE_GIVEN_ALLOWANCES;
	free(reader.rows);
	arena_release(&arena);
	return ok;
}

void price_public_release(struct price_public *list)
{
	price_sheet_release(&list->sheet);
	free(list->skipped);
	*list = (struct price_public){0};
}
