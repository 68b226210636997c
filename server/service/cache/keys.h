/* The text of an API key, which only its holder has, and its hash, which is all that is kept. */
#ifndef BURSAR_SERVICE_CACHE_KEYS_H
#define BURSAR_SERVICE_CACHE_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "domain/api_key.h"

/* "bsk_" (so that scanners find leaks) and 256 random bits as base64url; the prefix is shown in lists. */
#define KEY_TEXT_SIZE 48 /* with the end */
#define KEY_PREFIX_SIZE 13
struct new_key {
	char text[KEY_TEXT_SIZE];
	char prefix[KEY_PREFIX_SIZE];
	uint8_t hash[KEY_HASH_BYTES];
};
void key_make(struct new_key *out);

/* SHA-256: the text has 256 random bits, so nothing slower is needed, and no salt. */
void key_hash(const char *text, size_t len, uint8_t hash[KEY_HASH_BYTES]);

/* SHA-256 of a certificate's DER form, which is what its fingerprint is. False: `pem` is none. */
bool certificate_fingerprint(const char *pem, struct arena *arena, uint8_t out[KEY_HASH_BYTES]);

#endif
