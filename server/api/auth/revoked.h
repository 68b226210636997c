/* Revoked certificates: a file of fingerprints that is reread every second. */
#ifndef BURSAR_API_AUTH_REVOKED_H
#define BURSAR_API_AUTH_REVOKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define FINGERPRINT_BYTES 32
#define REVOKED_MAX 1024

/*
 * Whether the fingerprint is in the file. The file has one SHA-256 fingerprint per line, with or without colons, as
 * printed by `openssl x509 -fingerprint -sha256`; text up to '=' is skipped, as are empty lines and lines that begin
 * with #. An unusable file revokes every certificate: refusing everyone is safer than admitting a revoked one.
 */
bool revoked_has(const char *path, const uint8_t fingerprint[FINGERPRINT_BYTES]);

/* Whether the file is usable. ERR_INVALID names the option tls_revoked and the line. */
bool revoked_check(const char *path, struct err *err);

#endif
