/* Adds ledger rows and finds out what already existing rows mean (pg/ledger/ledger.h). */
#include "pg/ledger/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "pg/link/amounts.h"

enum column {
	DAY,
	TENANT,
	USER,
	REQUEST_ID,
	ATTEMPT,
	ENTRY,
	FLAGS,
	AT,
	STARTED_AT,
	PRICE_FROM,
	AMOUNTS_CHARGED,
	TOKENS = AMOUNTS_CHARGED + AMOUNT_COUNT,
	ORIGIN = TOKENS + METER_KEPT_COUNT,
	INTERFACE,
	MODEL_CHECKED,
	MODEL,
	PROVIDER,
	PRICE_MODEL,
	MODE,
	TIER,
	TEAM,
	ORG,
	NOTE,
	ADJUSTS,
	METERS_RARE_JSON,
	PROVIDER_COST,
	LIST_COST,
	ALLOWANCE,
	COLUMN_COUNT
};

static const enum pg_type column_types[COLUMN_COUNT] = {[DAY] = PG_DATE,
	[TENANT] = PG_TEXT,
	[USER] = PG_TEXT,
	[REQUEST_ID] = PG_TEXT,
	[ATTEMPT] = PG_INT2,
	[ENTRY] = PG_INT2,
	[FLAGS] = PG_INT4,
	[AT] = PG_TIME,
	[STARTED_AT] = PG_TIME,
	[PRICE_FROM] = PG_INT8,
	[AMOUNTS_CHARGED... TOKENS + METER_KEPT_COUNT - 1] = PG_INT8,
	[ORIGIN] = PG_TEXT,
	[INTERFACE] = PG_TEXT,
	[MODEL_CHECKED] = PG_TEXT,
	[MODEL] = PG_TEXT,
	[PROVIDER] = PG_TEXT,
	[PRICE_MODEL] = PG_TEXT,
	[MODE] = PG_TEXT,
	[TIER] = PG_TEXT,
	[TEAM] = PG_TEXT,
	[ORG] = PG_TEXT,
	[NOTE] = PG_TEXT,
	[ADJUSTS] = PG_TEXT,
	[METERS_RARE_JSON] = PG_JSONB,
	[PROVIDER_COST] = PG_INT8,
	[LIST_COST] = PG_INT8,
	[ALLOWANCE] = PG_INT8};

/* The columns in the order above; the meters in the order of enum meter. */
_Static_assert(COLUMN_COUNT == 37, "INSERT_SQL has a parameter for each column: raise their number");
#define LEDGER_COLUMNS \
	"ledger (day, tenant, user_id, request_id, attempt, entry, flags, at, started_at, " \
	"price_from_us" AMOUNT_COLUMNS METER_COLUMNS \
	", origin, interface, model_checked, model, provider, price_model, mode, tier, team, org, note, adjusts, meters, provider_cost_nano, list_cost_nano, allowance_nano)"
#define COPY_SQL "COPY " LEDGER_COLUMNS " FROM STDIN (FORMAT binary)"
#define INSERT_SQL \
	"INSERT INTO " LEDGER_COLUMNS \
	" SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, " \
	"$20, " \
	"$21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34, $35, $36, $37) ON CONFLICT DO NOTHING RETURNING origin"

int ledger_order(const void *a, const void *b)
{
	const struct ledger_item *x = *(struct ledger_item *const *)a, *y = *(struct ledger_item *const *)b;
	int order = strcmp(x->entry->info.tenant, y->entry->info.tenant);

	if (order == 0)
		order = strcmp(x->entry->info.user, y->entry->info.user);
	if (order == 0)
		order = strcmp(x->entry->info.request_id, y->entry->info.request_id);
	if (order == 0)
		order = x->entry->attempt - y->entry->attempt;
	if (order == 0)
		order = (int)x->entry->kind - (int)y->entry->kind;
	/* Of two entries with the same key, the older outbox entry comes first in every writer. */
	return order ? order : strcmp(x->origin, y->origin);
}

static const char *account_id(const struct entry *entry, enum account_kind kind)
{
	for (int i = 0; i < entry->info.accounts; i++) {
		if (entry->info.account[i].kind == kind)
			return entry->info.account[i].id;
	}
	return "";
}

/* Where rows go: to the arrays of INSERT_SQL, or to the bytes of COPY_SQL. */
struct rows {
	struct pg_args *args; /* NULL: to the bytes */
	struct buf *bytes;
};

static void put_int(struct rows *rows, int column, int64_t value)
{
	if (rows->args)
		pg_array_int(rows->args, column, value);
	else
		pg_copy_int(rows->bytes, column_types[column], value);
}

