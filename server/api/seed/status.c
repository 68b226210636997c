/* A user's use: GET /api/quotas. */
#include "api/seed/private.h"
#include "api/seed/write.h"
#include "base/units.h"

#define DIMENSION(name) BURSAR__V1__DIMENSION__DIMENSION_##name
#define KIND(name) BURSAR__V1__LIMIT_KIND__LIMIT_KIND_##name
#define WINDOW(name) BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_##name

static bool is_money(const Bursar__V1__LimitStatus *status)
{
	return status->limit->dimension == DIMENSION(COST);
}

static void put_amount(struct buf *out, const char *name, const Bursar__V1__LimitStatus *status, int64_t amount)
{
	if (is_money(status))
		seed_put_usd(out, name, amount);
	else
		seed_put_number(out, name, amount);
}

static void put_use(struct buf *out, const Bursar__V1__LimitStatus *status)
{
	put_amount(out, "limit", status, status->effective_amount);
	put_amount(out, "used", status, status->used);
	put_amount(out, "held", status, status->held);
	put_amount(out, "remaining", status, status->remaining);
	seed_put_number(out, "usedPercent", status->used_percent);
	seed_put_time(out, "resetsAt", status->resets_at_us);
}

static void put_limit(struct buf *out, const Bursar__V1__LimitStatus *status)
{
	const Bursar__V1__Limit *limit = status->limit;

	seed_put_open(out, NULL, '{');
	seed_put_string(out, "name", limit->name);
	seed_put_word(out, "dimension", &bursar__v1__dimension__descriptor, (int)limit->dimension);
	seed_put_word(out, "kind", &bursar__v1__limit_kind__descriptor, (int)limit->kind);
	if (is_money(status))
		seed_put_string(out, "currency", "USD");
	if (limit->kind == KIND(CALENDAR))
		seed_put_word(out, "window", &bursar__v1__calendar_window__descriptor, (int)limit->window);
	if (limit->kind == KIND(BUCKET)) {
		put_amount(out, "amount", status, limit->amount);
		seed_put_number(out, "periodMs", limit->period_us / 1000);
	}
	put_use(out, status);
	if (limit->interface[0])
		seed_put_string(out, "interface", limit->interface);
	if (limit->model[0])
		seed_put_string(out, "model", limit->model);
	if (limit->shadow)
		seed_put_flag(out, "shadow", true);
	seed_put_close(out, '}');
}

static void put_limits(struct buf *out, const Bursar__V1__AccountStatus *account)
{
	seed_put_open(out, "limits", '[');
	for (size_t i = 0; i < account->n_limits; i++)
		put_limit(out, account->limits[i]);
	seed_put_close(out, ']');
}

/* Counts every request: neither only those of an interface or a model, nor only for show. */
static bool is_general(const Bursar__V1__Limit *limit)
{
	return !limit->interface[0] && !limit->model[0] && !limit->shadow;
}

/* The general limits of a calendar window, by what they count. */
static void put_window(
	struct buf *out, const char *name, const Bursar__V1__AccountStatus *account, Bursar__V1__CalendarWindow window)
{
	unsigned seen = 0;

	seed_put_open(out, name, '{');
	for (size_t i = 0; i < account->n_limits; i++) {
		const Bursar__V1__Limit *limit = account->limits[i]->limit;
		char word[WORD_MAX];

		if (limit->kind != KIND(CALENDAR) || limit->window != window || !is_general(limit) ||
			seen & 1u << limit->dimension)
			continue;
		seen |= 1u << limit->dimension;
		enum_word(&bursar__v1__dimension__descriptor, (int)limit->dimension, word);
		seed_put_open(out, word, '{');
		put_use(out, account->limits[i]);
		seed_put_close(out, '}');
	}
	seed_put_close(out, '}');
}

/* The general bucket per minute of a dimension, as a bucket. */
static void put_bucket(
	struct buf *out, const char *name, const Bursar__V1__AccountStatus *account, Bursar__V1__Dimension dimension)
{
	const Bursar__V1__LimitStatus *found = NULL;

