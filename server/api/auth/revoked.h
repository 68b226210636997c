/* Certificates that were revoked: a file of fingerprints, looked at again every second. */
#ifndef BURSAR_API_AUTH_REVOKED_H
#define BURSAR_API_AUTH_REVOKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FINGERPRINT_BYTES 32
#define REVOKED_MAX 1024

/*
 * The file has a SHA-256 fingerprint a line, with or without colons, as `openssl x509 -fingerprint -sha256` shows it; text before '=' is
 * not looked at, lines that are empty or begin with # are no fingerprints. A file that cannot be used revokes everything: better
 * nobody than somebody who should not be here.
 */
bool revoked_has(const char *path, const uint8_t fingerprint[FINGERPRINT_BYTES]);

/* Can the file be used? ERR_INVALID names the option tls_revoked and the line. */
bool revoked_check(const char *path, struct err *err);

#endif
