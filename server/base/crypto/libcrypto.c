/* No cleanup at exit: the system reclaims all memory anyway. */
#include "base/crypto/libcrypto.h"

#include <openssl/crypto.h>

void libcrypto_outlive_threads(void)
{
	/* The first initialisation wins. It fails only when memory runs out, which the next allocation will report. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}
