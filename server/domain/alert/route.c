/* To which channels an event goes, and when. */
#include "domain/alert/route.h"

#include <string.h>

#include "base/units.h"
#include "domain/time/date.h"
#include "domain/time/zone_file.h"

#define RETRY_FIRST_US (5 * SECOND_US)
#define RETRY_MAX_US HOUR_US
#define CIRCUIT_FIRST_US (10 * SECOND_US)
#define CIRCUIT_MAX_US (10 * MINUTE_US)
enum { CIRCUIT_FAILURES = 5 };

static bool rule_names(const struct alert_rule *rule, const char *channel)
{
	if (rule->channels == 0)
		return rule->to_all;
	for (int i = 0; i < rule->channels; i++)
		if (strcmp(rule->channel[i], channel) == 0)
			return true;
	return false;
}

/* What concerns the whole installation goes to `system` channels of any tenant, what concerns a tenant to its own ones. */
static bool tenant_fits(
	const struct alert_rule *rule, const struct alert_event *event, const struct alert_channel *channel)
{
	if (rule->tenant[0] != '\0' && strcmp(rule->tenant, channel->tenant) != 0)
		return false;
	return event->tenant[0] == '\0' ? channel->system : strcmp(event->tenant, channel->tenant) == 0;
}

bool alert_goes_to(const struct alert_rule *rule, const struct alert_event *event, const struct alert_channel *channel)
{
	return channel->enabled && event->severity >= channel->least && tenant_fits(rule, event, channel) &&
	       rule_names(rule, channel->name);
}

/*
 * The channel's zone. One that cannot be read counts as UTC: a night of the wrong hours is better than no alerts. It is noted, so
 * that it is read again later, and `bursar doctor` tells of it.
 */
static const struct tz *quiet_zone(const struct alert_channel *channel)
{
	struct err err;
	const struct tz *tz = zone_take(channel->quiet_zone, &err);

	if (tz)
		return tz;
	zone_miss(channel->quiet_zone);
	return zone_take("UTC", &err);
}

int64_t alert_quiet_until(const struct alert_channel *channel, int64_t now_us)
{
	int64_t now = floor_div(now_us, SECOND_US), at = now;
	int64_t from, to, today;
	const struct tz *tz;

	if (channel->quiet_from == channel->quiet_to)
		return now_us;
	tz = quiet_zone(channel);
	today = floor_div(now + tz_offset(tz, now, &from, &to), DAY_S);
	/* Yesterday's night may last until today, and tomorrow's has begun if clocks were just turned back over midnight. */
	for (int64_t day = today - 1; day <= today + 1; day++) {
		int64_t last_day = channel->quiet_to < channel->quiet_from ? day + 1 : day;
		int64_t end = tz_reached(tz, last_day * DAY_S + channel->quiet_to * INT64_C(60));

		if (at < end && at >= tz_reached(tz, day * DAY_S + channel->quiet_from * INT64_C(60)))
			at = end;
	}
	zone_give(tz);
	return at == now ? now_us : at * SECOND_US;
}

int64_t alert_not_before(const struct alert_channel *channel, const struct alert_event *event, int64_t now_us)
{
	int64_t at_us = now_us;

	if (channel->digest_us > 0)
		at_us = (floor_div(now_us, channel->digest_us) + 1) * channel->digest_us;
	return event->severity == ALERT_CRITICAL ? at_us : alert_quiet_until(channel, at_us);
}

/* `first_us` doubled `times`, but not above max_us; of it a random part between half and all. */
static int64_t pause_of(int64_t first_us, int times, int64_t max_us, uint64_t random)
{
	int64_t pause_us = first_us;

	for (int i = 0; i < times && pause_us < max_us; i++)
		pause_us *= 2;
	if (pause_us > max_us)
		pause_us = max_us;
	return pause_us / 2 + (int64_t)(random % (uint64_t)(pause_us / 2 + 1));
}

int64_t alert_retry_pause(int attempts, int64_t retry_after_us, uint64_t random)
{
	int64_t pause_us = pause_of(RETRY_FIRST_US, attempts - 1, RETRY_MAX_US, random);

	if (retry_after_us > DAY_US)
		retry_after_us = DAY_US;
	return retry_after_us > pause_us ? retry_after_us : pause_us;
}

int64_t alert_circuit_pause(int failures, uint64_t random)
{
	if (failures < CIRCUIT_FAILURES)
		return 0;
	return pause_of(CIRCUIT_FIRST_US, failures - CIRCUIT_FAILURES, CIRCUIT_MAX_US, random);
}
