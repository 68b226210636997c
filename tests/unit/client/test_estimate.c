/* libbursar's estimate of tokens: the vectors that every language's client must agree on, and texts that are no UTF-8. */
#include <string.h>

#include <jansson.h>

#include "c/bursar.h"
#include "lib/source.h"
#include "lib/test.h"

TEST(every_vector_has_its_estimate)
{
	json_error_t error;
	json_t *vectors = json_load_file(source_path("client/estimate/vectors.json"), 0, &error), *vector;
	size_t i;

	if (!vectors)
		fail_msg("vectors.json:%d: %s", error.line, error.text);
	assert_true(json_array_size(json_object_get(vectors, "texts")) > 50);
	json_array_foreach(json_object_get(vectors, "texts"), i, vector)
	{
		json_t *text = json_object_get(vector, "text");
		json_int_t expected = json_integer_value(json_object_get(vector, "estimate"));
		int64_t estimate = bursar_estimate_tokens(json_string_value(text), json_string_length(text));

		if (estimate != expected)
			fail_msg("%s: %lld, expected %lld", json_string_value(json_object_get(vector, "name")),
				(long long)estimate, (long long)expected);
	}
	json_decref(vectors);
}

TEST(a_text_that_is_no_utf8_is_estimated_too)
{
	static const char cut[] = "caf\xc3", overlong[] = "\xc0\xaf", surrogate[] = "\xed\xa0\x80",
			  stray[] = "\x80\xff";

	assert_int_equal(bursar_estimate_tokens("", 0), 0);
	assert_int_equal(bursar_estimate_tokens(cut, 4), 2);
	assert_true(bursar_estimate_tokens(overlong, 2) >= 1);
	assert_true(bursar_estimate_tokens(surrogate, 3) >= 1);
	assert_true(bursar_estimate_tokens(stray, 2) >= 1);
	assert_int_equal(bursar_estimate_tokens("a\0b", 3), bursar_estimate_tokens("a\1b", 3));
}
