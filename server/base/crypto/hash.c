/* SipHash-2-4 is libsodium's; its bytes are little-endian, so values are the same on any machine. */
#include "base/crypto/hash.h"

#include <sodium.h>

#include "base/buf.h"

uint64_t hash64_keyed(const void *p, size_t n, uint64_t k0, uint64_t k1)
{
	uint64_t key[2] = {le64(k0), le64(k1)};
	uint64_t value;

	_Static_assert(sizeof(key) == crypto_shorthash_siphash24_KEYBYTES, "two words are a key");
	_Static_assert(sizeof(value) == crypto_shorthash_siphash24_BYTES, "a word is a hash");
	crypto_shorthash_siphash24((unsigned char *)&value, p, n, (const unsigned char *)key);
	return le64(value);
}

uint64_t hash64(const void *p, size_t n)
{
	return hash64_keyed(p, n, UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908));
}
