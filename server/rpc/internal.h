/* Private to server/rpc: what its files share. */
#ifndef BURSAR_RPC_INTERNAL_H
#define BURSAR_RPC_INTERNAL_H

#include <grpc/byte_buffer.h>
#include <grpc/grpc.h>
#include <grpc/slice.h>
#include <grpc/support/time.h>
#include <pthread.h>
#include <stdatomic.h>
#include <uv.h>

#include "base/list.h"
#include "rpc/carrier.h"
#include "rpc/listen/listening.h"
#include "rpc/server.h"

/* gRPC core's call and its batches, each with its own tag; `waiting` counts the tags that have not come back. */
struct core_call {
	struct call call;
	struct list unsent; /* in a list of the worker's while gRPC has an answer or message that it has not sent yet */
	struct list stripped; /* in worker->answered while everything but the answer awaits being freed */
	int64_t unsent_since_us;
	size_t unsent_bytes;
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

static inline struct core_call *core_of(const struct call *call)
{
	return container_of((struct call *)(uintptr_t)call, struct core_call, call);
}

struct rpc_worker {
	struct rpc_server *server;
	unsigned index;
	grpc_completion_queue *queue;
	pthread_t queue_thread;
	pthread_t loop_thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_prepare_t before_wait;
	uv_timer_t recheck; /* active while streams are open */
	/* The loop thread writes these three; the stopping thread reads them. */
	atomic_size_t streams; /* open ones */
	atomic_bool refusing; /* handlers receive no more calls */
	atomic_size_t running; /* calls that handlers received before `refusing` and that are not released yet */
	uv_check_t after_wait;
	atomic_bool awake; /* the loop will check the inbox before it waits again, so it needs no wake-up */
	struct inbox inbox;
	struct list active;
	struct list unsent_small, unsent_large; /* calls, longest-waiting first */
	size_t unsent_bytes; /* sum over unsent_large */
	uv_timer_t unsent_tick;
	struct list answered;
	atomic_size_t active_count; /* written by the loop thread; the stopping thread reads it */
	size_t posted; /* slots waiting for a call */
	unsigned char *slots; /* by method: how many of them are for it */
	struct core_call *unused;
	size_t unused_count;
	struct arena_spare spare; /* of the calls' arenas */
	void *ctx;
	bool draining;
	bool closing;
	bool queue_shut;
	struct tag drain;
	struct tag refuse;
	struct tag close;
	struct tag queue_ended;
};

struct rpc_server {
	struct rpc_options options;
	grpc_server *grpc;
	struct tls_files *tls_files;
	int port;
	struct method *methods; /* those in the tables, then the one for unknown methods */
	const struct method **sorted; /* the methods by path */
	size_t method_count;
	struct rpc_worker *workers;
	grpc_completion_queue *shutdown_queue;
	struct listening listening; /* the sockets that gRPC opened */
};

/*
 * The most slots per method: how many of its calls can arrive during one loop turn without waiting inside gRPC. Each
 * method begins with one, and each of its calls adds one, because gRPC searches all that is posted whenever anything
 * completes (unless built with NDEBUG, which Debian's is not): slots of methods that nobody calls cost every call.
 */
enum { RPC_SLOTS = 16 };

/* Closes all connections, then shuts gRPC down and waits for it. Handlers must end any calls that still run. */
void server_shut_grpc(struct rpc_server *server);

/* The last step, when no thread is left. */
void server_free(struct rpc_server *server);

/* Sets up the loop and starts both threads. */
void worker_start(struct rpc_worker *worker);

/* Posts a slot for the method, in which its next call arrives. */
void worker_post(struct rpc_worker *worker, const struct method *method);

/* Counts the open streams; while there are any, still_admitted runs periodically for each. */
void worker_stream_opened(struct rpc_worker *worker);
void worker_stream_ended(struct rpc_worker *worker);

/* unsent_begin(): gRPC receives an answer or message of that size. unsent_done(): gRPC has sent or dropped it. */
void unsent_start(struct rpc_worker *worker);
void unsent_begin(struct core_call *core, size_t bytes);
void unsent_done(struct core_call *core);

/* Frees the request and arena of an answered call, which it no longer needs, however long its answer waits. */
void unsent_strip_later(struct core_call *core);
void unsent_strip(struct rpc_worker *worker);

/* Frees the calls of the free list. */
void core_free_unused(struct rpc_worker *worker);

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
