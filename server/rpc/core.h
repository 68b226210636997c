/* Private to server/rpc: gRPC core as the transport of a server, and as the carrier of its calls. */
#ifndef BURSAR_RPC_CORE_H
#define BURSAR_RPC_CORE_H

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>

#include "rpc/internal.h"
#include "rpc/listen/listening.h"

/* A call and its batches, each with its own tag; `waiting` counts the tags that have not come back. */
struct core_call {
	struct call call;
	struct core_call *next_free;

	/* Filled by gRPC when the call arrives. */
	grpc_call *grpc;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_byte_buffer *payload; /* the request; of RPC_STREAMS the message that was read last */
	grpc_call_details details; /* unknown methods only */

	struct tag arrived;
	struct tag closed;
	struct tag wrote;
	struct tag ended;
	struct tag read;
	unsigned waiting;

	grpc_slice request; /* what `payload` holds, made contiguous */
	grpc_slice room;
	grpc_byte_buffer *sending;
	grpc_slice status_text;
	grpc_metadata trailer;
	grpc_byte_buffer *received; /* gRPC's while a read is in flight */
	bool headers_sent;
	bool with_trailer;
};

/* A worker, with a second thread that waits for gRPC (core_queue.c). */
struct core_worker {
	struct rpc_worker worker;
	grpc_completion_queue *queue;
	pthread_t queue_thread;
	struct tag queue_ended;
	size_t posted; /* slots waiting for a call */
	unsigned char *slots; /* by method: how many of them are for it */
	struct core_call *unused;
	size_t unused_count;
};

struct core_server {
	struct rpc_server server;
	grpc_server *grpc;
	void **registered; /* by method: what gRPC knows it by; NULL for that of unknown methods */
	struct tls_files *tls_files;
	grpc_completion_queue *shutdown_queue;
	struct listening listening; /* the sockets that gRPC opened */
};

static inline struct core_call *core_of(const struct call *call)
{
	return container_of((struct call *)(uintptr_t)call, struct core_call, call);
}

static inline struct core_worker *core_worker_of(const struct rpc_worker *worker)
{
	return container_of((struct rpc_worker *)(uintptr_t)worker, struct core_worker, worker);
}

static inline struct core_server *core_server_of(const struct rpc_server *server)
{
	return container_of((struct rpc_server *)(uintptr_t)server, struct core_server, server);
}

/*
 * The most slots per method: how many of its calls can arrive during one loop turn without waiting inside gRPC. Each
 * method begins with one, and each of its calls adds one, because gRPC searches all that is posted whenever anything
 * completes (unless built with NDEBUG, which Debian's is not): slots of methods that nobody calls cost every call.
 */
enum { RPC_SLOTS = 16 };

/* Posts a slot for the method, in which its next call arrives. */
void core_post(struct core_worker *worker, const struct method *method);
/* Frees the calls of the free list. */
void core_free_unused(struct core_worker *worker);

/* The queue of a worker and its thread (core_queue.c). Of struct rpc_transport: its functions about workers. */
void core_worker_open(struct rpc_worker *worker);
bool core_worker_idle(const struct rpc_worker *worker);
void core_worker_close(struct rpc_worker *worker);
void core_worker_release(struct rpc_worker *worker);

/* Of struct carrier. The first one makes the request contiguous. */
void core_join_request(struct call *call);
const uint8_t *core_request(const struct call *call, size_t *len);
void core_forget_request(struct call *call);
const char *core_peer(struct call *call);
bool core_metadata(const struct call *call, const char *name, const char **value, size_t *len);
bool core_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg);
const char *core_certificate(struct call *call);
int64_t core_deadline_us(const struct call *call);

#endif
