/* Judges accounts by the rules that are in force in their tenant. */
#include "domain/alert/judge_private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"

enum { ANOMALY_DAYS_MIN = 3 };

int alert_account_order(const void *a, const void *b)
{
	const struct alert_account *x = a, *y = b;
	int order = strcmp(x->tenant, y->tenant);

	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	return order ? order : strcmp(x->id, y->id);
}

const struct alert_account *alert_account_find(
	const struct alert_account *accounts, int count, const char *tenant, enum account_kind kind, const char *id)
{
	const struct alert_account key = {.tenant = tenant, .kind = kind, .id = id};

	return count ? bsearch(&key, accounts, (size_t)count, sizeof(key), alert_account_order) : NULL;
}

/* Items that begin with the name of their tenant, by which they are sorted: the first one of the tenant, or behind it. */
static int tenant_first(const void *items, int count, size_t size, const char *tenant)
{
	int low = 0;

	while (low < count) {
		int middle = low + (count - low) / 2;
		const char *const *of = (const void *)((const char *)items + (size_t)middle * size);

		if (strcmp(*of, tenant) < 0)
			low = middle + 1;
		else
			count = middle;
	}
	return low;
}
_Static_assert(offsetof(struct alert_rule, tenant) == 0 && offsetof(struct alert_channel, tenant) == 0, "see above");

static bool rule_named(const struct alert_rule *rules, int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(rules[i].name, name) == 0)
			return true;
	return false;
}

/* The rules in force in a tenant: its own, and the shipped ones of other names, also if its own are switched off. */
static void rules_of(struct alert_judge *judge, const char *tenant)
{
	const struct alert_setup *setup = judge->setup;
	int first = tenant_first(setup->rule, setup->rules, sizeof(*setup->rule), tenant), own = 0;

	judge->in_force = 0;
	judge->rule = arena_zalloc(judge->arena, (size_t)setup->rules + 1, sizeof(const struct alert_rule *));
	while (first + own < setup->rules && strcmp(setup->rule[first + own].tenant, tenant) == 0)
		own++;
	for (int i = 0; i < setup->rules && !setup->rule[i].tenant[0]; i++)
		if (setup->rule[i].enabled && !rule_named(&setup->rule[first], own, setup->rule[i].name))
			judge->rule[judge->in_force++] = &setup->rule[i];
	for (int i = first; i < first + own; i++)
		if (setup->rule[i].enabled)
			judge->rule[judge->in_force++] = &setup->rule[i];
}

/* What concerns the whole installation may go to any tenant's channels. */
static void channels_of(struct alert_judge *judge, const char *tenant)
{
	const struct alert_setup *setup = judge->setup;
	int first = tenant_first(setup->channel, setup->channels, sizeof(*setup->channel), tenant);

	judge->channel = tenant[0] ? &setup->channel[first] : setup->channel;
	judge->channels = tenant[0] ? 0 : setup->channels;
	while (tenant[0] && first + judge->channels < setup->channels &&
		strcmp(judge->channel[judge->channels].tenant, tenant) == 0)
		judge->channels++;
}

/* The rules about the whole installation, whose events have the tenant "", are those in force in the tenant `default`. */
void judge_tenant(struct alert_judge *judge, const char *tenant)
{
	if (judge->tenant && strcmp(judge->tenant, tenant) == 0)
		return;
	judge->tenant = tenant;
	rules_of(judge, tenant[0] ? tenant : "default");
	channels_of(judge, tenant);
}

static void judge_anomaly(struct alert_judge *judge, const struct alert_rule *rule, const struct alert_account *account)
{
	struct alert_event event = judge_event(judge, ALERT_ANOMALY, account);
	struct alert_firing firing;
	__int128 percent;

	if (account->past_days < ANOMALY_DAYS_MIN || account->today_nano <= 0 ||
		account->today_nano < rule->minimum_nano)
		return;
	event.used = account->today_nano;
	event.amount = account->past_nano / account->past_days;
	if ((__int128)event.used * 100 < (__int128)event.amount * rule->percent)
		return;
	percent = event.amount > 0 ? (__int128)event.used * 100 / event.amount : 0;
	event.percent = percent > INT32_MAX ? INT32_MAX : (int64_t)percent;
	firing = judge_once_in(&event, "day", DAY_US);
	judge_fire(judge, rule, account, &firing);
}

static void judge_unpriced(
	struct alert_judge *judge, const struct alert_rule *rule, const struct alert_account *account)
{
	struct alert_event event = judge_event(judge, ALERT_UNPRICED, account);
	struct alert_firing firing;

	if (account->kind != ACCOUNT_TENANT || account->today_unpriced <= 0)
		return;
	event.count = account->today_unpriced;
	firing = judge_once_in(&event, "day", DAY_US);
	judge_fire(judge, rule, account, &firing);
}

void alert_judge_account(struct alert_judge *judge, const struct alert_account *account)
{
	if (account->profile.deleted)
		return;
	judge_tenant(judge, account->tenant);
	for (int i = 0; i < judge->in_force; i++) {
		const struct alert_rule *rule = judge->rule[i];

		if (!judge_concerns(rule, account))
			continue;
		if (rule->kind == ALERT_THRESHOLD || rule->kind == ALERT_PROJECTED)
			judge_limits(judge, rule, account);
		else if (rule->kind == ALERT_ANOMALY)
			judge_anomaly(judge, rule, account);
		else if (rule->kind == ALERT_UNPRICED)
			judge_unpriced(judge, rule, account);
	}
}

unsigned alert_daily_kinds(const struct alert_setup *setup, int64_t *minimum_nano)
{
	unsigned kinds = 0;

	*minimum_nano = INT64_MAX;
	for (int i = 0; i < setup->rules; i++) {
		const struct alert_rule *rule = &setup->rule[i];

		if (rule->enabled && rule->kind == ALERT_UNPRICED)
			kinds |= 1U << ACCOUNT_TENANT;
		if (!rule->enabled || rule->kind != ALERT_ANOMALY)
			continue;
		kinds |= rule->account_kinds ? rule->account_kinds : ~0U;
		if (rule->minimum_nano < *minimum_nano)
			*minimum_nano = rule->minimum_nano;
	}
	return kinds & ~(1U << ACCOUNT_MODEL);
}
