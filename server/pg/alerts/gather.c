/*
 * Makes messages of pending events (pg/alerts/claim.h). Each event gets a message of its own, unless its channel has a digest or more
 * is pending than its rate allows. Rows of alert_pending go in the transaction that puts them into a message, so that none is lost.
 */
#include <stdlib.h>

#include "base/crypto/random.h"
#include "base/units.h"
#include "pg/alerts/claim.h"

#define BURST_US (10 * SECOND_US) /* so much of a minute's messages may go at once after a pause */
enum {
	MADE_MAX = 16, /* messages of a channel in one claim */
	/* What waits longer is gathered into fewer messages, and a channel that has failed for days is not flooded when it is back. */
	WAITING_MAX = 64,
};

/* The messages that are being made, as columns. */
struct gather {
	struct pg_args messages; /* message_id, tenant, channel, events, more, at, give_up_at */
	struct pg_args consumed; /* tenant, channel, event */
	struct pg_args rates; /* tenant, channel, free_at */
	int made;
};

static void gather_release(struct gather *gather)
{
	pg_args_release(&gather->messages);
	pg_args_release(&gather->consumed);
	pg_args_release(&gather->rates);
}

static void gather_begin(struct gather *gather)
{
	static const enum pg_type message[] = {PG_TEXT, PG_TEXT, PG_TEXT, PG_TEXT, PG_INT8, PG_TIME, PG_TIME};

	for (size_t i = 0; i < sizeof(message) / sizeof(message[0]); i++)
		pg_arg_array(&gather->messages, message[i]);
	for (int i = 0; i < 2; i++) {
		pg_arg_array(&gather->consumed, PG_TEXT);
		pg_arg_array(&gather->rates, PG_TEXT);
	}
	pg_arg_array(&gather->consumed, PG_INT8);
	pg_arg_array(&gather->rates, PG_TIME);
}

static int64_t interval_us(const struct claim_channel *own)
{
	return MINUTE_US / alert_channel_rate(&own->channel);
}

static int64_t free_since(const struct claim_channel *own, int64_t now_us)
{
	int64_t burst_us = BURST_US / interval_us(own) * interval_us(own);

	return own->free_at_us > now_us - burst_us ? own->free_at_us : now_us - burst_us;
}

/* How many messages may be made now. */
static int room_of(const struct claim_channel *own, int64_t now_us)
{
	int64_t room;

	if (own->free_at_us > now_us)
		return 0;
	room = 1 + (now_us - free_since(own, now_us)) / interval_us(own);
	if (room > WAITING_MAX - own->waiting)
		room = WAITING_MAX - own->waiting;
	if (room > MADE_MAX)
		room = MADE_MAX;
	return room > 0 ? (int)room : 0;
}

/* How many of `pending` events the next of `messages` messages takes. */
static int64_t gather_take(int64_t pending, int messages, bool digest)
{
	if (!digest && messages > 1 && pending <= messages - 1 + ALERT_DIGEST_EVENTS_MAX)
		return 1; /* the last one has room for the others */
	return pending < ALERT_DIGEST_EVENTS_MAX ? pending : ALERT_DIGEST_EVENTS_MAX;
}

static void add_message(struct gather *gather, const struct claim *claim, const struct claim_channel *own,
	const PGresult *pending, int first, int64_t count, int64_t more)
{
	struct buf events = {0};
	char id[33], message_id[40] = "msg_";

	random_id(id);
	memcpy(message_id + 4, id, sizeof(id));
	for (int64_t i = 0; i < count; i++) {
		int64_t event = pg_i64(pending, first + (int)i, 1);

		buf_putf(&events, "%c%lld", i ? ',' : '{', (long long)event);
		pg_array_text(&gather->consumed, 0, own->channel.tenant);
		pg_array_text(&gather->consumed, 1, own->channel.name);
		pg_array_int(&gather->consumed, 2, event);
	}
	buf_put_str(&events, "}");
	pg_array_text(&gather->messages, 0, message_id);
	pg_array_text(&gather->messages, 1, own->channel.tenant);
	pg_array_text(&gather->messages, 2, own->channel.name);
	pg_array_text(&gather->messages, 3, buf_str(&events));
	pg_array_int(&gather->messages, 4, more);
	pg_array_int(&gather->messages, 5, claim->op->now_us);
	pg_array_int(&gather->messages, 6, claim->op->now_us + claim->op->give_up_us);
	buf_release(&events);
	gather->made++;
}

