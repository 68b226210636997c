/* Converts rows to structs and back. */
#include "pg/link/rows.h"

#include "domain/limit/name.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/observe/log.h"
#include "base/unconst.h"
#include "pg/link/link.h"

static void row_limit(const PGresult *result, int row, int column, struct limit *out)
{
	*out = (struct limit){
		.dimension = (enum dimension)pg_i64(result, row, column + 1),
		.kind = (enum limit_kind)pg_i64(result, row, column + 2),
		.unit = (enum window_unit)pg_i64(result, row, column + 3),
		.amount = pg_i64(result, row, column + 4),
		.period_us = pg_i64(result, row, column + 5),
		.burst = pg_i64(result, row, column + 6),
		.shadow = pg_bool(result, row, column + 9),
		.notify = pg_bool(result, row, column + 10),
		.warn_percent = (int)pg_i64(result, row, column + 11),
	};
	pg_copy(result, row, column, out->name, sizeof(out->name));
	pg_copy(result, row, column + 7, out->interface, sizeof(out->interface));
	pg_copy(result, row, column + 8, out->model, sizeof(out->model));
}

void row_own_limit(const PGresult *result, int row, int column, struct limit *out)
{
	row_limit(result, row, column, out);
	out->until_us = pg_i64(result, row, column + LIMIT_COLUMN_COUNT);
}

int args_limits_begin(struct pg_args *args)
{
	static const enum pg_type types[LIMIT_COLUMN_COUNT] = {PG_TEXT, PG_INT2, PG_INT2, PG_INT2, PG_INT8, PG_INT8,
		PG_INT8, PG_TEXT, PG_TEXT, PG_BOOL, PG_BOOL, PG_INT2};
	int first = pg_arg_array(args, types[0]);

	for (int i = 1; i < LIMIT_COLUMN_COUNT; i++)
		pg_arg_array(args, types[i]);
	return first;
}

void args_limit(struct pg_args *args, int first, const struct limit *limit)
{
	pg_array_text(args, first, limit->name);
	pg_array_int(args, first + 1, limit->dimension);
	pg_array_int(args, first + 2, limit->kind);
	pg_array_int(args, first + 3, limit->kind == KIND_CALENDAR ? limit->unit : 0);
	pg_array_int(args, first + 4, limit->amount);
	pg_array_int(args, first + 5, limit->period_us);
	pg_array_int(args, first + 6, limit->burst);
	pg_array_text(args, first + 7, limit->interface);
	pg_array_text(args, first + 8, limit->model);
	pg_array_int(args, first + 9, limit->shadow);
	pg_array_int(args, first + 10, limit->notify);
	pg_array_int(args, first + 11, limit->warn_percent);
}

bool row_tier(const PGresult *tiers, int row, const PGresult *limits, int *limit_at, struct tier *out, struct err *err)
{
	const char *tenant = pg_text(tiers, row, 0), *name = pg_text(tiers, row, 1);
	int rows = PQntuples(limits);

	*out = (struct tier){
		.pool_priority = (int)pg_i64(tiers, row, 2),
		.pool_concurrent = (int)pg_i64(tiers, row, 3),
		.default_output_tokens = pg_i64(tiers, row, 4),
		.fail_policy = (enum fail_policy)pg_i64(tiers, row, 5),
		.shipped = tenant[0] == '\0',
	};
	pg_copy(tiers, row, 1, out->name, sizeof(out->name));
	pg_copy(tiers, row, 6, out->upgrade_to, sizeof(out->upgrade_to));
	for (; *limit_at < rows && strcmp(pg_text(limits, *limit_at, 0), tenant) == 0 &&
		strcmp(pg_text(limits, *limit_at, 1), name) == 0;
		(*limit_at)++) {
		if (out->policy.count < LIMITS_MAX)
			row_limit(limits, *limit_at, 2, &out->policy.limits[out->policy.count++]);
	}
	return policy_prepare(&out->policy, err);
}

/* Parses "start end next start ..." for day, week and month; "" when no window is kept. */
static void parse_kept(const char *text, struct zone *out)
{
	struct zone zone = *out;
	char *end = unconst(text);

	for (int i = 0; *text && i < WINDOW_COUNT * KEPT_BOUNDS; i++)
		zone.kept[i / KEPT_BOUNDS][i % KEPT_BOUNDS] = strtoll(end, &end, 10);
	if (zone_check_kept(&zone, NULL))
		*out = zone;
	else
		log_error("ignored the invalid kept windows of an account in PostgreSQL", F("kept", text));
}

void zone_kept_text(const struct zone *zone, char out[ZONE_KEPT_TEXT_MAX])
{
	int len = 0;

	for (int i = 0; zone_keeps(zone) && i < WINDOW_COUNT * KEPT_BOUNDS; i++)
		len += snprintf(out + len, (size_t)(ZONE_KEPT_TEXT_MAX - len), "%s%" PRId64, i ? "," : "{",
			zone->kept[i / KEPT_BOUNDS][i % KEPT_BOUNDS]);
	snprintf(out + len, (size_t)(ZONE_KEPT_TEXT_MAX - len), "%s", len ? "}" : "{}");
}

void row_profile(const PGresult *result, int row, int column, struct account_profile *out)
{
	*out = (struct account_profile){
		.suspended = pg_bool(result, row, column + 3),
		.bypass = pg_bool(result, row, column + 4),
		.deleted = pg_bool(result, row, column + 5),
		.grace_percent = (int)pg_i64(result, row, column + 6),
		.grace_until_us = pg_i64(result, row, column + 7),
		.version = (uint32_t)pg_i64(result, row, column + 10),
	};
	pg_copy(result, row, column, out->tier, sizeof(out->tier));
	pg_copy(result, row, column + 1, out->team, sizeof(out->team));
	pg_copy(result, row, column + 2, out->org, sizeof(out->org));
	pg_copy(result, row, column + 8, out->zone.name, sizeof(out->zone.name));
	parse_kept(pg_text(result, row, column + 9), &out->zone);
}

