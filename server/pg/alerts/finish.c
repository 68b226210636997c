/*
 * Stores what became of an attempt to deliver a message. Locks its channel, where that changes, before the message, as all do who lock
 * both.
 */
#include <stdlib.h>

#include "base/observe/metrics.h"
#include "domain/alert/lanes.h"
#include "domain/alert/route.h"
#include "pg/alerts/claim.h"

enum { ATTEMPTS_KEPT = 50 }; /* of a message */

/* The message and its channel, both locked. */
struct finish {
	struct alerts_finish *op;
	struct pg_link *link;
	bool found, repeated, channel_locked;
	int failures;
	bool open; /* the circuit */
	enum alert_delivery_state state, before;
	int64_t give_up_at_us, claimed_until_us;
};

/* Whether the destination has answered in good time. */
static bool was_prompt(const struct alerts_finish *op)
{
	return (op->what == FINISH_DELIVERED || op->what == FINISH_DEAD) && op->took_us <= ALERT_PROMPT_US;
}

/* A channel that does well stays as it is after a success, so most of the time it is not locked. */
static bool lock_channel(struct finish *finish, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_int(&args, finish->op->id);
	pg_arg_time(&args, finish->op->now_us);
	pg_arg_bool(&args, finish->op->what == FINISH_LATER);
	pg_arg_bool(&args, was_prompt(finish->op));
	if (!pg_read(finish->link,
		    "SELECT c.failures, c.open_until > $2 FROM alert_deliveries d JOIN alert_channels c ON c.tenant = "
		    "d.tenant AND c.name = d.channel WHERE d.id = $1 AND ($3 OR c.failures > 0 OR c.prompt <> $4) FOR UPDATE OF c",
		    &args, &result, err))
		return false;
	finish->channel_locked = PQntuples(result) > 0;
	if (finish->channel_locked) {
		finish->failures = (int)pg_i64(result, 0, 0);
		finish->open = pg_bool(result, 0, 1);
	}
	return true;
}

static bool lock_message(struct finish *finish, struct err *err)
{
	PG_ARGS args = {0};
	PG_RESULT result = NULL;

	pg_arg_int(&args, finish->op->id);
	pg_arg_time(&args, finish->op->now_us - finish->op->took_us);
	if (!pg_read(finish->link,
		    "SELECT d.state, " GIVE_UP_US ", " CLAIMED_US ", EXISTS (SELECT FROM alert_attempts a WHERE "
		    "a.delivery = d.id AND a.at = $2) FROM alert_deliveries d WHERE d.id = $1 FOR UPDATE",
		    &args, &result, err))
		return false;
	finish->found = PQntuples(result) > 0;
	if (!finish->found)
		return true;
	finish->before = finish->state = (enum alert_delivery_state)pg_i64(result, 0, 0);
	finish->give_up_at_us = pg_i64(result, 0, 1);
	finish->claimed_until_us = pg_i64(result, 0, 2);
	finish->repeated = pg_bool(result, 0, 3); /* the connection was lost before the commit was confirmed */
	return true;
}

/* Somebody else has claimed the message since, and is sending it. */
static bool elsewhere(const struct finish *finish)
{
	return finish->claimed_until_us != finish->op->claimed_until_us &&
	       finish->claimed_until_us > finish->op->now_us;
}

/* What has been delivered stays so. */
static void decide(struct finish *finish)
{
	const struct alerts_finish *op = finish->op;

	if (op->what == FINISH_DELIVERED)
		finish->state = DELIVERY_DELIVERED;
	else if (op->what != FINISH_ABORTED && finish->before == DELIVERY_WAITING && !elsewhere(finish) &&
		 (op->what == FINISH_DEAD || op->now_us + op->pause_us > finish->give_up_at_us))
		finish->state = DELIVERY_DEAD;
}

