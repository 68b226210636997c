/* Reads the names of models, for the catalog. */
#ifndef BURSAR_PG_LOOKUP_NAMES_H
#define BURSAR_PG_LOOKUP_NAMES_H

#include <libpq-fe.h>

#include "domain/price/price_family.h"

#define ALIASES_SQL "SELECT tenant, alias, provider, model FROM model_aliases"
#define FAMILIES_SQL "SELECT tenant, pattern, from_us, provider, model FROM model_families"

/* A price book of the prices, with the aliases and families that the statements above have answered. */
struct price_book *catalog_names_load(
	const struct price *prices, int count, const PGresult *aliases, const PGresult *families);

#endif
