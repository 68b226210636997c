/* A certificate's period of validity. */
#ifndef BURSAR_BASE_CRYPTO_CERTIFICATE_H
#define BURSAR_BASE_CRYPTO_CERTIFICATE_H

#include <stdbool.h>
#include <stdint.h>

struct certificate_term {
	int64_t begins_us, ends_us; /* microseconds since 1970 */
};

/* The period of the first certificate in the PEM file; false, and all 0, when none can be read. Blocks on file I/O. */
bool certificate_term(const char *path, struct certificate_term *out);

#endif
