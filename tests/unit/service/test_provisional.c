/*
 * Checks while PostgreSQL, Redis or both do not answer: uncertain answers are not called exact, and are cleared up
 * later.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "fakes.h"
#include "lib/test.h"
#include "service/request/check.h"

static struct check *ask(struct fake *fake, const char *user, const char *request_id)
{
	return fake_check(fake, CHECK_REAL, user, request_id);
}

static bool is_provisional(struct fake *fake, enum account_kind kind, const char *id)
{
	return fake_account_find(fake, kind, id)->state.provisional;
}

/* PostgreSQL is back, and the second in which the worker does not ask it is over. */
static void durable_back(struct fake *fake)
{
	fake->durable_away = false;
	fake->worker->durable_away_until_us = 0;
}

/* Acts as another worker that does not know the account. */
static void forget(struct fake *fake, enum account_kind kind, const char *id)
{
	account_cache_forget(fake->worker->cache, kind, "default", id);
}

FAKED(without_postgresql_the_default_tier_decides_and_every_answer_says_so)
{
	struct fake *fake = *state;
	const char *const ids[] = {"r1", "r2", "r3", "r1", "r4"};
	const bool allowed[] = {true, true, true, true, false};

	fake->durable_away = true;
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		struct check *check = ask(fake, "ann", ids[i]);

		assert_true(check->flow.ok);
		assert_int_equal(check->answer.allowed, allowed[i]);
		assert_int_equal(check->answer.repeat, i == 3);
		assert_int_equal(check->answer.quality, QUALITY_PROVISIONAL);
		assert_string_equal(check->answer.tier, "free");
		assert_int_equal(check->answer.held.requests, allowed[i]);
	}
	assert_int_equal(fake_check(fake, CHECK_STATUS, "ann", NULL)->answer.quality, QUALITY_PROVISIONAL);
	assert_int_equal(fake_check(fake, CHECK_EXPLAIN, "ann", NULL)->answer.quality, QUALITY_PROVISIONAL);
	assert_true(is_provisional(fake, ACCOUNT_USER, "ann"));
}

FAKED(nobody_waits_for_the_ledger_while_postgresql_is_away)
{
	struct fake *fake = *state;

	fake->durable_away = true;
	ask(fake, "ann", "r1");
	fake->undrained = 100;
	assert_true(ask(fake, "bob", "r1")->answer.allowed);
	assert_int_equal(fake->waits, 0);
	assert_int_equal(fake->lookups, 1);
}

/* What PostgreSQL says about a user who was let in without it, and what the next check must answer. */
static const struct {
	const char *tier;
	bool known, suspended;
	bool allowed;
	enum reason reason;
	const char *answers;
} truths[] = {
	{"pro", true, false, true, REASON_NONE, "pro"},
	{"enterprise", true, false, true, REASON_NONE, "enterprise"},
	{"", true, false, true, REASON_NONE, "free"},
	{"", false, false, true, REASON_NONE, "free"},
	{"pro", true, true, false, REASON_SUSPENDED, "pro"},
};

FAKED(what_postgresql_says_counts_before_the_next_decision)
{
	struct fake *fake = *state;

	for (size_t i = 0; i < 2 * sizeof(truths) / sizeof(truths[0]); i++) {
		const char *user = arena_printf(&fake->arena, "user-%zu", i);
		size_t t = i / 2;
		struct check *check;

		fake->durable_away = true;
		fake->worker->durable_away_until_us = 0;
		assert_int_equal(ask(fake, user, user)->answer.quality, QUALITY_PROVISIONAL);
		durable_back(fake);
		if (i % 2)
			forget(fake, ACCOUNT_USER, user);
		if (truths[t].known) {
			struct fake_row *row = fake_row_add(fake, ACCOUNT_USER, user, 3);

			strcpy(row->profile.tier, truths[t].tier);
			row->profile.suspended = truths[t].suspended;
		}
		int markers = fake->markers;
		check = ask(fake, user, arena_printf(&fake->arena, "again-%zu", i));
		assert_true(check->flow.ok);
		assert_int_equal(check->answer.allowed, truths[t].allowed);
		assert_int_equal(check->answer.reason, truths[t].reason);
		assert_string_equal(check->answer.tier, truths[t].answers);
		assert_int_equal(check->answer.quality, QUALITY_EXACT);
		assert_int_equal(fake->markers, markers + truths[t].allowed);
		assert_false(is_provisional(fake, ACCOUNT_USER, user));
		fake->lookups = 0;
		assert_int_equal(fake_check(fake, CHECK_STATUS, user, NULL)->answer.quality, QUALITY_EXACT);
		assert_int_equal(fake->lookups, 0);
	}
}

