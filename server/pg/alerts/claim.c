/*
 * Claims messages that are due, after making those whose time has come (gather.c). A claim holds the rows of its channels: what a
 * channel promises (order, one probe behind an open circuit, its rate) is decided by one claimer at a time. Nobody waits for a lock
 * here; what another one holds comes with the next claim.
 */
#include "pg/alerts/claim.h"

#include <stdlib.h>

#include "base/observe/metrics.h"
#include "domain/alert/route.h"

/* Is anything due? When nothing is, which is most of the time, this is all that a claim asks. */
static bool look(struct alerts_claim *op, struct pg_link *link, bool *due, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_time(&args, op->now_us);
	if (!pg_read(link,
		    SQL_WITH_PENDING
		    "SELECT coalesce(bool_or(at <= $1), false), coalesce((extract(epoch FROM min(at) "
		    "FILTER (WHERE at > $1)) * 1000000)::bigint, 0) FROM (SELECT (SELECT min(p.not_before) FROM "
		    "alert_pending p WHERE p.tenant = w.tenant AND p.channel = w.channel) AS at FROM with_pending w "
		    "UNION ALL (SELECT next_at FROM alert_deliveries WHERE state = 1 AND next_at <= $1 AND claimed_until "
		    "<= $1 LIMIT 1) UNION ALL (SELECT next_at FROM alert_deliveries WHERE state = 1 AND next_at > $1 "
		    "ORDER BY next_at LIMIT 1)) t",
		    &args, &result, err))
		return false;
	*due = pg_bool(result, 0, 0);
	op->next_us = pg_i64(result, 0, 1);
	return true;
}

/* What was on its way to a channel that is gone: `alert channel delete` takes it along, except what an evaluation has just added. */
static bool cancel_orphans(struct alerts_claim *op, struct pg_link *link, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_time(&args, op->now_us);
	return pg_exec(link,
		       SQL_WITH_PENDING
		       ", gone AS MATERIALIZED (SELECT w.* FROM with_pending w WHERE NOT EXISTS (SELECT FROM alert_channels "
		       "c WHERE c.tenant = w.tenant AND c.name = w.channel)) DELETE FROM alert_pending p USING (SELECT q.* "
		       "FROM gone, LATERAL (SELECT q.tenant, q.channel, q.event FROM alert_pending q WHERE q.tenant = "
		       "gone.tenant AND q.channel = gone.channel LIMIT 10000 FOR UPDATE SKIP LOCKED) q) g WHERE p.tenant = "
		       "g.tenant AND p.channel = g.channel AND p.event = g.event",
		       NULL, err) &&
	       pg_exec(link,
		       "UPDATE alert_deliveries SET state = 4, ended_at = $1, error = 'its channel is gone' WHERE id IN "
		       "(SELECT d.id FROM alert_deliveries d WHERE d.state = 1 AND d.next_at <= $1 AND d.claimed_until <= "
		       "$1 AND NOT EXISTS (SELECT FROM alert_channels c WHERE c.tenant = d.tenant AND c.name = d.channel) "
		       "FOR UPDATE SKIP LOCKED)",
		       &args, err);
}

/* Behind an open circuit most messages are never tried again: they die when it is time to, without a last attempt. */
static bool expire(struct alerts_claim *op, struct pg_link *link, int64_t *dead, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_time(&args, op->now_us);
	if (!pg_read(link,
		    "UPDATE alert_deliveries SET state = 3, ended_at = $1, error = CASE error WHEN '' THEN 'not tried: "
		    "other messages to its destination failed' ELSE error END WHERE id IN (SELECT d.id FROM "
		    "alert_deliveries d JOIN alert_channels c ON c.tenant = d.tenant AND c.name = d.channel WHERE "
		    "c.enabled AND c.open_until > $1 AND d.state = 1 AND d.next_at <= $1 AND d.give_up_at <= $1 AND "
		    "d.claimed_until <= $1 FOR UPDATE OF d SKIP LOCKED) RETURNING id",
		    &args, &result, err))
		return false;
	*dead = PQntuples(result);
	return true;
}

/* A channel without a language has its tenant's. */
#define LANGUAGE \
	"coalesce(nullif(c.language, ''), (SELECT t.language FROM tenants t WHERE t.id = c.tenant), " \
	"(SELECT t.language FROM tenants t WHERE t.id = 'default'), '')"

