/* Builds SQL for filters; conditions that were not asked for do not appear in it. */
#include "pg/admin/account_filter.h"

#include <string.h>

/* For ACTIVE and GRACE, the current time follows. */
static const char *const states[] = {
	[WANTED_PRESENT] = "NOT a.deleted",
	[WANTED_ACTIVE] = "NOT a.deleted AND NOT a.suspended AND NOT a.bypass AND a.grace_until_us <= ",
	[WANTED_SUSPENDED] = "a.suspended AND NOT a.deleted",
	[WANTED_BYPASSED] = "a.bypass AND NOT a.deleted",
	/* "> 0" matches the index's condition. */
	[WANTED_GRACE] = "NOT a.deleted AND a.grace_until_us > 0 AND a.grace_until_us > ",
	[WANTED_DELETED] = "a.deleted",
	[WANTED_PENDING] = ("EXISTS (SELECT FROM policy_changes c WHERE c.tenant = a.tenant AND c.kind = a.kind AND "
			    "c.account = a.id)"),
	[WANTED_ANY] = "true",
};

static bool given(const char *text)
{
	return text && text[0];
}

static void state_put(struct buf *sql, struct pg_args *args, const struct account_filter *filter)
{
	buf_putf(sql, " AND %s", states[filter->state]);
	if (filter->state != WANTED_ACTIVE && filter->state != WANTED_GRACE)
		return;
	pg_arg_int(args, filter->now_us);
	buf_putf(sql, "$%d", args->count);
}

/* "<> ''" matches the index's condition. */
static void parent_put(struct buf *sql, struct pg_args *args, const char *column, const char *value)
{
	if (!given(value))
		return;
	pg_arg_text(args, value);
	buf_putf(sql, " AND a.%s = $%d AND a.%s <> ''", column, args->count, column);
}

static void time_put(struct buf *sql, struct pg_args *args, const char *column, int64_t since_us)
{
	if (!since_us)
		return;
	pg_arg_int(args, since_us);
	buf_putf(sql, " AND a.%s >= to_timestamp($%d / 1000000.0)", column, args->count);
}

/* Appends all conditions except the tier. */
static void most_put(struct buf *sql, struct pg_args *args, const struct account_filter *filter)
{
	state_put(sql, args, filter);
	if (given(filter->id_prefix)) {
		pg_arg_text(args, filter->id_prefix);
		buf_putf(sql, " AND starts_with(a.id, $%d)", args->count);
	}
	parent_put(sql, args, "team", filter->team);
	parent_put(sql, args, "org", filter->org);
	if (filter->has_overrides)
		buf_put_str(sql,
			" AND EXISTS (SELECT FROM account_limits l WHERE l.tenant = a.tenant AND l.account_kind = "
			"a.kind AND l.account_id = a.id)");
	time_put(sql, args, "created_at", filter->created_since_us);
	time_put(sql, args, "updated_at", filter->updated_since_us);
}

void account_filter_put(struct buf *sql, struct pg_args *args, const struct account_filter *filter)
{
	most_put(sql, args, filter);
	if (!given(filter->tier))
		return;
	pg_arg_text(args, filter->tier);
	buf_putf(sql, " AND (a.tier = $%d OR a.tier = '' AND $%d = " DEFAULT_TIER ")", args->count, args->count);
}

#define OF_TENANT "FROM accounts a WHERE a.tenant = $1 AND a.kind = $2::smallint AND a.id > $3"

static void set_args(struct pg_args *args, const struct account_set *set, const char *after)
{
	pg_arg_text(args, set->tenant);
	pg_arg_int(args, set->kind);
	pg_arg_text(args, after ? after : "");
}

/* Accounts that name the tier and accounts on it by default are two ordered index scans, merged. */
void account_ids_sql(struct buf *sql, struct pg_args *args, const struct account_set *set, const char *after, int limit)
{
	struct buf most = {0};
	int count;

	set_args(args, set, after);
	pg_arg_page(args, limit);
	count = args->count;
	if (set->filter)
		most_put(&most, args, set->filter);
	if (set->filter && given(set->filter->tier)) {
		pg_arg_text(args, set->filter->tier);
		buf_putf(sql,
			"SELECT id FROM ((SELECT a.id " OF_TENANT "%s AND a.tier = $%d ORDER BY a.id LIMIT $%d) "
			"UNION ALL (SELECT a.id " OF_TENANT "%s AND a.tier = '' AND $%d = " DEFAULT_TIER
			" ORDER BY a.id LIMIT $%d)) AS either ORDER BY id LIMIT $%d",
			buf_str(&most), args->count, count, buf_str(&most), args->count, count, count);
	} else {
		buf_putf(sql, "SELECT a.id " OF_TENANT "%s ORDER BY a.id LIMIT $%d", buf_str(&most), count);
	}
	buf_release(&most);
}

bool account_ids_find(struct pg_link *link, const struct account_set *set, const char *after, int limit,
	struct arena *arena, struct account_ids *out, struct err *err)
{
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;

	account_ids_sql(&sql, &args, set, after, limit);
	result = pg_query(link, buf_str(&sql), &args, err);
	buf_release(&sql);
	if (!result)
		return false;
	out->count = pg_page(result, limit, &out->more);
	out->id = arena_zalloc(arena, (size_t)out->count + 1, sizeof(*out->id));
	for (int i = 0; i < out->count; i++)
		out->id[i] = arena_strndup(arena, pg_text(result, i, 0), (size_t)PQgetlength(result, i, 0));
	return true;
}

bool account_ids_count(
	struct pg_link *link, const struct account_set *set, const char *after, int64_t *count, struct err *err)
{
	PG_ARGS args = {0};
	struct buf sql = {0};
	PG_RESULT result = NULL;

	set_args(&args, set, after);
	buf_put_str(&sql, "SELECT count(*) " OF_TENANT);
	if (set->filter)
		account_filter_put(&sql, &args, set->filter);
	result = pg_query(link, buf_str(&sql), &args, err);
	buf_release(&sql);
	if (!result)
		return false;
	*count = pg_i64(result, 0, 0);
	return true;
}
