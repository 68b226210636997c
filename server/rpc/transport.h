/*
 * Private to server/rpc: what brings a server's calls, from its sockets to call_dispatch(). gRPC core is one transport
 * (core_server.c), HTTP/2 on the workers' own loops another (rpc/h2).
 */
#ifndef BURSAR_RPC_TRANSPORT_H
#define BURSAR_RPC_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct rpc_server;
struct rpc_worker;

struct rpc_transport {
	/* The sizes of its own structs, whose first members are a struct rpc_server and a struct rpc_worker. */
	size_t server_size, worker_size;
	/* Listens, and sets server->port. False with `err` set; release() follows in either case. */
	bool (*start)(struct rpc_server *server, struct err *err);
	/* From now on, calls may arrive. This and what begins with worker_ runs on the worker's thread. */
	void (*worker_open)(struct rpc_worker *worker);
	/* No new connections; the existing ones are unaffected. */
	void (*stop_listening)(struct rpc_server *server);
	/*
	 * Asks the callers to make further calls elsewhere, and returns how many connections have not heard of it yet: call
	 * it until that is 0, or for as long as there is time. NULL: callers cannot be asked.
	 */
	size_t (*farewell)(struct rpc_server *server);
	/* Ends all connections. Calls that are not answered end with UNAVAILABLE; their handlers must still answer. */
	void (*shut)(struct rpc_server *server);
	/* Whether the worker can close. Whenever this may have become true, worker_try_shut() is called. */
	bool (*worker_idle)(const struct rpc_worker *worker);
	/* Closes what belongs to the worker, and calls worker_closed(), now or later. */
	void (*worker_close)(struct rpc_worker *worker);
	/* The last step of the worker's thread. */
	void (*worker_release)(struct rpc_worker *worker);
	/* Frees what start() made, however far it came. No thread is left. */
	void (*release)(struct rpc_server *server);
};

/* gRPC core. */
extern const struct rpc_transport core_transport;

#endif