/* The channels for which there are lanes. */
static void lanes_args(const struct alert_lanes *lanes, struct pg_args *args)
{
	const char *full[ALERT_LANES / ALERT_LANES_TENANT];
	int count = alert_lanes_full(lanes, full), tenants;

	pg_arg_bool(args, lanes->slow < ALERT_LANES_SLOW);
	tenants = pg_arg_array(args, PG_TEXT);
	for (int i = 0; i < count; i++)
		pg_array_text(args, tenants, full[i]);
}

/*
 * Locks channels with something due that their circuit, the lanes and, for new messages, their rate allow. In no order, so that all get
 * their turn.
 */
static bool lock_channels(struct claim *claim, struct err *err)
{
	const int more = ALERT_CHANNEL_COLUMN_COUNT + ALERT_SECRET_COLUMN_COUNT;
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_time(&args, claim->op->now_us);
	pg_arg_int(&args, CLAIM_CHANNELS_MAX);
	lanes_args(&claim->lanes, &args);
	if (!pg_read(claim->link,
		    SQL_WITH_PENDING
		    ", work AS (SELECT w.tenant, w.channel, true AS pending FROM with_pending w WHERE "
		    "EXISTS (SELECT FROM alert_pending p WHERE p.tenant = w.tenant AND p.channel = w.channel AND "
		    "p.not_before <= $1) UNION ALL SELECT DISTINCT tenant, channel, false FROM alert_deliveries WHERE "
		    "state = 1 AND next_at <= $1 AND claimed_until <= $1) SELECT " ALERT_CHANNEL_COLUMNS
		    ", " ALERT_SECRET_COLUMNS ", " FREE_US ", " LANGUAGE
		    " FROM alert_channels c WHERE c.enabled AND c.open_until <= $1 AND (c.prompt OR $3) AND c.tenant <> "
		    "ALL ($4) AND EXISTS (SELECT FROM work w WHERE w.tenant = c.tenant AND w.channel = c.name AND (NOT "
		    "w.pending OR c.free_at <= $1)) ORDER BY random() LIMIT $2 FOR UPDATE OF c SKIP LOCKED",
		    &args, &result, err))
		return false;
	claim->channels = PQntuples(result);
	claim->channel = arena_zalloc(claim->op->op.arena, (size_t)claim->channels + 1, sizeof(*claim->channel));
	for (int i = 0; i < claim->channels; i++) {
		struct claim_channel *own = &claim->channel[i];

		row_alert_channel(result, i, 0, claim->op->op.arena, &own->channel);
		row_alert_secret(result, i, ALERT_CHANNEL_COLUMN_COUNT, claim->op->op.arena, &own->channel.secret);
		own->free_at_us = pg_i64(result, i, more);
		own->channel.language = arena_strndup(
			claim->op->op.arena, pg_text(result, i, more + 1), (size_t)PQgetlength(result, i, more + 1));
	}
	return true;
}

/* Behind the lock: an earlier claim of these channels has been committed. */
static bool count_waiting(struct claim *claim, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_array(&args, PG_TEXT);
	pg_arg_array(&args, PG_TEXT);
	pg_arg_time(&args, claim->op->now_us);
	for (int i = 0; i < claim->channels; i++) {
		pg_array_text(&args, 0, claim->channel[i].channel.tenant);
		pg_array_text(&args, 1, claim->channel[i].channel.name);
	}
	if (!pg_read(claim->link,
		    "SELECT count(d.id), count(d.id) FILTER (WHERE d.claimed_until > $3) FROM unnest($1::text[], "
		    "$2::text[]) WITH ORDINALITY AS ch (tenant, name, n) LEFT JOIN alert_deliveries d ON d.tenant = "
		    "ch.tenant AND d.channel = ch.name AND d.state = 1 GROUP BY ch.n ORDER BY ch.n",
		    &args, &result, err))
		return false;
	for (int i = 0; i < claim->channels; i++) {
		claim->channel[i].waiting = (int)pg_i64(result, i, 0);
		claim->channel[i].claimed = (int)pg_i64(result, i, 1);
	}
	return true;
}

/*
 * How many more of the channel's messages may be sent at a time, by all processes together. A destination that is new, slow or failing,
 * also one whose circuit has been open, gets one message, to see how it fares.
 */
static int messages_max(const struct claim_channel *own)
{
	bool one = own->channel.ordered || !own->channel.prompt;
	int max = (one ? 1 : ALERT_LANES_CHANNEL) - own->claimed;

	return max > 0 ? max : 0;
}

