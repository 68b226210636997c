/*
 * Public price lists, read as they are:
 *   litellm       model_prices_and_context_window.json
 *                 and a CSV with its fields as columns
 *   genai-prices  data.json, data_slim.json, and data.py of the Python package, which has no JSON
 * What a list says and a price cannot, or not exactly, is left out and listed: never a guess. A model whose price would be wrong
 * without it is left out as a whole.
 */
#ifndef BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_PUBLIC_H
#define BURSAR_DOMAIN_PRICE_PUBLIC_PRICE_PUBLIC_H

#include "domain/price/price_csv.h"

#define PRICE_SKIPPED_MAX 1000

/* A part of a list that is not imported. */
struct price_skipped {
	char provider[ID_MAX + 1], model[ID_MAX + 1];
	char field[64]; /* of the list; "" = the whole model */
	char why[128];
	int line;
};

/* Freed by price_public_release; all zeros is an empty list. */
struct price_public {
	struct price_sheet sheet;
	struct price_skipped *skipped; /* the first PRICE_SKIPPED_MAX of them */
	int skipped_count; /* of all */
};

/*
 * Reads a public price list; the text says which it is. Prices that have ended at `now_us` are not imported; the one in force has no
 * beginning, as in a CSV without dates, those that begin later have theirs. ERR_INVALID names the line. On failure `out` is empty.
 */
bool price_public_parse(const char *text, size_t len, int64_t now_us, struct price_public *out, struct err *err)
	__attribute__((warn_unused_result));

/* A CSV that is read as such a list: it has the column litellm_provider. */
bool litellm_csv_is(const char *text, size_t len);

void price_public_release(struct price_public *list);

#endif
