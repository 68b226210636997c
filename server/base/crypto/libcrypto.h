/* OpenSSL's life in a process whose libraries use it from threads of their own. */
#ifndef BURSAR_BASE_CRYPTO_LIBCRYPTO_H
#define BURSAR_BASE_CRYPTO_LIBCRYPTO_H

/*
 * First of all in main: OpenSSL is not taken down when the process exits. gRPC's threads go on connecting after grpc_shutdown_blocking; one
 * that begins a TLS handshake meanwhile would crash on what is freed, or leave its own state of OpenSSL behind as a leak.
 */
void libcrypto_outlive_threads(void);

#endif
