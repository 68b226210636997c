/* Ed25519, by libsodium. */
#include "base/crypto/signer.h"

#include <sodium.h>

_Static_assert(SIGNER_PUBLIC_BYTES == crypto_sign_PUBLICKEYBYTES, "a public key's size");
_Static_assert(SIGNER_SECRET_BYTES == crypto_sign_SECRETKEYBYTES, "a secret key's size");
_Static_assert(SIGNATURE_BYTES == crypto_sign_BYTES, "a signature's size");

void signer_make(struct signer *out)
{
	crypto_sign_keypair(out->public_key, out->secret_key);
}

void signer_sign(const struct signer *signer, const void *bytes, size_t n, uint8_t signature[SIGNATURE_BYTES])
{
	crypto_sign_detached(signature, NULL, bytes, n, signer->secret_key);
}

bool signature_valid(const uint8_t public_key[SIGNER_PUBLIC_BYTES], const void *bytes, size_t n,
	const uint8_t signature[SIGNATURE_BYTES])
{
	return crypto_sign_verify_detached(signature, bytes, n, public_key) == 0;
}
