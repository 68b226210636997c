/* SipHash-2-4 is libsodium's; its bytes are little-endian, so values are the same on any machine. */
#include "base/crypto/hash.h"

#include <sodium.h>

static void put_le(unsigned char *out, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		out[i] = (unsigned char)(value >> (8 * i));
}

uint64_t hash64_keyed(const void *p, size_t n, uint64_t k0, uint64_t k1)
{
	unsigned char key[crypto_shorthash_siphash24_KEYBYTES], out[crypto_shorthash_siphash24_BYTES];
	uint64_t value = 0;

	put_le(key, k0);
	put_le(key + 8, k1);
	crypto_shorthash_siphash24(out, p, n, key);
	for (int i = 8; i > 0; i--)
		value = value << 8 | out[i - 1];
	return value;
}

uint64_t hash64(const void *p, size_t n)
{
	return hash64_keyed(p, n, UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908));
}
