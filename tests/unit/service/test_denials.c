/* Denials from a worker's memory, on fake stores: when the store is not asked, and what makes it be asked again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/units.h"
#include "fakes.h"
#include "lib/test.h"
#include "service/request/check.h"
#include "service/request/settle.h"

enum { PER_MINUTE = 3 }; /* of the tier free */

#define REMEMBERING(name) TEST_WITH(name, fake_setup_remembering, fake_teardown)

static struct check *ask_told(struct fake *fake, enum check_mode mode, const char *user, const char *id, bool id_is_new,
	int64_t input_tokens, const char *place)
{
	struct check *check = arena_zalloc(&fake->arena, 1, sizeof(*check));

	check->question = (struct check_question){.mode = mode,
		.tenant = "default",
		.user = user,
		.request_id = id,
		.id_is_new = id_is_new,
		.interface = "api",
		.model = "gpt-5-mini",
		.input_tokens = input_tokens,
		.max_output_tokens = 50,
		.tell_place = place,
		.deadline_us = INT64_MAX};
	check_start(check, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	assert_true(check->flow.ok);
	check_release(check);
	return check;
}

static struct check *ask_as(
	struct fake *fake, enum check_mode mode, const char *user, const char *id, bool id_is_new, int64_t input_tokens)
{
	return ask_told(fake, mode, user, id, id_is_new, input_tokens, NULL);
}

/* With an id that the server made. */
static struct check *ask(struct fake *fake, const char *user)
{
	static int number;
	char id[24];

	snprintf(id, sizeof(id), "made-%d", ++number);
	return ask_as(fake, CHECK_REAL, user, arena_strndup(&fake->arena, id, strlen(id)), true, 100);
}

static bool asks_the_store(struct fake *fake, const char *user)
{
	int before = fake->checks;

	ask(fake, user);
	return fake->checks > before;
}

/* Uses up the requests of a minute, and is denied until the next denial comes from memory. */
static void be_remembered(struct fake *fake, const char *user)
{
	for (int i = 0; i < PER_MINUTE; i++)
		assert_true(ask(fake, user)->answer.allowed);
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(fake, user)->answer.quality, QUALITY_EXACT);
}

REMEMBERING(the_fourth_denial_comes_from_memory)
{
	struct fake *fake = *state;
	struct check *check;

	be_remembered(fake, "ann");
	assert_int_equal(fake->changes.follows, 1);
	fake->checks = 0;
	check = ask(fake, "ann");
	assert_int_equal(fake->checks, 0);
	assert_false(check->answer.allowed);
	assert_int_equal(check->answer.quality, QUALITY_REMEMBERED);
	assert_int_equal(check->answer.reason, REASON_REQUEST_RATE);
	assert_string_equal(check->answer.rows->binding->limit->name, "requests_per_minute");
	assert_string_equal(check->answer.handle, "");
	assert_null(check->answer.cause);
	assert_true(check->answer.retry_after_us > 0 && check->answer.retry_after_us <= 20 * SECOND_US);
}

REMEMBERING(a_user_who_is_denied_once_is_not_followed)
{
	struct fake *fake = *state;

	for (int i = 0; i < PER_MINUTE + 1; i++)
		ask(fake, "ann");
	assert_int_equal(fake->changes.follows, 0);
}

REMEMBERING(retry_after_counts_down_and_then_the_store_is_asked)
{
	struct fake *fake = *state;
	const struct check_answer *first, *later;

	for (int i = 0; i < PER_MINUTE; i++)
		ask(fake, "ann");
	fake_account_find(fake, ACCOUNT_USER, "ann")->state.open = 0; /* nothing expires meanwhile */
	for (int i = 0; i < 3; i++)
		ask(fake, "ann");
	first = &ask(fake, "ann")->answer;
	fake->now_us += 5 * SECOND_US;
	later = &ask(fake, "ann")->answer;
	assert_int_equal(later->quality, QUALITY_REMEMBERED);
	assert_true(later->now_us >= fake->now_us);
	assert_int_equal(later->now_us + later->retry_after_us, first->now_us + first->retry_after_us);
	fake->now_us = first->now_us + first->retry_after_us;
	assert_true(ask(fake, "ann")->answer.allowed);
}

REMEMBERING(a_smaller_request_asks_the_store)
{
	struct fake *fake = *state;

	for (int i = 0; i < 4; i++)
		assert_false(ask_as(fake, CHECK_REAL, "ann", "large", true, 50000)->answer.allowed);
	fake->checks = 0;
	assert_false(ask_as(fake, CHECK_REAL, "ann", "large", true, 60000)->answer.allowed);
	assert_int_equal(fake->checks, 0);
	assert_true(ask_as(fake, CHECK_REAL, "ann", "small", true, 100)->answer.allowed);
	assert_int_equal(fake->checks, 1);
}

