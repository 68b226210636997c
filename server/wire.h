/* Chooses the store behind each interface, and builds and takes apart the parts of bursard in order. */
#ifndef BURSAR_WIRE_H
#define BURSAR_WIRE_H

#include <stdbool.h>
#include <uv.h>

#include "base/buf.h"
#include "base/conf/conf.h"
#include "base/err.h"

struct wire;

/*
 * Connects to the stores and starts the roles in the background that this process has. Redis and PostgreSQL need not be reachable
 * yet, but if they are, they must be usable: ERR_PRECONDITION if Redis may evict keys or is a cluster, or if the schema
 * has another version. NULL with `err` set on failure. `workers` is the number of gRPC workers. `conf` must outlive the
 * wire.
 */
struct wire *wire_start(const struct conf *conf, unsigned workers, struct err *err);

/* Call after the gRPC server has stopped. Finishes what the roles in the background have in flight. NULL is fine. */
void wire_stop(struct wire *wire);

/*
 * For rpc_options, with the wire as `arg`: opens what a worker of the gRPC server owns. Returns its handlers' context,
 * a struct worker, which is what wire_worker_close takes.
 */
void *wire_worker_open(uv_loop_t *loop, unsigned index, void *arg);
void wire_worker_close(void *arg);

/* For http_probe, with the wire as `arg`. Any thread may call them; they return the last known state without asking. */
bool wire_probe_redis(struct buf *reason, void *arg);
bool wire_probe_postgres(struct buf *reason, void *arg);
/* True if both are healthy: what grpc.health.v1 reports for every service. */
bool wire_ready(void *arg);

/* Checks whether the system has replaced its time zones. Call it periodically, from one thread only. */
void wire_look(void);

#endif
