/* Reads and changes channels of alerts (pg/alerts/admin.h). Their secrets are written, and read for those who send, never shown. */
#include "pg/alerts/admin.h"

#include "base/units.h"

/* A channel as shown in the audit log: of secrets only which are set, and how many. Its etag is of this text. */
#define CHANNEL_JSON \
	"to_jsonb(c) - '{tenant,secret,failures,open_until,free_at,updated_at,prompt}'::text[] || jsonb_build_object('secrets', " \
	"coalesce((SELECT jsonb_object_agg(CASE s.key WHEN 'secrets' THEN 'signing_secrets' ELSE s.key END, CASE " \
	"jsonb_typeof(s.value) WHEN 'array' THEN to_jsonb(jsonb_array_length(s.value)) ELSE to_jsonb(true) END) FROM " \
	"jsonb_each(c.secret) s), '{}'))"
#define PENDING \
	"(SELECT count(*) FROM alert_pending p WHERE p.tenant = c.tenant AND p.channel = c.name) + (SELECT count(*) FROM " \
	"alert_deliveries d WHERE d.tenant = c.tenant AND d.channel = c.name AND d.state = 1)"
enum {
	COLUMN_SECRET = ALERT_CHANNEL_COLUMN_COUNT,
	COLUMN_PENDING = COLUMN_SECRET + ALERT_SECRET_COLUMN_COUNT,
	COLUMN_JSON
};

static void name_args(struct pg_args *args, const char *tenant, const char *name)
{
	pg_arg_text(args, tenant);
	pg_arg_text(args, name);
}

static const char *channel_json(
	struct admin_job *job, struct pg_link *link, const char *tenant, const char *name, struct err *err)
{
	PG_ARGS args = {0};

	name_args(&args, tenant, name);
	return admin_json(job, link,
		"SELECT " CHANNEL_JSON " FROM alert_channels c WHERE c.tenant = $1 AND c.name = $2", &args, err);
}

bool alert_channel_missing(const char *tenant, const char *name, struct err *err)
{
	err_set(err, ERR_NOT_FOUND, "name: tenant %s has no channel %s", tenant, name);
	return err_reason_of(err, "ALERT_CHANNEL_NOT_FOUND", "%s", name);
}

bool alert_channels_read(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct alert_channel **channels, int *count, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	name_args(&args, tenant, name ? name : "");
	if (!pg_read(link,
		    "SELECT " ALERT_CHANNEL_COLUMNS ", " ALERT_SECRET_COLUMNS ", " PENDING ", " CHANNEL_JSON
		    " FROM alert_channels c WHERE c.tenant = $1 AND ($2 = '' OR c.name = $2) ORDER BY c.name",
		    &args, &result, err))
		return false;
	*count = PQntuples(result);
	*channels = arena_zalloc(job->arena, (size_t)*count + 1, sizeof(**channels));
	for (int i = 0; i < *count; i++) {
		struct alert_channel *channel = &(*channels)[i];

		row_alert_channel(result, i, 0, job->arena, channel);
		row_alert_secret(result, i, COLUMN_SECRET, job->arena, &channel->secret);
		channel->pending = pg_i64(result, i, COLUMN_PENDING);
		etag_of(pg_text(result, i, COLUMN_JSON), channel->etag);
	}
	return true;
}

bool admin_alert_channel_list(struct alert_channel_list *op, struct pg_link *link, struct err *err)
{
	return alert_channels_read(&op->job, link, op->tenant, NULL, &op->rows, &op->count, err);
}

static void texts_arg(struct pg_args *args, const char *const texts[], int count)
{
	int array = pg_arg_array(args, PG_TEXT);

	for (int i = 0; i < count; i++)
		pg_array_text(args, array, texts[i]);
}