REMEMBERING(only_an_id_that_is_new_or_was_denied_is_answered)
{
	struct fake *fake = *state;

	assert_true(ask_as(fake, CHECK_REAL, "ann", "mine", false, 100)->answer.allowed);
	ask(fake, "ann");
	ask(fake, "ann");
	for (int i = 0; i < 4; i++)
		assert_false(ask(fake, "ann")->answer.allowed);
	fake->checks = 0;
	assert_true(ask_as(fake, CHECK_REAL, "ann", "mine", false, 100)->answer.repeat);
	assert_int_equal(ask_as(fake, CHECK_REAL, "ann", "denied", false, 100)->answer.quality, QUALITY_EXACT);
	assert_int_equal(fake->checks, 2);
	assert_int_equal(ask_as(fake, CHECK_REAL, "ann", "denied", false, 100)->answer.quality, QUALITY_REMEMBERED);
	assert_int_equal(fake->checks, 2);
}

REMEMBERING(explain_and_status_ask_the_store)
{
	struct fake *fake = *state;

	be_remembered(fake, "ann");
	fake->checks = 0;
	assert_int_equal(ask_as(fake, CHECK_EXPLAIN, "ann", NULL, true, 100)->answer.quality, QUALITY_EXACT);
	assert_int_equal(ask_as(fake, CHECK_STATUS, "ann", NULL, true, 0)->answer.quality, QUALITY_EXACT);
	assert_int_equal(fake->checks, 2);
}

static void a_change(struct fake *fake)
{
	(void)fake;
	change_note(ACCOUNT_USER, "default", "ann");
}

static void another_connection(struct fake *fake)
{
	fake->changes.session++;
}

static void no_connection(struct fake *fake)
{
	fake->changes.off = true;
}

static void silence(struct fake *fake)
{
	fake->changes.silent_us = fake->conf.denial_memory_ms * 1000 + 1;
}

static void a_clock_that_was_set(struct fake *fake)
{
	fake->changes.step = true;
}

static void a_long_time(struct fake *fake)
{
	fake->now_us += 60 * SECOND_US;
}

/* The tier's limits change; as the account cache would, without the store. */
static void another_profile(struct fake *fake)
{
	struct account_profile profile = {.tier = "pro", .version = 1};

	account_cache_put(fake->worker->cache, ACCOUNT_USER, "default", "ann", &profile);
}

REMEMBERING(whatever_makes_the_memory_doubtful_asks_the_store)
{
	static void (*const doubts[])(struct fake * fake) = {a_change, another_connection, no_connection, silence,
		a_clock_that_was_set, a_long_time, another_profile};

	for (size_t i = 0; i < sizeof(doubts) / sizeof(doubts[0]); i++) {
		struct fake *fake = *state;

		be_remembered(fake, "ann");
		assert_false(asks_the_store(fake, "ann"));
		doubts[i](fake);
		if (!asks_the_store(fake, "ann"))
			fail_msg("doubt %zu did not make the worker ask", i);
		fake_teardown(state);
		assert_int_equal(fake_setup_remembering(state), 0);
	}
}

REMEMBERING(nothing_is_remembered_before_the_store_has_confirmed)
{
	struct fake *fake = *state;

	fake->changes.unconfirmed = true;
	be_remembered(fake, "ann");
	for (int i = 0; i < 5; i++)
		assert_true(asks_the_store(fake, "ann"));
	assert_int_equal(fake->changes.follows, 1);
	fake->changes.unconfirmed = false;
	assert_true(asks_the_store(fake, "ann"));
	assert_false(asks_the_store(fake, "ann"));
}

/* The message says that something changed; whether it matters, the store says. */
REMEMBERING(after_a_change_it_is_learned_again)
{
	struct fake *fake = *state;

	be_remembered(fake, "ann");
	a_change(fake);
	for (int i = 0; i < 3; i++)
		assert_true(asks_the_store(fake, "ann"));
	assert_false(asks_the_store(fake, "ann"));
	assert_int_equal(fake->changes.follows, 2);
}