void args_usage_since(struct pg_args *args, int64_t now_us)
{
	for (int u = 0; u < WINDOW_COUNT; u++)
		pg_arg_int(args, usage_since_us((enum window_unit)u, now_us));
}

void row_usage(const PGresult *result, int row, int column, struct arena *arena, struct usage_window *out)
{
	const char *model = pg_text(result, row, column + 4);

	*out = (struct usage_window){
		.unit = (enum window_unit)pg_i64(result, row, column),
		.window_start = pg_i64(result, row, column + 1),
		.reset = pg_i64(result, row, column + 2) != 0,
		.interface_hash = interface_hash(pg_text(result, row, column + 3)),
		.model = arena_strndup(arena, model, strlen(model)),
		.model_hash = model_hash(model),
		.used = pg_amounts(result, row, column + 5),
	};
	out->used.counted = pg_counted(result, row, column + 5 + AMOUNT_COUNT, arena);
}

void row_tenant(const PGresult *result, int row, int column, struct tenant *out)
{
	*out = (struct tenant){
		.unknown_users = (enum unknown_users)pg_i64(result, row, column + 2),
		.unknown_model = (enum unknown_model)pg_i64(result, row, column + 3),
		.epoch = (uint32_t)pg_i64(result, row, column + 6),
		.cost_source = (enum cost_source)pg_i64(result, row, column + 7),
	};
	pg_copy(result, row, column, out->id, sizeof(out->id));
	pg_copy(result, row, column + 1, out->default_tier, sizeof(out->default_tier));
	pg_copy(result, row, column + 4, out->fallback_model, sizeof(out->fallback_model));
	pg_copy(result, row, column + 5, out->language, sizeof(out->language));
}

/* Parses "priority weight queue_limit;priority ...". */
static void parse_levels(const char *text, struct pool_settings *out)
{
	char *end;

	while (*text && out->level_count < POOL_LEVELS_MAX) {
		struct pool_level *level = &out->level[out->level_count++];
		level->priority = (int)strtol(text, &end, 10);
		level->weight = (int)strtol(end, &end, 10);
		level->queue_limit = (int)strtol(end, &end, 10);
		text = *end == ';' ? end + 1 : end + strlen(end);
	}
}

void row_pool(const PGresult *result, int row, struct pool_settings *out)
{
	pool_settings_default(out, pg_text(result, row, 1), (int)pg_i64(result, row, 3));
	out->gen = (uint32_t)pg_i64(result, row, 2);
	out->slots_from_option = pg_bool(result, row, 4);
	out->paused = pg_bool(result, row, 5);
	out->available = pg_bool(result, row, 6);
	out->queue_limit = (int)pg_i64(result, row, 7);
	out->level_queue_limit = (int)pg_i64(result, row, 8);
	out->user_queue_limit = (int)pg_i64(result, row, 9);
	out->lease_us = pg_i64(result, row, 10);
	out->age_us = pg_i64(result, row, 11);
	out->age_every = (int)pg_i64(result, row, 12);
	out->starve_us = pg_i64(result, row, 13);
	out->predicted_wait_max_us = pg_i64(result, row, 14);
	out->wait_max_us = pg_i64(result, row, 15);
	out->estimate_us = pg_i64(result, row, 16);
	out->learn_margin_us = pg_i64(result, row, 17);
	out->drain_us = pg_i64(result, row, 18);
	parse_levels(pg_text(result, row, POOL_COLUMN_UPDATED + 1), out);
}

static const char *text_of(const PGresult *result, int row, int column, struct arena *arena)
{
	return arena_strndup(arena, pg_text(result, row, column), (size_t)PQgetlength(result, row, column));
}

static int digit_of(char c)
{
	return c <= '9' ? c - '0' : c - 'a' + 10;
}

/* Folds the interfaces again, because old keys have them as originally written. */
static const char *interfaces_of(const PGresult *result, int row, int column, struct arena *arena)
{
	char *lines = arena_strndup(arena, pg_text(result, row, column), (size_t)PQgetlength(result, row, column));

	interface_lines_fold(lines);
	return lines;
}

void row_bytes(const PGresult *result, int row, int column, uint8_t *out, int n)
{
	const char *hex = pg_text(result, row, column);

	for (int i = 0; i < n && PQgetlength(result, row, column) == 2 * n; i++)
		out[i] = (uint8_t)(digit_of(hex[i * 2]) << 4 | digit_of(hex[i * 2 + 1]));
}

void row_key(const PGresult *result, int row, struct arena *arena, struct api_key *out)
{
	*out = (struct api_key){
		.id = pg_i64(result, row, 0),
		.role = (enum role)pg_i64(result, row, 2),
		.tenant = text_of(result, row, 3, arena),
		.account = text_of(result, row, 4, arena),
		.label = text_of(result, row, 5, arena),
		.prefix = text_of(result, row, 6, arena),
		.interfaces = interfaces_of(result, row, 7, arena),
		.networks = text_of(result, row, 8, arena),
		.created_at_us = pg_i64(result, row, 9),
		.expires_at_us = pg_i64(result, row, 10),
		.revoked_at_us = pg_i64(result, row, 11),
		.used_at_us = pg_i64(result, row, 12),
		.used_from = text_of(result, row, 13, arena),
		.rotated_to = pg_i64(result, row, 14),
	};
	row_bytes(result, row, 1, out->hash, KEY_HASH_BYTES);
}