static void channel_args(struct pg_args *args, const struct alert_channel *channel)
{
	name_args(args, channel->tenant, channel->name);
	pg_arg_int(args, channel->kind);
	pg_arg_bool(args, channel->enabled);
	pg_arg_bool(args, channel->system);
	pg_arg_int(args, channel->least);
	pg_arg_text(args, channel->target);
	pg_arg_text(args, channel->secret.url);
	pg_arg_text(args, channel->secret.token);
	texts_arg(args, channel->secret.secret, channel->secret.secrets);
	texts_arg(args, channel->secret.header, channel->secret.headers);
	pg_arg_text(args, channel->language);
	pg_arg_text(args, channel->title);
	pg_arg_text(args, channel->body);
	pg_arg_int(args, channel->digest_us / SECOND_US);
	pg_arg_int(args, channel->quiet_from);
	pg_arg_int(args, channel->quiet_to);
	pg_arg_text(args, channel->quiet_zone);
	pg_arg_int(args, channel->rate_per_minute);
	pg_arg_bool(args, channel->ordered);
}

#define SAME_DESTINATION "c.kind = excluded.kind AND c.target = excluded.target AND c.secret = excluded.secret"

static bool write_channel(struct pg_link *link, struct alert_channel *channel, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	channel_args(&args, channel);
	if (!pg_read(link,
		    "INSERT INTO alert_channels AS c (tenant, name, kind, enabled, system, least, target, secret, language, "
		    "title, body, digest_s, quiet_from, quiet_to, quiet_zone, rate_per_minute, ordered) VALUES ($1, $2, "
		    "$3::smallint, $4, $5, $6::smallint, $7, jsonb_strip_nulls(jsonb_build_object('url', nullif($8, ''), 'token', "
		    "nullif($9, ''), 'secrets', CASE WHEN cardinality($10) > 0 THEN to_jsonb($10) END, 'headers', CASE WHEN "
		    "cardinality($11) > 0 THEN to_jsonb($11) END)), $12, $13, $14, $15::int, $16::smallint, $17::smallint, $18, "
		    "$19::int, $20) ON CONFLICT (tenant, name) DO UPDATE SET kind = excluded.kind, enabled = excluded.enabled, "
		    "system = excluded.system, least = excluded.least, target = excluded.target, secret = excluded.secret, "
		    "language = excluded.language, title = excluded.title, body = excluded.body, digest_s = excluded.digest_s, "
		    "quiet_from = excluded.quiet_from, quiet_to = excluded.quiet_to, quiet_zone = excluded.quiet_zone, "
		    "rate_per_minute = excluded.rate_per_minute, ordered = excluded.ordered, updated_at = now(), "
		    "failures = CASE WHEN " SAME_DESTINATION " THEN c.failures ELSE 0 END, "
		    "prompt = c.prompt AND " SAME_DESTINATION ", "
		    "open_until = CASE WHEN " SAME_DESTINATION " THEN c.open_until ELSE '-infinity' END "
		    "RETURNING c.failures, CASE WHEN c.open_until > now() THEN (extract(epoch FROM c.open_until) * "
		    "1000000)::bigint ELSE 0 END, (extract(epoch FROM c.updated_at) * 1000000)::bigint, " PENDING,
		    &args, &result, err))
		return false;
	channel->failures = (int)pg_i64(result, 0, 0);
	channel->open_until_us = pg_i64(result, 0, 1);
	channel->updated_at_us = pg_i64(result, 0, 2);
	channel->pending = pg_i64(result, 0, 3);
	return true;
}

static bool count_check(struct pg_link *link, const char *tenant, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_text(&args, tenant);
	if (!pg_read(link, "SELECT count(*) FROM alert_channels WHERE tenant = $1", &args, &result, err))
		return false;
	return pg_i64(result, 0, 0) <= ALERT_CHANNELS_MAX ||
	       err_set(err, ERR_PRECONDITION, "tenant %s has %d channels, the maximum: delete some first", tenant,
		       ALERT_CHANNELS_MAX);
}

bool alert_channel_write(struct admin_job *job, struct pg_link *link, struct alert_channel *channel, struct err *err)
{
	const char *before, *after;

	if (!(before = channel_json(job, link, channel->tenant, channel->name, err)) ||
		!write_channel(link, channel, err) || !count_check(link, channel->tenant, err) ||
		!(after = channel_json(job, link, channel->tenant, channel->name, err)))
		return false;
	etag_of(after, channel->etag);
	return admin_audit(job, link, channel->tenant, "alert_channel.put", channel->name, before, after, err);
}

