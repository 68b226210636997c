/* Converts rows of PostgreSQL to domain structs and back, for columns that several statements share. */
#ifndef BURSAR_PG_LINK_ROWS_H
#define BURSAR_PG_LINK_ROWS_H

#include <libpq-fe.h>

#include "base/arena.h"
#include "domain/limit/account.h"
#include "domain/price/price.h"
#include "domain/record/usage.h"
#include "pg/link/amounts.h"
#include "pg/link/args.h"
#include "store/admin.h"
#include "store/catalog.h"

/* Columns of tier_limits and account_limits. */
#define LIMIT_COLUMNS \
	"name, dimension, kind, unit, amount, period_us, burst, interface, model, shadow, notify, warn_percent"
#define LIMIT_COLUMN_COUNT 12
/* Columns of account_limits alone: LIMIT_COLUMNS and when the limit ends. */
#define OWN_LIMIT_COLUMNS LIMIT_COLUMNS ", until_us"
/* Reads them from `column` on. The limit is not prepared. */
void row_own_limit(const PGresult *result, int row, int column, struct limit *out);
/* Appends arrays for unnest($n, ...), one per column: LIMIT_COLUMN_COUNT parameters from the returned index on. */
int args_limits_begin(struct pg_args *args);
void args_limit(struct pg_args *args, int first, const struct limit *limit);

/* A tier of the table tiers as shown in the audit log; its etag is of this text. */
#define TIER_JSON \
	"to_jsonb(tiers) || jsonb_build_object('limits', (SELECT jsonb_agg(to_jsonb(l) - '{tenant,tier}'::text[] ORDER " \
	"BY l.position) FROM tier_limits l WHERE l.tenant = tiers.tenant AND l.tier = tiers.name))"
/* Columns of tiers and of tier_limits. Order both by tenant and name, and the limits then by position. */
#define TIER_COLUMNS \
	"tenant, name, pool_priority, pool_concurrent, default_output_tokens, fail_policy, upgrade_to, " TIER_JSON
#define TIER_LIMIT_COLUMNS "tenant, tier, " LIMIT_COLUMNS
/* Reads a tier. Its limits start at row *limit_at, which is moved past them. ERR_INVALID when the tier is unusable. */
bool row_tier(const PGresult *tiers, int row, const PGresult *limits, int *limit_at, struct tier *out, struct err *err);

/* Columns of accounts a; limits are read separately. */
#define ACCOUNT_COLUMNS \
	"a.tier, a.team, a.org, a.suspended, a.bypass, a.deleted, a.grace_percent, a.grace_until_us, a.zone, " \
	"array_to_string(a.zone_kept_us, ' '), a.version"
#define ACCOUNT_COLUMN_COUNT 11
/* The kept windows of a zone as the text of an array, for accounts.zone_kept_us. */
#define ZONE_KEPT_TEXT_MAX 256
void zone_kept_text(const struct zone *zone, char out[ZONE_KEPT_TEXT_MAX]);
void row_profile(const PGresult *result, int row, int column, struct account_profile *out);

/* Columns of usage_windows w, joined by USAGE_JOIN to keys k and USAGE_SINCE. */
#define USAGE_COLUMNS \
	"w.unit, w.starts_at_us, (w.shard < 0)::int, w.interface, w.model" WINDOW_COLUMNS_OF_W \
	", CASE WHEN w.counted IS NULL THEN '' ELSE " METERS_TEXT_OF("w.counted") " END"
/* OFFSET 0: through the index for each key. For many keys PostgreSQL would rather sort the whole table, which takes far longer. */
#define USAGE_JOIN \
	"JOIN LATERAL (SELECT u.* FROM usage_windows u WHERE u.tenant = k.tenant AND u.kind = k.kind AND u.id = k.id " \
	"AND u.unit = since.unit AND u.starts_at_us >= since.us OFFSET 0) w ON true "
/* Takes three parameters: the time from which windows of each unit count. */
#define USAGE_SINCE(first, second, third) \
	"CROSS JOIN (VALUES (0::smallint, " first "::bigint), (1::smallint, " second "::bigint), (2::smallint, " third \
	"::bigint)) AS since (unit, us) "
void args_usage_since(struct pg_args *args, int64_t now_us);
void row_usage(const PGresult *result, int row, int column, struct arena *arena, struct usage_window *out);

/* Records follow the highest epoch, which also rises when model names start to resolve differently. */
#define TENANT_EPOCH "epoch + (SELECT names FROM catalog_epoch)"
#define TENANT_COLUMNS \
	"id, default_tier, unknown_users, unknown_model, fallback_model, language, " TENANT_EPOCH ", cost_source"
void row_tenant(const PGresult *result, int row, int column, struct tenant *out);

/* A pool of the table pools p as shown in the audit log; its etag is of this text. */
#define POOL_JSON \
	"to_jsonb(p) || jsonb_build_object('levels', (SELECT jsonb_agg(to_jsonb(l) - '{tenant,pool}'::text[] ORDER BY " \
	"l.priority DESC) FROM pool_levels l WHERE l.tenant = p.tenant AND l.pool = p.name))"
