/* Reads and changes rules of alerts (pg/alerts/admin.h). */
#include "pg/alerts/admin.h"

#include <stdio.h>

#include "base/units.h"

/* A rule as shown in the audit log; its etag is of this text. */
#define RULE_JSON "to_jsonb(r) - '{tenant,updated_at}'::text[]"

static void name_args(struct pg_args *args, const char *tenant, const char *name)
{
	pg_arg_text(args, tenant);
	pg_arg_text(args, name);
}

/* The rule in force: the tenant's own or the shipped one. */
static const char *rule_json(
	struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS args = {0};

	name_args(&args, tenant, name);
	return admin_json(job, link,
		"SELECT " RULE_JSON
		" FROM alert_rules r WHERE r.tenant IN ($1, '') AND r.name = $2 ORDER BY r.tenant DESC LIMIT 1",
		&args, err);
}

bool alert_rules_read(struct admin_job *job, struct pg_link *link, const char *tenant, bool shipped,
	struct alert_rule **rules, int *count, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	pg_arg_bool(&args, shipped);
	if (!pg_read(link,
		    "SELECT " ALERT_RULE_COLUMNS ", " RULE_JSON
		    " FROM alert_rules r WHERE r.tenant = $1 OR ($2 AND r.tenant = '' AND NOT EXISTS (SELECT FROM "
		    "alert_rules o WHERE o.tenant = $1 AND o.name = r.name)) ORDER BY r.name",
		    &args, &result, err))
		return false;
	*count = PQntuples(result);
	*rules = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(**rules));
	for (int i = 0; i < *count; i++) {
		row_alert_rule(result, i, 0, job->arena, &(*rules)[i]);
		etag_of(pg_text(result, i, ALERT_RULE_COLUMN_COUNT), (*rules)[i].etag);
	}
	return true;
}

bool admin_alert_rule_list(struct alert_rule_list *op, struct pg_link *link, struct err *err)
{
	return alert_rules_read(&op->job, link, op->tenant, true, &op->rows, &op->count, err);
}

static int channels_arg(struct pg_args *args, const struct alert_rule *rule)
{
	int array = pg_arg_array(args, PG_TEXT);

	for (int i = 0; i < rule->channels; i++)
		pg_array_text(args, array, rule->channel[i]);
	return array;
}

/* None of them can be deleted before the commit: catalog_begin excludes other changes. */
static bool channels_check(struct pg_link *link, const struct alert_rule *rule, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	char field[24];

	pg_arg_text(&args, rule->tenant);
	channels_arg(&args, rule);
	if (!pg_read(link,
		    "SELECT n.at - 1, n.name FROM unnest($2) WITH ORDINALITY AS n (name, at) WHERE NOT EXISTS (SELECT FROM "
		    "alert_channels c WHERE c.tenant = $1 AND c.name = n.name) ORDER BY n.at LIMIT 1",
		    &args, &result, err))
		return false;
	if (PQntuples(result) == 0)
		return true;
	snprintf(field, sizeof(field), "channels[%d]", (int)pg_i64(result, 0, 0));
	err_invalid(
		err, field, "tenant %.64s has no channel %.64s: create it first", rule->tenant, pg_text(result, 0, 1));
	return err_reason_of(err, "ALERT_CHANNEL_NOT_FOUND", "%s", pg_text(result, 0, 1));
}

static void rule_args(struct pg_args *args, const struct alert_rule *rule)
{
	int array;

	name_args(args, rule->tenant, rule->name);
	pg_arg_int(args, rule->kind);
	pg_arg_bool(args, rule->enabled);
	pg_arg_int(args, rule->severity);
	array = pg_arg_array(args, PG_INT2);
	for (int kind = ACCOUNT_USER; kind <= ACCOUNT_TENANT; kind++)
		if (rule->account_kinds & 1u << kind)
			pg_array_int(args, array, kind);
	pg_arg_text(args, rule->account);
	pg_arg_text(args, rule->tier);
	pg_arg_text(args, rule->team);
	pg_arg_text(args, rule->limit_name);
	pg_arg_int(args, rule->dimension);
	pg_arg_int(args, rule->unit);
	array = pg_arg_array(args, PG_INT2);
	for (int i = 0; i < rule->percents; i++)
		pg_array_int(args, array, rule->percent_at[i]);
	array = pg_arg_array(args, PG_INT8);
	for (int i = 0; i < rule->amounts; i++)
		pg_array_int(args, array, rule->amount_at[i]);
	pg_arg_int(args, rule->percent);
	pg_arg_int(args, rule->minimum_nano);
	pg_arg_int(args, rule->after_us / SECOND_US);
	channels_arg(args, rule);
	pg_arg_bool(args, rule->to_all);
}

