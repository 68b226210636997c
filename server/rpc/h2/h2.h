/*
 * HTTP/2 on the workers' own loops, by nghttp2: a transport of gRPC calls (rpc/transport.h) without threads of its own.
 * A worker reads its connections, runs handlers and writes, once per turn of its loop and connection, all that they
 * answered.
 */
#ifndef BURSAR_RPC_H2_H2_H
#define BURSAR_RPC_H2_H2_H

#include "rpc/transport.h"

extern const struct rpc_transport h2_transport;

#endif
