/* Amounts from answers and into arrays. */
#include "pg/link/amounts.h"

#include "pg/link/link.h"

struct amounts pg_amounts(const PGresult *result, int row, int column)
{
	return (struct amounts){
#define ROW(NAME, name, ...) .name = pg_i64(result, row, column + AMOUNT_##NAME),
		AMOUNTS(ROW)
#undef ROW
	};
}

void pg_array_amounts(struct pg_args *args, int column, const struct amounts *amounts)
{
#define ROW(NAME, name, ...) pg_array_int(args, column + AMOUNT_##NAME, amounts->name);
	AMOUNTS(ROW)
#undef ROW
}
