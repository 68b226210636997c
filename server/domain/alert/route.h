/* To which channels an event goes, and when: pure functions of rules, channels and time. */
#ifndef BURSAR_DOMAIN_ALERT_ROUTE_H
#define BURSAR_DOMAIN_ALERT_ROUTE_H

#include "domain/alert/alert.h"

/*
 * Does the event go to the channel? `rule` is the one that found it. Looks at tenant, `system`, severity, the rule's
 * channels and whether the channel is enabled.
 */
bool alert_goes_to(const struct alert_rule *rule, const struct alert_event *event, const struct alert_channel *channel);

/*
 * When the channel's quiet hours end, if now_us lies in them; else now_us. They begin and end at the first moment at which the clocks of
 * quiet_zone have reached quiet_from and quiet_to, so that a change of the clocks neither repeats nor splits a night.
 */
int64_t alert_quiet_until(const struct alert_channel *channel, int64_t now_us);

/*
 * The earliest time at which the event may be sent by the channel: after its quiet hours (unless it is critical), which are read
 * in its zone, also across changes of the clock, and at the end of its digest's interval. Intervals begin at multiples of
 * digest_us since 1970, so that every process computes the same. now_us when it may be sent at once.
 */
int64_t alert_not_before(const struct alert_channel *channel, const struct alert_event *event, int64_t now_us);

/*
 * The pause before attempt `attempts` + 1, after `attempts` (1..) that failed: 5 s, doubled each time up to an hour, of which a
 * random part between half and all (`random`: any 64 bits). Not less than what the destination asked for (`retry_after_us`, 0 =
 * nothing), which counts up to a day.
 */
int64_t alert_retry_pause(int attempts, int64_t retry_after_us, uint64_t random);

/* How long a destination gets no attempt after so many failures in a row; 0 below 5. At most 10 minutes. */
int64_t alert_circuit_pause(int failures, uint64_t random);

#endif
