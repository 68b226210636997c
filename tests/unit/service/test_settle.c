/* Record, cancel and renew on fake stores. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "base/units.h"
#include "fakes.h"
#include "service/request/settle.h"

static struct check *ask(struct fake *fake, const char *request_id)
{
	struct check *check = arena_zalloc(&fake->arena, 1, sizeof(*check));

	check->question = (struct check_question){.tenant = "default",
		.user = "ann",
		.request_id = request_id,
		.interface = "api",
		.model = "gpt-5-mini",
		.input_tokens = 1000,
		.max_output_tokens = 500,
		.deadline_us = INT64_MAX};
	check_start(check, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	check_release(check);
	assert_true(check->answer.allowed);
	return check;
}

/* A record of 200 input and 100 output tokens. */
static struct settle *record_of(struct fake *fake, const struct handle *handle, int attempt, bool keep_open)
{
	struct settle *settle = arena_zalloc(&fake->arena, 1, sizeof(*settle));

	settle->question = (struct settle_question){.handle = *handle,
		.served = "",
		.interface = "api",
		.mode = "",
		.tokens = {.count = {[TOKEN_INPUT] = 200, [TOKEN_OUTPUT] = 100}},
		.attempt = attempt,
		.keep_open = keep_open,
		.deadline_us = INT64_MAX};
	settle_start(settle, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	settle_release(settle);
	return settle;
}

static struct handle handle_of(struct fake *fake, const struct check *check)
{
	struct handle handle;

	assert_true(handle_parse(check->answer.handle, strlen(check->answer.handle), "h", &fake->arena, &handle, NULL));
	return handle;
}

static struct handle fields(const char *request_id, int64_t started_at_us)
{
	return (struct handle){
		.tenant = "default", .user = "ann", .request_id = request_id, .started_at_us = started_at_us};
}

static void a_record_charges_what_was_used_and_gives_back_the_rest(void **state)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));
	struct settle *settle = record_of(fake, &handle, 0, false);

	assert_true(settle->flow.ok);
	assert_int_equal(settle->answer.charged.cost, 200 * 250 + 100 * 2000);
	assert_int_equal(settle->answer.charged.requests, 1);
	assert_int_equal(settle->answer.released.input, 800);
	assert_int_equal(settle->answer.released.output, 400);
	assert_int_equal(settle->answer.state, RESERVATION_RECORDED);
	assert_false(settle->answer.late);
}

static void a_repeated_record_is_answered_as_before(void **state)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));
	struct settle *settle;

	record_of(fake, &handle, 0, false);
	settle = record_of(fake, &handle, 0, false);
	assert_true(settle->answer.repeat);
	assert_int_equal(settle->answer.charged.cost, 200 * 250 + 100 * 2000);
	assert_int_equal(
		fake_account_find(fake, ACCOUNT_USER, "ann")->state.limits[5].calendar.settled, 200 * 250 + 100 * 2000);
}

static void attempts_count_the_request_once(void **state)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));

	assert_int_equal(record_of(fake, &handle, 0, true)->answer.charged.requests, 1);
	assert_int_equal(record_of(fake, &handle, 1, false)->answer.charged.requests, 0);
	assert_int_equal(fake_account_find(fake, ACCOUNT_USER, "ann")->state.limits[3].calendar.settled, 1);
}

static void without_a_handle_the_store_tells_accounts_and_model(void **state)
{
	struct fake *fake = *state;
	struct check *check;
	struct handle handle;
	struct settle *settle;

	strcpy(fake_row_add(fake, ACCOUNT_USER, "ann", 1)->profile.team, "red");
	check = ask(fake, "r1");
	handle = fields("r1", check->answer.started_at_us);
	settle = record_of(fake, &handle, 0, false);
	assert_true(settle->flow.ok);
	assert_string_equal(settle->answer.priced.price->model, "gpt-5-mini");
	assert_int_equal(settle->accounts.count, 2);
}

static void a_request_that_was_never_checked_is_charged_in_full(void **state)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us());
	struct settle *settle = record_of(fake, &handle, 0, false);

	assert_true(settle->flow.ok);
	assert_true(settle->answer.late);
	assert_int_equal(settle->answer.charged.requests, 1);
	assert_true(settle->answer.priced.unpriced);
}

static void an_old_record_asks_the_ledger_first(void **state)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us() - HOUR_US);
	struct settle *settle;

	fake->ledger_found = true;
	settle = record_of(fake, &handle, 0, false);
	assert_true(settle->answer.repeat);
	assert_int_equal(settle->answer.charged.cost, 11);
	assert_int_equal(fake->markers, 0);
	fake->ledger_found = false;
	fake->ledger_counted = true;
	settle = record_of(fake, &handle, 0, false);
	assert_true(settle->answer.late);
	assert_true(settle->op.counted);
	assert_int_equal(fake->markers, 1);
}

static void a_record_older_than_the_stores_birth_asks_the_ledger(void **state)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us() - 1000000);

	fake->birth_us = clock_wall_us();
	fake->ledger_found = true;
	assert_true(record_of(fake, &handle, 0, false)->answer.repeat);
}

static void a_record_of_last_week_is_refused(void **state)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us() - 8 * 24 * HOUR_US);

	assert_int_equal(record_of(fake, &handle, 0, false)->flow.err.code, ERR_PRECONDITION);
}

static void no_record_is_acknowledged_without_the_store(void **state)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));

	fake->away = true;
	assert_int_equal(record_of(fake, &handle, 0, false)->flow.err.code, ERR_UNAVAILABLE);
}

static void a_cancel_gives_everything_back(void **state)
{
	struct fake *fake = *state;
	struct settle *settle = arena_zalloc(&fake->arena, 1, sizeof(*settle));

	settle->question = (struct settle_question){.cancel = true,
		.handle = handle_of(fake, ask(fake, "r1")),
		.served = "",
		.interface = "api",
		.mode = "",
		.deadline_us = INT64_MAX};
	settle_start(settle, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	settle_release(settle);
	assert_true(settle->flow.ok);
	assert_int_equal(settle->answer.state, RESERVATION_CANCELLED);
	assert_int_equal(settle->answer.released.input, 1000);
	settle->question.handle.request_id = "nobody";
	settle_start(settle, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	settle_release(settle);
	assert_int_equal(settle->flow.err.code, ERR_NOT_FOUND);
}

static void renewing_needs_an_open_reservation(void **state)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));
	struct renew *renew = arena_zalloc(&fake->arena, 1, sizeof(*renew));

	renew->tenant = "default";
	renew->user = "ann";
	renew->request_id = "r1";
	renew_start(renew, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	assert_int_equal(renew->expires_at_us, fake->now_us + 900 * INT64_C(1000000));
	record_of(fake, &handle, 0, false);
	renew_start(renew, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	assert_int_equal(renew->flow.err.code, ERR_PRECONDITION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, fake_setup, fake_teardown)
		TEST(a_record_charges_what_was_used_and_gives_back_the_rest),
		TEST(a_repeated_record_is_answered_as_before),
		TEST(attempts_count_the_request_once),
		TEST(without_a_handle_the_store_tells_accounts_and_model),
		TEST(a_request_that_was_never_checked_is_charged_in_full),
		TEST(an_old_record_asks_the_ledger_first),
		TEST(a_record_older_than_the_stores_birth_asks_the_ledger),
		TEST(a_record_of_last_week_is_refused),
		TEST(no_record_is_acknowledged_without_the_store),
		TEST(a_cancel_gives_everything_back),
		TEST(renewing_needs_an_open_reservation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
