/* What the files of this folder share. */
#ifndef BURSAR_RPC_TLS_PRIVATE_H
#define BURSAR_RPC_TLS_PRIVATE_H

#include <openssl/ssl.h>

#include "base/buf.h"
#include "rpc/tls/tls.h"

/* What a session keeps of its client's certificate. */
struct tls_peer {
	struct buf names; /* each with its NUL */
	struct buf pem; /* empty: the client has presented none */
};

/* A session of OpenSSL with the newest usable certificate, in a handshake as a server. */
SSL *tls_server_begin(struct tls_server *server) __attribute__((returns_nonnull));

void tls_peer_read(const X509 *certificate, struct tls_peer *peer);
void tls_peer_release(struct tls_peer *peer);

/* Why OpenSSL's last call on this thread failed. Static storage. */
const char *tls_reason(void) __attribute__((returns_nonnull));

#endif
