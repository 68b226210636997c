/* Reads a tenant as one document in one snapshot and writes it in one transaction (pg/admin/admin.h). */
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "pg/admin/account_rows.h"
#include "pg/admin/limits_fit.h"
#include "pg/alerts/admin.h"
#include "pg/link/rows.h"
#include "store/document.h"

/* A tenant without a row has the settings of `default`. */
static bool read_settings(struct admin_job *job, struct pg_link *link, struct document *out, struct err *err)
{
	PG_ARGS args = {0};
	struct tenant *settings = arena_zalloc(job->arena, 1, sizeof(*settings));
	PG_RESULT result = NULL;
	bool found;

	pg_arg_text(&args, out->tenant);
	if (!pg_read(link,
		    "SELECT " TENANT_COLUMNS " FROM tenants WHERE id IN ($1, 'default') ORDER BY id <> $1 LIMIT 1",
		    &args, &result, err))
		return false;
	found = PQntuples(result) > 0;
	if (found)
		row_tenant(result, 0, 0, settings);
	if (!found)
		return err_set(
			err, ERR_PRECONDITION, "the tenant `default` has no row: the database has not been migrated");
	memcpy(settings->id, out->tenant, strlen(out->tenant) + 1);
	out->settings = settings;
	return true;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct tier *)a)->name, ((const struct tier *)b)->name);
}

/* Both answers are sorted by tenant: shipped tiers ('') come first, and the tenant's own ones replace them. */
static bool take_tiers(
	struct admin_job *job, const PGresult *tiers, const PGresult *limits, struct document *out, struct err *err)
{
	int rows = PQntuples(tiers), at = 0;
	struct tier *tier = arena_zalloc(job->arena, (size_t)rows + 1, sizeof(*tier));
	int count = 0;

	for (int row = 0; row < rows; row++) {
		struct err why;
		int k = 0;

		if (!row_tier(tiers, row, limits, &at, &tier[count], &why))
			return err_set(err, ERR_PRECONDITION, "tier %s in PostgreSQL is invalid: %s", tier[count].name,
				why.text);
		while (k < count && strcmp(tier[k].name, tier[count].name) != 0)
			k++;
		if (k < count)
			tier[k] = tier[count];
		else
			count++;
	}
	qsort(tier, (size_t)count, sizeof(*tier), by_name);
	out->tiers = count;
	out->tier = tier;
	return true;
}

static bool read_tiers(struct admin_job *job, struct pg_link *link, struct document *out, struct err *err)
{
	PG_ARGS args = {0};
	PGresult *results[2];
	const struct pg_statement statements[] = {
		{.sql = "SELECT " TIER_COLUMNS " FROM tiers WHERE tenant IN ('', $1) ORDER BY tenant, name",
			.args = &args},
		{.sql = "SELECT " TIER_LIMIT_COLUMNS
			" FROM tier_limits WHERE tenant IN ('', $1) ORDER BY tenant, tier, position",
			.args = &args},
	};
	bool ok;

	pg_arg_text(&args, out->tenant);
	ok = pg_pipeline(link, statements, 2, results, err);
	if (!ok)
		return false;
	ok = take_tiers(job, results[0], results[1], out, err);
	pg_results_clear(results, 2);
	return ok;
}

static bool read_pools(struct admin_job *job, struct pg_link *link, struct document *out, struct err *err)
{
	struct pool_row *rows;

	if (!pools_read(job, link, out->tenant, NULL, &rows, &out->pools, err))
		return false;
	out->pool = arena_zalloc(job->arena, (size_t)out->pools + 1, sizeof(*out->pool));
	for (int i = 0; i < out->pools; i++)
		out->pool[i] = rows[i].settings;
	return true;
}

static bool read_parts(struct admin_job *job, struct pg_link *link, struct document *out, struct err *err)
{
	return read_settings(job, link, out, err) && read_tiers(job, link, out, err) &&
	       read_pools(job, link, out, err) && texts_read(job, link, out->tenant, &out->text, &out->texts, err) &&
	       aliases_read(job, link, out->tenant, &out->alias, &out->aliases, err) &&
	       families_read(job, link, out->tenant, &out->family, &out->families, err) &&
	       alert_channels_read(job, link, out->tenant, NULL, &out->channel, &out->channels, err) &&
	       alert_rules_read(job, link, out->tenant, false, &out->rule, &out->rules, err);
}

