/* What destinations answer. */
#include <string.h>

#include "deliver/answer.h"
#include "lib/test.h"

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)
#define NOW INT64_C(1764488280000000) /* Sun, 30 Nov 2025 07:38:00 GMT */

static void header(const char *value, int64_t us)
{
	int64_t read_us = answer_retry_after_us(value, strlen(value), NOW);

	if (read_us != us)
		fail_msg("%s: %lld", value, (long long)read_us);
}

TEST(retry_after_is_seconds_or_a_date)
{
	header("120", 120 * SECOND);
	header(" 120\r\n", 120 * SECOND);
	header("0", 0);
	header("86401", DAY);
	header("99999999999999999999999", DAY);
	header("Sun, 30 Nov 2025 07:40:00 GMT", 120 * SECOND);
	header("Sunday, 30-Nov-25 07:40:00 GMT", 120 * SECOND);
	header("Sun Nov 30 07:40:00 2025", 120 * SECOND);
	header("Sun, 30 Nov 2025 07:37:00 GMT", 0);
	header("Sun, 30 Nov 2031 07:37:00 GMT", DAY);
}

TEST(anything_else_is_no_pause)
{
	header("", 0);
	header("-5", 0);
	header("1.5", 0);
	header("12 Nov", 0);
	header("soon", 0);
	header("120, 30", 0);
	header("Sun, 30 Nov 2025 07:40:00 GMT and so on, longer than any date that there is", 0);
}

static void body(const char *text, int64_t us)
{
	assert_int_equal(answer_body_us(text, strlen(text)), us);
}

TEST(chats_say_it_in_their_body)
{
	body("{\"message\": \"You are being rate limited.\", \"retry_after\": 0.65, \"global\": false}", 650000);
	body("{\"retry_after\": 3}", 3 * SECOND);
	body("{\"ok\":false,\"error_code\":429,\"description\":\"Too Many Requests: retry after 5\",\"parameters\":{\"retry_after\":5}}",
		5 * SECOND);
	body("{\"retry_after\": 1e300}", DAY);
	body("{\"retry_after\": -1}", 0);
	body("{\"retry_after\": \"5\"}", 0);
	body("{\"retry_after\": null, \"parameters\": 5}", 0);
	body("[1, 2", 0);
	body("", 0);
	body("retry_after: 5", 0);
}

static void line(const char *text, const char *first)
{
	char out[16];

	answer_line(text, strlen(text), out, sizeof(out));
	assert_string_equal(out, first);
}

TEST(the_first_line_is_text_or_nothing)
{
	line("\n  no_service\r\nmore", "no_service");
	line("", "");
	line("0123456789abcdefghi", "0123456789abcde");
	line("0123456789abc\xf0\x9f\x98\x80", "0123456789abc");
	line("a\x1b[31mred", "a");
	line("\xff\xfe", "");
}

TEST(some_states_pass)
{
	static const long later[] = {408, 425, 429, 500, 502, 503, 504, 599},
			  never[] = {301, 400, 401, 403, 404, 410, 413, 600};

	for (size_t i = 0; i < 8; i++) {
		assert_true(answer_may_change(later[i]));
		assert_false(answer_may_change(never[i]));
	}
}
