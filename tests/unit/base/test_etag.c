/* Etags: the same state has the same one, and lists of them are read as callers and proxies write them. */
#include <string.h>

#include "base/text/etag.h"
#include "lib/test.h"

TEST(an_etag_is_of_the_state_and_nothing_has_none)
{
	char one[ETAG_SIZE], same[ETAG_SIZE], other[ETAG_SIZE];

	etag_of("{\"a\": 1}", one);
	etag_of("{\"a\": 1}", same);
	etag_of("{\"a\": 2}", other);
	assert_int_equal(strspn(one, "0123456789abcdef"), ETAG_SIZE - 1);
	assert_string_equal(one, same);
	assert_string_not_equal(one, other);
	etag_of("null", other);
	assert_string_equal(other, "");
}

TEST(a_list_has_what_it_names)
{
	static const char *const with[] = {"ab", "\"ab\"", "W/\"ab\"", "\"x\",\"ab\"", " , \"x\"\t, W/ab ", "*",
		"\"x\", *", "\"ab\",", "\"x y\", ab"};
	static const char *const without[] = {
		"a", "\"abc\"", "\"*\"", "**", "\"x\", \"a b\"", "w/\"ab\"x", "", ",", "\"ab", "\"\"", "AB"};

	for (size_t i = 0; i < sizeof(with) / sizeof(with[0]); i++) {
		struct err err = {0};

		if (!etag_list_check(with[i], "If-Match", &err) || !etag_list_has(with[i], "ab"))
			fail_msg("%s: %s", with[i], err.text);
		assert_false(etag_list_has(with[i], ""));
	}
	for (size_t i = 0; i < sizeof(without) / sizeof(without[0]); i++)
		if (etag_list_has(without[i], "ab"))
			fail_msg("%s", without[i]);
}

TEST(what_is_no_list_is_refused)
{
	static const char *const wrong[] = {
		"", " ", ",", "\"", "\"ab", "W/", "W/,a", "a\"b\"", "\"a\" \"b\"", "\"a\"b", "a b"};

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct err err = {0};

		if (etag_list_check(wrong[i], "If-Match", &err))
			fail_msg("%s", wrong[i]);
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "If-Match");
	}
}
