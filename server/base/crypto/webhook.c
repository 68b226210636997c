/* HMAC and base64 are libsodium's. */
#include "base/crypto/webhook.h"

#include <stdio.h>
#include <string.h>

#include <sodium.h>

static const char prefix[] = "whsec_";

/* The key of a secret; false when it has none. */
static bool key_read(const char *secret, unsigned char key[WEBHOOK_KEY_MAX], size_t *len)
{
	size_t before = sizeof(prefix) - 1;

	return strncmp(secret, prefix, before) == 0 &&
	       sodium_base642bin(key, WEBHOOK_KEY_MAX, secret + before, strlen(secret + before), NULL, len, NULL,
		       sodium_base64_VARIANT_ORIGINAL) == 0 &&
	       *len >= WEBHOOK_KEY_MIN;
}

bool webhook_secret_valid(const char *secret)
{
	unsigned char key[WEBHOOK_KEY_MAX];
	size_t len;
	bool ok = key_read(secret, key, &len);

	sodium_memzero(key, sizeof(key));
	return ok;
}

void webhook_secret_make(char out[WEBHOOK_SECRET_SIZE])
{
	unsigned char key[32];
	size_t before = sizeof(prefix) - 1;

	_Static_assert(sizeof(prefix) - 1 + sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL) <=
			       WEBHOOK_SECRET_SIZE,
		"has room");
	randombytes_buf(key, sizeof(key));
	memcpy(out, prefix, before);
	sodium_bin2base64(out + before, WEBHOOK_SECRET_SIZE - before, key, sizeof(key), sodium_base64_VARIANT_ORIGINAL);
	sodium_memzero(key, sizeof(key));
}

void webhook_sign(const char *const secrets[], int count, const char *message_id, int64_t timestamp_s, const char *body,
	size_t body_len, struct buf *out)
{
	struct buf head = {0};
	bool first = true;

	buf_put_str(&head, message_id);
	buf_put_str(&head, ".");
	buf_put_dec(&head, timestamp_s);
	buf_put_str(&head, ".");
	for (int i = 0; i < count; i++) {
		unsigned char key[WEBHOOK_KEY_MAX], mac[crypto_auth_hmacsha256_BYTES];
		char text[sodium_base64_ENCODED_LEN(sizeof(mac), sodium_base64_VARIANT_ORIGINAL)];
		crypto_auth_hmacsha256_state state;
		size_t len;

		if (!key_read(secrets[i], key, &len))
			continue;
		crypto_auth_hmacsha256_init(&state, key, len);
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)buf_str(&head), head.len);
		crypto_auth_hmacsha256_update(&state, (const unsigned char *)body, body_len);
		crypto_auth_hmacsha256_final(&state, mac);
		sodium_memzero(key, sizeof(key));
		sodium_memzero(&state, sizeof(state));
		sodium_bin2base64(text, sizeof(text), mac, sizeof(mac), sodium_base64_VARIANT_ORIGINAL);
		buf_put_str(out, first ? "v1," : " v1,");
		buf_put_str(out, text);
		first = false;
	}
	buf_release(&head);
}