/* Makes a channel's messages of its rows in `pending`, of which the first is `row`; `due` counts those that were not read, too. */
static void add_channel(struct gather *gather, const struct claim *claim, const struct claim_channel *own,
	const PGresult *pending, int row, int64_t due)
{
	int64_t now_us = claim->op->now_us;
	int room = room_of(own, now_us), made = 0;

	for (; made < room && due > 0; made++) {
		int64_t take = gather_take(due, room - made, own->channel.digest_us > 0);

		due -= take;
		add_message(gather, claim, own, pending, row, take, take > 1 ? due : 0);
		row += (int)take;
	}
	pg_array_text(&gather->rates, 0, own->channel.tenant);
	pg_array_text(&gather->rates, 1, own->channel.name);
	pg_array_int(&gather->rates, 2, free_since(own, now_us) + made * interval_us(own));
}

/* What is due is counted once for each channel, not for each of the rows that are read. */
static bool read_pending(const struct claim *claim, PGresult **result, struct err *err)
{
	PG_ARGS args = {0};

	pg_arg_array(&args, PG_TEXT);
	pg_arg_array(&args, PG_TEXT);
	pg_arg_array(&args, PG_INT4);
	pg_arg_time(&args, claim->op->now_us);
	for (int i = 0; i < claim->channels; i++) {
		const struct claim_channel *own = &claim->channel[i];

		pg_array_text(&args, 0, own->channel.tenant);
		pg_array_text(&args, 1, own->channel.name);
		pg_array_int(&args, 2, (int64_t)room_of(own, claim->op->now_us) * ALERT_DIGEST_EVENTS_MAX);
	}
	return pg_read(claim->link,
		"WITH ch AS MATERIALIZED (SELECT ch.*, (SELECT count(*) FROM alert_pending p WHERE ch.most > 0 AND "
		"p.tenant = ch.tenant AND p.channel = ch.name AND p.not_before <= $4) AS due FROM unnest($1::text[], "
		"$2::text[], $3::int[]) WITH ORDINALITY AS ch (tenant, name, most, n)) SELECT ch.n - 1, p.event, ch.due "
		"FROM ch, LATERAL (SELECT p.event, p.not_before FROM alert_pending p WHERE p.tenant = ch.tenant AND "
		"p.channel = ch.name AND p.not_before <= $4 ORDER BY p.not_before, p.event LIMIT ch.most) p "
		"ORDER BY ch.n, p.not_before, p.event",
		&args, result, err);
}

static bool gather_store(struct pg_link *link, const struct gather *gather, struct err *err)
{
	return pg_exec(link,
		       "INSERT INTO alert_deliveries (message_id, tenant, channel, events, more, created_at, give_up_at, "
		       "next_at) SELECT m.id, m.tenant, m.channel, m.events::bigint[], m.more, m.at, m.give_up_at, m.at "
		       "FROM unnest($1, $2, $3, $4, $5, $6, $7) WITH ORDINALITY AS m (id, tenant, channel, events, more, "
		       "at, give_up_at, n) ORDER BY m.n",
		       &gather->messages, err) &&
	       pg_exec(link,
		       "DELETE FROM alert_pending p USING unnest($1, $2, $3) AS g (tenant, channel, event) WHERE p.tenant = "
		       "g.tenant AND p.channel = g.channel AND p.event = g.event",
		       &gather->consumed, err) &&
	       pg_exec(link,
		       "UPDATE alert_channels c SET free_at = r.at FROM unnest($1, $2, $3) AS r (tenant, name, at) WHERE "
		       "c.tenant = r.tenant AND c.name = r.name",
		       &gather->rates, err);
}

bool claim_gather(struct claim *claim, struct err *err)
{
	__attribute__((cleanup(gather_release))) struct gather gather = {0};
	PG_RESULT pending = NULL;

	gather_begin(&gather);
	if (!read_pending(claim, &pending, err))
		return false;
	for (int row = 0; row < PQntuples(pending);) {
		int64_t n = pg_i64(pending, row, 0);

		add_channel(&gather, claim, &claim->channel[n], pending, row, pg_i64(pending, row, 2));
		while (row < PQntuples(pending) && pg_i64(pending, row, 0) == n)
			row++;
	}
	return gather.made == 0 || gather_store(claim->link, &gather, err);
}
