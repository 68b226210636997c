/* A price; and what a list of prices changes: shown line by line, counted, and refused where one moves too far. */
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

/* Names each price that moves too far; answers the exit code. */
int price_changes_refuse(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer);

#endif