	for (size_t i = 0; i < account->n_limits && !found; i++) {
		const Bursar__V1__Limit *limit = account->limits[i]->limit;

		if (limit->kind == KIND(BUCKET) && limit->dimension == dimension && limit->period_us == MINUTE_US &&
			is_general(limit))
			found = account->limits[i];
	}
	if (!found)
		return;
	seed_put_open(out, name, '{');
	seed_put_number(out, "perMinute", found->limit->amount);
	seed_put_number(out, "capacity", found->effective_amount);
	seed_put_number(out, "available", found->remaining);
	seed_put_number(out, "used", found->used);
	seed_put_time(out, "fullAt", found->resets_at_us);
	seed_put_close(out, '}');
}

static void put_costs(struct buf *out, const Bursar__V1__UserCosts *costs)
{
	if (!costs)
		return;
	seed_put_open(out, "cost", '{');
	seed_put_string(out, "currency", "USD");
	seed_put_string(out, "month", costs->month);
	seed_put_usd(out, "monthTotal", costs->month_cost_nano_usd);
	seed_put_usd(out, "todayTotal", costs->today_cost_nano_usd);
	seed_put_open(out, "byModel", '[');
	for (size_t i = 0; i < costs->n_models; i++) {
		const Bursar__V1__ModelCost *model = costs->models[i];

		seed_put_open(out, NULL, '{');
		seed_put_string(out, "provider", model->provider);
		seed_put_string(out, "model", model->model);
		seed_put_number(out, "requests", model->requests);
		seed_put_number(out, "tokens", model->tokens);
		seed_put_usd(out, "month", model->cost_nano_usd);
		seed_put_usd(out, "today", model->today_cost_nano_usd);
		seed_put_close(out, '}');
	}
	seed_put_close(out, ']');
	if (costs->problem[0])
		seed_put_string(out, "problem", costs->problem);
	seed_put_close(out, '}');
}

static void put_account(struct buf *out, const Bursar__V1__AccountStatus *account)
{
	seed_put_string(out, "tier", account->tier);
	seed_put_string(out, "status", account->deleted ? "deleted" : account->suspended ? "suspended" : "active");
	seed_put_flag(out, "bypass", account->bypass);
	if (account->grace_until_us) {
		seed_put_open(out, "grace", '{');
		seed_put_time(out, "until", account->grace_until_us);
		seed_put_number(out, "percent", account->grace_percent);
		seed_put_close(out, '}');
	}
}

static void put_shared(struct buf *out, const Bursar__V1__GetStatusResponse *answer)
{
	seed_put_open(out, "shared", '[');
	for (size_t i = 1; i < answer->n_accounts; i++) {
		const Bursar__V1__AccountStatus *account = answer->accounts[i];

		seed_put_open(out, NULL, '{');
		seed_put_word(out, "kind", &bursar__v1__account_kind__descriptor, (int)account->kind);
		if (account->id[0])
			seed_put_string(out, "id", account->id);
		put_account(out, account);
		put_limits(out, account);
		seed_put_close(out, '}');
	}
	seed_put_close(out, ']');
}

void seed_write_status(const Bursar__V1__GetStatusResponse *answer, struct buf *out)
{
	const Bursar__V1__AccountStatus *user = answer->n_accounts ? answer->accounts[0] : NULL;

	seed_put_open(out, NULL, '{');
	if (user) {
		seed_put_string(out, "userId", user->id);
		put_account(out, user);
		seed_put_string(out, "timeZone", user->time_zone);
		seed_put_number(out, "openRequests", user->open_reservations);
		put_window(out, "daily", user, WINDOW(DAY));
		put_window(out, "monthly", user, WINDOW(MONTH));
		seed_put_open(out, "rateLimits", '{');
		put_bucket(out, "rpm", user, DIMENSION(REQUESTS));
		put_bucket(out, "tpm", user, DIMENSION(TOKENS));
		seed_put_close(out, '}');
		put_limits(out, user);
		put_shared(out, answer);
	}
	put_costs(out, answer->costs);
	seed_put_time(out, "now", answer->now_us);
	seed_put_word(out, "quality", &bursar__v1__quality__descriptor, (int)answer->quality);
	seed_put_close(out, '}');
}