static void put_text(struct rows *rows, int column, const char *text)
{
	if (rows->args)
		pg_array_text(rows->args, column, text);
	else
		pg_copy_text(rows->bytes, text);
}

static void put_null(struct rows *rows, int column)
{
	if (rows->args)
		pg_array_null(rows->args, column);
	else
		pg_copy_null(rows->bytes);
}

/* What nearly no request has: the meters without a column, what the provider says that it cost, and with it what the price says. */
static void put_rare(struct rows *rows, const struct entry *entry, struct buf *json)
{
	const struct entry_usage *usage = &entry->usage;

	if (!meters_rare(&usage->meters)) {
		put_null(rows, METERS_RARE_JSON);
	} else {
		buf_reset(json);
		meters_json(&usage->meters, json);
		if (rows->args)
			pg_array_json(rows->args, METERS_RARE_JSON, buf_str(json));
		else
			pg_copy_json(rows->bytes, buf_str(json));
	}
	if (usage->provider_cost_known)
		put_int(rows, PROVIDER_COST, usage->provider_cost_nano);
	else
		put_null(rows, PROVIDER_COST);
	if (usage->provider_cost_known || entry->rerate)
		put_int(rows, LIST_COST, usage->list_cost_nano);
	else
		put_null(rows, LIST_COST);
	if (entry->rerate && entry->rerate->allowance_nano)
		put_int(rows, ALLOWANCE, entry->rerate->allowance_nano);
	else
		put_null(rows, ALLOWANCE);
}

static void put_texts(struct rows *rows, const struct ledger_item *item, struct buf *note)
{
	const struct entry *entry = item->entry;
	const struct entry_info *info = &entry->info;
	const struct entry_usage *usage = &entry->usage;
	bool used = entry->kind == ENTRY_RECORD || entry->kind == ENTRY_ADJUST;

	put_text(rows, ORIGIN, item->origin);
	put_text(rows, INTERFACE, info->interface);
	put_text(rows, MODEL_CHECKED, info->model);
	put_text(rows, MODEL, used ? usage->model : "");
	put_text(rows, PROVIDER, used ? usage->provider : info->provider);
	put_text(rows, PRICE_MODEL, used ? usage->price_model : info->price_model);
	put_text(rows, MODE, used ? usage->mode : "");
	put_text(rows, TIER, info->tier);
	put_text(rows, TEAM, account_id(entry, ACCOUNT_TEAM));
	put_text(rows, ORG, account_id(entry, ACCOUNT_ORG));
	buf_reset(note);
	if (entry->kind == ENTRY_RESET || entry->kind == ENTRY_ADJUST)
		buf_putf(note, "%s: %s", info->actor, info->reason);
	put_text(rows, NOTE, buf_str(note));
	put_text(rows, ADJUSTS, entry->adjusts);
}

/* In the order of the columns. */
static void put_row(struct rows *rows, const struct ledger_item *item, struct buf *note)
{
	const struct entry *entry = item->entry;
	uint32_t flags = entry->usage.flags & FLAGS_USAGE;

	flags |= (entry->final ? LEDGER_FLAG_FINAL : 0) | (entry->late ? LEDGER_FLAG_LATE : 0) |
		 (entry->never_checked ? LEDGER_FLAG_NEVER_CHECKED : 0) |
		 (entry->ledger_only ? LEDGER_FLAG_LEDGER_ONLY : 0) | (entry->rerate ? LEDGER_FLAG_RERATED : 0);
	put_int(rows, DAY, entry->started_at_us);
	put_text(rows, TENANT, entry->info.tenant);
	put_text(rows, USER, entry->info.user);
	put_text(rows, REQUEST_ID, entry->info.request_id);
	put_int(rows, ATTEMPT, entry->attempt);
	put_int(rows, ENTRY, entry->kind);
	put_int(rows, FLAGS, flags);
	put_int(rows, AT, entry->at_us);
	put_int(rows, STARTED_AT, entry->started_at_us);
	put_int(rows, PRICE_FROM, entry->usage.price_from_us);
#define ROW(NAME, name, ...) put_int(rows, AMOUNTS_CHARGED + AMOUNT_##NAME, entry->amounts.name);
	AMOUNTS(ROW)
#undef ROW
	for (int meter = 0; meter < METER_KEPT_COUNT; meter++)
		put_int(rows, TOKENS + meter, entry->usage.meters.count[meter]);
	put_texts(rows, item, note);
	put_rare(rows, entry, note);
}

static int compare_origins(const void *a, const void *b)
{
	return strcmp((*(struct ledger_item *const *)a)->origin, (*(struct ledger_item *const *)b)->origin);
}

