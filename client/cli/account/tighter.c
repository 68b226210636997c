/* Limits that take effect before another one (tighter.h). */
#include "cli/account/tighter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/unconst.h"
#include "base/units.h"
#include "cli/common/view.h"

static bool is_calendar(const Bursar__V1__Limit *limit)
{
	return limit->kind == BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR;
}

/* The longest possible length of its window. */
static int64_t span_of(const Bursar__V1__Limit *limit)
{
	if (!is_calendar(limit))
		return limit->period_us;
	return limit->window == BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY    ? DAY_US
	       : limit->window == BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_WEEK ? 7 * DAY_US
										    : 31 * DAY_US;
}

/*
 * How much the limit allows within that time under constant use; a double is exact enough to compare. What a bucket had
 * saved up before does not count: it can be spent only once.
 */
static double most_within(const Bursar__V1__Limit *limit, int64_t span_us)
{
	double times = (double)span_us / (double)span_of(limit);
	double flows = (double)limit->amount * (times < 1 && is_calendar(limit) ? 1 : times);
	double burst = is_calendar(limit) ? 0 : (double)(limit->burst ? limit->burst : limit->amount);

	return flows > burst ? flows : burst;
}

/* Whether everything that counts on `limit` also counts on `other`. */
static bool covers(const Bursar__V1__Limit *other, const Bursar__V1__Limit *limit)
{
	return other->dimension == limit->dimension && !other->shadow && !limit->shadow &&
	       other->kind != BURSAR__V1__LIMIT_KIND__LIMIT_KIND_LEVEL &&
	       limit->kind != BURSAR__V1__LIMIT_KIND__LIMIT_KIND_LEVEL &&
	       (!other->interface[0] || strcmp(other->interface, limit->interface) == 0) &&
	       (!other->model[0] || strcmp(other->model, limit->model) == 0);
}

bool limit_is_tighter(const Bursar__V1__Limit *other, const Bursar__V1__Limit *limit, int grace_percent)
{
	double amount = (double)limit->amount * (100 + grace_percent) / 100;

	if (!covers(other, limit) || other == limit || (limit->name[0] && strcmp(other->name, limit->name) == 0))
		return false;
	/* Grace raises all calendar limits equally. */
	if (grace_percent && (is_calendar(other) || !is_calendar(limit)))
		return false;
	return most_within(other, span_of(limit)) < amount;
}

/* Whether `put` is the limit that was given. The server may have named it. */
static bool is_given(Bursar__V1__Limit *const *given, size_t count, const Bursar__V1__Limit *put)
{
	for (size_t i = 0; i < count; i++)
		if (given[i]->name[0]
				? strcmp(given[i]->name, put->name) == 0
				: given[i]->dimension == put->dimension && given[i]->kind == put->kind &&
					  given[i]->window == put->window && given[i]->period_us == put->period_us &&
					  strcmp(given[i]->interface, put->interface) == 0)
			return true;
	return false;
}

static void note(const Bursar__V1__Limit *other, const Bursar__V1__Limit *limit, int grace_percent)
{
	struct buf text = {0};

	view_limit(&text, other);
	if (grace_percent) {
		fprintf(stderr, "bursar: note: grace does not raise %s (%s), which denies before %s does\n",
			other->name, buf_str(&text), limit->name);
	} else {
		fprintf(stderr, "bursar: note: %s (%s) stays in force and is tighter than ", other->name,
			buf_str(&text));
		buf_reset(&text);
		view_limit(&text, limit);
		fprintf(stderr, "%s\n", buf_str(&text));
	}
	buf_release(&text);
}

void tell_tighter(Bursar__V1__Limit *const *given, size_t given_count, Bursar__V1__Limit *const *all, size_t count,
	int grace_percent)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < count; k++)
			if ((grace_percent || is_given(given, given_count, all[i])) &&
				limit_is_tighter(all[k], all[i], grace_percent))
				note(all[k], all[i], grace_percent);
}

/* The name of the account's effective tier, in `text`; empty when it has none. */
static void tier_of(struct cli *cli, const Bursar__V1__Account *account, struct buf *text)
{
	Bursar__V1__GetTenantRequest request = BURSAR__V1__GET_TENANT_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Tenant *tenant;

	buf_put_str(text, account->tier);
	if (account->tier[0] || account->ref->kind > BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_USER)
		return;
	request.id = account->ref->tenant;
	tenant = bursar_get_tenant(cli_bursar(cli), &request, &error);
	buf_put_str(text, tenant ? tenant->default_tier : "");
	bursar_free(tenant);
}

static Bursar__V1__Tier *tier_get(struct cli *cli, const Bursar__V1__Account *account)
{
	Bursar__V1__GetTierRequest request = BURSAR__V1__GET_TIER_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Tier *tier = NULL;
	struct buf name = {0};

	tier_of(cli, account, &name);
	request.tenant = account->ref->tenant;
	request.name = unconst(buf_str(&name));
	if (name.len)
		tier = bursar_get_tier(cli_bursar(cli), &request, &error);
	buf_release(&name);
	return tier;
}

static bool overridden(const Bursar__V1__Account *account, const char *name)
{
	for (size_t i = 0; i < account->n_overrides; i++)
		if (strcmp(account->overrides[i]->name, name) == 0)
			return true;
	return false;
}

void tell_tighter_of(struct cli *cli, Bursar__V1__AccountRef *ref, Bursar__V1__Limit *const *given, size_t given_count,
	int grace_percent)
{
	Bursar__V1__GetAccountRequest request = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Account *account;
	Bursar__V1__Limit **all;
	Bursar__V1__Tier *tier;
	size_t count = 0;

	request.ref = ref;
	account = bursar_get_account(cli_bursar(cli), &request, &error);
	if (!account)
		return;
	tier = tier_get(cli, account);
	all = mem_zalloc(account->n_overrides + (tier ? tier->n_limits : 0) + 1, sizeof(void *));
	for (size_t i = 0; i < account->n_overrides; i++)
		all[count++] = account->overrides[i];
	for (size_t i = 0; tier && i < tier->n_limits; i++)
		if (!overridden(account, tier->limits[i]->name))
			all[count++] = tier->limits[i];
	tell_tighter(given, given_count, all, count, grace_percent);
	free(all);
	bursar_free(tier);
	bursar_free(account);
}
