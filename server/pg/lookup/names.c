/* Reads the names of models, for the catalog (pg/lookup/names.h). */
#include "pg/lookup/names.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/observe/log.h"
#include "pg/link/link.h"

static struct price_alias *aliases_read(const PGresult *result, int count)
{
	struct price_alias *alias = mem_zalloc((size_t)count + 1, sizeof(*alias));

	for (int i = 0; i < count; i++) {
		pg_copy(result, i, 0, alias[i].tenant, sizeof(alias[i].tenant));
		pg_copy(result, i, 1, alias[i].alias, sizeof(alias[i].alias));
		pg_copy(result, i, 2, alias[i].provider, sizeof(alias[i].provider));
		pg_copy(result, i, 3, alias[i].model, sizeof(alias[i].model));
	}
	return alias;
}

static struct price_family *families_read(const PGresult *result, int count, int *good)
{
	struct price_family *families = mem_zalloc((size_t)count + 1, sizeof(*families));

	*good = 0;
	for (int i = 0; i < count; i++) {
		struct price_family *family = &families[*good];
		struct err err;

		pg_copy(result, i, 0, family->tenant, sizeof(family->tenant));
		family->from_us = pg_i64(result, i, 2);
		pg_copy(result, i, 3, family->provider, sizeof(family->provider));
		pg_copy(result, i, 4, family->model, sizeof(family->model));
		if (price_family_prefix(pg_text(result, i, 1), "pattern", family->prefix, &err))
			(*good)++;
		else
			log_error("ignored an invalid family of models in PostgreSQL", F("tenant", family->tenant),
				F("pattern", pg_text(result, i, 1)), F("why", err.text));
	}
	return families;
}

struct price_book *catalog_names_load(
	const struct price *prices, int count, const PGresult *aliases, const PGresult *families)
{
	int alias_count = PQntuples(aliases), family_count;
	struct price_alias *alias = aliases_read(aliases, alias_count);
	struct price_family *family = families_read(families, PQntuples(families), &family_count);
	struct price_book *book = price_book_new(prices, count, alias, alias_count);

	price_book_families(book, family, family_count);
	free(alias);
	free(family);
	return book;
}
