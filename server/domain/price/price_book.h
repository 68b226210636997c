/* Internals of the price book, for the files that search it; all others include domain/price/price.h. */
#ifndef BURSAR_DOMAIN_PRICE_PRICE_BOOK_H
#define BURSAR_DOMAIN_PRICE_PRICE_BOOK_H

#include "domain/price/price.h"

struct price_book {
	struct price *prices; /* by model, tenant, account; then the preferred provider first, its latest row first */
	struct price_alias *aliases; /* by alias, tenant */
	int count, alias_count;
};

#endif