FAKED(status_and_explain_learn_it_too)
{
	static const enum check_mode modes[] = {CHECK_STATUS, CHECK_EXPLAIN};
	struct fake *fake = *state;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		const char *user = arena_printf(&fake->arena, "user-%zu", i);

		fake->durable_away = true;
		fake->worker->durable_away_until_us = 0;
		ask(fake, user, user);
		durable_back(fake);
		strcpy(fake_row_add(fake, ACCOUNT_USER, user, 3)->profile.tier, "pro");
		struct check *check = fake_check(fake, modes[i], user, NULL);
		assert_int_equal(check->answer.quality, QUALITY_EXACT);
		assert_string_equal(check->answer.tier, "pro");
	}
}

FAKED(a_team_that_is_not_known_for_sure_makes_the_whole_answer_provisional)
{
	struct fake *fake = *state;

	strcpy(fake_row_add(fake, ACCOUNT_USER, "ann", 1)->profile.team, "red");
	assert_int_equal(ask(fake, "ann", "r1")->answer.quality, QUALITY_EXACT);
	fake_account_find(fake, ACCOUNT_TEAM, "red")->state.provisional = true;
	fake->durable_away = true;
	assert_int_equal(ask(fake, "ann", "r2")->answer.quality, QUALITY_PROVISIONAL);
	durable_back(fake);
	forget(fake, ACCOUNT_TEAM, "red");
	fake_row_add(fake, ACCOUNT_TEAM, "red", 3)->profile.suspended = true;
	assert_false(ask(fake, "ann", "r3")->answer.allowed);
	assert_false(is_provisional(fake, ACCOUNT_TEAM, "red"));
}

/* A worker that remembers the user knows the tier but not the use, because nobody has asked the ledger. */
FAKED(what_a_worker_remembers_makes_no_record_certain_without_postgresql)
{
	struct fake *fake = *state;
	struct account_profile profile = {.tier = "pro", .version = 3};
	struct check *check;

	fake->durable_away = true;
	ask(fake, "ann", "r1");
	account_cache_put(fake->worker->cache, ACCOUNT_USER, "default", "ann", &profile);
	check = ask(fake, "ann", "r2");
	assert_string_equal(check->answer.tier, "pro");
	assert_int_equal(check->answer.quality, QUALITY_PROVISIONAL);
	assert_true(is_provisional(fake, ACCOUNT_USER, "ann"));
}

/* Redis is away, and this worker knows neither the user nor the team. */
static const struct {
	const char *name;
	bool suspended, deleted, team_suspended;
	const char *tier;
	bool ok, allowed;
	enum quality quality;
} strangers[] = {
	{"anybody", false, false, false, "", true, true, QUALITY_LOCAL},
	{"of a tier that is closed then", false, false, false, "pro", false, false, 0},
	{"suspended", true, false, false, "", true, false, QUALITY_LOCAL},
	{"deleted", false, true, false, "", true, false, QUALITY_LOCAL},
	{"of a suspended team", false, false, true, "", true, false, QUALITY_LOCAL},
};

FAKED(without_redis_strangers_are_looked_up_first)
{
	struct fake *fake = *state;

	fake->away = true;
	for (size_t i = 0; i < 2 * sizeof(strangers) / sizeof(strangers[0]); i++) {
		const char *user = arena_printf(&fake->arena, "user-%zu", i);
		const char *team = arena_printf(&fake->arena, "team-%zu", i);
		size_t s = i / 2;
		bool blind = i % 2;
		struct fake_row *row = fake_row_add(fake, ACCOUNT_USER, user, 1);

		fake->pro_policy = FAIL_CLOSED;
		fake_publish(fake, blind ? FAIL_OPEN : FAIL_LOCAL);
		row->profile.suspended = strangers[s].suspended;
		row->profile.deleted = strangers[s].deleted;
		strcpy(row->profile.tier, strangers[s].tier);
		strcpy(row->profile.team, team);
		fake_row_add(fake, ACCOUNT_TEAM, team, 1)->profile.suspended = strangers[s].team_suspended;
		for (int again = 0; again < 2; again++) {
			struct check *check = ask(fake, user, "r");

			assert_int_equal(check->flow.ok, strangers[s].ok);
			assert_int_equal(check->answer.allowed, strangers[s].allowed);
			assert_int_equal(check->answer.quality,
				blind && strangers[s].allowed ? QUALITY_BLIND : strangers[s].quality);
			assert_int_equal(fake->lookups, 2); /* the user; then the team */
		}
		fake->lookups = 0;
	}
}

