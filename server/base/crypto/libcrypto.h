/* Keeps OpenSSL alive in a process whose libraries use it from their own threads. */
#ifndef BURSAR_BASE_CRYPTO_LIBCRYPTO_H
#define BURSAR_BASE_CRYPTO_LIBCRYPTO_H

/*
 * Call it first in main: OpenSSL then stays initialised when the process exits. gRPC's threads keep connecting after
 * grpc_shutdown_blocking; one that starts a TLS handshake meanwhile would crash on freed state, or leak its own.
 */
void libcrypto_outlive_threads(void);

#endif
