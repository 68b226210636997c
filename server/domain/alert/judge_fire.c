/* Lists what fires, and to which channels it goes. */
#include <string.h>

#include "base/units.h"
#include "domain/alert/judge_private.h"
#include "domain/alert/route.h"

static void *grown(struct arena *arena, void *items, int count, int *room, size_t size)
{
	void *bigger;

	if (count < *room)
		return items;
	*room = *room ? 2 * *room : 16;
	bigger = arena_zalloc(arena, (size_t)*room, size);
	if (count)
		memcpy(bigger, items, (size_t)count * size);
	return bigger;
}

static void route(struct alert_judge *judge, const struct alert_rule *rule, struct alert_firing *firing)
{
	size_t most = (size_t)judge->channels + 1;

	firing->channel = arena_alloc(judge->arena, most * sizeof(*firing->channel));
	firing->channel_tenant = arena_alloc(judge->arena, most * sizeof(*firing->channel_tenant));
	firing->not_before_us = arena_alloc(judge->arena, most * sizeof(*firing->not_before_us));
	for (int i = 0; i < judge->channels; i++) {
		const struct alert_channel *channel = &judge->channel[i];

		if (!alert_goes_to(rule, &firing->event, channel))
			continue;
		firing->channel[firing->channels] = channel->name;
		firing->channel_tenant[firing->channels] = channel->tenant;
		firing->not_before_us[firing->channels++] = alert_not_before(channel, &firing->event, judge->now_us);
	}
}

const struct alert_fired *judge_fired(
	const struct alert_account *account, const struct alert_rule *rule, const char *key, int64_t window_us)
{
	for (int i = 0; i < account->fired; i++) {
		const struct alert_fired *fired = &account->fired_row[i];

		if (fired->window_us == window_us && strcmp(fired->rule, rule->name) == 0 &&
			strcmp(fired->key, key) == 0)
			return fired;
	}
	return NULL;
}

void judge_fire(struct alert_judge *judge, const struct alert_rule *rule, const struct alert_account *account,
	const struct alert_firing *what)
{
	const struct alert_fired *fired =
		account && what->key[0] ? judge_fired(account, rule, what->key, what->window_us) : NULL;
	struct alert_firing *firing;

	if (fired && (judge->stale || what->point <= fired->used))
		return;
	judge->firing = grown(judge->arena, judge->firing, judge->firings, &judge->firing_room, sizeof(*judge->firing));
	firing = &judge->firing[judge->firings++];
	*firing = *what;
	firing->event.rule = rule->name;
	firing->event.severity = rule->severity;
	if (!firing->silent)
		route(judge, rule, firing);
}

void judge_rearm(struct alert_judge *judge, const struct alert_account *account, const struct alert_fired *fired)
{
	if (judge->stale)
		return;
	judge->rearm = grown(judge->arena, judge->rearm, judge->rearms, &judge->rearm_room, sizeof(*judge->rearm));
	judge->rearm[judge->rearms++] = (struct alert_rearm){
		.kind = account->kind, .tenant = account->tenant, .id = account->id, .fired = *fired};
}

bool judge_concerns(const struct alert_rule *rule, const struct alert_account *account)
{
	return (!rule->account_kinds || rule->account_kinds >> account->kind & 1) &&
	       (!rule->account[0] || strcmp(rule->account, account->id) == 0) &&
	       (!rule->tier[0] || strcmp(rule->tier, account->tier) == 0) &&
	       (!rule->team[0] || (account->kind == ACCOUNT_USER && strcmp(rule->team, account->profile.team) == 0));
}

struct alert_event judge_event(
	const struct alert_judge *judge, enum alert_kind kind, const struct alert_account *account)
{
	struct alert_event event = alert_event_of(kind, account->tenant);

	event.at_us = judge->now_us;
	event.account_kind = account->kind;
	event.account = account->id;
	return event;
}

struct alert_firing judge_once_in(const struct alert_event *event, const char *key, int64_t span_us)
{
	return (struct alert_firing){
		.event = *event,
		.key = key,
		.window_us = event->at_us - event->at_us % span_us,
		.expires_at_us = event->at_us - event->at_us % span_us + span_us + DAY_US,
	};
}
