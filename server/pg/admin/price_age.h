/* How old prices are: SQL that several statements share. */
#ifndef BURSAR_PG_ADMIN_PRICE_AGE_H
#define BURSAR_PG_ADMIN_PRICE_AGE_H

/*
 * Three members of a WITH; the last one, `aged`, has the columns of model_prices and `read_at`, of the rows for which `whose` is true.
 * A price is as old as its source, not as its row: in a database created today, shipped rows are as old as their sources. A source
 * gives its date as its last "(2026-08-21)" or "(v2,2026-08-21)". Without a date it counts as read with the youngest source written in
 * the same transaction, else when its row was written. Counts from the first day of the month, so that a 31st of February is not an
 * error.
 */
#define PRICES_AGED(whose) \
	"said AS (SELECT *, (SELECT max(m[1]) FROM regexp_matches(source, " \
	"'[(,](\\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\\d|3[01]))\\)', 'g') m) AS said FROM model_prices WHERE " whose \
	"), dated AS (SELECT *, coalesce(said, max(said) OVER (PARTITION BY created_at)) AS day FROM said), " \
	"aged AS (SELECT *, least(created_at, (left(day, 8) || '01')::timestamp AT TIME ZONE 'UTC' + " \
	"(right(day, 2)::int - 1) * interval '1 day') AS read_at FROM dated)"

/* Whether the price of a row is above 0. Prices of free models do not age. */
#define PRICE_COSTS(p) \
	"(greatest(" p ".input, " p ".output, " p ".cached_input, " p ".cache_write, " p ".reasoning, " p \
	".audio_input, " p ".audio_output) > 0 OR " p ".more ? 'rates')"

#endif
