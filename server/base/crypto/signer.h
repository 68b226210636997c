/* Signatures of a process: Ed25519. Its secret key never leaves its memory; the public key is for all who verify. */
#ifndef BURSAR_BASE_CRYPTO_SIGNER_H
#define BURSAR_BASE_CRYPTO_SIGNER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIGNER_PUBLIC_BYTES 32
#define SIGNER_SECRET_BYTES 64
#define SIGNATURE_BYTES 64

struct signer {
	uint8_t public_key[SIGNER_PUBLIC_BYTES];
	uint8_t secret_key[SIGNER_SECRET_BYTES];
};

/* A new random pair. */
void signer_make(struct signer *out);

void signer_sign(const struct signer *signer, const void *bytes, size_t n, uint8_t signature[SIGNATURE_BYTES]);

bool signature_valid(const uint8_t public_key[SIGNER_PUBLIC_BYTES], const void *bytes, size_t n,
	const uint8_t signature[SIGNATURE_BYTES]);

#endif
