/* The lease handle: its fields survive the round trip, and no other text is accepted. */
#include <stdlib.h>
#include <string.h>

#include "lib/test.h"
#include "service/pool/pool.h"

static struct arena arena;

static const char *handle(void)
{
	struct lease_handle lease = {"acme", "gpu", "ann", "msg-17", 1700000000123456, {41, 9}};

	return lease_format(&lease, &arena);
}

TEST(all_fields_come_back)
{
	struct lease_handle out;

	assert_true(lease_parse(handle(), "lease", &arena, &out, NULL));
	assert_string_equal(out.tenant, "acme");
	assert_string_equal(out.pool, "gpu");
	assert_string_equal(out.user, "ann");
	assert_string_equal(out.request_id, "msg-17");
	assert_int_equal(out.started_at_us, 1700000000123456);
	assert_int_equal(out.fence.epoch, 41);
	assert_int_equal(out.fence.fence, 9);
}

TEST(any_letter_that_differs_is_noticed)
{
	char text[256];
	struct lease_handle out;
	struct err err;

	for (size_t i = 0; i < strlen(handle()); i++) {
		strcpy(text, handle());
		text[i] = text[i] == 'A' ? 'B' : 'A';
		assert_false(lease_parse(text, "lease", &arena, &out, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, "lease");
		text[i] = 0;
		assert_false(lease_parse(text, "lease", &arena, &out, &err));
	}
}

TEST(other_texts_are_not_leases)
{
	char longest[4096];
	struct lease_handle out;

	memset(longest, 'A', sizeof(longest));
	longest[sizeof(longest) - 1] = 0;
	assert_false(lease_parse(longest, "lease", &arena, &out, NULL));
	assert_false(lease_parse("", "lease", &arena, &out, NULL));
	assert_false(lease_parse("not base64!", "lease", &arena, &out, NULL));
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

TEST_GROUP(NULL, teardown);
