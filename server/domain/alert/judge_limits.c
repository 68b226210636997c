/* Judges what an account has used of its calendar limits: thresholds, and where the use is heading. */
#include "domain/alert/judge_private.h"

#include <inttypes.h>
#include <string.h>

#include "base/units.h"

/* What is recorded shortly after the end of its window still counts in it, and so may be told. */
#define LATE_US (10 * MINUTE_US)
/* Projections begin when this part of the window has passed. */
enum { PROJECTED_PART = 8 };

static bool names_limit(const struct alert_rule *rule, const struct limit *limit)
{
	return limit->kind == KIND_CALENDAR && !limit->shadow &&
	       (!rule->limit_name[0] || strcmp(rule->limit_name, limit->name) == 0) &&
	       (rule->dimension < 0 || rule->dimension == (int)limit->dimension) &&
	       (rule->unit < 0 || rule->unit == (int)limit->unit);
}

/* A limit in one of its windows. */
struct reading {
	const struct limit *limit;
	int64_t start_us, end_us; /* a reset begins a window of its own */
	int64_t at_us; /* now, or the last moment of a window that has just ended */
	int64_t amount, used;
};

static struct reading reading_of(
	const struct alert_account *account, const struct limit *limit, int64_t start_us, int64_t end_us, int64_t at_us)
{
	const struct account_profile *profile = &account->profile;
	struct reading reading = {.limit = limit, .end_us = end_us, .at_us = at_us};

	reading.start_us = usage_start(account->window, account->windows, limit->unit, start_us, at_us);
	reading.amount = limit_effective(limit, at_us < profile->grace_until_us ? profile->grace_percent : 0);
	reading.used = usage_of(account->window, account->windows, limit->unit, limit->dimension, limit->interface_hash,
		limit->model_hash, reading.start_us, at_us);
	return reading;
}

static int64_t share_of(int64_t amount, int percent)
{
	return (int64_t)(((__int128)amount * percent + 99) / 100);
}

/* The limits may be gone before the event is stored. */
static void reading_event(struct alert_judge *judge, const struct reading *reading, struct alert_event *event)
{
	event->limit_name = arena_strndup(judge->arena, reading->limit->name, strlen(reading->limit->name));
	event->dimension = (int64_t)reading->limit->dimension;
	event->unit = (int64_t)reading->limit->unit;
	event->window_start_us = reading->start_us;
	event->window_end_us = reading->end_us;
	event->used = reading->used;
	event->amount = reading->amount;
}

struct threshold {
	int64_t point;
	int percent; /* 0: an amount */
	const char *key;
};

/* Of a small amount, several percentages are the same. */
static bool higher(const struct threshold *a, const struct threshold *b)
{
	return a->point != b->point ? a->point > b->point : a->percent > b->percent;
}

static int thresholds_of(struct alert_judge *judge, const struct alert_rule *rule, const struct reading *reading,
	struct threshold out[2 * ALERT_THRESHOLDS_MAX])
{
	const char *limit = reading->limit->name;
	int count = 0;

	for (int i = 0; i < rule->percents; i++)
		out[count++] = (struct threshold){.point = share_of(reading->amount, rule->percent_at[i]),
			.percent = rule->percent_at[i],
			.key = arena_printf(judge->arena, "%s:%d%%", limit, rule->percent_at[i])};
	for (int i = 0; i < rule->amounts; i++)
		out[count++] = (struct threshold){.point = rule->amount_at[i],
			.key = arena_printf(judge->arena, "%s:%" PRId64, limit, rule->amount_at[i])};
	return count;
}

static void threshold_fire(struct alert_judge *judge, const struct alert_rule *rule,
	const struct alert_account *account, const struct reading *reading, const struct threshold *at, bool silent)
{
	struct alert_firing firing = {
		.event = judge_event(judge, ALERT_THRESHOLD, account),
		.silent = silent,
		.key = at->key,
		.window_us = reading->start_us,
		.point = at->point,
		.used = reading->used,
		.expires_at_us = reading->end_us + DAY_US,
	};

	reading_event(judge, reading, &firing.event);
	firing.event.percent = at->percent;
	firing.event.threshold = at->point;
	judge_fire(judge, rule, account, &firing);
}

