/* What the files of the auth share. */
#ifndef BURSAR_API_AUTH_PRIVATE_H
#define BURSAR_API_AUTH_PRIVATE_H

#include "api/auth/auth.h"
#include "api/auth/revoked.h"

/* In the arena of the call. Strings as in struct api_key. */
struct caller {
	enum role role;
	enum { BY_NOTHING, BY_KEY, BY_CERTIFICATE } by; /* nothing: nobody in particular, before there are keys */
	int64_t key;
	const char *tenant, *account, *label, *interfaces;
	/* What his stream is looked at again for. */
	uint8_t hash[KEY_HASH_BYTES]; /* of the key */
	const char *address;
	int64_t expires_at_us; /* of the key; 0 = never */
	uint64_t generation; /* of the catalog that knew him */
	bool shown; /* a certificate, of this fingerprint */
	uint8_t fingerprint[FINGERPRINT_BYTES];
};

#endif
