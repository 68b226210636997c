/*
 * How a process shares the messages that it sends at a time. A destination that does not answer holds its lane until the timeout, so
 * neither one tenant nor all such destinations together may have every lane: the next message of another tenant finds one.
 */
#ifndef BURSAR_DOMAIN_ALERT_LANES_H
#define BURSAR_DOMAIN_ALERT_LANES_H

#include "base/units.h"
#include "domain/alert/alert.h"

enum {
	ALERT_LANES = 16, /* messages that a process sends at a time */
	ALERT_LANES_TENANT = 8, /* of them, to the channels of one tenant */
	ALERT_LANES_SLOW = 4, /* and to all channels that are not `prompt` */
	ALERT_LANES_CHANNEL = 4, /* to one channel, by all processes together; 1 if it is not `prompt` */
};
/* An attempt that is answered within this time makes a channel `prompt`. */
#define ALERT_PROMPT_US (2 * SECOND_US)

/* The lanes in use; {0}: none. */
struct alert_lanes {
	int used, slow;
	const char *tenant[ALERT_LANES];
};
/* Is there a lane for a message to the channel? */
bool alert_lanes_have_room(const struct alert_lanes *lanes, const struct alert_channel *channel);
/* A message to the channel, whose tenant's name must stay, is in one of the lanes. */
void alert_lanes_use(struct alert_lanes *lanes, const struct alert_channel *channel);
/* Lists the tenants that have all the lanes they may have; returns how many there are. */
int alert_lanes_full(const struct alert_lanes *lanes, const char *tenants[ALERT_LANES / ALERT_LANES_TENANT]);

#endif
