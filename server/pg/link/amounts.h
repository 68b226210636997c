/*
 * The amounts (domain/limit/dimensions.h) in SQL and in its answers. The lists of columns begin with a comma, so that any of them follows
 * another column; answers and arrays have them in the table's order, AMOUNT_COUNT side by side.
 */
#ifndef BURSAR_PG_LINK_AMOUNTS_H
#define BURSAR_PG_LINK_AMOUNTS_H

#include <libpq-fe.h>

#include "domain/record/entry.h"
#include "pg/link/args.h"

/* Of the ledger and the roll-ups: ", requests, charged_input, ..." */
#define AMOUNT_COLUMN(NAME, name, api, ledger, ...) ", " ledger
#define AMOUNT_COLUMNS AMOUNTS(AMOUNT_COLUMN)
#define AMOUNT_NEGATED_COLUMN(NAME, name, api, ledger, ...) ", -" ledger
#define AMOUNT_NEGATED_COLUMNS AMOUNTS(AMOUNT_NEGATED_COLUMN)
/* Their sums: NULL of no rows, or 0. */
#define AMOUNT_SUM(NAME, name, api, ledger, ...) ", sum(" ledger ")::bigint AS " #name
#define AMOUNT_SUMS AMOUNTS(AMOUNT_SUM)
#define AMOUNT_SUM_OR_0(NAME, name, api, ledger, ...) ", coalesce(sum(" ledger "), 0)::bigint"
#define AMOUNT_SUMS_OR_0 AMOUNTS(AMOUNT_SUM_OR_0)
/* The names that AMOUNT_SUMS gives; and each with its name in the API, for jsonb_build_object. */
#define AMOUNT_NAME(NAME, name, ...) ", " #name
#define AMOUNT_NAMES AMOUNTS(AMOUNT_NAME)
#define AMOUNT_JSON_PAIR(NAME, name, api, ...) ", '" #api "', " #name
#define AMOUNT_JSON_PAIRS AMOUNTS(AMOUNT_JSON_PAIR)
/* For ON CONFLICT ... DO UPDATE SET of a table that is called u. */
#define AMOUNT_ADDED(NAME, name, api, ledger, ...) ", " ledger " = u." ledger " + excluded." ledger
#define AMOUNTS_ADDED AMOUNTS(AMOUNT_ADDED)

/* Of usage_windows, called w and u: ", w.requests, ..." */
#define WINDOW_COLUMN(NAME, name, api, ledger, window, ...) ", " window
#define WINDOW_COLUMNS AMOUNTS(WINDOW_COLUMN)
#define WINDOW_COLUMN_OF_W(NAME, name, api, ledger, window, ...) ", w." window
#define WINDOW_COLUMNS_OF_W AMOUNTS(WINDOW_COLUMN_OF_W)
#define WINDOW_ADDED(NAME, name, api, ledger, window, ...) ", " window " = u." window " + excluded." window
#define WINDOWS_ADDED "requests = u.requests + excluded.requests" AMOUNTS_USED(WINDOW_ADDED)

/* The meters that have columns, likewise. */
#define METER_COLUMN(NAME, name, ...) ", " name
#define METER_COLUMNS METERS_KEPT(METER_COLUMN)
#define METER_SUM(NAME, name, ...) ", sum(" name ")::bigint"
#define METER_SUMS METERS_KEPT(METER_SUM)
/* The rare meters of the ledger as text for pg_meters: "web_searches=2 calls=1". */
#define METERS_TEXT METERS_TEXT_OF("meters")
#define METERS_TEXT_OF(column) \
	"coalesce((SELECT string_agg(m.key || '=' || m.value, ' ') FROM jsonb_each_text(" column ") m), '')"
#define METER_ADDED(NAME, name, ...) ", " name " = u." name " + excluded." name
#define METERS_ADDED METERS_KEPT(METER_ADDED)

/* Those of an answer from `column` on; 0 for NULL. */
struct amounts pg_amounts(const PGresult *result, int row, int column);

/* Reads METERS_TEXT; meters of a newer release are left out. */
void pg_meters(const PGresult *result, int row, int column, struct meters *out);

/* The same, of what limits count by the piece: in the arena, or NULL. */
const int64_t *pg_counted(const PGresult *result, int row, int column, struct arena *arena);

/* One more row of the arrays from `column` on. */
void pg_array_amounts(struct pg_args *args, int column, const struct amounts *amounts);

#endif
