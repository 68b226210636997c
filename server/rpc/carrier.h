/*
 * Private to server/rpc: a call without its carrier, and what a carrier does for it. gRPC core is one carrier
 * (core_call.c), HTTP/1.1 another (rpc/http). Handlers see neither.
 */
#ifndef BURSAR_RPC_CARRIER_H
#define BURSAR_RPC_CARRIER_H

#include <uv.h>

#include "base/list.h"
#include "base/observe/trace.h"
#include "rpc/call.h"
#include "rpc/inbox.h"

struct rpc_server;
struct rpc_worker;
struct shared_message;

/* A method of the server. */
struct method {
	const struct rpc_method *row; /* without a handler for the one that receives the calls of all unknown methods */
	unsigned metric;
};

/* The functions of rpc/call.h that depend on the carrier. All run on the loop thread. */
struct carrier {
	/* "POST /v1/check" of a call over HTTP, without what its caller put into the path. NULL: the carrier is gRPC */
	const char *(*route)(struct call *call);
	void (*admitted)(struct call *call); /* the request will be read now. NULL: nothing to do */
	const uint8_t *(*request)(const struct call *call, size_t *len);
	void (*forget_request)(struct call *call);
	const char *(*peer)(struct call *call);
	bool (*metadata)(const struct call *call, const char *name, const char **value, size_t *len);
	const char *(*session)(const struct call *call); /* NULL: no call has one */
	bool (*needs_proof)(const struct call *call); /* NULL: none does */
	bool (*certificate_names)(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg);
	const char *(*certificate)(struct call *call);
	int64_t (*deadline_us)(const struct call *call);
	void (*watch)(struct call *call); /* from now on, call_left() runs when the caller leaves */
	uint8_t *(*room)(struct call *call, size_t n);
	/* Takes a message that other calls send too, instead of filling a room. NULL: it is copied into the room. */
	void (*share)(struct call *call, struct shared_message *shared);
	void (*write)(struct call *call); /* sends the room; call_wrote() runs once that is done */
	void (*explain)(struct call *call, const struct err *err); /* comes before an end with an error */
	void (*end)(struct call *call); /* ends the call with its `status`, and with the room if `with_message` */
	void (*read)(struct call *call); /* gets the next message, for call_got(). NULL: RPC_STREAMS are not served */
	/*
	 * Ends the call with RESOURCE_EXHAUSTED instead of what it was given to send. To a stream's handler, its caller
	 * leaves. NULL: the carrier does not use unsent_begin().
	 */
	void (*drop)(struct call *call, const char *why);
};

struct call {
	const struct carrier *carrier;
	struct rpc_worker *worker;
	const struct method *method;
	struct list link; /* in the worker's `active` from arrival to release */
	struct list unsent; /* in a list of the worker's while the carrier has something to send; see unsent_begin() */
	int64_t unsent_since_us;
	size_t unsent_bytes;
	struct list stripped; /* in worker->answered; see unsent_strip_later() */
	struct arena arena;
	int64_t arrived_us;
	struct trace *trace; /* NULL: none is kept */
	struct caller *caller; /* NULL until `admit` sets it */
	const struct err *expelled; /* overrides how the handler ends the stream; NULL normally */
	int status;
	int cancelled; /* the call ended before its status was sent; written by the carrier */
	bool answered;
	bool writing;
	bool with_message; /* the end of the call sends the room */
	bool awaited; /* counted in worker->running: the stopping server waits for it */
	bool watched; /* the carrier watches whether the caller leaves */

	void (*on_cancel)(struct call *call, void *ctx);
	void *cancel_ctx;
	void (*on_drain)(struct call *call, void *ctx);
	void *drain_ctx;
	void (*on_ended)(bool unread, void *ctx);
	void *ended_ctx;
	size_t ended_bytes; /* see call_on_ended() */
	void (*written)(struct call *call, bool ok, void *ctx);
	void *written_ctx;
	void (*got)(struct call *call, const uint8_t *bytes, size_t n, void *ctx);
	void *got_ctx;
};

/* An arrived call joins its worker: it counts, and a drain or a stop sees it. */
void call_begin(struct call *call);
/* Hands a call that has begun to its method's handler, or refuses it. `whole`: its request has arrived completely. */
void call_dispatch(struct call *call, bool whole);
/* The caller has left, or their deadline has passed, before the call's end. Notifies the handler once. */
void call_left(struct call *call);
/* What carrier->write sent has been taken (`ok`), or never will be. Continues with the end of a call that has one. */
void call_wrote(struct call *call, bool ok);
/* What carrier->read has got, valid until the next read; NULL: there is no more. */
void call_got(struct call *call, const uint8_t *bytes, size_t n);
/* An answered call leaves its worker. The carrier frees it next, and then calls worker_try_shut. */
void call_finish(struct call *call);

/*
 * For carriers that use the worker's bounds on what callers do not take (unsent.c). unsent_begin(): the carrier received
 * an answer or message of that size. unsent_done(): it has sent or dropped it. The call's two links must be initialised.
 */
void unsent_begin(struct call *call, size_t bytes);
void unsent_done(struct call *call);
/* Frees the request and arena of an answered call, which it no longer needs, however long its answer waits. */
void unsent_strip_later(struct call *call);

/* Passes a tag to the worker's loop. Any thread may call it. */
void worker_hand_over(struct rpc_worker *worker, struct tag *tag);
/* The worker's loop. */
uv_loop_t *worker_loop(struct rpc_worker *worker);
/* Spare arena chunks of the worker's calls. For the loop thread. */
struct arena_spare *worker_spare(struct rpc_worker *worker);
/* Ends the worker if it is closing and has no calls left. */
void worker_try_shut(struct rpc_worker *worker);

#endif
