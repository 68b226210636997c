/* Internals of the price book, for the files that search it; all others include domain/price/price.h. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_BOOK_H
#define BURSAR_DOMAIN_PRICE_PRICE_BOOK_H

#include "domain/price/price_family.h"
#include "domain/price/price_name.h"

struct price_book {
	struct price *prices; /* by model, tenant, account; then the preferred provider first, its latest row first */
	struct price_alias *aliases; /* by alias, tenant */
	struct price_family *families; /* by tenant, prefix; the newest first */
	int count, alias_count, family_count;
};

/* A search for prices. */
struct price_query {
	const struct price_book *book;
	const char *tenant, *account;
	int64_t at_us;
	bool vendors_only; /* prices of providers that sell their own models */
	bool several; /* out: other providers have the id too */
};
struct price_query price_query_of(
	const struct price_book *book, const char *tenant, const char *account, int64_t at_us);

/* The account's own price of exactly this id, else the tenant's, else the general one. `provider` NULL: any. */
const struct price *price_find_exact(struct price_query *query, const char *provider, const char *model);

/* The price of a name under the spelling that the rules have led to. */
const struct price *price_find_spelled(struct price_query *query, const struct price_name *name);

#endif
