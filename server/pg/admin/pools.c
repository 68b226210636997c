/* Reads and changes pools (pg/admin/admin.h). A change raises the pool's gen and, by a trigger, the generation. */
#include "pg/admin/admin.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "pg/link/rows.h"

/* A tenant's own pools, and the shipped ones for which it has no row; $2 is a name, or '' for all. */
#define LIST_SQL \
	"SELECT " POOL_COLUMNS ", " POOL_JSON \
	" FROM pools p WHERE (p.tenant = $1 OR (p.tenant = '' AND NOT EXISTS (SELECT FROM pools o " \
	"WHERE o.tenant = $1 AND o.name = p.name))) AND ($2 = '' OR p.name = $2) ORDER BY p.name"

static PGresult *query_pools(struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, tenant);
	pg_arg_text(&args, name ? name : "");
	return pg_query(link, LIST_SQL, &args, err);
}

static void read_pool(const PGresult *result, int at, const char *tenant, struct pool_row *out)
{
	*out = (struct pool_row){.tenant = tenant, .updated_at_us = pg_i64(result, at, POOL_COLUMN_UPDATED)};
	row_pool(result, at, &out->settings);
	etag_of(pg_text(result, at, POOL_COLUMN_COUNT), out->etag);
}

bool pools_read(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct pool_row **rows, int *count, struct err *err)
{
	PG_RESULT result = query_pools(link, tenant, name, err);

	if (!result)
		return false;
	*count = PQntuples(result);
	*rows = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(**rows));
	for (int i = 0; i < *count; i++)
		read_pool(result, i, tenant, &(*rows)[i]);
	return true;
}

bool admin_pool_list(struct pool_list *op, struct pg_link *link, struct err *err)
{
	return pools_read(&op->job, link, op->tenant, op->name, &op->rows, &op->count, err);
}

static bool read_for_change(struct pool_change *op, struct pg_link *link, bool *known, struct err *err)
{
	PG_RESULT result = query_pools(link, op->tenant, op->name, err);

	if (!result)
		return false;
	*known = PQntuples(result) > 0;
	if (*known) {
		read_pool(result, 0, op->tenant, &op->row);
	} else {
		op->row = (struct pool_row){.tenant = op->tenant};
		pool_settings_default(&op->row.settings, op->name, 0);
		op->row.settings.gen = 0;
	}
	return true;
}

/* The shipped pool stores the option's value. */
static bool fill_slots(struct pool_settings *settings, struct pg_link *link, struct err *err)
{
	PG_RESULT result = NULL;

	if (!settings->slots_from_option)
		return true;
	if (!pg_read(link, "SELECT slots FROM pools WHERE tenant = '' AND name = '" POOL_DEFAULT "'", NULL, &result,
		    err))
		return false;
	if (PQntuples(result))
		settings->slots = (int)pg_i64(result, 0, 0);
	return true;
}

static void write_args(struct pg_args *args, const char *tenant, const struct pool_settings *s)
{
	pg_arg_text(args, tenant);
	pg_arg_text(args, s->name);
	pg_arg_int(args, s->gen);
	pg_arg_int(args, s->slots);
	pg_arg_bool(args, s->slots_from_option);
	pg_arg_bool(args, s->paused);
	pg_arg_bool(args, s->available);
	pg_arg_int(args, s->queue_limit);
	pg_arg_int(args, s->level_queue_limit);
	pg_arg_int(args, s->user_queue_limit);
	pg_arg_int(args, s->lease_us);
	pg_arg_int(args, s->age_us);
	pg_arg_int(args, s->age_every);
	pg_arg_int(args, s->starve_us);
	pg_arg_int(args, s->predicted_wait_max_us);
	pg_arg_int(args, s->wait_max_us);
	pg_arg_int(args, s->estimate_us);
	pg_arg_int(args, s->learn_margin_us);
	pg_arg_int(args, s->drain_us);
}

static bool write_pool(struct pg_link *link, struct pool_row *row, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	write_args(&args, row->tenant, &row->settings);
	if (!pg_read(link,
		    "INSERT INTO pools (tenant, name, gen, slots, slots_from_option, paused, available, queue_limit, "
		    "level_queue_limit, user_queue_limit, lease_us, age_us, age_every, starve_us, predicted_wait_max_us, "
		    "wait_max_us, estimate_us, learn_margin_us, drain_us) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
		    "$11, $12, $13, $14, $15, $16, $17, $18, $19) ON CONFLICT (tenant, name) DO UPDATE SET gen = "
		    "excluded.gen, slots = excluded.slots, slots_from_option = excluded.slots_from_option, paused = "
		    "excluded.paused, available = excluded.available, queue_limit = excluded.queue_limit, "
		    "level_queue_limit = excluded.level_queue_limit, user_queue_limit = excluded.user_queue_limit, "
		    "lease_us = excluded.lease_us, age_us = excluded.age_us, age_every = excluded.age_every, starve_us = "
		    "excluded.starve_us, predicted_wait_max_us = excluded.predicted_wait_max_us, wait_max_us = "
		    "excluded.wait_max_us, estimate_us = excluded.estimate_us, learn_margin_us = "
		    "excluded.learn_margin_us, drain_us = excluded.drain_us, updated_at = now() "
		    "RETURNING (extract(epoch FROM updated_at) * 1000000)::bigint",
		    &args, &result, err))
		return false;
	row->updated_at_us = pg_i64(result, 0, 0);
	return true;
}

