/* Errors say where and what, and stay readable when they are cut. */

#include <string.h>

#include "base/err.h"
#include "base/utf8.h"
#include "lib/test.h"

TEST(err_set_fills_and_returns_false)
{
	struct err err = {.field = "old", .retry_after_us = 5};

	assert_false(err_set(&err, ERR_EXISTS, "id %d is taken", 7));
	assert_int_equal(err.code, ERR_EXISTS);
	assert_string_equal(err.text, "id 7 is taken");
	assert_string_equal(err.field, "");
	assert_int_equal(err.retry_after_us, 0);
	assert_false(err_set(NULL, ERR_EXISTS, "nobody asks"));
}

TEST(an_invalid_field_comes_first_in_the_text)
{
	struct err err;

	assert_false(err_invalid(&err, "amount", "%d is below 0", -1));
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, "amount");
	assert_string_equal(err.text, "amount: -1 is below 0");
}

TEST(a_prefix_makes_the_path_of_a_nested_field)
{
	struct err err;

	err_invalid(&err, "user", "is empty");
	err_prefix(&err, "items[%d].", 3);
	assert_string_equal(err.field, "items[3].user");
	assert_string_equal(err.text, "items[3].user: is empty");
}

TEST(a_long_text_is_cut_between_characters)
{
	struct err err;
	char text[1000];

	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xe2\x82\xac", 4);
		err_set(&err, ERR_INTERNAL, "%s", text);
		assert_true(strlen(err.text) > sizeof(err.text) - 5);
		assert_true(utf8_valid(err.text, strlen(err.text)));
	}
}

TEST(invalid_utf8_is_shown_as_question_marks)
{
	struct err err;

	err_set(&err, ERR_INVALID, "\"%.3s\" and \"%s\" are no options", "ab\xc3\xa9", "\xff\xc3\xa9\xe2\x82");
	assert_string_equal(err.text, "\"ab?\" and \"?\xc3\xa9??\" are no options");
}
