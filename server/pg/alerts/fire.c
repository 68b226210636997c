/* Stores firings: alert_fired decides which of them are new, and only those become events. */
#include <stdlib.h>
#include <string.h>

#include "base/observe/metrics.h"
#include "pg/alerts/alerts.h"

/* By the primary key of alert_fired: all writers insert in this order. */
static int compare_firings(const void *a, const void *b)
{
	const struct alert_firing *x = *(struct alert_firing *const *)a, *y = *(struct alert_firing *const *)b;
	int order = strcmp(x->event.tenant, y->event.tenant);

	if (order == 0)
		order = (int)x->event.account_kind - (int)y->event.account_kind;
	if (order == 0)
		order = strcmp(x->event.account, y->event.account);
	if (order == 0)
		order = strcmp(x->event.rule, y->event.rule);
	if (order == 0)
		order = strcmp(x->key, y->key);
	return order ? order : (x->window_us > y->window_us) - (x->window_us < y->window_us);
}

/* Those that fire once, sorted, each once. */
static int sort_firings(struct alert_firing *firing, int count, struct alert_firing **sorted)
{
	int keyed = 0, kept = 0;

	for (int i = 0; i < count; i++)
		if (firing[i].key[0])
			sorted[keyed++] = &firing[i];
	if (keyed)
		qsort(sorted, (size_t)keyed, sizeof(sorted[0]), compare_firings);
	for (int i = 0; i < keyed; i++)
		if (kept == 0 || compare_firings(&sorted[kept - 1], &sorted[i]) != 0)
			sorted[kept++] = sorted[i];
	return kept;
}

/* Where the limit was raised above what was used when it fired, it fires again. */
static const char fired_sql[] =
	"INSERT INTO alert_fired AS f (tenant, account_kind, account, rule, key, window_us, point, used, expires_at) "
	"SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) "
	"ON CONFLICT (tenant, account_kind, account, rule, key, window_us) DO UPDATE SET point = excluded.point, "
	"used = excluded.used, expires_at = excluded.expires_at WHERE excluded.point > f.used "
	"RETURNING tenant, account_kind, account, rule, key, window_us";

static void fired_args(struct pg_args *args, struct alert_firing **sorted, int count)
{
	static const enum pg_type types[] = {
		PG_TEXT, PG_INT2, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_INT8, PG_INT8, PG_TIME};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		pg_arg_array(args, types[i]);
	for (int i = 0; i < count; i++) {
		const struct alert_firing *firing = sorted[i];

		pg_array_text(args, 0, firing->event.tenant);
		pg_array_int(args, 1, firing->event.account_kind);
		pg_array_text(args, 2, firing->event.account);
		pg_array_text(args, 3, firing->event.rule);
		pg_array_text(args, 4, firing->key);
		pg_array_int(args, 5, firing->window_us);
		pg_array_int(args, 6, firing->point);
		pg_array_int(args, 7, firing->used);
		pg_array_int(args, 8, firing->expires_at_us);
	}
}

static struct alert_firing **fired_find(
	const PGresult *result, int row, struct alert_firing **sorted, int count, struct alert_firing *scratch)
{
	*scratch = (struct alert_firing){
		.event = {.tenant = pg_text(result, row, 0),
			.account_kind = (enum account_kind)pg_i64(result, row, 1),
			.account = pg_text(result, row, 2),
			.rule = pg_text(result, row, 3)},
		.key = pg_text(result, row, 4),
		.window_us = pg_i64(result, row, 5),
	};
	return bsearch(&scratch, sorted, (size_t)count, sizeof(sorted[0]), compare_firings);
}

static bool fired_store(
	struct pg_link *link, struct alert_firing *firing, int count, struct alert_firing **sorted, struct err *err)
{
	int keyed = sort_firings(firing, count, sorted);
	struct alert_firing scratch;
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	if (!keyed)
		return true;
	fired_args(&args, sorted, keyed);
	if (!pg_read(link, fired_sql, &args, &result, err))
		return false;
	for (int i = 0; i < PQntuples(result); i++) {
		struct alert_firing **found = fired_find(result, i, sorted, keyed, &scratch);

		if (found)
			(*found)->stored = !(*found)->silent;
	}
	return true;
}