/* The candidates: of each channel the first that are due, and of all channels the first ones first. */
static bool pick(const struct claim *claim, PGresult **result, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_array(&args, PG_TEXT);
	pg_arg_array(&args, PG_TEXT);
	pg_arg_array(&args, PG_INT4);
	pg_arg_array(&args, PG_BOOL);
	pg_arg_time(&args, claim->op->now_us);
	for (int i = 0; i < claim->channels; i++) {
		pg_array_text(&args, 0, claim->channel[i].channel.tenant);
		pg_array_text(&args, 1, claim->channel[i].channel.name);
		pg_array_int(&args, 2, messages_max(&claim->channel[i]));
		pg_array_int(&args, 3, claim->channel[i].channel.ordered);
	}
	return pg_read(claim->link,
		"SELECT ch.n - 1, d.id, d.message_id, d.attempts, " GIVE_UP_US ", d.more, d.urgent, "
		"array_to_string(d.events, ' ') FROM unnest($1::text[], $2::text[], $3::int[], $4::bool[]) WITH "
		"ORDINALITY AS ch (tenant, name, most, ordered, n), LATERAL (SELECT d.*, d.test OR EXISTS (SELECT "
		"FROM alert_events e WHERE e.id = ANY (d.events) AND e.severity = 3) AS urgent FROM alert_deliveries "
		"d WHERE d.tenant = ch.tenant AND d.channel = ch.name AND d.state = 1 AND d.next_at <= $5 AND "
		"d.claimed_until <= $5 AND (NOT ch.ordered OR d.id = (SELECT min(o.id) FROM alert_deliveries o WHERE "
		"o.tenant = ch.tenant AND o.channel = ch.name AND o.state = 1)) ORDER BY d.next_at, d.id LIMIT "
		"ch.most FOR UPDATE OF d SKIP LOCKED) d ORDER BY row_number() OVER (PARTITION BY ch.n ORDER BY "
		"d.next_at, d.id), d.next_at, d.id",
		&args, result, err);
}

static void take(const struct claim *claim, const PGresult *picked, int row)
{
	struct alerts_message *message = &claim->op->message[claim->op->count++];

	*message = (struct alerts_message){
		.id = pg_i64(picked, row, 1),
		.message_id = arena_strndup(
			claim->op->op.arena, pg_text(picked, row, 2), (size_t)PQgetlength(picked, row, 2)),
		.attempts = (int)pg_i64(picked, row, 3),
		.give_up_at_us = pg_i64(picked, row, 4),
		.more = pg_i64(picked, row, 5),
		.channel = claim->channel[pg_i64(picked, row, 0)].channel,
	};
}

/* The events of the messages that were taken, in their order. */
static bool read_events(struct alerts_claim *op, struct pg_link *link, const struct pg_args *wanted, struct err *err)
{
	PG_RESULT result = NULL;

	if (!pg_read(link,
		    "SELECT w.message, " ALERT_EVENT_COLUMNS " FROM unnest($1::int[], $2::text[]) AS w (message, "
		    "events), LATERAL unnest(string_to_array(w.events, ' ')::bigint[]) WITH ORDINALITY AS v (event, n) "
		    "JOIN alert_events e ON e.id = v.event ORDER BY w.message, v.n",
		    wanted, &result, err))
		return false;
	for (int row = 0; row < PQntuples(result); row++) {
		struct alerts_message *message = &op->message[pg_i64(result, row, 0)];

		if (!message->event)
			message->event = arena_zalloc(op->op.arena, ALERT_DIGEST_EVENTS_MAX, sizeof(*message->event));
		if (message->events < ALERT_DIGEST_EVENTS_MAX)
			row_alert_event(result, row, 1, op->op.arena, &message->event[message->events++]);
	}
	return true;
}

/* Ids whose rows change in the same way. */
struct fates {
	struct pg_args claimed; /* ids; until */
	struct pg_args postponed; /* ids; until; now */
	struct pg_args empty; /* ids; now */
	int postponements;
};

static void fates_release(struct fates *fates)
{
	pg_args_release(&fates->claimed);
	pg_args_release(&fates->postponed);
	pg_args_release(&fates->empty);
}

static void fates_begin(struct fates *fates, const struct alerts_claim *op)
{
	pg_arg_array(&fates->claimed, PG_INT8);
	pg_arg_time(&fates->claimed, op->now_us + op->claim_us);
	pg_arg_array(&fates->postponed, PG_INT8);
	pg_arg_array(&fates->postponed, PG_TIME);
	pg_arg_time(&fates->postponed, op->now_us);
	pg_arg_array(&fates->empty, PG_INT8);
	pg_arg_time(&fates->empty, op->now_us);
}