static bool store_message(const struct finish *finish, struct err *err)
{
	const struct alerts_finish *op = finish->op;
	PG_ARGS args = {0};

	pg_arg_int(&args, op->id);
	pg_arg_int(&args, finish->state);
	pg_arg_time(&args, op->now_us);
	pg_arg_time(&args, op->now_us + op->pause_us);
	pg_arg_bool(&args, finish->before != DELIVERY_DELIVERED || finish->state != DELIVERY_DELIVERED);
	pg_arg_bool(
		&args, finish->before == DELIVERY_WAITING && (finish->state != DELIVERY_WAITING || !elsewhere(finish)));
	pg_arg_int(&args, op->status);
	pg_arg_text(&args, op->error);
	return pg_exec(finish->link,
		"UPDATE alert_deliveries SET state = $2::smallint, attempts = attempts + 1, ended_at = CASE WHEN $2 "
		"<> 1 THEN coalesce(ended_at, $3) END, next_at = CASE WHEN $6 AND $2 = 1 THEN $4 ELSE next_at END, "
		"claimed_until = CASE WHEN $6 THEN '-infinity' ELSE claimed_until END, status = CASE WHEN $5 THEN "
		"$7::int ELSE status END, error = CASE WHEN $5 THEN $8 ELSE error END WHERE id = $1",
		&args, err);
}

static bool store_attempt(const struct finish *finish, struct err *err)
{
	const struct alerts_finish *op = finish->op;
	PG_ARGS args = {0}, kept = {0};

	pg_arg_int(&args, op->id);
	pg_arg_time(&args, op->now_us - op->took_us);
	pg_arg_int(&args, op->took_us);
	pg_arg_int(&args, op->status);
	pg_arg_text(&args, op->error);
	pg_arg_int(&kept, op->id);
	pg_arg_int(&kept, ATTEMPTS_KEPT);
	return pg_exec(finish->link,
		       "INSERT INTO alert_attempts (delivery, attempt, at, took_us, status, error) SELECT $1, "
		       "coalesce(max(attempt), 0) + 1, $2, $3, $4::int, $5 FROM alert_attempts WHERE delivery = $1",
		       &args, err) &&
	       pg_exec(finish->link,
		       "DELETE FROM alert_attempts WHERE delivery = $1 AND attempt <= (SELECT max(attempt) FROM "
		       "alert_attempts WHERE delivery = $1) - $2",
		       &kept, err);
}

/*
 * The circuit. Messages that were under way when it opened do not count: a short outage under load would open it for its longest pause.
 * A destination that refuses a message for good has answered.
 */
static bool store_channel(const struct finish *finish, struct err *err)
{
	const struct alerts_finish *op = finish->op;
	bool failed = op->what == FINISH_LATER;
	int64_t pause_us = failed ? alert_circuit_pause(finish->failures + 1, op->random) : 0;
	PG_ARGS args = {0};

	if (!finish->channel_locked || (failed && finish->open) || (op->what == FINISH_DEAD && op->status == 0))
		return true;
	pg_arg_int(&args, op->id);
	pg_arg_int(&args, failed ? finish->failures + 1 : 0);
	pg_arg_bool(&args, pause_us > 0);
	pg_arg_time(&args, op->now_us + pause_us);
	pg_arg_bool(&args, was_prompt(op));
	return pg_exec(finish->link,
		"UPDATE alert_channels c SET failures = $2::int, open_until = CASE WHEN $3 THEN $4 ELSE '-infinity' "
		"END, prompt = $5 FROM alert_deliveries d WHERE d.id = $1 AND c.tenant = d.tenant AND c.name = d.channel",
		&args, err);
}

bool alerts_run_finish(struct alerts_finish *op, struct pg_link *link, struct err *err)
{
	struct finish finish = {.op = op, .link = link};

	if (!pg_begin(link, "", err) || (op->what != FINISH_ABORTED && !lock_channel(&finish, err)) ||
		!lock_message(&finish, err))
		return false;
	if (!finish.found || finish.repeated)
		return pg_commit(link, err);
	decide(&finish);
	if (!store_attempt(&finish, err) || !store_message(&finish, err) || !store_channel(&finish, err) ||
		!pg_commit(link, err))
		return false;
	if (finish.state == DELIVERY_DEAD && finish.before != DELIVERY_DEAD)
		metric_inc(METRIC_alerts_dead_total, 0, 0);
	return true;
}
