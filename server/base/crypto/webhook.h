/* Signatures of webhooks as Standard Webhooks has them (https://www.standardwebhooks.com): HMAC-SHA256 under secrets "whsec_...". */
#ifndef BURSAR_BASE_CRYPTO_WEBHOOK_H
#define BURSAR_BASE_CRYPTO_WEBHOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	WEBHOOK_KEY_MIN = 24, /* bytes */
	WEBHOOK_KEY_MAX = 64,
	WEBHOOK_SECRET_SIZE = 56, /* of a text that webhook_secret_make makes, with its NUL */
};

/* Is it "whsec_" and the base64 (standard alphabet, padded) of 24 to 64 bytes? */
bool webhook_secret_valid(const char *secret);
/* A new one of 32 random bytes. */
void webhook_secret_make(char out[WEBHOOK_SECRET_SIZE]);

/*
 * Appends the value of the header webhook-signature: "v1,<base64>" of each of the secrets, separated by spaces. A receiver accepts the
 * message if one of them is right. Invalid secrets are left out.
 */
void webhook_sign(const char *const secrets[], int count, const char *message_id, int64_t timestamp_s, const char *body,
	size_t body_len, struct buf *out);

#endif
