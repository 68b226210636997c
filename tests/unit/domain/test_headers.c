/* The HTTP headers. */

#include <string.h>

#include "domain/time/date.h"
#include "domain/text/headers.h"
#include "domain/text/texts.h"
#include "lib/test.h"

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

TEST(a_denial_has_all_headers)
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
	struct header_decision denial = {
		.now_us = now, .denied = true, .reason = REASON_REQUEST_RATE, .retry_after_us = 2000001};
	struct header out[HEADERS_MAX];

	assert_int_equal(headers_make(limits, 3, &denial, &arena, out), 9);
	is(&out[0], "RateLimit-Policy",
		"\"rpm\";q=20;qu=\"requests\";w=60, \"team.usd\";q=100000000000;qu=\"nano-usd\";w=2419200, "
		"\"open\";q=3;qu=\"concurrent-requests\"");
	is(&out[1], "RateLimit", "\"rpm\";r=0;t=60, \"team.usd\";r=5;t=1641600, \"open\";r=2");
	is(&out[2], "X-RateLimit-Limit", "20");
	is(&out[3], "X-RateLimit-Remaining", "0");
	is(&out[4], "X-RateLimit-Reset", "3"); /* when this request could pass, not when the bucket is full */
	is(&out[5], "X-Bursar-Reason", "request_rate");
	is(&out[6], "X-Bursar-Limit", "rpm");
	is(&out[7], "Retry-After", "3");
	is(&out[8], "retry-after-ms", "2001");
}

TEST(an_allowed_request_shows_the_tightest_limit)
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

	shadow.shadow = true;
	assert_int_equal(headers_make(limits, 3, &(struct header_decision){.now_us = 1}, &arena, out), 5);
	assert_null(strstr(out[0].value, "shadow"));
	is(&out[2], "X-RateLimit-Limit", "1000");
	is(&out[3], "X-RateLimit-Remaining", "499");
	is(&out[4], "X-RateLimit-Reset", "0");
}

TEST(numbers_stay_within_a_structured_field)
{
	struct limit big = limit_of("big", DIM_TOKENS, KIND_BUCKET, COUNT_MAX);
	struct header_limit limits[] = {{ACCOUNT_USER, &big, {.effective = COUNT_MAX, .remaining = COUNT_MAX}}};
	struct header out[HEADERS_MAX];

	headers_make(limits, 1, &(struct header_decision){0}, &arena, out);
	is(&out[0], "RateLimit-Policy", "\"big\";q=999999999999999;qu=\"tokens\";w=60");
	is(&out[2], "X-RateLimit-Limit", "9007199254740991");
}

TEST(without_limits_only_the_wait_is_said)
{
	struct header_decision decision = {.reason = REASON_QUOTA, .binding = -1, .retry_after_us = 5000000};
	struct header out[HEADERS_MAX];

	assert_int_equal(headers_make(NULL, 0, &decision, &arena, out), 0); /* allowed */
	decision.denied = true;
	assert_int_equal(headers_make(NULL, 0, &decision, &arena, out), 2);
	is(&out[0], "X-Bursar-Reason", "quota");
	is(&out[1], "Retry-After", "5");
}

static const char *value_of(const struct header headers[], int count, const char *name)
{
	for (int i = 0; i < count; i++)
		if (strcmp(headers[i].name, name) == 0)
			return headers[i].value;
	return "none";
}

/* As measured with real clients: whole seconds, never 0, never more than their timers take; no waits inside a call. */
TEST(waits_are_written_as_clients_read_them)
{
	static const struct {
		int64_t wait_us;
		bool permanent;
		const char *seconds, *ms, *should_retry;
	} rows[] = {
		{1, false, "1", "1", "none"},
		{1000000, false, "1", "1000", "none"},
		{1000001, false, "2", "1001", "none"},
		{4999001, false, "5", "5000", "none"},
		{5000000, false, "5", "none", "none"},
		{60 * SECOND, false, "60", "none", "none"},
		{60 * SECOND + 1, false, "61", "none", "false"},
		{30 * 86400 * SECOND, false, "2147483", "none", "false"},
		{INT64_MAX / 2, false, "2147483", "none", "false"},
		{0, true, "none", "none", "false"},
	};
	struct limit rpm = limit_of("rpm", DIM_REQUESTS, KIND_BUCKET, 20);
	struct header_limit limit = {ACCOUNT_USER, &rpm, {.effective = 20, .resets_at_us = 59 * SECOND}};
	struct header out[HEADERS_MAX];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct header_decision decision = {.denied = true,
			.reason = REASON_REQUEST_RATE,
			.permanent = rows[i].permanent,
			.retry_after_us = rows[i].wait_us};
		int n = headers_make(&limit, 1, &decision, &arena, out);

		assert_string_equal(value_of(out, n, "Retry-After"), rows[i].seconds);
		assert_string_equal(value_of(out, n, "X-RateLimit-Reset"), rows[i].seconds);
		assert_string_equal(value_of(out, n, "retry-after-ms"), rows[i].ms);
		assert_string_equal(value_of(out, n, "x-should-retry"), rows[i].should_retry);
	}
}

