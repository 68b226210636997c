/* The start of an episode. */
#include <stdio.h>
#include <string.h>

#include "episode.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static const char *const zones[] = {"", "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia",
	"America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Auckland", "Africa/Cairo", "America/Santiago"};

/* UTC days near which something happens: a leap day, the end of a year, changes of summer time in various places. */
static const int64_t days[] = {
	21242, 21243, 21269, 20818, 20817, 21000, 20757, 20895, 21121, 21486, 20513, 20453, 20640};

static const struct zone *zone_any(struct chance *chance, struct zone *out)
{
	*out = (struct zone){0};
	strcpy(out->name, zones[chance_below(chance, sizeof(zones) / sizeof(zones[0]))]);
	return out;
}

static int64_t period_any(struct chance *chance)
{
	static const int64_t periods[] = {SECOND, 60 * SECOND, 3600 * SECOND, DAY, 30 * DAY, 999983, 7 * SECOND + 1};

	return periods[chance_below(chance, sizeof(periods) / sizeof(periods[0]))];
}

/* Of buckets and calendar limits. Of what is counted by the piece, only what requests use here. */
static enum dimension dimension_any(struct chance *chance)
{
	for (;;) {
		enum dimension dimension = (enum dimension)chance_below(chance, DIM_COUNT);

		if (dimension != DIM_CONCURRENT && counted_find(dimension) < PIECES)
			return dimension;
	}
}

static void limit_any(struct chance *chance, const struct episode *episode, struct limit *out)
{
	int kind = (int)chance_below(chance, 10);

	*out = (struct limit){.dimension = dimension_any(chance),
		.amount = chance_count(chance, COUNT_MAX),
		.shadow = chance_percent(chance, 10),
		.warn_percent = chance_percent(chance, 70) ? 80 : (int)chance_below(chance, 101)};
	snprintf(out->name, sizeof(out->name), "l%d", (int)chance_below(chance, 14));
	if (episode->roomy) {
		out->amount = 1000 + chance_below(chance, 1000000) * (1 + chance_below(chance, 1000));
		if (out->dimension == DIM_REQUESTS && chance_percent(chance, 30))
			out->amount = 1 + chance_below(chance, 15);
		if (counted_find(out->dimension) >= 0 && chance_percent(chance, 50)) /* few: they are soon used up */
			out->amount = 1 + chance_below(chance, 20);
		if (out->dimension == DIM_COST && episode->broke)
			out->amount = 1 + chance_below(chance, 300);
	}
	if (!episode->roomy && chance_percent(chance, 60)) /* amounts that requests can reach */
		out->amount = 1 + chance_below(chance, 2000);
	if (kind == 0) {
		out->kind = KIND_LEVEL;
		out->dimension = DIM_CONCURRENT;
		out->amount = 1 + chance_below(chance, episode->roomy ? 200 : 6);
	} else if (kind < 5) {
		out->kind = KIND_BUCKET;
		out->period_us = period_any(chance);
		out->burst = episode->roomy || chance_percent(chance, 50) ? 0 : chance_count(chance, COUNT_MAX);
	} else {
		out->kind = KIND_CALENDAR;
		out->unit = (enum window_unit)chance_below(chance, WINDOW_COUNT);
		out->notify = chance_percent(chance, 70);
	}
	if (chance_percent(chance, 8))
		strcpy(out->interface, "telegram");
	if (chance_percent(chance, 8))
		strcpy(out->model, "gpt");
}

static void policy_any(struct chance *chance, const struct episode *episode, struct policy *out)
{
	int count = 1 + (int)chance_below(chance, 9);

	*out = (struct policy){0};
	for (int tries = 0; out->count < count && tries < 100; tries++) {
		struct policy longer = *out;

		limit_any(chance, episode, &longer.limits[longer.count++]);
		if (policy_prepare(&longer, NULL))
			*out = longer;
	}
	if (!out->count && !policy_prepare(out, NULL))
		out->count = 0;
}

/* Changes the amount of each limit, up or down, possibly below its use; names stay the same. */
static void policy_moved(struct chance *chance, const struct policy *from, struct policy *out)
{
	*out = *from;
	for (int i = 0; i < out->count; i++) {
		struct limit limit = out->limits[i];

		limit.amount = chance_percent(chance, 50) ? limit.amount * 2 : limit.amount / 3;
		if (limit.amount > COUNT_MAX)
			limit.amount = COUNT_MAX;
		if (limit.kind == KIND_BUCKET && limit.amount == 0)
			limit.amount = 1;
		if (limit_prepare(&limit, NULL))
			out->limits[i] = limit;
	}
	if (!policy_prepare(out, NULL))
		*out = *from;
}

void episode_make(struct episode *episode, struct chance *chance)
{
	static const char *const ids[] = {"ann", "red team", "o/r:g", "gpt%{x}", TENANT};

	episode->now_us =
		days[chance_below(chance, sizeof(days) / sizeof(days[0]))] * DAY + chance_below(chance, 2 * DAY) - DAY;
	episode->roomy = chance_percent(chance, 60);
	episode->broke = chance_percent(chance, 25);
	memset(episode->asked_on, 0, sizeof(episode->asked_on));
	for (int i = 0; i < ACCOUNTS_MAX; i++) {
		struct member *member = &episode->member[i];

		*member = (struct member){.kind = (enum account_kind)(i + 1), .id = ids[i], .version = 5, .epoch = 5};
		zone_any(chance, &member->zone);
		policy_any(chance, episode, &member->variant[0]);
		policy_moved(chance, &member->variant[0], &member->variant[1]);
		policy_any(chance, episode, &member->variant[2]);
		member->profile.version = member->version;
	}
}

void episode_expected(struct episode *episode, int index, struct chance *wrong, struct expected *out)
{
	const struct member *member = &episode->member[index];
	const struct zone *zone = &member->zone;
	int64_t now_us = episode->now_us;
	int which = member->now;
	struct zone other;

	*out = (struct expected){.kind = member->kind,
		.tenant = TENANT,
		.id = member->id,
		.version = member->version,
		.epoch = member->epoch,
		.own_policy = member->own_policy};
	if (wrong && chance_percent(wrong, 4)) {
		out->epoch--;
		which = member->before;
	}
	/* A worker that knows another version may know another time zone. */
	if (wrong && chance_percent(wrong, 4)) {
		out->version += (uint32_t)chance_below(wrong, 3) - 1;
		zone = out->version == member->version ? zone : zone_any(wrong, &other);
	}
	if (wrong && chance_percent(wrong, 4))
		now_us += (chance_percent(wrong, 50) ? -1 : chance_below(wrong, 9) - 4) * DAY;
	out->policy = &member->variant[which];
	if (!windows_at(zone, now_us, &out->windows, NULL))
		memset(&out->windows, 0, sizeof(out->windows));
}
