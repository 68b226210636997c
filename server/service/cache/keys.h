/* The text of an API key, which only its holder has, and its hash, which is all that is stored. */
#ifndef BURSAR_SERVICE_CACHE_KEYS_H
#define BURSAR_SERVICE_CACHE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "domain/api_key.h"

/* "bsk_" (so that secret scanners find leaked keys) and 256 random bits in base64url; the prefix is shown in lists. */
#define KEY_TEXT_SIZE 48 /* including the terminating NUL */
#define KEY_PREFIX_SIZE 13
struct new_key {
	char text[KEY_TEXT_SIZE];
	char prefix[KEY_PREFIX_SIZE];
	uint8_t hash[KEY_HASH_BYTES];
};
void key_make(struct new_key *out);
/* A code for one login to the dashboard: the same, but "blc_". */
void login_code_make(struct new_key *out);

/* SHA-256: the text has 256 random bits, so neither a slower hash nor a salt is needed. */
void key_hash(const char *text, size_t len, uint8_t hash[KEY_HASH_BYTES]);

/* The certificate's fingerprint: SHA-256 of its DER form. False if `pem` is not a PEM certificate. */
bool certificate_fingerprint(const char *pem, struct arena *arena, uint8_t out[KEY_HASH_BYTES]);

#endif
