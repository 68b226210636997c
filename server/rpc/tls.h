/* TLS at the gRPC port: certificates from files, which are looked at again with every handshake. */
#ifndef BURSAR_RPC_TLS_H
#define BURSAR_RPC_TLS_H

#include <grpc/grpc_security.h>

#include "base/err.h"

/* PEM files. All borrowed, as long as the server lives. */
struct rpc_tls {
	const char *cert, *key; /* the chain, the server's own certificate first, and its key; NULL or "": no TLS */
	const char *client_ca; /* who signs callers' certificates; NULL or "": none is asked for */
	bool client_required; /* a caller without one is not let in; else he needs an API key */
};

struct tls_files;

/* The credentials of a port (release them), and what they read from, in `files` (free it after the server). ERR_INVALID. */
grpc_server_credentials *tls_credentials(const struct rpc_tls *tls, struct tls_files **files, struct err *err)
	__attribute__((warn_unused_result));
void tls_files_free(struct tls_files *files);

#endif
