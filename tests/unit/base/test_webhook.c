/* Signatures of webhooks; tests/e2e/test_deliver.py has them verified by the public packages. */
#include <string.h>

#include "base/crypto/webhook.h"
#include "lib/test.h"

static const char body[] = "{\"test\": 2432232314}";

/* The example of https://github.com/standard-webhooks/standard-webhooks. */
TEST(the_example_of_the_standard_has_its_signature)
{
	const char *secret[] = {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"};
	struct buf out = {0};

	webhook_sign(secret, 1, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body, strlen(body), &out);
	assert_string_equal(buf_str(&out), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
	buf_release(&out);
}

TEST(each_secret_signs)
{
	const char *secret[] = {
		"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "not one", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"};
	struct buf out = {0};

	webhook_sign(secret, 3, "msg_1", 1614265330, body, strlen(body), &out);
	assert_int_equal(out.len, 2 * 47 + 1);
	assert_memory_equal(out.data + 47, " v1,", 4);
	assert_memory_not_equal(out.data, out.data + 48, 47);
	buf_release(&out);
}

TEST(a_secret_has_24_to_64_bytes)
{
	char made[WEBHOOK_SECRET_SIZE], other[WEBHOOK_SECRET_SIZE];

	assert_true(webhook_secret_valid("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
	assert_false(webhook_secret_valid("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
	assert_false(webhook_secret_valid("whsec_"));
	assert_false(webhook_secret_valid("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLa"));
	assert_false(webhook_secret_valid("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw "));
	assert_false(webhook_secret_valid(
		"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
	webhook_secret_make(made);
	webhook_secret_make(other);
	assert_true(webhook_secret_valid(made));
	assert_string_not_equal(made, other);
}
