/* Record, cancel and renew on fake stores. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/units.h"
#include "fakes.h"
#include "lib/test.h"
#include "service/request/settle.h"

static struct check *ask(struct fake *fake, const char *request_id)
{
	struct check *check = arena_zalloc(&fake->arena, 1, sizeof(*check));

	check->question = fake_question("ann", request_id, 1000, 500);
	fake_check_run(fake, check);
	assert_true(check->answer.allowed);
	return check;
}

static void run(struct fake *fake, struct settle *settle)
{
	settle_start(settle, fake->worker, &fake->arena, fake_done);
	fake_run(fake);
	settle_release(settle);
}

/* A record of 200 input and 100 output tokens. */
static struct settle *record_of(struct fake *fake, const struct handle *handle, int attempt, bool keep_open)
{
	struct settle *settle = arena_zalloc(&fake->arena, 1, sizeof(*settle));

	settle->question = (struct settle_question){.handle = *handle,
		.served = "",
		.interface = "api",
		.mode = "",
		.meters = {.count = {[METER_INPUT] = 200, [METER_OUTPUT] = 100}},
		.attempt = attempt,
		.keep_open = keep_open,
		.deadline_us = INT64_MAX};
	run(fake, settle);
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

FAKED(a_record_charges_what_was_used_and_gives_back_the_rest)
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

FAKED(a_repeated_record_is_answered_as_before)
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

/* A record of which the provider says that it cost so much. */
static struct settle *cost_of(struct fake *fake, const char *request_id, int64_t nano)
{
	struct handle handle = handle_of(fake, ask(fake, request_id));
	struct settle *settle = arena_zalloc(&fake->arena, 1, sizeof(*settle));

	settle->question = (struct settle_question){.handle = handle,
		.served = "",
		.interface = "api",
		.mode = "",
		.meters = {.count = {[METER_INPUT] = 200, [METER_OUTPUT] = 100}},
		.provider_cost_known = true,
		.provider_cost_nano = nano,
		.deadline_us = INT64_MAX};
	run(fake, settle);
	assert_true(settle->flow.ok);
	return settle;
}

static struct entry_usage packed_usage(struct fake *fake, const struct settle *settle)
{
	struct entry_usage usage;

	assert_true(entry_usage_unpack(settle->op.usage, settle->op.usage_len, &fake->arena, &usage));
	return usage;
}

enum { LIST = 200 * 250 + 100 * 2000 };

FAKED(what_the_provider_says_is_kept_beside_what_is_charged)
{
	struct fake *fake = *state;
	struct settle *settle = cost_of(fake, "r1", 123);
	struct entry_usage usage = packed_usage(fake, settle);

	assert_int_equal(settle->answer.charged.cost, LIST);
	assert_int_equal(settle->answer.list_nano, LIST);
	assert_int_equal(usage.list_cost_nano, LIST);
	assert_int_equal(usage.provider_cost_nano, 123);
	assert_int_equal(usage.flags & FLAG_PROVIDER_COST, 0);
}

FAKED(a_tenant_may_be_charged_what_the_provider_says)
{
	struct fake *fake = *state;
	struct handle handle;
	struct settle *settle;
	struct entry_usage usage;

	fake->tenant.cost_source = COST_PROVIDER;
	fake_publish(fake, FAIL_LOCAL);
	settle = cost_of(fake, "r1", 123);
	usage = packed_usage(fake, settle);
	assert_int_equal(settle->answer.charged.cost, 123);
	assert_int_equal(settle->answer.list_nano, LIST);
	assert_int_equal(usage.list_cost_nano, LIST);
	assert_int_equal(usage.flags, FLAG_PROVIDER_COST);
	assert_int_equal(fake_account_find(fake, ACCOUNT_USER, "ann")->state.limits[5].calendar.settled, 123);
	handle = handle_of(fake, ask(fake, "r2"));
	settle = record_of(fake, &handle, 0, false); /* of which the provider says nothing */
	assert_int_equal(settle->answer.charged.cost, LIST);
	assert_int_equal(packed_usage(fake, settle).flags, 0);
}

FAKED(attempts_count_the_request_once)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));

	assert_int_equal(record_of(fake, &handle, 0, true)->answer.charged.requests, 1);
	assert_int_equal(record_of(fake, &handle, 1, false)->answer.charged.requests, 0);
	assert_int_equal(fake_account_find(fake, ACCOUNT_USER, "ann")->state.limits[3].calendar.settled, 1);
}

FAKED(a_repeated_attempt_that_is_now_the_last_gives_the_rest_back)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));
	struct settle *settle;

	assert_int_equal(record_of(fake, &handle, 0, true)->answer.state, RESERVATION_OPEN);
	settle = record_of(fake, &handle, 0, false);
	assert_true(settle->answer.repeat);
	assert_int_equal(settle->answer.state, RESERVATION_RECORDED);
	assert_int_equal(settle->answer.charged.input, 200);
	assert_int_equal(settle->answer.released.input, 800);
	assert_int_equal(fake_account_find(fake, ACCOUNT_USER, "ann")->state.open, 0);
}

FAKED(without_a_handle_the_store_tells_accounts_and_model)
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

FAKED(a_request_that_was_never_checked_is_charged_in_full)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us());
	struct settle *settle = record_of(fake, &handle, 0, false);

	assert_true(settle->flow.ok);
	assert_true(settle->answer.late);
	assert_int_equal(settle->answer.charged.requests, 1);
	assert_true(settle->answer.priced.unpriced);
}

FAKED(an_old_record_asks_the_ledger_first)
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

FAKED(a_record_older_than_the_stores_birth_asks_the_ledger)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us() - 1000000);

	fake->birth_us = clock_wall_us();
	fake->ledger_found = true;
	assert_true(record_of(fake, &handle, 0, false)->answer.repeat);
}

FAKED(a_record_of_last_week_is_refused)
{
	struct fake *fake = *state;
	struct handle handle = fields("r9", clock_wall_us() - 8 * 24 * HOUR_US);

	assert_int_equal(record_of(fake, &handle, 0, false)->flow.err.code, ERR_PRECONDITION);
}

FAKED(no_record_is_acknowledged_without_the_store)
{
	struct fake *fake = *state;
	struct handle handle = handle_of(fake, ask(fake, "r1"));

	fake->away = true;
	assert_int_equal(record_of(fake, &handle, 0, false)->flow.err.code, ERR_UNAVAILABLE);
}

FAKED(a_cancel_gives_everything_back)
{
	struct fake *fake = *state;
	struct settle *settle = arena_zalloc(&fake->arena, 1, sizeof(*settle));

	settle->question = (struct settle_question){.cancel = true,
		.handle = handle_of(fake, ask(fake, "r1")),
		.served = "",
		.interface = "api",
		.mode = "",
		.deadline_us = INT64_MAX};
	run(fake, settle);
	assert_true(settle->flow.ok);
	assert_int_equal(settle->answer.state, RESERVATION_CANCELLED);
	assert_int_equal(settle->answer.released.input, 1000);
	settle->question.handle.request_id = "nobody";
	run(fake, settle);
	assert_int_equal(settle->flow.err.code, ERR_NOT_FOUND);
}

FAKED(renewing_needs_an_open_reservation)
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
