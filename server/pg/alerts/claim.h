/* Private to claiming messages: what claim.c and gather.c share. */
#ifndef BURSAR_PG_ALERTS_CLAIM_H
#define BURSAR_PG_ALERTS_CLAIM_H

#include "pg/alerts/alerts.h"

enum { CLAIM_CHANNELS_MAX = 16 }; /* of one claim */

/* Times of alert_deliveries d and alert_channels c in microseconds; 0 for -infinity. */
#define GIVE_UP_US "(extract(epoch FROM d.give_up_at) * 1000000)::bigint"
#define CLAIMED_US "(extract(epoch FROM greatest(d.claimed_until, 'epoch')) * 1000000)::bigint"
#define FREE_US "(extract(epoch FROM greatest(c.free_at, 'epoch')) * 1000000)::bigint"

/*
 * with_pending: the channels for which events are pending. It jumps from one to the next through an index, so it costs the same however
 * many events there are.
 */
#define SQL_WITH_PENDING \
	"WITH RECURSIVE with_pending AS ((SELECT tenant, channel FROM alert_pending ORDER BY tenant, channel LIMIT 1) UNION ALL " \
	"SELECT n.tenant, n.channel FROM with_pending w, LATERAL (SELECT p.tenant, p.channel FROM alert_pending p " \
	"WHERE (p.tenant, p.channel) > (w.tenant, w.channel) ORDER BY p.tenant, p.channel LIMIT 1) n) "

/* A channel whose row is locked. */
struct claim_channel {
	struct alert_channel channel;
	int64_t free_at_us; /* the time before which its rate allows nothing; may be long ago */
	int waiting; /* its messages that wait, also those that somebody is sending */
	int claimed; /* those that somebody is sending */
};
struct claim {
	struct alerts_claim *op;
	struct pg_link *link;
	struct alert_lanes lanes; /* in use, those of this claim too */
	int channels;
	struct claim_channel *channel;
};

/* Makes messages of the pending events of these channels, as far as they are due and the channels' rates allow it. */
bool claim_gather(struct claim *claim, struct err *err);

#endif
