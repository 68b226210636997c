/* Amounts from answers and into arrays. */
#include "pg/link/amounts.h"

#include <inttypes.h>
#include <stdio.h>

#include "pg/link/link.h"

struct amounts pg_amounts(const PGresult *result, int row, int column)
{
	return (struct amounts){
#define ROW(NAME, name, ...) .name = pg_i64(result, row, column + AMOUNT_##NAME),
		AMOUNTS(ROW)
#undef ROW
	};
}

void pg_meters(const PGresult *result, int row, int column, struct meters *out)
{
	const char *text = pg_text(result, row, column);
	char name[32];
	int64_t count;
	int used, meter;

	while (sscanf(text, " %31[a-z0-9_]=%" SCNd64 "%n", name, &count, &used) == 2) {
		meter = meter_find(name);
		if (meter >= METER_KEPT_COUNT)
			out->count[meter] = count;
		text += used;
	}
}

const int64_t *pg_counted(const PGresult *result, int row, int column, struct arena *arena)
{
	struct meters meters = {0};

	if (!pg_text(result, row, column)[0])
		return NULL;
	pg_meters(result, row, column, &meters);
	return meters_counted(&meters, arena);
}

void pg_array_amounts(struct pg_args *args, int column, const struct amounts *amounts)
{
#define ROW(NAME, name, ...) pg_array_int(args, column + AMOUNT_##NAME, amounts->name);
	AMOUNTS(ROW)
#undef ROW
}
