/* Ids at their limits, keys that never collide, and a hash that never changes. */

#include <stdio.h>
#include <string.h>

#include "base/crypto/hash.h"
#include "base/utf8.h"
#include "lib/test.h"

static void id_is(bool right, const char *id, size_t len)
{
	struct err err = {0};
	bool ok = id_check(id, len, "user", &err);

	if (ok != right)
		print_error("id of %zu bytes \"%s\": %s\n", len, id, err.text);
	assert_true(ok == right);
	if (!right) {
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "user");
	}
}
#define ID_IS(right, literal) id_is(right, literal, sizeof(literal) - 1)

TEST(ids_have_1_to_128_bytes)
{
	char id[129];

	memset(id, 'x', sizeof(id));
	id_is(false, "", 0);
	id_is(true, id, 1);
	id_is(true, id, 128);
	id_is(false, id, 129);
}

TEST(ids_have_no_control_characters)
{
	ID_IS(false, "a\0b");
	ID_IS(false, "\n");
	ID_IS(false, "a\x1f");
	ID_IS(true, "a b");
	ID_IS(false, "\x7f");
	ID_IS(false, "\xc2\x80");
	ID_IS(false, "\xc2\x9f");
	ID_IS(true, "\xc2\xa0");
	ID_IS(true, "a:b/{c}%d");
}

TEST(ids_are_well_formed_utf8)
{
	ID_IS(true, "\xd0\x96\xe2\x82\xac\xf0\x9f\xa4\x96");
	ID_IS(false, "\x80");
	ID_IS(false, "\xc0\xaf");
	ID_IS(false, "\xc1\xbf");
	ID_IS(false, "\xe0\x9f\xbf");
	ID_IS(true, "\xe0\xa0\x80");
	ID_IS(true, "\xed\x9f\xbf");
	ID_IS(false, "\xed\xa0\x80");
	ID_IS(false, "\xed\xbf\xbf");
	ID_IS(false, "\xf0\x8f\xbf\xbf");
	ID_IS(true, "\xf4\x8f\xbf\xbf");
	ID_IS(false, "\xf4\x90\x80\x80");
	ID_IS(false, "\xf5\x80\x80\x80");
	ID_IS(false, "\xff");
	ID_IS(false, "a\xe2\x82");
	ID_IS(false, "\xe2\x82z");
}

TEST(escaped_ids_contain_no_separator_and_stay_distinct)
{
	struct buf buf = {0};

	key_escape(&buf, "a:b/{c}%d e", 11);
	assert_string_equal(buf_str(&buf), "a%3Ab%2F%7Bc%7D%25d%20e");
	buf_reset(&buf);
	key_escape(&buf, "a%3Ab", 5);
	assert_string_equal(buf_str(&buf), "a%253Ab");
	buf_reset(&buf);
	key_escape(&buf, "plain", 5);
	key_escape(&buf, "", 0);
	key_escape(&buf, "::", 2);
	assert_string_equal(buf_str(&buf), "plain%3A%3A");
	buf_release(&buf);
}

/* Stored data contains these values: changing any of them changes the format. */
TEST(the_hash_is_what_it_has_always_been)
{
	uint8_t bytes[15];

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	/* The vectors of the SipHash-2-4 reference, key 00 01 .. 0f. */
	assert_true(hash64(bytes, 0) == UINT64_C(0x726fdb47dd0e0e31));
	assert_true(hash64(bytes, 1) == UINT64_C(0x74f839c593dc67fd));
	assert_true(hash64(bytes, 8) == UINT64_C(0x93f5f5799a932462));
	assert_true(hash64(bytes, 15) == UINT64_C(0xa129ca6149be45e5));
	assert_true(hash64_keyed(bytes, 8, 1, 2) != hash64(bytes, 8));
}