static bool fates_store(struct pg_link *link, const struct fates *fates, struct err *err)
{
	return pg_exec(link, "UPDATE alert_deliveries SET claimed_until = $2 WHERE id = ANY ($1)", &fates->claimed,
		       err) &&
	       pg_exec(link,
		       "UPDATE alert_deliveries d SET next_at = p.until, give_up_at = d.give_up_at + (p.until - $3) FROM "
		       "unnest($1, $2) AS p (id, until) WHERE d.id = p.id",
		       &fates->postponed, err) &&
	       pg_exec(link,
		       "UPDATE alert_deliveries SET state = 4, ended_at = $2, error = 'its events are older than "
		       "alert_retention_days' WHERE id = ANY ($1)",
		       &fates->empty, err);
}

/*
 * Takes candidates up to the limit, as far as there are lanes for them. Quiet hours hold back what has failed before them, or could not be
 * sent. Where lanes have kept something back, the next claim looks at other channels.
 */
static void sort_out(struct claim *claim, const PGresult *picked, struct fates *fates, struct pg_args *wanted)
{
	struct alerts_claim *op = claim->op;
	int row = 0, kept_back = 0;

	for (; row < PQntuples(picked) && op->count < op->limit; row++) {
		const struct alert_channel *channel = &claim->channel[pg_i64(picked, row, 0)].channel;
		int64_t quiet_us = alert_quiet_until(channel, op->now_us);

		if (quiet_us > op->now_us && !pg_bool(picked, row, 6)) {
			pg_array_int(&fates->postponed, 0, pg_i64(picked, row, 1));
			pg_array_int(&fates->postponed, 1, quiet_us);
			fates->postponements++;
			continue;
		}
		if (!alert_lanes_have_room(&claim->lanes, channel)) {
			kept_back++;
			continue;
		}
		alert_lanes_use(&claim->lanes, channel);
		pg_array_int(wanted, 0, op->count);
		pg_array_text(wanted, 1, pg_text(picked, row, 7));
		take(claim, picked, row);
	}
	op->more = row < PQntuples(picked) || op->count == op->limit || fates->postponements > 0 ||
		   ((kept_back > 0 || claim->channels == CLAIM_CHANNELS_MAX) && op->count > 0);
}

/* Leaves out messages of which no event is left; the others are claimed. */
static void drop_empty(struct alerts_claim *op, struct fates *fates)
{
	int kept = 0;

	for (int i = 0; i < op->count; i++) {
		bool empty = op->message[i].events == 0;

		pg_array_int(empty ? &fates->empty : &fates->claimed, 0, op->message[i].id);
		if (!empty)
			op->message[kept++] = op->message[i];
	}
	op->count = kept;
}

static bool claim_due(struct claim *claim, struct err *err)
{
	__attribute__((cleanup(fates_release))) struct fates fates = {0};
	PG_ARGS wanted = {0};
	PG_RESULT picked = NULL;

	if (!pick(claim, &picked, err))
		return false;
	fates_begin(&fates, claim->op);
	pg_arg_array(&wanted, PG_INT4);
	pg_arg_array(&wanted, PG_TEXT);
	claim->op->message =
		arena_zalloc(claim->op->op.arena, (size_t)claim->op->limit + 1, sizeof(*claim->op->message));
	sort_out(claim, picked, &fates, &wanted);
	if (!read_events(claim->op, claim->link, &wanted, err))
		return false;
	drop_empty(claim->op, &fates);
	return fates_store(claim->link, &fates, err);
}

bool alerts_run_claim(struct alerts_claim *op, struct pg_link *link, struct err *err)
{
	struct claim claim = {.op = op, .link = link, .lanes = op->lanes};
	const char *full[ALERT_LANES / ALERT_LANES_TENANT];
	int64_t dead = 0;
	bool due;

	op->count = 0;
	op->more = op->crowded = false;
	if (!look(op, link, &due, err))
		return false;
	if (!due)
		return true;
	if (!pg_begin(link, "", err) || !cancel_orphans(op, link, err) || !expire(op, link, &dead, err) ||
		!lock_channels(&claim, err))
		return false;
	if (claim.channels > 0 &&
		(!count_waiting(&claim, err) || !claim_gather(&claim, err) || !claim_due(&claim, err)))
		return false;
	if (!pg_commit(link, err))
		return false;
	op->crowded = claim.lanes.slow >= ALERT_LANES_SLOW || alert_lanes_full(&claim.lanes, full) > 0;
	metric_add(METRIC_alerts_dead_total, 0, 0, dead);
	return true;
}