/* The ids of the tenant's shared accounts, by kind. */
struct shared {
	int count[ACCOUNT_TENANT + 1];
	const char **id[ACCOUNT_TENANT + 1];
};

static bool find_shared(
	struct admin_job *job, struct pg_link *link, const char *tenant, struct shared *out, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	int rows;

	pg_arg_text(&args, tenant);
	pg_arg_int(&args, DOCUMENT_ACCOUNTS_MAX + 1);
	if (!pg_read(link,
		    "SELECT kind, id FROM accounts WHERE tenant = $1 AND kind IN (2, 3, 4, 5) AND NOT deleted ORDER BY "
		    "kind, id LIMIT $2",
		    &args, &result, err))
		return false;
	rows = PQntuples(result);
	for (int kind = ACCOUNT_TEAM; kind <= ACCOUNT_TENANT; kind++)
		out->id[kind] = arena_zalloc(job->arena, (size_t)rows + 1, sizeof(*out->id[kind]));
	for (int i = 0; i < rows; i++) {
		int64_t kind = pg_i64(result, i, 0);
		out->id[kind][out->count[kind]++] = admin_text(job, result, i, 1);
	}
	return rows <= DOCUMENT_ACCOUNTS_MAX ||
	       err_set(err, ERR_PRECONDITION,
		       "tenant %s has more than %d shared accounts, the most a document can hold", tenant,
		       DOCUMENT_ACCOUNTS_MAX);
}

static void name_shared(struct admin_job *job, const struct document *wanted, struct shared *out)
{
	for (int kind = ACCOUNT_TEAM; kind <= ACCOUNT_TENANT; kind++)
		out->id[kind] = arena_zalloc(job->arena, (size_t)wanted->accounts + 1, sizeof(*out->id[kind]));
	for (int i = 0; i < wanted->accounts; i++) {
		const struct account_key *key = &wanted->account[i].key;
		out->id[key->kind][out->count[key->kind]++] = key->id;
	}
}

/* Reads the accounts in `named`, or all (NULL), by kind and id. `lock` locks them until the transaction ends. */
static bool read_accounts(struct admin_job *job, struct pg_link *link, const struct document *named, bool lock,
	int64_t now_us, struct document *out, struct err *err)
{
	struct shared shared = {0};
	int room;

	if (named)
		name_shared(job, named, &shared);
	else if (!find_shared(job, link, out->tenant, &shared, err))
		return false;
	room = shared.count[ACCOUNT_TEAM] + shared.count[ACCOUNT_ORG] + shared.count[ACCOUNT_MODEL] +
	       shared.count[ACCOUNT_TENANT];
	out->account = arena_zalloc(job->arena, (size_t)room + 1, sizeof(*out->account));
	for (enum account_kind kind = ACCOUNT_TEAM; kind <= ACCOUNT_TENANT; kind++) {
		struct account_read read = {
			.set = {.tenant = out->tenant, .kind = kind},
			.id = shared.id[kind],
			.count = shared.count[kind],
			.lock = lock,
			.rows = &out->account[out->accounts],
		};
		if (!read.count)
			continue;
		if (!account_rows_read(job, link, &read, err))
			return false;
		/* Leaves out deleted accounts and overrides that have ended. */
		for (int i = 0; i < read.found; i++) {
			if (read.rows[i].profile.deleted)
				continue;
			profile_drop_ended(&read.rows[i].profile, now_us);
			out->account[out->accounts++] = read.rows[i];
		}
	}
	return true;
}

bool admin_document_read(struct document_read *op, struct pg_link *link, struct err *err)
{
	struct document *out = &op->document;

	out->tenant = op->tenant;
	return pg_begin(link, "ISOLATION LEVEL REPEATABLE READ READ ONLY", err) &&
	       read_parts(&op->job, link, out, err) &&
	       read_accounts(&op->job, link, NULL, false, op->now_us, out, err) && pg_commit(link, err);
}

/* Applies a document's entry to an account; documents do not contain suspensions, grace and the like. */
struct account_put {
	struct account_change op;
	const struct document_change *change;
	int64_t now_us;
};

