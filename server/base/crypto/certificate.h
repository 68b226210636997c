/* When a certificate counts. */
#ifndef BURSAR_BASE_CRYPTO_CERTIFICATE_H
#define BURSAR_BASE_CRYPTO_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

struct certificate_term {
	int64_t begins_us, ends_us; /* microseconds since 1970 */
};

/* Of the first certificate of the PEM file; false, and all 0, when there is none to read. Blocks on the file. */
bool certificate_term(const char *path, struct certificate_term *out);

#endif
