/* Public price lists: what is read are valid prices of different names and times, and what is not read is listed. */
#include <string.h>

#include "base/utf8.h"
#include "domain/limit/limit.h"
#include "domain/price/public/price_public.h"
#include "domain/price/public/price_tree.h"
#include "fuzz/fuzz.h"

#define NOW_US INT64_C(1795910400000000)

/* A number times 10^scale, when it is exact, times 10 once more is exact, too, and ten times as much. */
static void check_decimal(const char *text)
{
	int64_t value, ten;

	if (decimal_scale(text, 6, &value) != DECIMAL_OK)
		return;
	HOLDS(value >= 0 && value < INT64_C(1000000000000000000));
#ifdef PLANTED_BUG
	/* The mistake: assuming that prices with an exponent are below 1. */
	HOLDS(!strchr(text, 'e') || value < 1000000);
#endif
	if (value < INT64_C(100000000000000000))
		HOLDS(decimal_scale(text, 7, &ten) == DECIMAL_OK && ten == value * 10);
}

static void check_tree(const struct tree *tree, int depth)
{
	HOLDS(depth <= TREE_DEPTH_MAX && tree->line >= 1);
	HOLDS(tree->kind != TREE_TEXT || utf8_valid(tree->text, strlen(tree->text)));
	if (tree->kind == TREE_NUMBER)
		check_decimal(tree->text);
	for (const struct tree *at = tree->first; at; at = at->next) {
		HOLDS(at->name && (tree->kind == TREE_OBJECT || !*at->name));
		check_tree(at, depth + 1);
	}
}

static void check_skipped(const struct price_public *list)
{
	for (int i = 0; i < list->skipped_count && i < PRICE_SKIPPED_MAX; i++) {
		const struct price_skipped *skipped = &list->skipped[i];

		HOLDS(skipped->why[0] && skipped->line >= 1);
		HOLDS(utf8_valid(skipped->provider, strlen(skipped->provider)));
		HOLDS(utf8_valid(skipped->model, strlen(skipped->model)));
		HOLDS(utf8_valid(skipped->field, strlen(skipped->field)));
		HOLDS(utf8_valid(skipped->why, strlen(skipped->why)));
	}
}

static void check_prices(const struct price_public *list)
{
	struct err err = {0};

	for (int i = 0; i < list->sheet.count; i++) {
		const struct price *price = &list->sheet.prices[i];
		struct cost cost;
		struct meters meters = {{0}};

		HOLDS(price_check(price, &err));
		HOLDS(price->from_us == 0 || price->from_us > NOW_US);
		HOLDS(list->sheet.lines[i] >= 1);
		for (int meter = 0; meter < METER_COUNT; meter++)
			meters.count[meter] = 1;
		HOLDS(price_cost(price, &meters, (struct purchase){.mode = ""}, &cost, &err));
		for (int mode = 0; mode < price->modes; mode++)
			HOLDS(price_cost(
				price, &meters, (struct purchase){.mode = price->mode[mode].name}, &cost, &err));
		for (int k = 0; k < i && k < 50; k++) {
			const struct price *other = &list->sheet.prices[k];

			HOLDS(strcmp(price->provider, other->provider) != 0 ||
				strcmp(price->model, other->model) != 0 || other->to_us <= price->from_us);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena arena = {0};
	const struct tree *tree;
	struct price_public list;
	struct err err = {0};

	if (tree_parse((const char *)data, size, &arena, &tree, &err))
		check_tree(tree, 0);
	else
		HOLDS(err.code == ERR_INVALID && strncmp(err.text, "line ", 5) == 0);
	arena_release(&arena);
	if (!price_public_parse((const char *)data, size, NOW_US, &list, &err)) {
		HOLDS(err.code == ERR_INVALID && utf8_valid(err.text, strlen(err.text)));
		HOLDS(list.sheet.count == 0 && !list.sheet.prices && !list.skipped);
		return 0;
	}
	check_skipped(&list);
	check_prices(&list);
	price_public_release(&list);
	return 0;
}
