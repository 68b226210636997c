/*
 * A session's bytes: version (1), the first bytes of the signer's public key, key, beginning and end (64 bits each, big
 * endian), a nonce, and the signature of everything before it.
 */
#include "service/cache/sessions.h"

#include <string.h>

#include <sodium.h>

enum { VERSION = 1, SIGNER_AT = 1, KEY_AT = 9, ISSUED_AT = 17, EXPIRES_AT = 25, NONCE_AT = 33, SIGNED_BYTES = 41 };
enum { NONCE_BYTES = SIGNED_BYTES - NONCE_AT, SESSION_BYTES = SIGNED_BYTES + SIGNATURE_BYTES };

static const char scheme[] = "bss_";
enum { SCHEME_LEN = sizeof(scheme) - 1 };
_Static_assert(SESSION_TEXT_SIZE == SCHEME_LEN + SESSION_BYTES / 3 * 4 + 1, "the text's size; 3 divides the bytes");
_Static_assert(KEY_AT - SIGNER_AT == SIGNER_ID_BYTES, "the signer's part");

static void put_number(uint8_t *at, int64_t number)
{
	for (int i = 0; i < 8; i++)
		at[i] = (uint8_t)((uint64_t)number >> (56 - 8 * i));
}

static int64_t number_at(const uint8_t *at)
{
	uint64_t number = 0;

	for (int i = 0; i < 8; i++)
		number = number << 8 | at[i];
	return (int64_t)number;
}

void session_make(const struct session *session, const struct signer *signer, char out[SESSION_TEXT_SIZE])
{
	uint8_t bytes[SESSION_BYTES] = {VERSION};

	memcpy(bytes + SIGNER_AT, signer->public_key, SIGNER_ID_BYTES);
	put_number(bytes + KEY_AT, session->key);
	put_number(bytes + ISSUED_AT, session->issued_at_us);
	put_number(bytes + EXPIRES_AT, session->expires_at_us);
	randombytes_buf(bytes + NONCE_AT, NONCE_BYTES);
	signer_sign(signer, bytes, SIGNED_BYTES, bytes + SIGNED_BYTES);
	memcpy(out, scheme, SCHEME_LEN);
	sodium_bin2base64(out + SCHEME_LEN, SESSION_TEXT_SIZE - SCHEME_LEN, bytes, sizeof(bytes),
		sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

bool session_read(const char *text, size_t len, const struct catalog *catalog, struct session *out)
{
	uint8_t bytes[SESSION_BYTES];
	const uint8_t *public_key;
	size_t n;

	if (len != SESSION_TEXT_SIZE - 1 || memcmp(text, scheme, SCHEME_LEN) != 0 ||
		sodium_base642bin(bytes, sizeof(bytes), text + SCHEME_LEN, len - SCHEME_LEN, NULL, &n, NULL,
			sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
		n != sizeof(bytes) || bytes[0] != VERSION)
		return false;
	public_key = catalog_signer_public(catalog, bytes + SIGNER_AT);
	if (!public_key || !signature_valid(public_key, bytes, SIGNED_BYTES, bytes + SIGNED_BYTES))
		return false;
	*out = (struct session){.key = number_at(bytes + KEY_AT),
		.issued_at_us = number_at(bytes + ISSUED_AT),
		.expires_at_us = number_at(bytes + EXPIRES_AT)};
	return true;
}
