/* The table of fields: what is refused, and under which path. */
#include <string.h>

#include "api/message/convert.h"
#include "api/message/validate.h"
#include "base/unconst.h"
#include "lib/test.h"

#define TEXT(s) unconst(s)

static struct err err;

static Bursar__V1__CheckRequest good(void)
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;

	request.user = TEXT("ann");
	return request;
}

static void assert_refused(const Bursar__V1__CheckRequest *request, const char *field)
{
	err = (struct err){0};
	assert_false(message_check(&request->base, &err));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, field);
	assert_int_equal(strncmp(err.text, field, strlen(field)), 0);
}

TEST(a_plain_check_passes)
{
	Bursar__V1__CheckRequest request = good();

	assert_true(message_check(&request.base, &err));
}

TEST(names_come_out_in_one_spelling)
{
	Bursar__V1__CheckRequest request = good();
	char interface[] = "  Tele GRAM\xc3\x84 ", model[] = " GPT-4o ", user[] = " Ann ";

	request.interface = interface;
	request.model = model;
	request.user = user;
	assert_true(message_check(&request.base, &err));
	assert_string_equal(request.interface, "tele gram\xc3\x84");
	assert_string_equal(request.model, "GPT-4o");
	assert_string_equal(request.user, " Ann ");
	request.interface = TEXT("   ");
	assert_refused(&request, "interface");
	request.interface = TEXT("");
	request.model = TEXT(" ");
	assert_refused(&request, "model");
}

TEST(ids_are_1_to_128_bytes_of_clean_utf8)
{
	Bursar__V1__CheckRequest request = good();
	char longest[130];

	memset(longest, 'x', 129);
	longest[129] = '\0';
	request.user = TEXT("");
	assert_refused(&request, "user");
	request.user = longest;
	assert_refused(&request, "user");
	longest[128] = '\0';
	assert_true(message_check(&request.base, &err));
	request.user = TEXT("a\tb");
	assert_refused(&request, "user");
	request.user = TEXT("a\xc3");
	assert_refused(&request, "user");
	request.user = TEXT("{a}/:%");
	assert_true(message_check(&request.base, &err));
}

TEST(counts_are_0_to_2_to_the_53_minus_1)
{
	Bursar__V1__CheckRequest request = good();

	request.input_tokens = INT64_C(9007199254740991);
	assert_true(message_check(&request.base, &err));
	request.input_tokens++;
	assert_refused(&request, "input_tokens");
	request.input_tokens = INT64_MAX;
	assert_refused(&request, "input_tokens");
	request.input_tokens = -1;
	assert_refused(&request, "input_tokens");
}

TEST(a_lifetime_is_0_or_a_second_to_a_day)
{
	Bursar__V1__CheckRequest request = good();

	request.reservation_ttl_us = 999999;
	assert_refused(&request, "reservation_ttl_us");
	request.reservation_ttl_us = 1000000;
	assert_true(message_check(&request.base, &err));
	request.reservation_ttl_us = INT64_C(86400000001);
	assert_refused(&request, "reservation_ttl_us");
}

TEST(a_path_leads_to_the_field_of_an_item)
{
	Bursar__V1__CheckRequest ok = good();
	Bursar__V1__CheckRequest bad = good();
	Bursar__V1__CheckRequest *items[] = {&ok, &bad};
	Bursar__V1__CheckBatchRequest batch = BURSAR__V1__CHECK_BATCH_REQUEST__INIT;

	bad.max_output_tokens = -1;
	batch.n_items = 2;
	batch.items = items;
	assert_false(message_check(&batch.base, &err));
	assert_string_equal(err.field, "items[1].max_output_tokens");
	batch.n_items = 0;
	assert_false(message_check(&batch.base, &err));
	assert_string_equal(err.field, "items");
}

TEST(parts_that_are_needed_must_be_there)
{
	Bursar__V1__AcquireRequest request = BURSAR__V1__ACQUIRE_REQUEST__INIT;

	assert_false(message_check(&request.base, &err));
	assert_string_equal(err.field, "check");
}

TEST(a_wait_for_a_slot_names_seats_a_time_and_a_mode_of_the_list)
{
	Bursar__V1__CheckRequest check = good();
	Bursar__V1__AcquireRequest request = BURSAR__V1__ACQUIRE_REQUEST__INIT;

	request.check = &check;
	assert_true(message_check(&request.base, &err));
	request.seats = 100001;
	assert_false(message_check(&request.base, &err));
	assert_string_equal(err.field, "seats");
	request.seats = 100000;
	request.max_wait_us = 999999;
	assert_false(message_check(&request.base, &err));
	assert_string_equal(err.field, "max_wait_us");
	request.max_wait_us = 1000000;
	request.mode = (Bursar__V1__LeaseMode)3;
	assert_false(message_check(&request.base, &err));
	assert_string_equal(err.field, "mode");
	request.mode = BURSAR__V1__LEASE_MODE__LEASE_MODE_EXPLICIT;
	assert_true(message_check(&request.base, &err));
	check.user = TEXT("");
	assert_false(message_check(&request.base, &err));
	assert_string_equal(err.field, "check.user");
}

TEST(a_nul_in_a_text_is_found_in_the_bytes)
{
	static const uint8_t nul_user[] = {0x12, 3, 'a', 0, 'b'};
	static const uint8_t nul_nested[] = {0x0a, 5, 0x12, 3, 'a', 0, 'b'};
	static const uint8_t zero_number[] = {0x12, 1, 'a', 0x30, 0};

	assert_false(wire_check(&bursar__v1__check_request__descriptor, nul_user, sizeof(nul_user), &err));
	assert_string_equal(err.field, "user");
	assert_false(wire_check(&bursar__v1__explain_request__descriptor, nul_nested, sizeof(nul_nested), &err));
	assert_string_equal(err.field, "check.user");
	assert_true(wire_check(&bursar__v1__check_request__descriptor, zero_number, sizeof(zero_number), &err));
	assert_true(wire_check(&bursar__v1__check_request__descriptor, nul_user, 3, &err));
}

TEST(limits_say_which_field_does_not_fit)
{
	Bursar__V1__Limit message = BURSAR__V1__LIMIT__INIT;
	struct limit limit;

	assert_false(message_check(&message.base, &err));
	assert_string_equal(err.field, "dimension");
	message.dimension = BURSAR__V1__DIMENSION__DIMENSION_REQUESTS;
	message.kind = BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR;
	message.amount = 10;
	assert_false(limit_from_message(&message, 80, &limit, &err));
	assert_string_equal(err.field, "window");
	message.window = BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY;
	assert_true(limit_from_message(&message, 70, &limit, &err));
	assert_int_equal(limit.warn_percent, 70);
	assert_true(limit.notify);
	assert_string_equal(limit.name, "requests_per_day");
	message.period_us = 1000;
	assert_false(limit_from_message(&message, 80, &limit, &err));
	assert_string_equal(err.field, "period_us");
}