static bool account_put(struct account_change *op, struct account_row *row, struct err *err)
{
	const struct account_put *put = container_of(op, struct account_put, op);
	const struct account_profile *wanted = &put->change->account_after->profile;
	struct account_profile *profile = &row->profile;

	(void)err;
	memcpy(profile->tier, wanted->tier, sizeof(profile->tier));
	memcpy(profile->org, wanted->org, sizeof(profile->org));
	zone_put(&profile->zone, wanted->zone.name, row->known, put->now_us);
	profile->overrides = wanted->overrides;
	profile->override_count = wanted->override_count;
	profile->deleted = false;
	return true;
}

static bool write_account(const struct document_apply *op, struct admin_job *job, struct pg_link *link,
	struct document_change *change, struct err *err)
{
	struct account_put put = {
		.op = {.job = *job, .key = change->account_after->key, .change = account_put},
		.change = change,
		.now_us = op->now_us,
	};
	bool ok = account_change_write(job, link, &put.op, err);

	change->account = put.op.row;
	return ok;
}

struct pool_put {
	struct pool_change op;
	const struct document_change *change;
};

static bool pool_put(struct pool_change *op, struct pool_row *row, bool known, struct err *err)
{
	uint32_t gen = row->settings.gen;

	(void)known;
	(void)err;
	row->settings = *container_of(op, struct pool_put, op)->change->pool_after;
	row->settings.gen = gen;
	return true;
}

static bool write_pool(const struct document_apply *op, struct admin_job *job, struct pg_link *link,
	struct document_change *change, struct err *err)
{
	struct pool_put put = {
		.op = {.job = *job, .tenant = op->wanted->tenant, .name = change->pool_after->name, .change = pool_put},
		.change = change,
	};
	bool ok = pool_change_write(job, link, &put.op, err);

	change->pool = put.op.row;
	return ok;
}

static bool write_alerts(struct admin_job *job, struct pg_link *link, const char *tenant,
	struct document_change *change, struct err *err)
{
	struct alert_channel_gone gone;

	if (change->channel_after) {
		struct alert_channel channel = *change->channel_after;
		return alert_channel_write(job, link, &channel, err);
	}
	if (change->channel_before)
		return alert_channel_remove(job, link, tenant, change->channel_before->name, &gone, err);
	if (change->rule_after) {
		struct alert_rule rule = *change->rule_after;
		return alert_rule_write(job, link, &rule, err);
	}
	return alert_rule_remove(job, link, tenant, change->rule_before->name, err);
}

static bool write_change(const struct document_apply *op, struct admin_job *job, struct pg_link *link,
	struct document_change *change, struct err *err)
{
	const char *tenant = op->wanted->tenant;

	if (change->settings_after) {
		struct tenant settings = *change->settings_after;
		return tenant_write(job, link, &settings, err);
	}
	if (change->tier_after)
		return tier_write(job, link, tenant, change->tier_after, err);
	if (change->tier_before)
		return tier_remove(job, link, tenant, change->tier_before->name, err);
	if (change->pool_after)
		return write_pool(op, job, link, change, err);
	if (change->text_after)
		return text_write(job, link, tenant, change->text_after, err);
	if (change->text_before)
		return text_remove(job, link, tenant, change->text_before->code, change->text_before->language, err);
	if (change->alias_after)
		return alias_write(job, link, change->alias_after, err);
	if (change->alias_before) {
		struct price_alias gone = *change->alias_before;
		return alias_remove(job, link, &gone, err);
	}
	if (change->family_after)
		return family_write(job, link, change->family_after, err);
	if (change->family_before)
		return family_remove(job, link, change->family_before, err);
	if (change->channel_after || change->channel_before || change->rule_after || change->rule_before)
		return write_alerts(job, link, tenant, change, err);
	return write_account(op, job, link, change, err);
}

/* The changes are ordered so that whatever one refers to already exists. */
bool admin_document_apply(struct document_apply *op, struct pg_link *link, struct err *err)
{
	const struct document *wanted = op->wanted;
	struct document now = {.tenant = wanted->tenant};

	if (!catalog_begin(link, err) || !read_parts(&op->job, link, &now, err) ||
		!read_accounts(&op->job, link, op->prune ? NULL : wanted, true, op->now_us, &now, err) ||
		!op->compare(op, &now, err))
		return false;
	if (op->dry_run || op->changes == 0)
		return true; /* the open transaction is rolled back */
	for (int i = 0; i < op->changes; i++)
		if (!write_change(op, &op->job, link, &op->change[i], err))
			return false;
	return limits_fit_tenant(link, wanted->tenant, "tiers", err) && catalog_commit(&op->job, link, err);
}
