/* Private to the alerts store: what its files share. */
#ifndef BURSAR_PG_ALERTS_ALERTS_H
#define BURSAR_PG_ALERTS_ALERTS_H

#include "base/arena.h"
#include "pg/link/link.h"
#include "pg/link/threads.h"
#include "store/alerts.h"

/* The functions that run an operation on a thread: each is one transaction, unless it only reads. */
bool alerts_run_setup(struct alerts_setup *op, struct pg_link *link, struct err *err); /* setup.c */
bool alerts_run_evaluate(struct alerts_evaluate *op, struct pg_link *link, struct err *err); /* evaluate.c */
bool alerts_run_store_firings(struct alerts_store_firings *op, struct pg_link *link, struct err *err); /* fire.c */
bool alerts_run_facts(struct alerts_facts *op, struct pg_link *link, struct err *err); /* facts.c */
bool alerts_run_number(struct alerts_number *op, struct pg_link *link, struct err *err); /* facts.c */
/* Asks a question that is answered with yes or no, outside a transaction: whether there is anything to do. */
bool alerts_ask(struct pg_link *link, const char *sql, bool *yes, struct err *err);
bool alerts_run_claim(struct alerts_claim *op, struct pg_link *link, struct err *err); /* claim.c */
bool alerts_run_finish(struct alerts_finish *op, struct pg_link *link, struct err *err); /* finish.c */
bool alerts_run_upkeep(struct alerts_upkeep *op, struct pg_link *link, struct err *err); /* facts.c */

/*
 * fire.c: stores firings in the open transaction. Those that fire for the first time, `stored` from then on, get their event, and what
 * is pending for channels.
 */
bool alerts_fire(struct pg_link *link, struct alert_firing *firing, int count, struct arena *scratch, struct err *err);
/* How many of them are stored; counts them in the metrics. After the commit. */
int alerts_fired_count(const struct alert_firing *firing, int count);

/* rows.c: columns of alert_rules r, of alert_channels c, and of alert_events e or alert_notes, and how they are read. Texts are copied. */
#define ALERT_RULE_COLUMNS \
	"r.tenant, r.name, r.kind, r.enabled, r.severity, array_to_string(r.account_kinds, ' '), r.account, r.tier, r.team, r.limit_name, " \
	"r.dimension, r.unit, array_to_string(r.percents, ' '), array_to_string(r.amounts, ' '), r.percent, r.minimum_nano, r.after_s, " \
	"array_to_string(r.channels, ' '), r.to_all, (extract(epoch FROM r.updated_at) * 1000000)::bigint"
enum { ALERT_RULE_COLUMN_COUNT = 20 };
void row_alert_rule(const PGresult *result, int row, int column, struct arena *arena, struct alert_rule *out);

#define ALERT_CHANNEL_COLUMNS \
	"c.tenant, c.name, c.kind, c.enabled, c.system, c.least, c.target, c.language, c.title, c.body, c.digest_s, c.quiet_from, c.quiet_to, " \
	"c.quiet_zone, c.rate_per_minute, c.ordered, c.failures, " \
	"CASE WHEN c.open_until > now() THEN (extract(epoch FROM c.open_until) * 1000000)::bigint ELSE 0 END, " \
	"(extract(epoch FROM c.updated_at) * 1000000)::bigint, c.prompt"
enum { ALERT_CHANNEL_COLUMN_COUNT = 20 };
void row_alert_channel(const PGresult *result, int row, int column, struct arena *arena, struct alert_channel *out);
/* The secrets, as four texts: url, token, signing secrets and headers as lines. */
#define ALERT_SECRET_COLUMNS \
	"coalesce(c.secret->>'url', ''), coalesce(c.secret->>'token', ''), " \
	"coalesce((SELECT string_agg(s, E'\\n' ORDER BY n) FROM jsonb_array_elements_text(c.secret->'secrets') WITH ORDINALITY AS t (s, n)), ''), " \
	"coalesce((SELECT string_agg(s, E'\\n' ORDER BY n) FROM jsonb_array_elements_text(c.secret->'headers') WITH ORDINALITY AS t (s, n)), '')"
enum { ALERT_SECRET_COLUMN_COUNT = 4 };
void row_alert_secret(const PGresult *result, int row, int column, struct arena *arena, struct alert_secret *out);

/* id, seq (0: none), at in us, tenant, rule, kind, severity, account kind, account, then ALERT_EVENT_FIELDS. */
#define ALERT_FIELD_COLUMN(name, ...) ", e." #name
#define ALERT_EVENT_COLUMNS \
	"e.id, coalesce(e.seq, 0), (extract(epoch FROM e.at) * 1000000)::bigint, e.tenant, e.rule, e.kind, e.severity, e.account_kind, " \
	"e.account" ALERT_EVENT_FIELDS(ALERT_FIELD_COLUMN, ALERT_FIELD_COLUMN)
#define ALERT_NOTE_COLUMNS \
	"e.id, 0, (extract(epoch FROM e.at) * 1000000)::bigint, e.tenant, '', e.kind, 0, e.account_kind, e.account" ALERT_EVENT_FIELDS( \
		ALERT_FIELD_COLUMN, ALERT_FIELD_COLUMN)
void row_alert_event(const PGresult *result, int row, int column, struct arena *arena, struct alert_event *out);
/* ALERT_EVENT_FIELDS as parameters: empty arrays, of which the first one's index is returned; and an event's values. */
#define ALERT_FIELD_NAME(name, ...) ", " #name
#define ALERT_FIELD_NAMES ALERT_EVENT_FIELDS(ALERT_FIELD_NAME, ALERT_FIELD_NAME)
#define ALERT_FIELD_ONE(...) +1
enum { ALERT_FIELD_COUNT = 0 ALERT_EVENT_FIELDS(ALERT_FIELD_ONE, ALERT_FIELD_ONE) };
int args_alert_fields(struct pg_args *args);
void args_alert_event(struct pg_args *args, int first, const struct alert_event *event);

#endif
