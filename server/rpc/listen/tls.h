/* gRPC core's TLS: certificates come from files, which are checked for changes at every handshake. */
#ifndef BURSAR_RPC_LISTEN_TLS_H
#define BURSAR_RPC_LISTEN_TLS_H

#include <grpc/grpc_security.h>

#include "base/err.h"
#include "rpc/tls/pem.h"

struct tls_files;

/*
 * Returns the credentials of a port, which the caller releases; sets `files`, to be freed after the server.
 * ERR_INVALID.
 */
grpc_server_credentials *tls_credentials(const struct rpc_tls *tls, struct tls_files **files, struct err *err)
	__attribute__((warn_unused_result));
void tls_files_free(struct tls_files *files);

#endif
