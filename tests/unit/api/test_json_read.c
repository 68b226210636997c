/* Messages from JSON: what is taken, what is refused, and under which path. */
#include <inttypes.h>
#include <string.h>

#include "api/json/json_message.h"
#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "lib/test.h"

static struct arena arena;
static struct err err;

static int give_back(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

#define READS(name) TEST_WITH(name, NULL, give_back)

/* A new message of the type, read from the text; NULL when it is refused. */
static void *read_as(const ProtobufCMessageDescriptor *type, const char *text)
{
	ProtobufCMessage *message = arena_zalloc(&arena, 1, type->sizeof_message);
	/* A copy of its own, so that a sanitizer sees a read past its end. */
	char *copy = arena_zalloc(&arena, 1, strlen(text) + 1);

	memcpy(copy, text, strlen(text));
	err = (struct err){0};
	protobuf_c_message_init(type, message);
	return json_read_message(copy, strlen(text), message, &arena, &err) ? message : NULL;
}

static Bursar__V1__CheckRequest *check(const char *text)
{
	return read_as(&bursar__v1__check_request__descriptor, text);
}

static Bursar__V1__PutTierRequest *tier(const char *text)
{
	return read_as(&bursar__v1__put_tier_request__descriptor, text);
}

READS(a_check_is_read)
{
	Bursar__V1__CheckRequest *request = check(
		"{\"user\": \"ann\", \"model\":\"gpt-4o\",\n\t\"input_tokens\": 1200, \"max_output_tokens\": \"800\","
		" \"verbose\": true, \"headers\": false, \"language\": null}");

	assert_non_null(request);
	assert_string_equal(request->user, "ann");
	assert_string_equal(request->model, "gpt-4o");
	assert_int_equal(request->input_tokens, 1200);
	assert_int_equal(request->max_output_tokens, 800);
	assert_true(request->verbose);
	assert_false(request->headers);
	assert_string_equal(request->language, "");
	assert_string_equal(request->tenant, "");
}

READS(parts_and_lists_are_read)
{
	Bursar__V1__PutTierRequest *request = tier(
		"{\"tier\":{\"name\":\"gold\",\"limits\":[{\"dimension\":\"cost\",\"kind\":\"CALENDAR\",\"amount\":5,"
		"\"window\":\"CALENDAR_WINDOW_DAY\"},{},{\"dimension\":3}]},\"reason\":\"\"}");

	assert_non_null(request);
	assert_string_equal(request->tier->name, "gold");
	assert_int_equal(request->tier->n_limits, 3);
	assert_int_equal(request->tier->limits[0]->dimension, BURSAR__V1__DIMENSION__DIMENSION_COST);
	assert_int_equal(request->tier->limits[0]->kind, BURSAR__V1__LIMIT_KIND__LIMIT_KIND_CALENDAR);
	assert_int_equal(request->tier->limits[0]->window, BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY);
	assert_int_equal(request->tier->limits[1]->amount, 0);
	assert_string_equal(request->tier->limits[1]->name, "");
	assert_int_equal(request->tier->limits[2]->dimension, BURSAR__V1__DIMENSION__DIMENSION_INPUT_TOKENS);
}

READS(names_may_be_in_camel_case)
{
	Bursar__V1__CheckRequest *request =
		check("{\"inputTokens\":1,\"requestIdIsNew\":true,\"reservationTtlUs\":\"7\"}");
	Bursar__V1__TokenUsage *usage =
		read_as(&bursar__v1__token_usage__descriptor, "{\"cacheWrite1hTokens\":5,\"pages\":1}");

	assert_non_null(request);
	assert_int_equal(request->input_tokens, 1);
	assert_true(request->request_id_is_new);
	assert_int_equal(request->reservation_ttl_us, 7);
	assert_non_null(usage);
	assert_int_equal(usage->cache_write_1h_tokens, 5);
	assert_null(check("{\"InputTokens\":1}"));
	assert_null(check("{\"inputtokens\":1}"));
	assert_null(check("{\"input_Tokens\":1}"));
}

READS(whole_numbers_are_exact)
{
	static const struct {
		const char *text;
		int64_t value;
	} rows[] = {{"9007199254740993", INT64_C(9007199254740993)},
		{"\"9007199254740993\"", INT64_C(9007199254740993)}, {"9223372036854775807", INT64_MAX},
		{"-9223372036854775808", INT64_MIN}, {"1e3", 1000}, {"1.0", 1}, {"12.50e1", 125}, {"\"1E+2\"", 100},
		{"-0", 0}, {"0e999999999999", 0}, {"1000e-3", 1}, {"9223372036854775807.000", INT64_MAX},
		{"0.0000000000000000000000000000005e31", 5}, {"100000000000000000000000000000000e-32", 1}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Bursar__V1__CheckRequest *request = check(arena_printf(&arena, "{\"input_tokens\":%s}", rows[i].text));

		assert_non_null(request);
		assert_int_equal(request->input_tokens, rows[i].value);
	}
}

READS(what_is_refused_names_its_path_and_what_would_be_right)
{
	static const struct {
		const char *json, *field, *text;
	} rows[] = {
		{"{\"tier\":{\"limits\":[{},{},{\"amuont\":1}]}}", "tier.limits[2].amuont",
			"no such field of Limit; did you mean 'amount'?"},
		{"{\"tier\":{\"upgradTo\":1}}", "tier.upgradTo", "no such field of Tier; did you mean 'upgrade_to'?"},
		{"{\"colour\":1}", "colour", "no such field of PutTierRequest"},
		{"{\"\":1}", "\"\"", "no such field of PutTierRequest"},
		{"{\"tier\":[]}", "tier", "must be an object {...}, not a list [...]"},
		{"{\"tier\":\"gold\"}", "tier", "must be an object {...}, not \"gold\""},
		{"{\"tier\":{\"limits\":{}}}", "tier.limits", "must be a list [...], not an object {...}"},
		{"{\"tier\":{\"limits\":[null]}}", "tier.limits[0]", "null is not an item of a list"},
		{"{\"tier\":{\"limits\":[{\"amount\":1.5}]}}", "tier.limits[0].amount",
			"must be a whole number, not 1.5"},
		{"{\"tier\":{\"limits\":[{\"amount\":1e-1}]}}", "tier.limits[0].amount",
			"must be a whole number, not 1e-1"},
		{"{\"tier\":{\"limits\":[{\"amount\":\"\"}]}}", "tier.limits[0].amount",
			"must be a whole number, not \"\""},
		{"{\"tier\":{\"limits\":[{\"amount\":\" 1\"}]}}", "tier.limits[0].amount",
			"must be a whole number, not \" 1\""},
		{"{\"tier\":{\"limits\":[{\"amount\":true}]}}", "tier.limits[0].amount",
			"must be a whole number, not true"},
		{"{\"tier\":{\"limits\":[{\"amount\":9223372036854775808}]}}", "tier.limits[0].amount",
			"must be -9223372036854775808 to 9223372036854775807, not 9223372036854775808"},
		{"{\"tier\":{\"limits\":[{\"amount\":-9223372036854775809}]}}", "tier.limits[0].amount",
			"must be -9223372036854775808 to 9223372036854775807, not -9223372036854775809"},
		{"{\"tier\":{\"limits\":[{\"amount\":1e999999999999}]}}", "tier.limits[0].amount",
			"must be -9223372036854775808 to 9223372036854775807, not 1e999999999999"},
		{"{\"tier\":{\"pool_priority\":2147483648}}", "tier.pool_priority",
			"must be -2147483648 to 2147483647, not 2147483648"},
		{"{\"tier\":{\"name\":7}}", "tier.name", "must be a string in quotes, not 7"},
		{"{\"tier\":{\"shipped\":\"true\"}}", "tier.shipped", "must be true or false, not \"true\""},
		{"{\"tier\":{\"limits\":[{\"dimension\":\"tokns\"}]}}", "tier.limits[0].dimension",
			"'tokns' is not a name of Dimension; did you mean 'tokens'?"},
		{"{\"tier\":{\"limits\":[{\"kind\":\"hourly\"}]}}", "tier.limits[0].kind",
			"'hourly' is not a name of LimitKind: bucket, calendar, level"},
		{"{\"tier\":{\"limits\":[{\"kind\":[]}]}}", "tier.limits[0].kind",
			"must be a name in quotes, not a list [...]"},
		{"{\"reason\":\"a\\u0000b\"}", "reason", "contains a NUL character"},
		{"{\"reason\":\"\\ud800\"}", "reason", "contains half a surrogate pair"},
		{"{\"reason\":\"\\ud800\\u0041\"}", "reason", "contains half a surrogate pair"},
		{"{\"reason\":\"\\udc00\"}", "reason", "contains half a surrogate pair"},
		{"{\"reason\":\"a\xc3\"}", "reason", "is not valid UTF-8"},
		{"{\"reason\":\"a\",\"reason\":\"b\"}", "reason", "given twice"},
		{"{\"tier\":{\"upgrade_to\":null,\"upgradeTo\":\"b\"}}", "tier.upgrade_to", "given twice"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(tier(rows[i].json));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, rows[i].field);
		assert_string_equal(err.text, arena_printf(&arena, "%s: %s", rows[i].field, rows[i].text));
	}
}

READS(what_is_not_json_is_refused_with_line_and_column)
{
	static const struct {
		const char *json, *text;
	} rows[] = {
		{"", "line 1, column 1: not valid JSON: a value is missing"},
		{"[]", "the JSON must be an object {...}, not a list [...]"},
		{"null", "the JSON must be an object {...}, not null"},
		{"{\"user\":\"a\"}\n x", "line 2, column 2: not valid JSON: something follows the object"},
		{"{\"user\":\"a\"\n\n  \"model\":1}", "line 3, column 3: not valid JSON: a comma or } is missing"},
		{"{\"user\":\"a\",}", "line 1, column 13: not valid JSON: the name of a member is missing, in quotes"},
		{"{user:1}", "line 1, column 2: not valid JSON: the name of a member is missing, in quotes"},
		{"{\"user\" \"a\"}", "line 1, column 9: not valid JSON: a colon is missing"},
		{"{\"user\":}", "line 1, column 9: not valid JSON: a value is missing"},
		{"{\"user\":nul}", "line 1, column 9: not valid JSON: a value is missing"},
		{"{\"user\":\"a", "line 1, column 10: not valid JSON: a string does not end"},
		{"{\"user\":\"a\\\"}", "line 1, column 10: not valid JSON: a string does not end"},
		{"{\"user\":\"a\\x\"}", "line 1, column 11: not valid JSON: a backslash that begins no escape"},
		{"{\"user\":\"a\tb\"}",
			"line 1, column 11: not valid JSON: a control character in a string, which needs an escape such "
			"as \\n"},
		{"{\"input_tokens\":007}",
			"line 1, column 17: not valid JSON: a number that JSON writes in another way"},
		{"{\"input_tokens\":+1}",
			"line 1, column 17: not valid JSON: a number that JSON writes in another way"},
		{"{\"input_tokens\":.5}",
			"line 1, column 17: not valid JSON: a number that JSON writes in another way"},
		{"{\"input_tokens\":1.}",
			"line 1, column 17: not valid JSON: a number that JSON writes in another way"},
		{"{\"input_tokens\":NaN}", "line 1, column 17: not valid JSON: a value is missing"},
		{"{\"user\":\"a\"", "line 1, column 12: not valid JSON: a comma or } is missing"},
		{"\xef\xbb\xbf{}", "line 1, column 1: not valid JSON: a value is missing"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_null(check(rows[i].json));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "");
		assert_string_equal(err.text, rows[i].text);
	}
}

READS(escapes_are_read)
{
	Bursar__V1__CheckRequest *request = check(
		"{\"us\\u0065r\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\ud83d\\ude00 \xc3\xb6\",\"model\":\"x\\u0041\"}");

	assert_non_null(request);
	assert_string_equal(request->user, "\"\\/\b\f\n\r\t\xc3\xa4\xf0\x9f\x98\x80 \xc3\xb6");
	assert_string_equal(request->model, "xA");
}
