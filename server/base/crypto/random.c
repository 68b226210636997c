/* Random ids. */
#include "base/crypto/random.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

void random_id(char out[33])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[16];

	/* Up to 256 bytes come in one piece once the kernel's pool is ready, long before any daemon starts. */
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		abort();
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[32] = '\0';
}
