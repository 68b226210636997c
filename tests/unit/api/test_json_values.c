/* Values of every type from JSON, and the bounds of what is read. */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "api/json/json_message.h"
#include "base/buf.h"
#include "bursar/v1/admin.pb-c.h"
#include "lib/every.pb-c.h"
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

static Bursar__Test__Every *every(const char *text)
{
	Bursar__Test__Every *message = arena_zalloc(&arena, 1, sizeof(*message));

	bursar__test__every__init(message);
	err = (struct err){0};
	return json_read_message(text, strlen(text), &message->base, &arena, &err) ? message : NULL;
}

/* The message with one field. */
static Bursar__Test__Every *with(const char *field, const char *value)
{
	return every(arena_printf(&arena, "{\"%s\":%s}", field, value));
}

READS(numbers_are_held_to_their_bounds)
{
	static const struct {
		const char *field, *least, *most, *below, *above;
	} rows[] = {
		{"int32", "-2147483648", "2147483647", "-2147483649", "2147483648"},
		{"sfixed32", "-2147483648", "2147483647", "-2147483649", "2147483648"},
		{"uint32", "0", "4294967295", "-1", "4294967296"},
		{"fixed32", "0", "4294967295", "-1", "4294967296"},
		{"int64", "-9223372036854775808", "9223372036854775807", "-9223372036854775809", "9223372036854775808"},
		{"uint64", "0", "18446744073709551615", "-1", "18446744073709551616"},
		{"fixed64", "0", "18446744073709551615", "-1", "18446744073709551616"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf out = {0};
		const char *value[] = {rows[i].least, rows[i].most};

		for (int k = 0; k < 2; k++) {
			Bursar__Test__Every *message = with(rows[i].field, value[k]);

			assert_non_null(message);
			buf_reset(&out);
			json_write_message(&message->base, &out);
			assert_non_null(strstr(buf_str(&out),
				arena_printf(&arena, strstr(rows[i].field, "64") ? "\"%s\":\"%s\"," : "\"%s\":%s,",
					rows[i].field, value[k])));
		}
		assert_null(with(rows[i].field, rows[i].below));
		assert_null(with(rows[i].field, rows[i].above));
		assert_string_equal(err.text, arena_printf(&arena, "%s: must be %s to %s, not %s", rows[i].field,
						      rows[i].least, rows[i].most, rows[i].above));
		buf_release(&out);
	}
}

READS(fractions_are_read_as_exactly_as_their_type_can)
{
	assert_true(with("double", "0.1")->double_ == 0.1);
	assert_true(with("double", "\"-1.5e-3\"")->double_ == -1.5e-3);
	assert_true(with("double", "9007199254740993")->double_ == 9007199254740992.0);
	assert_true(isnan(with("double", "\"NaN\"")->double_));
	assert_true(with("double", "\"-Infinity\"")->double_ == -INFINITY);
	assert_true(with("float", "\"Infinity\"")->float_ == INFINITY);
	assert_true(with("float", "3.4028235e38")->float_ == FLT_MAX);
	assert_null(with("float", "3.5e38"));
	assert_string_equal(err.text, "float: must be a number that a float holds, not 3.5e38");
	assert_null(with("double", "-1e309"));
	assert_null(with("double", "\"inf\""));
	assert_string_equal(err.text, "double: must be a number, not \"inf\"");
	assert_null(with("double", "\"0x10\""));
	assert_null(with("double", "\"1 \""));
}

READS(base64_is_read_in_both_alphabets_with_and_without_padding)
{
	static const char *const good[] = {"\"+/8A\"", "\"-_8A\"", "\"+_8A\"", "\"\\u002b\\/8A\""};
	static const char *const bad[] = {"\"+\"", "\"+/8A=\"", "\"=\"", "\"====\"", "\"+w=\"", "\"+/9=\"", "\"+x==\"",
		"\"+/ 8A\"", "\"+/8A\\n\"", "\"+w==+w==\"", "1", "[]"};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		ProtobufCBinaryData bytes = with("bytes", good[i])->bytes;

		assert_int_equal(bytes.len, 3);
		assert_memory_equal(bytes.data, "\xfb\xff\x00", 3);
	}
	assert_int_equal(with("bytes", "\"+w==\"")->bytes.len, 1);
	assert_int_equal(with("bytes", "\"+w\"")->bytes.len, 1);
	assert_int_equal(with("bytes", "\"+/8=\"")->bytes.len, 2);
	assert_int_equal(with("bytes", "\"\"")->bytes.len, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_null(with("bytes", bad[i]));
}

READS(points_in_time_may_be_rfc_3339)
{
	static const struct {
		const char *text;
		int64_t us;
	} rows[] = {{"1970-01-01T00:00:00Z", 0}, {"2026-11-23T17:00:00Z", INT64_C(1795453200000000)},
		{"2026-11-23t17:00:00.000001z", INT64_C(1795453200000001)},
		{"2026-11-23 18:30:00.25+01:30", INT64_C(1795453200250000)},
		{"2026-11-23T16:00:00.123456000-01:00", INT64_C(1795453200123456)},
		{"2024-02-29T23:59:59Z", INT64_C(1709251199000000)}, {"1969-12-31T23:59:59.5Z", -500000},
		{"9999-12-31T23:59:59Z", INT64_C(253402300799000000)}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			with("seen_at_us", arena_printf(&arena, "\"%s\"", rows[i].text))->seen_at_us, rows[i].us);
	assert_int_equal(with("seen_at_us", "\"1795453200000000\"")->seen_at_us, INT64_C(1795453200000000));
	assert_int_equal(with("seenAtUs", "-1")->seen_at_us, -1);
}

READS(what_is_not_a_point_in_time_is_refused)
{
	static const char *const bad[] = {"", "now", "2026-11-23", "2026-11-23T17:00Z", "2026-11-23T17:00:00",
		"2026-11-23T17:00:00+0100", "2026-11-23T17:00:00+24:00", "2026-11-23T17:00:00+01:60",
		"2026-11-23T24:00:00Z", "2026-11-23T17:60:00Z", "2026-11-23T17:00:60Z", "2026-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z", "2026-01-00T00:00:00Z", "2026-11-23T17:00:00.Z",
		"2026-11-23T17:00:00.0000001Z", "2026-11-23T17:00:00.0000000000Z", "0000-01-01T00:00:00Z",
		"02026-11-23T17:00:00Z", "2026-11-23T17:00:00Z ", "-2026-11-23T17:00:00Z", "2026-1-23T17:00:00Z"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_null(with("seen_at_us", arena_printf(&arena, "\"%s\"", bad[i])));
		assert_string_equal(err.text,
			arena_printf(&arena,
				"seen_at_us: must be microseconds since 1970, or a time such as 2026-11-23T17:00:00Z, not "
				"\"%s\"",
				bad[i]));
	}
	assert_null(with("wait_us", "\"2026-11-23T17:00:00Z\""));
	assert_string_equal(err.text, "wait_us: must be a whole number, not \"2026-11-23T17:00:00Z\"");
	assert_null(with("seen_at_us", "1.5"));
	assert_string_equal(err.text, "seen_at_us: must be a whole number, not 1.5");
}

READS(enums_are_read_by_name_and_by_number)
{
	assert_int_equal(with("colour", "\"COLOUR_DARK_RED\"")->colour, -2);
	assert_int_equal(with("colour", "\"dark_red\"")->colour, -2);
	assert_int_equal(with("colour", "\"Dark_Red\"")->colour, -2);
	assert_int_equal(with("colour", "\"unspecified\"")->colour, 0);
	assert_int_equal(with("colour", "-2")->colour, -2);
	assert_int_equal(with("colour", "77")->colour, 77);
	assert_int_equal(with("plain", "\"some\"")->plain, 1);
	assert_null(with("colour", "\"\""));
	assert_null(with("colour", "\"red_\""));
	assert_null(with("colour", "\"COLOUR_\""));
	assert_null(with("colour", "true"));
}

READS(one_member_of_a_oneof_may_be_given)
{
	Bursar__Test__Every *message = every("{\"a_number\":null,\"a_text\":\"x\",\"a_part\":null}");

	assert_non_null(message);
	assert_int_equal(message->choice_case, BURSAR__TEST__EVERY__CHOICE_A_TEXT);
	assert_string_equal(message->a_text, "x");
	assert_null(every("{\"a_text\":\"x\",\"a_part\":{}}"));
	assert_string_equal(err.text, "a_part: cannot be given together with a_text");
	assert_null(every("{\"a_part\":{\"a_text\":\"x\",\"some_bytes\":\"\"}}"));
	assert_string_equal(err.text, "a_part.some_bytes: cannot be given together with a_text");
}

/* `head`, `count` times `item` with commas between, `tail`. */
static const char *repeated(const char *head, const char *item, size_t count, const char *tail)
{
	struct buf out = {0};
	const char *text;

	buf_put_str(&out, head);
	for (size_t i = 0; i < count; i++)
		buf_putf(&out, "%s%s", i ? "," : "", item);
	buf_put_str(&out, tail);
	text = arena_strndup(&arena, out.data, out.len);
	buf_release(&out);
	return text;
}

READS(lists_and_messages_are_bounded)
{
	Bursar__Test__Every *message = every(repeated("{\"bools\":[", "true", JSON_ITEMS_MAX, "]}"));
	const char *many;

	assert_non_null(message);
	assert_int_equal(message->n_bools, JSON_ITEMS_MAX);
	assert_null(every(repeated("{\"bools\":[", "true", JSON_ITEMS_MAX + 1, "]}")));
	assert_string_equal(err.text, "bools: has more than 10000 items");
	many = repeated("{\"list\":[", "{}", 10, "]}");
	many = repeated("{\"list\":[", many, JSON_MESSAGES_MAX / 11, "]}");
	assert_non_null(every(many));
	many = repeated("{\"list\":[", "{}", 11, "]}");
	many = repeated("{\"list\":[", many, JSON_MESSAGES_MAX / 11, "]}");
	assert_null(every(many));
	assert_string_equal(err.field, "list[8333].list[3]");
	assert_string_equal(err.text, "list[8333].list[3]: is one of more than 100000 objects");
}

READS(depth_is_bounded)
{
	char text[4000] = "";

	for (int i = 1; i < JSON_DEPTH_MAX; i++)
		strcat(text, "{\"every\":");
	strcat(text, "{\"int32\":1}");
	for (int i = 1; i < JSON_DEPTH_MAX; i++)
		strcat(text, "}");
	assert_non_null(every(text));
	assert_null(with("every", text));
	assert_int_equal(strncmp(err.field, "every.every.every.", 18), 0);
	assert_int_equal(strlen(err.field), sizeof(err.field) - 1);
}

READS(a_long_wrong_name_or_value_is_quoted_in_part)
{
	char name[3000];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_null(with(name, "1"));
	assert_int_equal(strlen(err.field), 63);
	assert_null(with("int32", arena_printf(&arena, "\"%s\"", name)));
	assert_string_equal(
		err.text, "int32: must be a whole number, not \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...\"");
	assert_null(with("colour", arena_printf(&arena, "\"%s\"", name)));
	assert_string_equal(err.field, "colour");
	assert_true(strlen(err.text) < 120);
}

READS(a_name_with_a_digit_is_read_in_every_spelling)
{
	assert_string_equal(with("with_a_digit_1h_x2", "\"a\"")->with_a_digit_1h_x2, "a");
	assert_string_equal(with("withADigit1hX2", "\"a\"")->with_a_digit_1h_x2, "a");
}

READS(lists_may_be_as_long_as_the_table_of_fields_lets_them)
{
	static const struct {
		const char *rule;
		int64_t most;
	} rows[] = {
#define FIELD(message, field, rule, least, most) {#rule, most},
#include "api/message/fields.def"
#undef FIELD
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].rule, "ITEMS") == 0)
			assert_in_range(rows[i].most, 0, JSON_ITEMS_MAX);
}
