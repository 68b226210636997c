/* The flow of a check on fake stores: what it asks each store, and what it answers. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "domain/limit/profile.h"
#include "tiers_default.h"
#include "fakes.h"
#include "lib/test.h"
#include "service/request/check.h"

static struct check *ask(struct fake *fake, const char *user, const char *request_id)
{
	return fake_check(fake, CHECK_REAL, user, request_id);
}

FAKED(a_new_user_is_looked_up_seeded_and_allowed)
{
	struct fake *fake = *state;
	struct check *check = ask(fake, "ann", "r1");

	assert_true(check->flow.ok);
	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_EXACT);
	assert_string_equal(check->answer.tier, "free");
	assert_int_equal(check->answer.held.cost, 100 * 250 + 50 * 2000);
	assert_int_equal(fake->lookups, 1);
	assert_int_equal(fake->checks, 2);
	assert_true(strlen(check->answer.handle) > 0);
}

FAKED(a_known_user_is_decided_in_one_call)
{
	struct fake *fake = *state;

	ask(fake, "ann", "r1");
	fake->checks = 0;
	assert_true(ask(fake, "ann", "r2")->answer.allowed);
	assert_int_equal(fake->checks, 1);
	assert_int_equal(fake->lookups, 1);
}

FAKED(the_fourth_request_of_a_minute_is_denied_with_its_reason)
{
	struct fake *fake = *state;
	struct check *check;

	ask(fake, "ann", "r1");
	ask(fake, "ann", "r2");
	ask(fake, "ann", "r3");
	check = ask(fake, "ann", "r4");
	assert_true(check->flow.ok);
	assert_false(check->answer.allowed);
	assert_int_equal(check->answer.reason, REASON_REQUEST_RATE);
	assert_string_equal(check->answer.rows->binding->limit->name, "requests_per_minute");
	assert_true(check->answer.retry_after_us > 0 && check->answer.retry_after_us <= 20000000);
	assert_string_equal(check->answer.handle, "");
}

/* The state in which another worker, the sweeper or the caller left the request. */
FAKED(a_repeat_is_allowed_only_by_what_is_open_or_recorded)
{
	static const struct {
		enum reservation_state state;
		uint32_t attempts;
		bool allowed, repeat;
	} rows[] = {{RESERVATION_OPEN, 0, true, true}, {RESERVATION_OPEN, 1, true, true},
		{RESERVATION_RECORDED, 1, true, true}, {RESERVATION_CANCELLED, 1, false, true},
		{RESERVATION_EXPIRED, 0, false, true}, {RESERVATION_EXPIRED, 1, false, true},
		{RESERVATION_CANCELLED, 0, true, false}};
	struct fake *fake = *state;
	struct check *check;

	ask(fake, "ann", "r1");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake->marker[0].reservation.state = rows[i].state;
		fake->marker[0].reservation.attempts = rows[i].attempts;
		check = ask(fake, "ann", "r1");
		assert_true(check->flow.ok);
		assert_int_equal(check->answer.allowed, rows[i].allowed);
		assert_int_equal(check->answer.repeat, rows[i].repeat);
		assert_int_equal(check->answer.state, rows[i].repeat ? rows[i].state : RESERVATION_OPEN);
		assert_int_equal(check->answer.reason, rows[i].allowed ? REASON_NONE : REASON_REQUEST_CLOSED);
		assert_int_equal(check->answer.permanent, !rows[i].allowed);
		assert_int_equal(check->answer.handle[0] != 0, rows[i].allowed);
	}
}

