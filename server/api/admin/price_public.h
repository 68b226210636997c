/* Public price lists in ImportPrices (price_import.c). */
#ifndef BURSAR_API_ADMIN_PRICE_PUBLIC_H
#define BURSAR_API_ADMIN_PRICE_PUBLIC_H

#include "api/admin/private.h"
#include "domain/price/price_csv.h"

/* Room for `count` rows, in the arena. */
void price_rows_new(struct prices_put *op, struct arena *arena, int count);
/* The rows of a sheet, copied. */
void price_rows_take(struct prices_put *op, struct arena *arena, const struct price_sheet *sheet);

/* Reads the request's json or json_zlib; what is not imported of it goes into `op`, too. */
bool price_public_read(const Bursar__V1__ImportPricesRequest *request, int64_t now_us, struct arena *arena,
	struct prices_put *op, struct err *err);
/* What was not imported, for the answer. */
void price_skipped_message(struct arena *arena, const struct prices_put *op, Bursar__V1__ImportPricesResponse *answer);

#endif