TEST(an_account_that_is_closed_is_about_no_limit)
{
	struct limit rpm = limit_of("rpm", DIM_REQUESTS, KIND_BUCKET, 20);
	struct header_limit limit = {ACCOUNT_USER, &rpm, {.effective = 20, .remaining = 20}};
	struct header_decision decision = {
		.denied = true, .reason = REASON_SUSPENDED, .binding = -1, .permanent = true};
	struct header out[HEADERS_MAX];

	assert_int_equal(headers_make(&limit, 1, &decision, &arena, out), 4);
	is(&out[2], "X-Bursar-Reason", "suspended");
	is(&out[3], "x-should-retry", "false");
}

enum { MANY = ACCOUNTS_MAX * LIMITS_MAX, ANSWER_MAX = 8192 };

static size_t bytes_of(const struct header headers[], int count)
{
	size_t bytes = 0;

	for (int i = 0; i < count; i++)
		bytes += strlen(headers[i].name) + strlen(headers[i].value) + strlen(": \r\n");
	return bytes;
}

/* A tenant's templates of all codes, as long as they may be. */
static const struct text_table *longest_templates(void)
{
	static char text[TEXT_SENTENCE_MAX + 1];
	static struct text_template rows[64];
	static struct text_table own = {.templates = rows};

	memset(text, 'x', TEXT_SENTENCE_MAX);
	for (own.count = 0; text_code(own.count); own.count++)
		rows[own.count] = (struct text_template){"en", text_code(own.count), text};
	text_templates_sort(rows, own.count);
	return &own;
}

/* The longest message about limit `at`, in any language. */
static size_t longest_message(const struct header_limit *at, enum reason reason, bool no_limit)
{
	static const char *const languages[] = {"en", "de", "ru", "es", "en"};
	struct policy better = {.count = 1, .limits = {*at->limit}};
	char tier[TIER_NAME_MAX + 1];
	size_t most = 0;

	better.limits[0].amount = COUNT_MAX;
	memset(tier, 't', TIER_NAME_MAX);
	tier[TIER_NAME_MAX] = '\0';
	for (int l = 0; l < 5; l++) {
		struct text_args args = {.language = languages[l],
			.reason = reason,
			.limit = no_limit ? NULL : at->limit,
			.account_kind = at->account_kind,
			.figures = at->figures,
			.shared_by = 9999,
			.retry_after_us = INT64_C(900) * 86400 * SECOND,
			.running = COUNT_MAX,
			.first_end_after_us = INT64_C(999) * 86400 * SECOND,
			.better_tier = tier,
			.better = &better};
		struct buf text = {0};

		text_make(l < 4 ? NULL : longest_templates(), &args, &text);
		assert_true(text.len > 0);
		most = text.len > most ? text.len : most;
		buf_release(&text);
	}
	return most;
}

/* Message and headers of a denial fit where HTTP servers, proxies and gRPC take 8 KiB. */
TEST(an_answer_about_many_limits_with_long_names_stays_small)
{
	static struct limit limit[MANY];
	static struct header_limit rows[MANY];

	for (int i = 0; i < MANY; i++) {
		char name[LIMIT_NAME_MAX + 1];

		memset(name, 'n', LIMIT_NAME_MAX);
		name[LIMIT_NAME_MAX] = '\0';
		name[0] = (char)('a' + i % 26);
		name[1] = (char)('a' + i / 26);
		limit[i] = limit_of(
			name, (enum dimension)(i % DIM_COST), i % 2 ? KIND_CALENDAR : KIND_BUCKET, COUNT_MAX / 4);
		rows[i] = (struct header_limit){(enum account_kind)(i / LIMITS_MAX + 1), &limit[i],
			{.used = COUNT_MAX,
				.effective = COUNT_MAX,
				.remaining = 1,
				.requested = COUNT_MAX,
				.resets_at_us = INT64_C(4000000000) * SECOND,
				.only_held = i % 3 == 0,
				.permanent = i % 5 == 0}};
	}
	for (int binding = -1; binding < MANY; binding++) {
		const struct header_limit *at = &rows[binding < 0 ? 0 : binding];
		struct header_decision decision = {
			.denied = true, .binding = binding, .retry_after_us = INT64_C(4000000000) * SECOND};
		struct header out[HEADERS_MAX];

		for (int reason = REASON_SUSPENDED; reason < REASON_COUNT; reason++) {
			bool no_limit = reason == REASON_SUSPENDED || reason >= REASON_DELETED;
			size_t message = longest_message(at, (enum reason)reason, no_limit);
			int n;

			decision.reason = (enum reason)reason;
			n = headers_make(rows, MANY, &decision, &arena, out);
			assert_true(bytes_of(out, n) <= HEADERS_BYTES);
			assert_true(bytes_of(out, n) + message < ANSWER_MAX);
			if (binding >= 0)
				assert_non_null(strstr(value_of(out, n, "RateLimit"), limit[binding].name));
			arena_reset(&arena);
		}
	}
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

TEST_GROUP(NULL, teardown);