FAKED(a_repeat_is_answered_as_before_and_other_contents_are_refused)
{
	struct fake *fake = *state;
	struct check *first = ask(fake, "ann", "r1");
	struct check *again = ask(fake, "ann", "r1");
	struct check *other = arena_zalloc(&fake->arena, 1, sizeof(*other));

	assert_true(again->answer.repeat);
	assert_string_equal(again->answer.handle, first->answer.handle);
	other->question = first->question;
	other->question.input_tokens = 101;
	check_start(other, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	check_release(other);
	assert_false(other->flow.ok);
	assert_int_equal(other->flow.err.code, ERR_EXISTS);
}

FAKED(an_upgrade_made_elsewhere_is_learned_from_the_store)
{
	struct fake *fake = *state;
	struct fake_account *account;
	struct account_profile profile = {.tier = "pro", .version = 4};

	ask(fake, "ann", "r1");
	account = fake_account_find(fake, ACCOUNT_USER, "ann");
	account->version = 4;
	buf_reset(&account->meta);
	profile_pack(&profile, &account->meta);
	fake->checks = fake->lookups = 0;
	assert_string_equal(ask(fake, "ann", "r2")->answer.tier, "pro");
	assert_int_equal(fake->checks, 2);
	assert_int_equal(fake->lookups, 0);
}

FAKED(what_a_worker_knows_better_is_written_through)
{
	struct fake *fake = *state;
	struct account_profile profile = {.tier = "pro", .version = 7};

	ask(fake, "ann", "r1");
	account_cache_put(fake->worker->cache, ACCOUNT_USER, "default", "ann", &profile);
	strcpy(fake_row_add(fake, ACCOUNT_USER, "ann", 7)->profile.tier, "pro");
	assert_string_equal(ask(fake, "ann", "r2")->answer.tier, "pro");
	assert_int_equal(fake->policies, 1);
	assert_int_equal(fake_account_find(fake, ACCOUNT_USER, "ann")->version, 7);
}

FAKED(what_a_worker_remembers_of_somebody_erased_is_forgotten)
{
	struct fake *fake = *state;
	struct account_profile profile = {.tier = "pro", .version = 7};

	ask(fake, "ann", "r1");
	account_cache_put(fake->worker->cache, ACCOUNT_USER, "default", "ann", &profile);
	assert_string_equal(ask(fake, "ann", "r2")->answer.tier, "free");
	assert_int_equal(fake->policies, 0);
	assert_int_equal(fake_account_find(fake, ACCOUNT_USER, "ann")->version, 0);
}

FAKED(a_request_counts_on_user_team_and_org)
{
	struct fake *fake = *state;
	struct check *check;

	strcpy(fake_row_add(fake, ACCOUNT_USER, "ann", 1)->profile.team, "red");
	strcpy(fake_row_add(fake, ACCOUNT_TEAM, "red", 1)->profile.org, "acme");
	strcpy(fake_row_add(fake, ACCOUNT_ORG, "acme", 1)->profile.tier, "enterprise");
	check = ask(fake, "ann", "r1");
	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.rows->accounts, 3);
	assert_int_equal(check->answer.rows->account[1].count, 0);
	assert_int_equal(check->answer.rows->account[2].count, 7);
}

FAKED(use_of_the_running_windows_is_seeded)
{
	struct fake *fake = *state;
	struct fake_row *row = fake_row_add(fake, ACCOUNT_USER, "ann", 1);
	struct windows windows;
	struct zone utc = {0};

	assert_true(windows_at(&utc, fake->now_us, &windows, NULL));
	row->windows = 1;
	row->window[0] = (struct usage_window){.unit = WINDOW_DAY,
		.window_start = windows_start(&windows, WINDOW_DAY, fake->now_us),
		.used.requests = 50};
	assert_int_equal(ask(fake, "ann", "r1")->answer.reason, REASON_QUOTA);
}

FAKED(undrained_entries_are_waited_for_before_seeding)
{
	struct fake *fake = *state;

	fake->undrained = 3;
	assert_true(ask(fake, "ann", "r1")->answer.allowed);
	assert_int_equal(fake->waits, 3);
	assert_int_equal(fake->births, 4);
}

FAKED(another_clock_of_the_store_is_followed)
{
	struct fake *fake = *state;

	fake->now_us += INT64_C(10) * 86400 * 1000000;
	assert_true(ask(fake, "ann", "r1")->answer.allowed);
	fake->now_us += INT64_C(40) * 86400 * 1000000;
	assert_true(ask(fake, "ann", "r2")->answer.allowed);
	assert_int_equal(worker_now_us(fake->worker) / 1000000, fake->now_us / 1000000);
}

FAKED(without_the_store_each_worker_holds_to_the_limits)
{
	struct fake *fake = *state;
	struct check *check;

	ask(fake, "ann", "r1");
	fake->away = true;
	check = ask(fake, "ann", "r2");
	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_LOCAL);
	assert_true(strlen(check->answer.handle) > 0);
	assert_true(ask(fake, "ann", "r3")->answer.allowed);
	check = ask(fake, "ann", "r4");
	assert_false(check->answer.allowed);
	assert_int_equal(check->answer.reason, REASON_REQUEST_RATE);
}

FAKED(the_tier_says_what_happens_without_the_store)
{
	struct fake *fake = *state;
	struct check *check;

	fake->away = true;
	fake_publish(fake, FAIL_OPEN);
	check = ask(fake, "ann", "r1");
	assert_true(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_BLIND);
	fake_publish(fake, FAIL_CLOSED);
	check = ask(fake, "ann", "r2");
	assert_false(check->flow.ok);
	assert_int_equal(check->flow.err.code, ERR_UNAVAILABLE);
}

