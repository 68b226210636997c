/* No clean-up at exit: the system takes all memory back anyhow. */
#include "base/crypto/libcrypto.h"

#include <openssl/crypto.h>

void libcrypto_outlive_threads(void)
{
	/* The first initialisation counts. It can fail for lack of memory alone, of which whatever comes next complains. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}
