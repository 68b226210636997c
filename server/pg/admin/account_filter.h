/* Selects the accounts of a filter, as SQL. */
#ifndef BURSAR_PG_ADMIN_ACCOUNT_FILTER_H
#define BURSAR_PG_ADMIN_ACCOUNT_FILTER_H

#include "base/arena.h"
#include "base/buf.h"
#include "pg/link/args.h"
#include "pg/link/link.h"
#include "store/admin.h"

/* The tier of a user of tenant $1 who has none of their own. */
#define DEFAULT_TIER "(SELECT default_tier FROM tenants WHERE id IN ($1, 'default') ORDER BY id <> $1 LIMIT 1)"

/* The accounts of a tenant and kind. */
struct account_set {
	const char *tenant;
	enum account_kind kind;
	const struct account_filter *filter; /* NULL: all of them */
};

/* Appends " AND ..." for the table accounts a, and its parameters. */
void account_filter_put(struct buf *sql, struct pg_args *args, const struct account_filter *filter);

/*
 * A page of the ids after `after`, in order. For a filter by tier, team, org or state it reads about as many rows as it
 * returns, because each has an index ordered by id.
 */
void account_ids_sql(
	struct buf *sql, struct pg_args *args, const struct account_set *set, const char *after, int limit);
struct account_ids {
	int count;
	bool more;
	const char **id;
};
bool account_ids_find(struct pg_link *link, const struct account_set *set, const char *after, int limit,
	struct arena *arena, struct account_ids *out, struct err *err) __attribute__((warn_unused_result));

/* How many there are after `after`. */
bool account_ids_count(struct pg_link *link, const struct account_set *set, const char *after, int64_t *count,
	struct err *err) __attribute__((warn_unused_result));

#endif
