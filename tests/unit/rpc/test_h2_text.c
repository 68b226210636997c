/* gRPC's notations in headers. */
#include "lib/test.h"

#include <string.h>

#include "base/units.h"
#include "rpc/h2/text.h"

TEST(a_timeout_is_up_to_eight_digits_and_a_unit)
{
	static const struct {
		const char *text;
		int64_t us;
	} good[] = {{"1H", HOUR_US}, {"2M", 2 * MINUTE_US}, {"99999999S", 99999999 * SECOND_US}, {"250m", 250000},
		{"7u", 7}, {"1000n", 1}, {"1n", 1}, {"0n", 0}, {"00000001S", SECOND_US}};
	static const char *const bad[] = {"", "1", "S", "-1S", "1.5S", "123456789S", "1s", "1 S", " 1S", "1SS"};
	int64_t us;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(h2_timeout_parse(good[i].text, strlen(good[i].text), &us));
		assert_int_equal(us, good[i].us);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (h2_timeout_parse(bad[i], strlen(bad[i]), &us))
			fail_msg("\"%s\" is taken for a timeout", bad[i]);
}

TEST(texts_are_printable_and_can_be_read_back)
{
	struct buf out = {0};

	h2_percent_put(&out, "100% ~ größe\n");
	assert_string_equal(buf_str(&out), "100%25 ~ gr%C3%B6%C3%9Fe%0A");
	buf_release(&out);
}

TEST(binary_values_are_base64_without_padding)
{
	static const char *const texts[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};

	for (size_t n = 0; n < sizeof(texts) / sizeof(texts[0]); n++) {
		struct arena arena = {0};
		struct buf out = {0};
		const char *back;
		size_t len = 99;

		h2_base64_put(&out, (const uint8_t *)"foobar", n);
		assert_string_equal(buf_str(&out), texts[n]);
		back = h2_base64_read(&arena, texts[n], strlen(texts[n]), &len);
		assert_int_equal(len, n);
		assert_memory_equal(back, "foobar", n);
		buf_release(&out);
		arena_release(&arena);
	}
}

TEST(binary_values_may_be_padded_and_several)
{
	struct arena arena = {0};
	size_t len;

	assert_memory_equal(h2_base64_read(&arena, "Zm8=", 4, &len), "fo", 2);
	assert_int_equal(len, 2);
	assert_memory_equal(h2_base64_read(&arena, "+/8,Zm8", 7, &len), "\xfb\xff", 2);
	assert_int_equal(len, 2);
	assert_null(h2_base64_read(&arena, "Zm9vY", 5, &len));
	assert_null(h2_base64_read(&arena, "Zm 8", 4, &len));
	assert_null(h2_base64_read(&arena, "Zh", 2, &len)); /* bits that belong to no byte */
	arena_release(&arena);
}