REMEMBERING(a_cancel_of_this_worker_frees_at_once)
{
	struct fake *fake = *state;
	struct check *first = ask_as(fake, CHECK_REAL, "ann", "first", false, 100);
	struct settle settle = {.question = {.handle = {.tenant = "default",
						     .user = "ann",
						     .request_id = "first",
						     .started_at_us = first->answer.started_at_us,
						     .model = "gpt-5-mini",
						     .mode = "",
						     .accounts = 1,
						     .account = {{.kind = ACCOUNT_USER, .id = "ann"}}},
					.served = "",
					.interface = "api",
					.mode = "",
					.cancel = true,
					.deadline_us = INT64_MAX}};

	ask(fake, "ann");
	ask(fake, "ann");
	for (int i = 0; i < 4; i++)
		assert_false(ask(fake, "ann")->answer.allowed);
	settle_start(&settle, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	assert_true(settle.flow.ok);
	settle_release(&settle);
	assert_true(ask(fake, "ann")->answer.allowed);
}

/* The answer to a caller who would tell the denial in this place: by the store, or from memory. */
static void tells(struct fake *fake, const char *place, enum tell tell, enum quality quality)
{
	const struct check_answer *answer = &ask_told(fake, CHECK_REAL, "ann", "denied", true, 100, place)->answer;

	assert_false(answer->allowed);
	assert_int_equal(answer->tell, tell);
	assert_int_equal(answer->quality, quality);
}

REMEMBERING(who_is_to_tell_a_denial_says_the_store_and_that_nobody_is_the_memory)
{
	struct fake *fake = *state;

	for (int i = 0; i < PER_MINUTE; i++)
		ask(fake, "ann");
	fake_account_find(fake, ACCOUNT_USER, "ann")->state.open = 0; /* nothing expires meanwhile */
	for (int i = 0; i < 3; i++)
		assert_int_equal(ask(fake, "ann")->answer.tell, TELL_UNKNOWN);
	tells(fake, NULL, TELL_UNKNOWN, QUALITY_REMEMBERED);
	tells(fake, "chat", TELL_NOW, QUALITY_EXACT);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_REMEMBERED);
	tells(fake, "group", TELL_NOW, QUALITY_EXACT);
	tells(fake, "group", TELL_NOT_AGAIN, QUALITY_REMEMBERED);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_REMEMBERED);
	fake->now_us += 10 * SECOND_US;
	fake->tolds = 0;
	tells(fake, "chat", TELL_NOW, QUALITY_EXACT);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_REMEMBERED);
}

REMEMBERING(a_denial_that_was_told_before_it_was_known_is_not_told_again)
{
	struct fake *fake = *state;

	for (int i = 0; i < PER_MINUTE; i++)
		ask(fake, "ann");
	tells(fake, "chat", TELL_NOW, QUALITY_EXACT);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_EXACT);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_EXACT);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_REMEMBERED);
	a_change(fake);
	tells(fake, "chat", TELL_NOT_AGAIN, QUALITY_EXACT);
}

REMEMBERING(an_overdue_reservation_is_not_waited_for)
{
	struct fake *fake = *state;

	be_remembered(fake, "ann"); /* three reservations are open, and the fake store does not say until when */
	fake->now_us += fake->conf.denial_memory_ms * 1000;
	assert_true(asks_the_store(fake, "ann"));
}

/* Room for 16,384 accounts; and whoever is forgotten is only asked about. */
REMEMBERING(the_table_is_bounded)
{
	static struct policy policy = {.count = 1};
	static const struct account_profile profile;
	struct fake *fake = *state;
	struct denials *denials = denials_new(&fake->changes.store, SECOND_US, 8);
	struct request request = {.estimate = {.requests = 1}};
	struct standing standing = {.verdict = {.failed = 1}};
	struct limits_check op = {.op = {.now_us = fake->now_us, .standings = 1, .standing = {&standing}}};
	struct accounts accounts = {.arena = &fake->arena, .tenant = "default", .count = 1};
	struct denials_ask ask = {.request_id = "", .id_is_new = true};
	struct denials_answer out;
	char id[24];
	int known = 0;

	policy.limits[0] = (struct limit){.dimension = DIM_CONCURRENT, .kind = KIND_LEVEL, .amount = 1};
	assert_true(policy_prepare(&policy, NULL));
	standing.state = (struct account_state){.policy = &policy, .clock_us = fake->now_us};
	standing.state.limits[0].open = 1;
	accounts.account[0] =
		(struct request_account){.kind = ACCOUNT_USER, .id = id, .profile = &profile, .policy = &policy};
	windows_or_utc(&profile.zone, fake->now_us, &accounts.account[0].windows);
	for (int pass = 0; pass < 2; pass++)
		for (int user = 0; user < 20; user++) {
			snprintf(id, sizeof(id), "u%d", user);
			for (int i = 0; pass == 0 && i < 3; i++) {
				denials_answer(denials, &accounts, &request, &ask, &out);
				denials_learn(denials, &accounts, &op, &ask);
			}
			known += pass && denials_answer(denials, &accounts, &request, &ask, &out);
		}
	assert_int_equal(known, 8);
	denials_free(denials);
}

REMEMBERING(it_can_be_turned_off)
{
	struct fake *fake = *state;

	assert_null(denials_new(&fake->changes.store, 0, 8));
	assert_null(denials_new(NULL, SECOND_US, 8));
	denials_free(fake->worker->denials);
	fake->worker->denials = NULL;
	be_remembered(fake, "ann");
	assert_true(asks_the_store(fake, "ann"));
}