/* With the whole time of the store it is the store that is away; with less, which the caller gave, its deadline has passed. */
FAKED(a_closed_tier_says_whose_time_was_up)
{
	struct fake *fake = *state;
	struct check *check;

	fake->away = fake->slow = true;
	fake_publish(fake, FAIL_CLOSED);
	check = ask(fake, "ann", "r1");
	assert_int_equal(check->flow.err.code, ERR_UNAVAILABLE);
	check = arena_zalloc(&fake->arena, 1, sizeof(*check));
	check->question = fake_question("ann", "r2", 100, 50);
	check->question.deadline_us = clock_mono_us() + 1000;
	fake_check_run(fake, check);
	assert_int_equal(check->flow.err.code, ERR_DEADLINE);
}

FAKED(an_unknown_model_is_refused_with_the_nearest_or_let_pass)
{
	struct fake *fake = *state;
	struct check *check = arena_zalloc(&fake->arena, 1, sizeof(*check));

	check->question = fake_question("ann", "r1", 0, 0);
	check->question.model = "gpt-5-nano";
	fake_check_run(fake, check);
	assert_int_equal(check->flow.err.code, ERR_INVALID);
	assert_string_equal(check->flow.err.field, "model");
	assert_non_null(strstr(check->flow.err.text, "gpt-5-mini"));
	fake->tenant.unknown_model = MODEL_FREE;
	fake_publish(fake, FAIL_LOCAL);
	fake_check_run(fake, check);
	assert_true(check->answer.allowed);
	assert_true(check->answer.priced.unpriced);
	assert_int_equal(check->answer.held.cost, 0);
	/* Without a family and a fallback, `family` refuses; a snapshot is one of the family of its model. */
	fake->tenant.unknown_model = MODEL_FAMILY;
	fake_publish(fake, FAIL_LOCAL);
	check->question.request_id = "r2";
	fake_check_run(fake, check);
	assert_int_equal(check->flow.err.code, ERR_INVALID);
	check->question.model = "gpt-5-mini-2027-01-01";
	fake_check_run(fake, check);
	assert_true(check->answer.allowed);
	assert_true(check->answer.priced.unpriced);
	assert_string_equal(check->answer.priced.price->model, "gpt-5-mini");
}

FAKED(unknown_users_are_refused_where_the_tenant_says_so)
{
	struct fake *fake = *state;

	fake->tenant.unknown_users = UNKNOWN_REFUSE;
	fake_publish(fake, FAIL_LOCAL);
	assert_int_equal(ask(fake, "ann", "r1")->answer.reason, REASON_UNKNOWN_USER);
	assert_int_equal(fake->accounts, 0);
	fake_row_add(fake, ACCOUNT_USER, "bob", 1);
	assert_true(ask(fake, "bob", "r1")->answer.allowed);
}

FAKED(new_users_of_a_minute_are_bounded)
{
	struct fake *fake = *state;
	struct check *check;

	fake->conf.new_users_per_minute = 2;
	ask(fake, "u1", "r");
	ask(fake, "u2", "r2");
	check = ask(fake, "u3", "r3");
	if (check->flow.ok) /* a minute ended between the two checks */
		check = ask(fake, "u4", "r4");
	if (check->flow.ok)
		check = ask(fake, "u5", "r5");
	assert_int_equal(check->flow.err.code, ERR_EXHAUSTED);
	assert_true(check->flow.err.retry_after_us > 0);
}

FAKED(a_dry_run_changes_nothing)
{
	struct fake *fake = *state;
	struct check *check;

	for (int i = 0; i < 5; i++) {
		check = fake_check_start(fake, CHECK_EXPLAIN, "ann", "r1");
		fake_run(fake);
		check_release(check);
		assert_true(check->answer.allowed);
		assert_string_equal(check->answer.handle, "");
	}
	assert_int_equal(fake->markers, 0);
	check = fake_check_start(fake, CHECK_STATUS, "ann", "");
	fake_run(fake);
	check_release(check);
	assert_int_equal(check->answer.rows->count, 7);
	assert_int_equal(check->answer.rows->row[0].figures.used, 0);
}

FAKED(before_the_first_catalog_nothing_is_decided)
{
	struct fake *fake = *state;

	catalog_source_release(&fake->catalog);
	catalog_source_init(&fake->catalog);
	assert_int_equal(ask(fake, "ann", "r1")->flow.err.code, ERR_UNAVAILABLE);
}