static int find_origin(const void *key, const void *item)
{
	return strcmp(key, (*(struct ledger_item *const *)item)->origin);
}

/* The returned rows are those that were written. */
static void mark_written(const PGresult *result, struct ledger_item **items, int count, struct arena *scratch)
{
	int rows = PQntuples(result);
	struct ledger_item **sorted;

	for (int i = 0; i < count; i++)
		items[i]->fate = rows == count ? LEDGER_WRITTEN : LEDGER_DOUBLE;
	if (rows == count)
		return;
	sorted = arena_zalloc(scratch, (size_t)count, sizeof(struct ledger_item *));
	memcpy(sorted, items, (size_t)count * sizeof(struct ledger_item *));
	qsort(sorted, (size_t)count, sizeof(struct ledger_item *), compare_origins);
	for (int row = 0; row < rows; row++) {
		struct ledger_item **found = bsearch(
			pg_text(result, row, 0), sorted, (size_t)count, sizeof(struct ledger_item *), find_origin);
		if (found)
			(*found)->fate = LEDGER_WRITTEN;
	}
}

/* Existing rows: the same origin means that this entry was written before, another one that Redis has charged twice. */
static bool mark_repeats(struct pg_link *link, struct ledger_item **items, int count, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;
	int positions, days;

	for (int column = DAY; column <= ENTRY; column++)
		pg_arg_array(&args, column_types[column]);
	positions = pg_arg_array(&args, PG_INT4);
	/* The days again, for the planner, which prunes partitions by a constant but not by a join. */
	days = pg_arg_array(&args, PG_DATE);
	for (int i = 0; i < count; i++) {
		const struct entry *entry = items[i]->entry;
		if (items[i]->fate == LEDGER_WRITTEN)
			continue;
		pg_array_int(&args, DAY, entry->started_at_us);
		pg_array_text(&args, TENANT, entry->info.tenant);
		pg_array_text(&args, USER, entry->info.user);
		pg_array_text(&args, REQUEST_ID, entry->info.request_id);
		pg_array_int(&args, ATTEMPT, entry->attempt);
		pg_array_int(&args, ENTRY, entry->kind);
		pg_array_int(&args, positions, i);
		pg_array_int(&args, days, entry->started_at_us);
	}
	result = pg_query(link,
		"SELECT k.position, l.origin FROM unnest($1, $2, $3, $4, $5, $6, $7) AS k (day, tenant, user_id, "
		"request_id, attempt, entry, position) JOIN ledger l USING (day, tenant, user_id, request_id, "
		"attempt, entry) WHERE l.day = ANY ($8)",
		&args, err);
	if (!result)
		return false;
	for (int row = 0; row < PQntuples(result); row++) {
		struct ledger_item *item = items[pg_i64(result, row, 0)];
		item->fate = strcmp(pg_text(result, row, 1), item->origin) == 0 ? LEDGER_REPEAT : LEDGER_DOUBLE;
	}
	return true;
}

bool ledger_insert(struct pg_link *link, struct ledger_item **items, int count, struct arena *scratch, struct err *err)
{
	PG_ARGS args = {0};
	struct rows out = {.args = &args};
	struct buf note = {0};
	PG_RESULT result = NULL;
	int rows;

	for (int column = 0; column < COLUMN_COUNT; column++)
		pg_arg_array(&args, column_types[column]);
	for (int i = 0; i < count; i++)
		put_row(&out, items[i], &note);
	result = pg_query(link, INSERT_SQL, &args, err);
	buf_release(&note);
	if (!result)
		return false;
	rows = PQntuples(result);
	mark_written(result, items, count, scratch);
	return rows == count || mark_repeats(link, items, count, err);
}

bool ledger_copy(struct pg_link *link, struct ledger_item **items, int count, struct err *err)
{
	struct buf bytes = {0}, note = {0};
	struct rows out = {.bytes = &bytes};
	bool ok;

	pg_copy_begin(&bytes);
	for (int i = 0; i < count; i++) {
		pg_copy_row(&bytes, COLUMN_COUNT);
		put_row(&out, items[i], &note);
	}
	pg_copy_end(&bytes);
	ok = pg_copy_in(link, COPY_SQL, &bytes, err);
	for (int i = 0; ok && i < count; i++)
		items[i]->fate = LEDGER_WRITTEN;
	buf_release(&bytes);
	buf_release(&note);
	return ok;
}

bool ledger_meets_rows(const struct pg_link *link)
{
	return strcmp(link->sqlstate, "23505") == 0;
}
