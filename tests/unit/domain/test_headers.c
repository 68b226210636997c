/* The HTTP headers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "domain/date.h"
#include "domain/headers.h"

#define SECOND INT64_C(1000000)

static struct arena arena;

static struct limit limit_of(const char *name, enum dimension dimension, enum limit_kind kind, int64_t amount)
{
	struct limit limit = {.dimension = dimension, .kind = kind, .amount = amount};

	strcpy(limit.name, name);
	limit.period_us = kind == KIND_BUCKET ? 60 * SECOND : 0;
	limit.unit = WINDOW_MONTH;
	assert_true(limit_prepare(&limit, NULL));
	return limit;
}

static void is(const struct header *header, const char *name, const char *value)
{
	assert_string_equal(header->name, name);
	assert_string_equal(header->value, value);
}

static void a_denial_has_all_headers(void **state)
{
	struct limit rpm = limit_of("rpm", DIM_REQUESTS, KIND_BUCKET, 20);
	struct limit usd = limit_of("usd", DIM_COST, KIND_CALENDAR, INT64_C(100000000000));
	struct limit open = limit_of("open", DIM_CONCURRENT, KIND_LEVEL, 3);
	int64_t now = date_days(2026, 2, 10) * 86400 * SECOND + 500000;
	struct header_limit limits[] = {
		{ACCOUNT_USER, &rpm, {.effective = 20, .remaining = 0, .resets_at_us = now + 59500001}},
		{ACCOUNT_TEAM, &usd,
			{.effective = INT64_C(100000000000),
				.remaining = 5,
				.resets_at_us = date_days(2026, 3, 1) * 86400 * SECOND}},
		{ACCOUNT_USER, &open, {.effective = 3, .remaining = 2, .resets_at_us = now}},
	};
	struct header out[HEADERS_MAX];

	(void)state;
	assert_int_equal(headers_make(limits, 3, 0, now, 2000001, &arena, out), 6);
	is(&out[0], "RateLimit-Policy",
		"\"rpm\";q=20;qu=\"requests\";w=60, \"team.usd\";q=100000000000;qu=\"nano-usd\";w=2419200, "
		"\"open\";q=3;qu=\"concurrent-requests\"");
	is(&out[1], "RateLimit", "\"rpm\";r=0;t=60, \"team.usd\";r=5;t=1641600, \"open\";r=2");
	is(&out[2], "X-RateLimit-Limit", "20");
	is(&out[3], "X-RateLimit-Remaining", "0");
	is(&out[4], "X-RateLimit-Reset", "60");
	is(&out[5], "Retry-After", "3");
}

static void an_allowed_request_shows_the_tightest_limit(void **state)
{
	struct limit loose = limit_of("loose", DIM_REQUESTS, KIND_BUCKET, 100);
	struct limit tight = limit_of("tight", DIM_TOKENS, KIND_BUCKET, 1000);
	struct limit shadow = limit_of("shadow", DIM_REQUESTS, KIND_BUCKET, 1);
	struct header_limit limits[] = {
		{ACCOUNT_USER, &loose, {.effective = 100, .remaining = 50}},
		{ACCOUNT_USER, &tight, {.effective = 1000, .remaining = 499}},
		{ACCOUNT_USER, &shadow, {.effective = 1, .remaining = 0}},
	};
	struct header out[HEADERS_MAX];

	(void)state;
	shadow.shadow = true;
	assert_int_equal(headers_make(limits, 3, -1, 1, 0, &arena, out), 5);
	assert_null(strstr(out[0].value, "shadow"));
	is(&out[2], "X-RateLimit-Limit", "1000");
	is(&out[3], "X-RateLimit-Remaining", "499");
	is(&out[4], "X-RateLimit-Reset", "0");
}

static void numbers_stay_within_a_structured_field(void **state)
{
	struct limit big = limit_of("big", DIM_TOKENS, KIND_BUCKET, COUNT_MAX);
	struct header_limit limits[] = {{ACCOUNT_USER, &big, {.effective = COUNT_MAX, .remaining = COUNT_MAX}}};
	struct header out[HEADERS_MAX];

	(void)state;
	headers_make(limits, 1, -1, 0, 0, &arena, out);
	is(&out[0], "RateLimit-Policy", "\"big\";q=999999999999999;qu=\"tokens\";w=60");
	is(&out[2], "X-RateLimit-Limit", "9007199254740991");
}

static void without_limits_only_the_wait_is_said(void **state)
{
	struct header out[HEADERS_MAX];

	(void)state;
	assert_int_equal(headers_make(NULL, 0, -1, 0, 0, &arena, out), 0);
	assert_int_equal(headers_make(NULL, 0, -1, 0, 1, &arena, out), 1);
	is(&out[0], "Retry-After", "1");
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_denial_has_all_headers),
		cmocka_unit_test(an_allowed_request_shows_the_tightest_limit),
		cmocka_unit_test(numbers_stay_within_a_structured_field),
		cmocka_unit_test(without_limits_only_the_wait_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, teardown);
}