/* Columns of pools p. Levels come as flat text: "priority weight queue_limit;". */
#define POOL_COLUMNS \
	"p.tenant, p.name, p.gen, p.slots, p.slots_from_option, p.paused, p.available, p.queue_limit, " \
	"p.level_queue_limit, p.user_queue_limit, p.lease_us, p.age_us, p.age_every, p.starve_us, " \
	"p.predicted_wait_max_us, p.wait_max_us, p.estimate_us, p.learn_margin_us, p.drain_us, " \
	"(extract(epoch FROM p.updated_at) * 1000000)::bigint, " \
	"coalesce((SELECT string_agg(concat_ws(' ', l.priority, l.weight, l.queue_limit), ';' ORDER BY l.priority " \
	"DESC) " \
	"FROM pool_levels l WHERE l.tenant = p.tenant AND l.pool = p.name), '')"
enum { POOL_COLUMN_TENANT = 0, POOL_COLUMN_UPDATED = 19, POOL_COLUMN_COUNT = 21 };
/* Reads the settings, not tenant and time of change. Those without a column are as in pool_settings_default. */
void row_pool(const PGresult *result, int row, struct pool_settings *out);

/* Columns of api_keys k and their use; lists come as lines, the hash as hex. */
#define KEY_COLUMNS \
	"k.id, encode(k.hash, 'hex'), k.role, k.tenant, k.account, k.label, k.prefix, array_to_string(k.interfaces, " \
	"E'\\n'), array_to_string(k.addresses, E'\\n'), (extract(epoch FROM k.created_at) * 1000000)::bigint, " \
	"coalesce((extract(epoch FROM k.expires_at) * 1000000)::bigint, 0), " \
	"coalesce((extract(epoch FROM k.revoked_at) * 1000000)::bigint, 0), " \
	"coalesce((extract(epoch FROM u.at) * 1000000)::bigint, 0), coalesce(u.peer, ''), coalesce(k.rotated_to, 0)"
#define KEY_TABLES " FROM api_keys k LEFT JOIN api_key_uses u ON u.key = k.id"
/* Reads a text of 2 * n hexadecimal digits; a text of another length leaves `out` as it is. */
void row_bytes(const PGresult *result, int row, int column, uint8_t *out, int n);
/* Copies the strings into the arena. */
void row_key(const PGresult *result, int row, struct arena *arena, struct api_key *out);

/*
 * Columns of model_prices p. What is jsonb comes as flat text: contexts "above meter=n meter=n;", modes "name num den;", other rates
 * "meter=n", rates of modes "mode above meter n;", regions like modes, hours "offset days from to num den =zone;", allowances
 * "meter amount unit =zone =shared;".
 */
#define PRICE_RATE_COLUMN(NAME, name, ...) "coalesce(p." name ", -1), "
#define PRICE_COLUMNS \
	"p.id, p.tenant, p.account, p.provider, p.model, p.from_us, p.to_us, " METERS_KEPT( \
		PRICE_RATE_COLUMN) "coalesce((SELECT string_agg(concat_ws(' ', c->>'above', (SELECT string_agg(r.key || '=' || r.value, ' ') " \
				   "FROM jsonb_each_text(c) r WHERE r.key <> 'above')), ';' ORDER BY (c->>'above')::bigint) " \
				   "FROM jsonb_array_elements(p.context) c), ''), " \
				   "coalesce((SELECT string_agg(concat_ws(' ', m.key, m.value->>0, m.value->>1), ';' ORDER BY m.key) " \
				   "FROM jsonb_each(p.modes) m), ''), p.source, " \
				   "coalesce((SELECT string_agg(r.key || '=' || r.value, ' ') FROM jsonb_each_text(p.more->'rates') r), ''), " \
				   "coalesce((SELECT string_agg(concat_ws(' ', m->>'mode', m->>'above', m->>'meter', m->>'pico'), ';' ORDER BY n) " \
				   "FROM jsonb_array_elements(p.more->'mode_rates') WITH ORDINALITY AS t (m, n)), ''), " \
				   "coalesce((SELECT string_agg(concat_ws(' ', r.key, r.value->>0, r.value->>1), ';' ORDER BY r.key) " \
				   "FROM jsonb_each(p.more->'regions') r), ''), " \
				   "coalesce((SELECT string_agg(concat_ws(' ', h->>0, h->>1, h->>2, h->>3, h->>4, h->>5, '=' || coalesce(h->>6, '')), ';' ORDER BY n) " \
				   "FROM jsonb_array_elements(p.more->'hours') WITH ORDINALITY AS t (h, n)), ''), " \
				   "coalesce((SELECT string_agg(concat_ws(' ', a->>'meter', a->>'amount', a->>'unit', '=' || (a->>'zone'), '=' || (a->>'shared')), ';' " \
				   "ORDER BY n) FROM jsonb_array_elements(p.more->'allowances') WITH ORDINALITY AS t (a, n)), '')"
#define PRICE_COLUMN_COUNT 22
void row_price(const PGresult *result, int row, int column, struct price *out);
/* Appends a price's contexts, modes, or what is in `more`, as the text of a jsonb value. */
void price_context_json(const struct price *price, struct buf *out);
void price_modes_json(const struct price *price, struct buf *out);
void price_more_json(const struct price *price, struct buf *out);

#endif
