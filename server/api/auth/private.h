/* Shared by the files of this folder. */
#ifndef BURSAR_API_AUTH_PRIVATE_H
#define BURSAR_API_AUTH_PRIVATE_H

#include "api/auth/auth.h"
#include "api/auth/revoked.h"

/* Lives in the call's arena. Strings as in struct api_key. */
struct caller {
	enum role role;
	enum { BY_NOTHING, BY_KEY, BY_CERTIFICATE } by; /* BY_NOTHING: anonymous, while no keys exist */
	int64_t key;
	const char *tenant, *account, *label, *interfaces;
	/* What auth_still_admitted() checks. */
	uint8_t hash[KEY_HASH_BYTES]; /* of the key */
	const char *address;
	int64_t expires_at_us; /* of the key; 0 = never */
	uint64_t generation; /* of the catalog that was last asked */
	bool shown; /* a certificate, with this fingerprint */
	uint8_t fingerprint[FINGERPRINT_BYTES];
};

#endif
