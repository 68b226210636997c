/*
 * Sessions of the dashboard. Nothing is stored about one: its text names a key and an end, signed by the bursard that
 * made it, so every bursard that knows the signer's public key can tell whether it is genuine. Whether its key still
 * works is for the caller to find out.
 */
#ifndef BURSAR_SERVICE_CACHE_SESSIONS_H
#define BURSAR_SERVICE_CACHE_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/crypto/signer.h"
#include "store/catalog.h"

struct session {
	int64_t key; /* api_key.id */
	int64_t issued_at_us, expires_at_us;
};

/* "bss_" (so that secret scanners find leaked sessions) and 105 bytes in base64url, and the terminating NUL. */
#define SESSION_TEXT_SIZE 145
void session_make(const struct session *session, const struct signer *signer, char out[SESSION_TEXT_SIZE]);

/* False unless the text is one that session_make() has written, by a signer of the catalog. */
bool session_read(const char *text, size_t len, const struct catalog *catalog, struct session *out);

#endif