bool admin_alert_channel_put(struct alert_channel_put *op, struct pg_link *link, struct err *err)
{
	struct alert_channel *known;
	int count;

	if (!catalog_begin(link, err) ||
		!alert_channels_read(&op->job, link, op->tenant, op->name, &known, &count, err))
		return false;
	if (count)
		op->channel = known[0];
	return op->change(op, &op->channel, count > 0, err) && alert_channel_write(&op->job, link, &op->channel, err) &&
	       catalog_commit(&op->job, link, err);
}

/* Takes the channel out of the rules that name it; *rules: their names, as JSON. */
static bool rules_forget(struct admin_job *job, struct pg_link *link, const struct pg_args *key,
	struct alert_channel_gone *gone, const char **rules, struct err *err)
{
	PG_RESULT result = NULL;

	if (!pg_read(link,
		    "WITH r AS (UPDATE alert_rules SET channels = array_remove(channels, $2), updated_at = now() WHERE tenant = $1 "
		    "AND $2 = ANY (channels) RETURNING name, cardinality(channels) = 0 AS silent) SELECT name, silent, "
		    "jsonb_agg(name) OVER (ORDER BY name ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) FROM r ORDER "
		    "BY name",
		    key, &result, err))
		return false;
	*rules = PQntuples(result) ? admin_text(job, result, 0, 2) : "[]";
	gone->silent_rule = arena_zalloc(job->arena, (size_t)PQntuples(result) + 1, sizeof(*gone->silent_rule));
	gone->silent_rules = 0;
	for (int i = 0; i < PQntuples(result); i++)
		if (pg_bool(result, i, 1))
			gone->silent_rule[gone->silent_rules++] = admin_text(job, result, i, 0);
	return true;
}

static bool waiting_cancel(struct pg_link *link, const struct pg_args *key, int64_t *cancelled, struct err *err)
{
	PG_RESULT result = pg_query(link,
		"WITH p AS (DELETE FROM alert_pending WHERE tenant = $1 AND channel = $2 RETURNING 1), d AS (UPDATE "
		"alert_deliveries SET state = 4, ended_at = now() WHERE tenant = $1 AND channel = $2 AND state = 1 RETURNING 1) "
		"SELECT (SELECT count(*) FROM p) + (SELECT count(*) FROM d)",
		key, err);

	if (result)
		*cancelled = pg_i64(result, 0, 0);
	return result;
}

bool alert_channel_remove(struct admin_job *job, struct pg_link *link, const char *tenant, const char *name,
	struct alert_channel_gone *gone, struct err *err)
{
	PG_ARGS key = {0};
	const char *before, *rules;

	name_args(&key, tenant, name);
	before = admin_json(job, link,
		"DELETE FROM alert_channels c WHERE c.tenant = $1 AND c.name = $2 RETURNING " CHANNEL_JSON, &key, err);
	if (!before)
		return false;
	if (before[0] != '{')
		return alert_channel_missing(tenant, name, err);
	return rules_forget(job, link, &key, gone, &rules, err) && waiting_cancel(link, &key, &gone->cancelled, err) &&
	       admin_audit(job, link, tenant, "alert_channel.delete", name, before,
		       arena_printf(
			       job->arena, "{\"cancelled\": %lld, \"rules\": %s}", (long long)gone->cancelled, rules),
		       err);
}

/* Locks nothing that catalog_begin has not locked. */
static bool system_check(const struct alert_channel_delete *op, struct pg_link *link, struct err *err)
{
	PG_ARGS key = {0};
	PG_RESULT result = NULL;

	name_args(&key, op->tenant, op->name);
	if (!pg_read(link, "SELECT FROM alert_channels WHERE tenant = $1 AND name = $2 AND system", &key, &result, err))
		return false;
	return op->system_too || PQntuples(result) == 0 ||
	       err_set(err, ERR_PERMISSION,
		       "name: channel %s also gets what concerns the whole installation: only "
		       "operators may delete it",
		       op->name);
}

bool admin_alert_channel_delete(struct alert_channel_delete *op, struct pg_link *link, struct err *err)
{
	return catalog_begin(link, err) && system_check(op, link, err) &&
	       alert_channel_remove(&op->job, link, op->tenant, op->name, &op->gone, err) &&
	       catalog_commit(&op->job, link, err);
}