static bool write_rule(struct pg_link *link, struct alert_rule *rule, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	rule_args(&args, rule);
	if (!pg_read(link,
		    "INSERT INTO alert_rules (tenant, name, kind, enabled, severity, account_kinds, account, tier, team, "
		    "limit_name, dimension, unit, percents, amounts, percent, minimum_nano, after_s, channels, to_all) VALUES "
		    "($1, $2, $3::smallint, $4, $5::smallint, $6, $7, $8, $9, $10, $11::smallint, $12::smallint, $13, $14, "
		    "$15::int, $16, $17, $18, $19) ON CONFLICT (tenant, name) DO UPDATE SET kind = excluded.kind, enabled = "
		    "excluded.enabled, severity = excluded.severity, account_kinds = excluded.account_kinds, account = "
		    "excluded.account, tier = excluded.tier, team = excluded.team, limit_name = excluded.limit_name, dimension "
		    "= excluded.dimension, unit = excluded.unit, percents = excluded.percents, amounts = excluded.amounts, "
		    "percent = excluded.percent, minimum_nano = excluded.minimum_nano, after_s = excluded.after_s, channels = "
		    "excluded.channels, to_all = excluded.to_all, updated_at = now() RETURNING (extract(epoch FROM updated_at) "
		    "* 1000000)::bigint",
		    &args, &result, err))
		return false;
	rule->updated_at_us = pg_i64(result, 0, 0);
	return true;
}

static bool count_check(struct pg_link *link, const char *tenant, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link, "SELECT count(*) FROM alert_rules WHERE tenant = $1", &args, &result, err))
		return false;
	return pg_i64(result, 0, 0) <= ALERT_RULES_MAX ||
	       err_set(err, ERR_PRECONDITION, "tenant %s has %d rules of its own, the maximum: delete some first",
		       tenant, ALERT_RULES_MAX);
}

bool alert_rule_write(struct admin_job *job, struct pg_link *link, struct alert_rule *rule, struct err *err)
{
	const char *before, *after;

	if (!channels_check(link, rule, err) || !(before = rule_json(job, link, rule->tenant, rule->name, err)) ||
		!write_rule(link, rule, err) || !count_check(link, rule->tenant, err) ||
		!(after = rule_json(job, link, rule->tenant, rule->name, err)))
		return false;
	etag_of(after, rule->etag);
	return admin_audit(job, link, rule->tenant, "alert_rule.put", rule->name, before, after, err);
}

bool admin_alert_rule_put(struct alert_rule_put *op, struct pg_link *link, struct err *err)
{
	if (!catalog_begin(link, err))
		return false;
	if (!alert_rule_write(&op->job, link, &op->rule, err))
		return err->field[0] ? err_prefix(err, "rule.") : false;
	return catalog_commit(&op->job, link, err);
}

bool alert_rule_remove(
	struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS args = {0};
	const char *before, *after;

	name_args(&args, tenant, name);
	before = admin_json(job, link,
		"DELETE FROM alert_rules r WHERE r.tenant = $1 AND r.name = $2 RETURNING " RULE_JSON, &args, err);
	if (!before)
		return false;
	if (before[0] != '{') {
		err_set(err, ERR_NOT_FOUND, "name: tenant %s has no rule %s of its own", tenant, name);
		return err_reason_of(err, "ALERT_RULE_NOT_FOUND", "%s", name);
	}
	return (after = rule_json(job, link, tenant, name, err)) &&
	       admin_audit(job, link, tenant, "alert_rule.delete", name, before, after, err);
}

bool admin_alert_rule_delete(struct alert_rule_delete *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && alert_rule_remove(&op->job, link, op->tenant, op->name, err) &&
	       catalog_commit(&op->job, link, err);
}
