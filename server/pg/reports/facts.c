/* Facts for Diagnose (pg/admin/admin.h). Reads the tables only if the schema is the one of this bursard. */
#include <string.h>

#include "base/clock.h"
#include "base/embedded.h"
#include "pg/admin/admin.h"
#include "pg/admin/price_age.h"

static bool read_schema(struct durable_facts *facts, struct pg_link *link, struct err *err)
{
	PG_RESULT result = pg_query(link,
		"SELECT current_setting('server_version'), (extract(epoch FROM clock_timestamp()) * 1000000)::bigint, "
		"(SELECT count(*) FROM schema_migrations)",
		NULL, err);

	if (!result)
		return false;
	pg_copy(result, 0, 0, facts->version, sizeof(facts->version));
	facts->clock_off_us = pg_i64(result, 0, 1) - clock_wall_us();
	facts->schema = (int)pg_i64(result, 0, 2);
	facts->schema_known = (int)embedded_migrations_count;
	return true;
}

enum { LOOK_LEDGER, LOOK_CHANGES, LOOK_USE, LOOK_PRICES, LOOK_KEYS, LOOK_POOLS, LOOK_ALERTS, LOOK_COUNT };

#define TODAY "(now() AT TIME ZONE 'UTC')::date"
static const char ledger_sql[] =
	"SELECT (SELECT count(*) FROM ledger_rejects), coalesce((SELECT min(n) - 1 FROM generate_series(0, 3) n WHERE "
	"to_regclass('ledger_' || to_char(" TODAY " + n, 'YYYYMMDD')) IS NULL), 3)";
static const char changes_sql[] =
	"SELECT count(*), coalesce((extract(epoch FROM min(created_at)) * 1000000)::bigint, 0) FROM policy_changes";
/* Records without tokens, as made by 'bursar run', need no price. A model that no price knows has no provider. */
static const char use_sql[] =
	"WITH used AS (SELECT provider, model, sum(unpriced)::bigint AS unpriced FROM usage_shared_daily WHERE tenant = $1 "
	"AND kind = 5 AND id = $1 AND day >= date_trunc('month', " TODAY
	")::date AND (model <> '' OR charged_input + charged_output > 0) GROUP BY 1, 2) "
	"SELECT coalesce(sum(unpriced), 0)::bigint, coalesce((SELECT left(string_agg(regexp_replace(model, "
	"'[^ -~]', '?', 'g'), ', ' ORDER BY unpriced DESC, model), 199) FROM (SELECT * FROM used WHERE provider = '' AND "
	"model <> '' AND unpriced > 0 ORDER BY unpriced DESC, model LIMIT 5) most), '') FROM used";
#define COUNTS_SQL \
	"SELECT DISTINCT ON (provider, model) * FROM aged WHERE from_us <= $2 AND (to_us = 0 OR to_us > $2) " \
	"ORDER BY provider, model, tenant DESC, from_us DESC"
#define USED_SQL \
	"SELECT DISTINCT provider, model FROM usage_shared_daily WHERE tenant = $1 AND kind = 5 AND id = $1 " \
	"AND day >= date_trunc('month', " TODAY ")::date"
static const char prices_sql[] = "WITH " PRICES_AGED(
	"tenant IN ('', $1) AND account = ''") ", counts AS (" COUNTS_SQL "), used AS (" USED_SQL
					       ") SELECT coalesce((extract(epoch FROM max(read_at)) * 1000000)::bigint, 0), "
					       "count(u.model) FILTER (WHERE (extract(epoch FROM read_at) * 1000000)::bigint < $3) "
					       "FROM counts c LEFT JOIN used u ON u.provider = c.provider AND u.model = c.model WHERE " PRICE_COSTS(
						       "c");
static const char keys_sql[] =
	"SELECT count(*), count(*) FILTER (WHERE k.role = 5 AND k.expires_at < now() + interval '14 days'), "
	"count(*) FILTER (WHERE greatest(k.created_at, u.at) < now() - interval '90 days') FROM api_keys k "
	"LEFT JOIN api_key_uses u ON u.key = k.id WHERE k.revoked_at IS NULL AND (k.expires_at IS NULL OR "
	"k.expires_at > now()) AND k.tenant IN ('', $1)";
static const char pools_sql[] = "SELECT count(*) FROM pools WHERE paused AND tenant IN ('', $1)";

static const char alerts_sql[] =
	"SELECT count(*), count(*) FILTER (WHERE enabled AND open_until > now()), (SELECT count(*) FROM alert_deliveries WHERE "
	"tenant = $1 AND state = 3 AND ended_at > now() - interval '7 days') FROM alert_channels WHERE tenant = $1";

static void read_facts(struct durable_facts *facts, PGresult **results)
{
	facts->rejects = pg_i64(results[LOOK_LEDGER], 0, 0);
	facts->days_ahead = (int)pg_i64(results[LOOK_LEDGER], 0, 1);
	facts->changes = pg_i64(results[LOOK_CHANGES], 0, 0);
	facts->oldest_change_us = pg_i64(results[LOOK_CHANGES], 0, 1);
	facts->unpriced = pg_i64(results[LOOK_USE], 0, 0);
	pg_copy(results[LOOK_USE], 0, 1, facts->unpriced_models, sizeof(facts->unpriced_models));
	facts->newest_price_us = pg_i64(results[LOOK_PRICES], 0, 0);
	facts->old_prices = pg_i64(results[LOOK_PRICES], 0, 1);
	facts->keys = pg_i64(results[LOOK_KEYS], 0, 0);
	facts->operators_ending = pg_i64(results[LOOK_KEYS], 0, 1);
	facts->idle = pg_i64(results[LOOK_KEYS], 0, 2);
	facts->paused = pg_i64(results[LOOK_POOLS], 0, 0);
	facts->channels = pg_i64(results[LOOK_ALERTS], 0, 0);
	facts->channels_open = pg_i64(results[LOOK_ALERTS], 0, 1);
	facts->alerts_dead = pg_i64(results[LOOK_ALERTS], 0, 2);
}

bool admin_facts(struct facts_query *op, struct pg_link *link, struct err *err)
{
	PG_ARGS tenant = {0}, prices = {0};
	PGresult *results[LOOK_COUNT];
	const struct pg_statement statements[LOOK_COUNT] = {
		[LOOK_LEDGER] = {.sql = ledger_sql},
		[LOOK_CHANGES] = {.sql = changes_sql},
		[LOOK_USE] = {.sql = use_sql, .args = &tenant},
		[LOOK_PRICES] = {.sql = prices_sql, .args = &prices},
		[LOOK_KEYS] = {.sql = keys_sql, .args = &tenant},
		[LOOK_POOLS] = {.sql = pools_sql, .args = &tenant},
		[LOOK_ALERTS] = {.sql = alerts_sql, .args = &tenant},
	};
	bool ok;

	if (!read_schema(&op->facts, link, err))
		return false;
	op->facts.answered = true;
	if (op->facts.schema != op->facts.schema_known)
		return true;
	pg_arg_text(&tenant, op->tenant);
	pg_arg_text(&prices, op->tenant);
	pg_arg_int(&prices, clock_wall_us());
	pg_arg_int(&prices, clock_wall_us() - PRICES_OLD_US);
	ok = pg_pipeline(link, statements, LOOK_COUNT, results, err);
	if (!ok)
		return false;
	read_facts(&op->facts, results);
	pg_results_clear(results, LOOK_COUNT);
	return true;
}