static bool write_levels(struct pg_link *link, const struct pool_row *row, struct err *err)
{
	PG_ARGS key = {0}, args = {0};
	int first;

	pg_arg_text(&key, row->tenant);
	pg_arg_text(&key, row->settings.name);
	pg_arg_text(&args, row->tenant);
	pg_arg_text(&args, row->settings.name);
	first = pg_arg_array(&args, PG_INT4);
	pg_arg_array(&args, PG_INT4);
	pg_arg_array(&args, PG_INT4);
	for (int i = 0; i < row->settings.level_count; i++) {
		const struct pool_level *level = &row->settings.level[i];

		pg_array_int(&args, first, level->priority);
		pg_array_int(&args, first + 1, level->weight);
		pg_array_int(&args, first + 2, level->queue_limit);
	}
	return pg_exec(link, "DELETE FROM pool_levels WHERE tenant = $1 AND pool = $2", &key, err) &&
	       (row->settings.level_count == 0 ||
		       pg_exec(link,
			       "INSERT INTO pool_levels (tenant, pool, priority, weight, queue_limit) SELECT $1, $2, "
			       "l.* FROM unnest($3, $4, $5) AS l",
			       &args, err));
}

/* The pool as shown in the audit log. */
static const char *pool_json(
	struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_text(&args, tenant);
	pg_arg_text(&args, name);
	return admin_json(job, link,
		"SELECT " POOL_JSON
		" FROM pools p WHERE p.tenant IN ($1, '') AND p.name = $2 ORDER BY p.tenant DESC LIMIT 1",
		&args, err);
}

static bool audit_pool(
	struct admin_job *job, struct pg_link *link, struct pool_row *row, const char *before, struct err *err)
{
	const char *after = pool_json(job, link, row->tenant, row->settings.name, err);

	if (!after || !admin_audit(job, link, row->tenant, "pool.change", row->settings.name, before, after, err))
		return false;
	etag_of(after, row->etag);
	return true;
}

bool pool_change_write(struct admin_job *job, struct pg_link *link, struct pool_change *op, struct err *err)
{
	const char *before;
	bool known;

	if (!(before = pool_json(job, link, op->tenant, op->name, err)) || !read_for_change(op, link, &known, err) ||
		!op->change(op, &op->row, known, err) || !fill_slots(&op->row.settings, link, err))
		return false;
	op->row.settings.gen++;
	return write_pool(link, &op->row, err) && write_levels(link, &op->row, err) &&
	       audit_pool(job, link, &op->row, before, err);
}

bool admin_pool_change(struct pool_change *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && pool_change_write(&op->job, link, op, err) &&
	       catalog_commit(&op->job, link, err);
}

/*
 * The row makes epochs rise. The clock only helps when the row was restored from a backup older than what callers have
 * seen, and is capped so that a clock that is ahead cannot use up all epochs.
 */
#define CLOCK_EPOCH "least(2147483648, extract(epoch FROM now())::bigint - 1700000000)"

bool admin_pool_open(struct pool_open *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, op->tenant);
	pg_arg_text(&args, op->name);
	pg_arg_text(&args, op->claim);
	pg_arg_int(&args, op->known);
	if (!pg_read(link,
		    "INSERT INTO pool_openings AS o (tenant, pool, first_token, epoch) VALUES ($1, $2, $3, "
		    "greatest($4 + 1, " CLOCK_EPOCH ")) ON CONFLICT (tenant, pool) DO UPDATE SET epoch = "
		    "greatest(o.epoch + 1, $4 + 1, " CLOCK_EPOCH ") RETURNING first_token = $3, epoch",
		    &args, &result, err))
		return false;
	op->first = pg_bool(result, 0, 0);
	op->epoch = (uint32_t)pg_i64(result, 0, 1);
	return true;
}

static bool option_differs(struct pg_link *link, const struct pg_args *args, bool *differs, struct err *err)
{
	PG_RESULT result =
		pg_query(link, "SELECT FROM pools WHERE slots_from_option AND slots <> $1 LIMIT 1", args, err);

	if (!result)
		return false;
	*differs = PQntuples(result) > 0;
	return true;
}

bool pools_option(struct pg_link *link, int slots, int *changed, struct err *err)
{
	PG_ARGS args = {0};
	bool differs = false;
	bool ok;

	*changed = 0;
	pg_arg_int(&args, slots);
	ok = option_differs(link, &args, &differs, err);
	if (ok && differs) {
		PG_RESULT result = NULL;
		if (catalog_begin(link, err))
			result = pg_query(link,
				"UPDATE pools SET slots = $1, gen = gen + 1, updated_at = now() WHERE "
				"slots_from_option AND slots <> $1",
				&args, err);
		ok = result && pg_commit(link, err);
		if (ok)
			*changed = atoi(PQcmdTuples(result));
	}
	return ok;
}