enum { EVENT_FIELDS = 8, EVENT_COLUMNS = 23 };
static const char events_sql[] =
	"INSERT INTO alert_events (id, at, tenant, rule, kind, severity, account_kind, account" ALERT_FIELD_NAMES
	") SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, "
	"$20, $21, $22, $23)";
static const char pending_sql[] =
	"INSERT INTO alert_pending (tenant, channel, event, not_before) SELECT * FROM unnest($1, $2, $3, $4)";

static void event_args(struct pg_args *args, const struct alert_event *event)
{
	pg_array_int(args, 0, event->id);
	pg_array_int(args, 1, event->at_us);
	pg_array_text(args, 2, event->tenant);
	pg_array_text(args, 3, event->rule);
	pg_array_int(args, 4, event->kind);
	pg_array_int(args, 5, event->severity);
	pg_array_int(args, 6, event->account_kind);
	pg_array_text(args, 7, event->account);
	args_alert_event(args, EVENT_FIELDS, event);
}

static void pending_args(struct pg_args *args, const struct alert_firing *firing)
{
	for (int i = 0; i < firing->channels; i++) {
		pg_array_text(args, 0, firing->channel_tenant[i]);
		pg_array_text(args, 1, firing->channel[i]);
		pg_array_int(args, 2, firing->event.id);
		pg_array_int(args, 3, firing->not_before_us[i]);
	}
}

static void args_begin(struct pg_args *events, struct pg_args *pending)
{
	static const enum pg_type event[EVENT_FIELDS] = {
		PG_INT8, PG_TIME, PG_TEXT, PG_TEXT, PG_INT2, PG_INT2, PG_INT2, PG_TEXT};
	static const enum pg_type wait[] = {PG_TEXT, PG_TEXT, PG_INT8, PG_TIME};

	for (int i = 0; i < EVENT_FIELDS; i++)
		pg_arg_array(events, event[i]);
	args_alert_fields(events);
	_Static_assert(
		EVENT_COLUMNS == EVENT_FIELDS + ALERT_FIELD_COUNT, "the statement has a parameter for each column");
	for (size_t i = 0; i < sizeof(wait) / sizeof(wait[0]); i++)
		pg_arg_array(pending, wait[i]);
}

static bool events_store(struct pg_link *link, struct alert_firing *firing, int count, int stored, struct err *err)
{
	PG_ARGS number = {0}, events = {0}, pending = {0};
	PG_RESULT ids = NULL;
	int row = 0;

	pg_arg_int(&number, stored);
	if (!pg_read(link, "SELECT nextval('alert_events_id_seq') FROM generate_series(1, $1)", &number, &ids, err))
		return false;
	args_begin(&events, &pending);
	for (int i = 0; i < count; i++) {
		if (!firing[i].stored)
			continue;
		firing[i].event.id = pg_i64(ids, row++, 0);
		event_args(&events, &firing[i].event);
		pending_args(&pending, &firing[i]);
	}
	return pg_exec(link, events_sql, &events, err) && pg_exec(link, pending_sql, &pending, err);
}

bool alerts_fire(struct pg_link *link, struct alert_firing *firing, int count, struct arena *scratch, struct err *err)
{
	int stored = 0;

	for (int i = 0; i < count; i++)
		firing[i].stored = !firing[i].key[0];
	if (!fired_store(link, firing, count, arena_alloc(scratch, ((size_t)count + 1) * sizeof(struct alert_firing *)),
		    err))
		return false;
	for (int i = 0; i < count; i++)
		stored += firing[i].stored;
	return stored == 0 || events_store(link, firing, count, stored, err);
}

int alerts_fired_count(const struct alert_firing *firing, int count)
{
	int stored = 0;

	for (int i = 0; i < count; i++) {
		if (!firing[i].stored)
			continue;
		stored++;
		metric_inc(METRIC_alerts_events_total, METRIC_ALERT_THRESHOLD + (unsigned)firing[i].event.kind - 1,
			(unsigned)firing[i].event.severity - 1);
	}
	return stored;
}

bool alerts_run_store_firings(struct alerts_store_firings *op, struct pg_link *link, struct err *err)
{
	op->stored = 0;
	if (op->firings == 0)
		return true;
	if (!pg_begin(link, "", err) || !alerts_fire(link, op->firing, op->firings, op->op.arena, err) ||
		!pg_commit(link, err))
		return false;
	op->stored = alerts_fired_count(op->firing, op->firings);
	return true;
}