/*
 * Of thresholds that are passed in one go, the highest is told. Whether one that has fired may fire again depends on its point of
 * today: above what was used when it fired, the limit was raised; above what is used now, something was given back.
 */
static void judge_thresholds(struct alert_judge *judge, const struct alert_rule *rule,
	const struct alert_account *account, const struct reading *reading)
{
	struct threshold all[2 * ALERT_THRESHOLDS_MAX], fresh[2 * ALERT_THRESHOLDS_MAX];
	int count = thresholds_of(judge, rule, reading, all), fresh_count = 0, top = -1;
	int64_t told = 0; /* the highest point that has fired already */

	for (int i = 0; i < count; i++) {
		const struct alert_fired *fired = judge_fired(account, rule, all[i].key, reading->start_us);
		bool raised = fired && all[i].point > fired->used && !judge->stale;

		if (reading->used < all[i].point) {
			if (fired)
				judge_rearm(judge, account, fired);
		} else if (fired && !raised) {
			told = all[i].point > told ? all[i].point : told;
		} else {
			fresh[fresh_count] = all[i];
			top = top < 0 || higher(&all[i], &fresh[top]) ? fresh_count : top;
			fresh_count++;
		}
	}
	for (int i = 0; i < fresh_count; i++)
		threshold_fire(judge, rule, account, reading, &fresh[i], i != top || fresh[i].point <= told);
}

/* What will be used at the end of the window, if it goes on as so far. */
static int64_t projection(const struct reading *reading)
{
	int64_t passed = reading->at_us - reading->start_us, length = reading->end_us - reading->start_us;
	__int128 used;

	if (passed <= 0 || passed < length / PROJECTED_PART)
		return 0;
	used = (__int128)reading->used * length / passed;
	return used > COUNT_MAX ? COUNT_MAX : (int64_t)used;
}

static void judge_projection(struct alert_judge *judge, const struct alert_rule *rule,
	const struct alert_account *account, const struct reading *reading)
{
	int64_t point = share_of(reading->amount, rule->percent), projected = projection(reading);
	struct alert_firing firing = {
		.event = judge_event(judge, ALERT_PROJECTED, account),
		.window_us = reading->start_us,
		.point = point,
		.used = projected,
		.expires_at_us = reading->end_us + DAY_US,
	};
	__int128 percent = (__int128)projected * 100 / reading->amount;

	if (reading->used >= reading->amount || projected < point)
		return;
	reading_event(judge, reading, &firing.event);
	firing.key = firing.event.limit_name;
	firing.event.percent = percent > INT32_MAX ? INT32_MAX : (int64_t)percent;
	firing.event.threshold = point;
	judge_fire(judge, rule, account, &firing);
}

void judge_limits(struct alert_judge *judge, const struct alert_rule *rule, const struct alert_account *account)
{
	const struct policy *policy = account->policy;
	struct windows windows;

	windows_or_utc(&account->profile.zone, judge->now_us, &windows);
	for (int i = 0; policy && i < policy->count; i++) {
		const struct limit *limit = &policy->limits[i];
		const int64_t *at = windows.at[limit->unit < WINDOW_COUNT ? limit->unit : 0];
		struct reading reading;

		if (!names_limit(rule, limit) || limit->amount <= 0)
			continue;
		reading = reading_of(account, limit, at[1], at[2], judge->now_us);
		if (rule->kind == ALERT_PROJECTED) {
			judge_projection(judge, rule, account, &reading);
			continue;
		}
		judge_thresholds(judge, rule, account, &reading);
		if (judge->now_us - at[1] >= LATE_US)
			continue;
		reading = reading_of(account, limit, at[0], at[1], at[1] - 1);
		judge_thresholds(judge, rule, account, &reading);
	}
}