FAKED(without_both_the_default_tier_says_what_happens)
{
	struct fake *fake = *state;

	fake->away = fake->durable_away = true;
	strcpy(fake_row_add(fake, ACCOUNT_USER, "ann", 1)->profile.tier, "pro");
	assert_int_equal(ask(fake, "ann", "r1")->answer.quality, QUALITY_LOCAL);
	assert_int_equal(fake->lookups, 1);
	fake_publish(fake, FAIL_CLOSED);
	assert_false(ask(fake, "ann", "r2")->flow.ok);
	assert_int_equal(fake->lookups, 1);
}

/* If a caller's short deadline ends the wait, PostgreSQL does not count as away; that caller waits only once. */
FAKED(without_redis_a_slow_postgresql_is_waited_for_once)
{
	struct fake *fake = *state;

	fake->away = fake->durable_slow = true;
	assert_int_equal(ask(fake, "ann", "r1")->answer.quality, QUALITY_LOCAL);
	assert_int_equal(fake->lookups, 1);
	assert_false(worker_durable_away(fake->worker));
}

FAKED(when_redis_is_back_by_then_it_decides)
{
	struct fake *fake = *state;
	struct check *check;

	fake->missed = 1;
	check = ask(fake, "ann", "r1");
	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_EXACT);
}

/* ann, whose calendar limits have just been added, after 49 requests that she made today; free allows 50. */
static struct fake_account *ann_with_new_limits(struct fake *fake)
{
	struct fake_row *row = fake_row_add(fake, ACCOUNT_USER, "ann", 1);
	struct fake_account *account;

	assert_true(ask(fake, "ann", "before")->answer.allowed);
	account = fake_account_find(fake, ACCOUNT_USER, "ann");
	for (int i = 0; i < account->policy.count; i++)
		if (account->policy.limits[i].kind == KIND_CALENDAR) {
			account->state.unseeded |= UINT32_C(1) << i;
			account->state.limits[i].calendar.held = 0;
		}
	row->windows = 1;
	row->window[0] = (struct usage_window){
		.unit = WINDOW_DAY, .window_start = account->state.window_start[WINDOW_DAY], .used.requests = 49};
	fake->lookups = fake->adoptions = 0;
	return account;
}

FAKED(limits_that_are_new_ask_the_ledger_before_they_decide)
{
	struct fake *fake = *state;
	struct fake_account *account = ann_with_new_limits(fake);
	struct check *check = ask(fake, "ann", "r1");

	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_EXACT);
	assert_int_equal(account->state.unseeded, 0);
	assert_int_equal(fake->lookups, 1);
	assert_int_equal(fake->adoptions, 1);
	check = ask(fake, "ann", "r2");
	assert_int_equal(check->answer.reason, REASON_QUOTA);
	assert_int_equal(fake->lookups, 1);
}

FAKED(a_status_asks_the_ledger_too)
{
	struct fake *fake = *state;
	struct fake_account *account = ann_with_new_limits(fake);

	assert_int_equal(fake_check(fake, CHECK_STATUS, "ann", NULL)->answer.quality, QUALITY_EXACT);
	assert_int_equal(account->state.unseeded, 0);
}

FAKED(what_waits_for_the_ledger_is_waited_for_before_new_limits_decide)
{
	struct fake *fake = *state;

	ann_with_new_limits(fake);
	fake->undrained = 3;
	assert_true(ask(fake, "ann", "r1")->answer.allowed);
	assert_int_equal(fake->waits, 3);
}

FAKED(what_is_settled_in_the_meantime_is_read_again)
{
	struct fake *fake = *state;

	ann_with_new_limits(fake);
	fake->settled_meanwhile = 1;
	assert_true(ask(fake, "ann", "r1")->answer.allowed);
	assert_int_equal(fake->adoptions, 2);
}

FAKED(under_steady_traffic_new_limits_count_rather_too_much)
{
	struct fake *fake = *state;
	struct check *check;

	ann_with_new_limits(fake);
	fake->settled_meanwhile = 100;
	check = ask(fake, "ann", "r1");
	assert_int_equal(fake->adoptions, 3);
	assert_int_equal(check->answer.reason, REASON_QUOTA); /* 49, plus one settled since the last reading */
	assert_int_equal(check->answer.quality, QUALITY_EXACT);
}

FAKED(without_the_ledger_new_limits_decide_inexactly)
{
	struct fake *fake = *state;
	struct fake_account *account = ann_with_new_limits(fake);
	struct check *check;

	fake->durable_away = true;
	check = ask(fake, "ann", "r1");
	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_PROVISIONAL);
	assert_true(account->state.unseeded != 0);
	durable_back(fake);
	check = ask(fake, "ann", "r2");
	assert_int_equal(check->answer.reason, REASON_QUOTA); /* 49, plus the one that is held */
	assert_int_equal(check->answer.quality, QUALITY_EXACT);
}
