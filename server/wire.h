/* Which store stands behind which interface: the parts of bursard, put together and taken apart in order. */
#ifndef BURSAR_WIRE_H
#define BURSAR_WIRE_H

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/conf/conf.h"
#include "base/err.h"

struct wire;

/*
 * Connects to the stores and starts the ledger role if this process has it. Redis and PostgreSQL need not be there yet,
 * but what is there must be usable: ERR_PRECONDITION for a Redis that may evict or is a cluster, a schema of
 * another version. NULL with
 * `err` set then. `conf` and `workers` (of the gRPC server) are for the life of the wire.
 */
struct wire *wire_start(const struct conf *conf, unsigned workers, struct err *err);

/* After the gRPC server has stopped. Acknowledges what the ledger role has under way. NULL is fine. */
void wire_stop(struct wire *wire);

/* For rpc_options, opened with the wire as `arg`: what a worker of the gRPC server owns; it answers the context of its
 * handlers, a struct worker, with which it is closed. */
void *wire_worker_open(uv_loop_t *loop, unsigned index, void *arg);
void wire_worker_close(void *arg);

/* For http_probe, with the wire as `arg`: any thread; they know, they do not ask. */
bool wire_probe_redis(struct buf *reason, void *arg);
bool wire_probe_postgres(struct buf *reason, void *arg);
/* Both: what grpc.health.v1 says of every service. */
bool wire_ready(void *arg);

/* From time to time, by one thread: whether the system has replaced its time zones. */
void wire_look(void);

#endif
