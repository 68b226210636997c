/* Shared by the files of this folder, and by handlers that answer who is calling. */
#ifndef BURSAR_API_AUTH_PRIVATE_H
#define BURSAR_API_AUTH_PRIVATE_H

#include "api/auth/auth.h"
#include "api/auth/revoked.h"
#include "service/worker/worker.h"

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
	int64_t session_ends_us; /* BY_KEY: shown by a session of the dashboard; 0 = by the key itself */
	uint64_t generation; /* of the catalog that was last asked */
	bool shown; /* a certificate, with this fingerprint */
	uint8_t fingerprint[FINGERPRINT_BYTES];
};

extern const char key_expired[], session_expired[];

/* Whether a caller at the address may use the key (NULL: there is none); if not, `why` says so. */
bool key_works(const struct api_key *key, const char *address, const char **why);
/* The caller is as by that key. */
void caller_by_key(struct call *call, struct worker *worker, const struct api_key *key, struct caller *caller);

/* Identifies a caller by the session that they showed. */
bool auth_by_session(struct call *call, struct worker *worker, struct snapshot *snapshot, const char *text,
	struct caller *caller, struct err *err) __attribute__((warn_unused_result));

/* False with ERR_UNAUTHENTICATED: somebody who did not try to guess anything. */
bool auth_refuse_quietly(const char *why, struct err *err);

#endif
