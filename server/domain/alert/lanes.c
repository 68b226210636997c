/* How a process shares the messages that it sends at a time. */
#include "domain/alert/lanes.h"

#include <string.h>

static int used_by(const struct alert_lanes *lanes, const char *tenant)
{
	int count = 0;

	for (int i = 0; i < lanes->used; i++)
		count += strcmp(lanes->tenant[i], tenant) == 0;
	return count;
}

bool alert_lanes_have_room(const struct alert_lanes *lanes, const struct alert_channel *channel)
{
	return lanes->used < ALERT_LANES && (channel->prompt || lanes->slow < ALERT_LANES_SLOW) &&
	       used_by(lanes, channel->tenant) < ALERT_LANES_TENANT;
}

void alert_lanes_use(struct alert_lanes *lanes, const struct alert_channel *channel)
{
	lanes->tenant[lanes->used++] = channel->tenant;
	lanes->slow += !channel->prompt;
}

int alert_lanes_full(const struct alert_lanes *lanes, const char *tenants[ALERT_LANES / ALERT_LANES_TENANT])
{
	int count = 0;

	for (int i = 0; i < lanes->used; i++) {
		bool listed = false;

		for (int k = 0; k < count; k++)
			listed = listed || strcmp(tenants[k], lanes->tenant[i]) == 0;
		if (!listed && used_by(lanes, lanes->tenant[i]) >= ALERT_LANES_TENANT)
			tenants[count++] = lanes->tenant[i];
	}
	return count;
}
