/* Shows a price, and the changes of a price list: line by line and as totals; refuses changes that are too large. */
#ifndef BURSAR_CLI_PRICE_DIFF_H
#define BURSAR_CLI_PRICE_DIFF_H

#include "cli/core/command.h"

void price_show(struct cli *cli, const Bursar__V1__Price *price);

struct price_counts {
	size_t all, same, new, changed, big;
};
struct price_counts price_changes_count(const Bursar__V1__ImportPricesResponse *answer);

void price_changes_show(
	struct cli *cli, const Bursar__V1__ImportPricesResponse *answer, const struct price_counts *counts);

/* Counts what a public list says and a price cannot, by reason. */
void price_skipped_show(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer);

/* Lists the prices that would change too much; returns the exit code. */
int price_changes_refuse(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer);

#endif
