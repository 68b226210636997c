/* API keys and certificate fingerprints, made with libsodium. */
#include "service/cache/keys.h"

#include <string.h>

#include <sodium.h>

/* `scheme` has four characters. */
static void make(const char scheme[4], struct new_key *out)
{
	unsigned char bits[32];
	size_t len = 4;

	randombytes_buf(bits, sizeof(bits));
	memcpy(out->text, scheme, len);
	sodium_bin2base64(
		out->text + len, KEY_TEXT_SIZE - len, bits, sizeof(bits), sodium_base64_VARIANT_URLSAFE_NO_PADDING);
	sodium_memzero(bits, sizeof(bits));
	memcpy(out->prefix, out->text, KEY_PREFIX_SIZE - 1);
	out->prefix[KEY_PREFIX_SIZE - 1] = '\0';
	key_hash(out->text, strlen(out->text), out->hash);
}

void key_make(struct new_key *out)
{
	make("bsk_", out);
}

void login_code_make(struct new_key *out)
{
	make("blc_", out);
}

void key_hash(const char *text, size_t len, uint8_t hash[KEY_HASH_BYTES])
{
	crypto_hash_sha256(hash, (const unsigned char *)text, len);
}

bool certificate_fingerprint(const char *pem, struct arena *arena, uint8_t out[KEY_HASH_BYTES])
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----", stop[] = "-----END CERTIFICATE-----";
	const char *from = strstr(pem, begin), *to = from ? strstr(from, stop) : NULL;
	size_t len, room;
	unsigned char *der;

	if (!to)
		return false;
	from += sizeof(begin) - 1;
	room = (size_t)(to - from);
	der = arena_alloc(arena, room);
	if (sodium_base642bin(der, room, from, room, " \r\n", &len, NULL, sodium_base64_VARIANT_ORIGINAL) != 0)
		return false;
	crypto_hash_sha256(out, der, len);
	return true;
}
