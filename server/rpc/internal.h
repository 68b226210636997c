/* What call.c, worker.c and server.c share, and nobody else includes. */
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
#include "rpc/call.h"
#include "rpc/inbox.h"
#include "rpc/listening.h"
#include "rpc/server.h"

/* A method as the server knows it; the last one, without `registered`, takes the calls of all unknown methods. */
struct method {
	const struct rpc_method *row;
	void *registered;
	unsigned metric;
};

/* The batches of one call, each with its own tag; `waiting` counts those that have not come back. */
struct call {
	struct rpc_worker *worker;
	const struct method *method;
	struct list link; /* in worker->active from arrival to release */
	struct list unsent; /* in one of the worker's, from the giving of an answer or message until gRPC has sent it */
	struct list stripped; /* in worker->answered: to be stripped of all but the answer */
	int64_t unsent_since_us;
	size_t unsent_bytes;
	struct call *next_free;

	/* Filled by gRPC when the call arrives. */
	grpc_call *grpc;
	gpr_timespec deadline;
	grpc_metadata_array metadata;
	grpc_byte_buffer *payload;
	grpc_call_details details; /* unknown methods only */

	struct tag arrived;
	struct tag closed;
	struct tag wrote;
	struct tag ended;
	struct tag read;
	unsigned waiting;

	struct arena arena;
	grpc_slice request; /* what `payload` holds, made contiguous */
	int64_t arrived_us;
	struct caller *caller; /* NULL: not asked for */
	const struct err *expelled; /* what the stream ends with, whatever its handler says; NULL: that counts */

	grpc_slice room;
	grpc_byte_buffer *sending;
	grpc_slice status_text;
	grpc_metadata trailer;
	int status;
	int cancelled; /* written by gRPC by the end of the call: it ended before its status was sent */

	bool headers_sent;
	bool watched; /* RECV_CLOSE_ON_SERVER is under way or done */
	bool writing;
	bool with_message; /* the end carries `room` */
	bool with_trailer;
	bool answered;
	bool awaited; /* by the stop of the server: counted as running */

	void (*on_cancel)(struct call *call, void *ctx);
	void *cancel_ctx;
	void (*on_drain)(struct call *call, void *ctx);
	void *drain_ctx;
	void (*on_ended)(bool unread, void *ctx);
	void *ended_ctx;
	size_t ended_bytes; /* of that */
	void (*written)(struct call *call, bool ok, void *ctx);
	void *written_ctx;
	bool reading;
	grpc_byte_buffer *received;
	void (*got)(struct call *call, const uint8_t *bytes, size_t n, void *ctx);
	void *got_ctx;
};

struct rpc_worker {
	struct rpc_server *server;
	unsigned index;
	grpc_completion_queue *queue;
	pthread_t queue_thread;
	pthread_t loop_thread;
	uv_loop_t loop;
	uv_async_t wake;
	uv_prepare_t before_wait;
	uv_timer_t recheck; /* runs while streams are open */
	atomic_size_t streams; /* open; written by the loop thread, as the next two: the stopping thread reads them */
	atomic_bool refusing; /* handlers are given no more calls */
	atomic_size_t running; /* those that they were given before, and that have not gone yet */
	uv_check_t after_wait;
	atomic_bool awake; /* the loop looks into the inbox before it waits again: it needs no system call to wake it */
	struct inbox inbox;
	struct list active;
	struct list unsent_small, unsent_large; /* calls, the longest waiting first */
	size_t unsent_bytes; /* of the large ones */
	uv_timer_t unsent_tick;
	struct list answered;
	atomic_size_t active_count; /* written by the loop thread; the stopping thread reads it */
	size_t posted; /* slots that wait for a call */
	struct call *pool;
	size_t pool_count;
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
	struct method *methods; /* those of the tables, then the unknown one */
	size_t method_count;
	struct rpc_worker *workers;
	grpc_completion_queue *shutdown_queue;
	struct listening listening; /* the sockets that gRPC has opened */
};

/* Slots posted for each method: as many calls can arrive between two turns of the loop without waiting in gRPC. */
enum { RPC_SLOTS = 16 };

/* Closes all connections, then shuts gRPC down and waits for it: no call may be running that its handler does not end by itself. */
void server_shut_grpc(struct rpc_server *server);

/* The last of all, when no thread is left. */
void server_free(struct rpc_server *server);

/* From a finished tag to the loop; any thread. */
void worker_hand_over(struct rpc_worker *worker, struct tag *tag);

/* Sets up the loop and starts both threads. */
void worker_start(struct rpc_worker *worker);

/* Posts a slot for the method: the next call of it arrives as a struct call of its own. */
void worker_post(struct rpc_worker *worker, const struct method *method);

/* Puts a call back onto the free list. */
void worker_give_call(struct rpc_worker *worker, struct call *call);

/* Counts the streams that are open: their callers are asked for again and again. */
void worker_stream_opened(struct rpc_worker *worker);
void worker_stream_ended(struct rpc_worker *worker);

/* An answer or message of so many bytes is given to gRPC; gRPC has sent it, or given it up. */
void unsent_start(struct rpc_worker *worker);
void unsent_begin(struct call *call, size_t bytes);
void unsent_done(struct call *call);

/* An answered call needs neither request nor arena any more, however long its answer waits. */
void unsent_strip_later(struct call *call);
void unsent_strip(struct rpc_worker *worker);

/* Shuts the queue down as soon as the worker is closing, has no call left and no slot posted. */
void worker_try_shut(struct rpc_worker *worker);

/* Gives gRPC something to do for the call, which is not released before the tag has come back. */
void call_start_batch(struct call *call, const grpc_op *ops, size_t count, struct tag *tag);

/* Gives the call back when it was answered and nothing of it is under way. */
void call_release(struct call *call);

/* Makes call->request of call->payload. */
void call_join_request(struct call *call);

/* Resets the call's fields for a new arrival, and frees what it holds for good. */
void call_prepare(struct call *call, struct rpc_worker *worker, const struct method *method);
void call_free(struct call *call);

#endif
