/* A tenant's use: GET /api/quotas/stats. */
#include "api/seed/private.h"
#include "api/seed/write.h"

static void put_tiers(struct buf *out, const Bursar__V1__GetStatsResponse *answer)
{
	int64_t users = 0, suspended = 0;

	seed_put_open(out, "usersByTier", '{');
	for (size_t i = 0; i < answer->n_accounts_by_tier; i++) {
		const Bursar__V1__TierCount *tier = answer->accounts_by_tier[i];

		users += tier->accounts;
		suspended += tier->suspended;
		seed_put_number(out, tier->tier, tier->accounts);
	}
	seed_put_close(out, '}');
	seed_put_number(out, "totalUsers", users);
	seed_put_number(out, "suspendedUsers", suspended);
}

static void put_use(struct buf *out, const Bursar__V1__NamedUse *use)
{
	seed_put_number(out, "requests", use->requests);
	seed_put_number(out, "inputTokens", use->input_tokens);
	seed_put_number(out, "outputTokens", use->output_tokens);
	seed_put_usd(out, "costUsd", use->cost_nano_usd);
}

static void put_named(
	struct buf *out, const char *name, const char *member, Bursar__V1__NamedUse *const *rows, size_t count)
{
	seed_put_open(out, name, '[');
	for (size_t i = 0; i < count; i++) {
		seed_put_open(out, NULL, '{');
		seed_put_string(out, member, rows[i]->name);
		put_use(out, rows[i]);
		seed_put_close(out, '}');
	}
	seed_put_close(out, ']');
}

/* What users and days have in common; tokens of both kinds together. */
static void put_sums(struct buf *out, int64_t requests, int64_t tokens, int64_t cost_nano_usd)
{
	seed_put_number(out, "requests", requests);
	seed_put_number(out, "tokens", tokens);
	seed_put_usd(out, "costUsd", cost_nano_usd);
}

static void put_users(struct buf *out, const Bursar__V1__GetStatsResponse *answer)
{
	seed_put_open(out, "topUsers", '[');
	for (size_t i = 0; i < answer->n_top_users; i++) {
		const Bursar__V1__UserCost *user = answer->top_users[i];

		seed_put_open(out, NULL, '{');
		seed_put_string(out, "userId", user->user);
		put_sums(out, user->requests, user->tokens, user->cost_nano_usd);
		seed_put_close(out, '}');
	}
	seed_put_close(out, ']');
}

static void put_days(struct buf *out, const Bursar__V1__GetStatsResponse *answer)
{
	seed_put_open(out, "costOverTime", '[');
	for (size_t i = 0; i < answer->n_days; i++) {
		const Bursar__V1__DayUse *day = answer->days[i];

		seed_put_open(out, NULL, '{');
		seed_put_string(out, "day", day->day);
		put_sums(out, day->requests, day->tokens, day->cost_nano_usd);
		seed_put_close(out, '}');
	}
	seed_put_close(out, ']');
}

void seed_write_stats(const Bursar__V1__GetStatsResponse *answer, struct buf *out)
{
	seed_put_open(out, NULL, '{');
	put_tiers(out, answer);
	put_users(out, answer);
	put_days(out, answer);
	put_named(out, "byModel", "model", answer->by_model, answer->n_by_model);
	put_named(out, "byInterface", "interface", answer->by_interface, answer->n_by_interface);
	put_named(out, "byTeam", "team", answer->by_team, answer->n_by_team);
	put_named(out, "byOrg", "org", answer->by_org, answer->n_by_org);
	if (answer->total) {
		seed_put_open(out, "total", '{');
		put_use(out, answer->total);
		seed_put_close(out, '}');
	}
	seed_put_close(out, '}');
}
