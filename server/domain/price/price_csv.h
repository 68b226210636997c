/* Price lists as CSV: the format of deploy/data and of imports. USD per 1M tokens, as people type it. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_CSV_H
#define BURSAR_DOMAIN_PRICE_PRICE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "domain/price/price_change.h"

#define PRICE_CSV_BYTES_MAX ((size_t)8 << 20)
#define PRICE_CSV_ROWS_MAX 10000

/* Freed by price_sheet_release; all zeros is an empty list. */
struct price_sheet {
	int count;
	struct price *prices; /* checked, in the order of the file */
	int *lines; /* the line of each */
	price_parts given; /* the parts that its columns cover: PRICE_GIVEN_* */
};

/*
 * Reads a price list. The first line names the columns, in any order:
 *   provider, model, input_usd_per_1m (required), output_usd_per_1m, cached_input_usd_per_1m,
 *   cache_write_usd_per_1m, reasoning_usd_per_1m, audio_input_usd_per_1m, audio_output_usd_per_1m;
 *   context_threshold_tokens with input_above, output_above, cached_input_above, cache_write_above;
 *   rates and rates_above, modes, mode_rates, regions, hours, as in price_text.h, allowances, as in price_allowance.h;
 *   effective_from, effective_to (2026-07-30 or 2026-07-30T16:30:00Z, UTC); source.
 * An empty field means "no price of its own". ERR_INVALID names the line and the column, what is wrong and what would be
 * right. Two rows of one model that are in force at once are refused. On failure `out` is empty.
 */
bool price_csv_parse(const char *text, size_t len, struct price_sheet *out, struct err *err)
	__attribute__((warn_unused_result));

void price_sheet_release(struct price_sheet *list);

#endif
