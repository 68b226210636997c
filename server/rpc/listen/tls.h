/* TLS on the gRPC port: certificates come from files, which are checked for changes at every handshake. */
#ifndef BURSAR_RPC_LISTEN_TLS_H
#define BURSAR_RPC_LISTEN_TLS_H

#include <grpc/grpc_security.h>

#include "base/err.h"

/* PEM files. The strings are borrowed as long as the server lives. */
struct rpc_tls {
	const char *cert,
		*key; /* the chain, with the server's own certificate first, and its key; NULL or "": no TLS */
	const char *client_ca; /* the CA of callers' certificates; NULL or "": callers are not asked for one */
	bool client_required; /* callers without a certificate are refused; otherwise they need an API key */
};

struct tls_files;

/*
 * Returns the credentials of a port, which the caller releases; sets `files`, to be freed after the server.
 * ERR_INVALID.
 */
grpc_server_credentials *tls_credentials(const struct rpc_tls *tls, struct tls_files **files, struct err *err)
	__attribute__((warn_unused_result));
void tls_files_free(struct tls_files *files);

#endif
