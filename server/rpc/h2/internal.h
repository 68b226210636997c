/* Private to rpc/h2: what its files share. */
#ifndef BURSAR_RPC_H2_INTERNAL_H
#define BURSAR_RPC_H2_INTERNAL_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "rpc/internal.h"
#include "rpc/tls/tls.h"

/* docs/security.md has these numbers. */
enum {
	H2_STREAMS_MAX = 1000, /* open ones of a connection; and as many calls that run on after theirs was reset */
	H2_STREAM_WINDOW = 256 << 10,
	H2_CONNECTION_WINDOW = 4 << 20,
	H2_METADATA_MAX = 8 << 10, /* of a call, counted as HPACK does: 32 bytes for each entry */
	H2_METADATA_CUT = 64 << 10, /* the stream is reset without an answer */
	H2_CALL_BYTES = 16 << 10, /* what a call counts for until it has begun, with its metadata */
	H2_CONNECTIONS_MAX = 10000, /* per worker; further ones wait in the kernel */
	H2_ADDRESSES_MAX = 8, /* that the name to listen on may have */
	H2_READ_BYTES = 64 << 10, /* at most, from a connection in one turn */
	H2_GATHER_BYTES = 64 << 10, /* frames that are written at once, and that wait for a caller who does not read */
	H2_HANDSHAKES_A_TURN = 4, /* steps of TLS handshakes; further ones wait, so that calls do not wait for them */
	H2_PREFIX = 5, /* in front of each message */
};

struct h2_listener {
	int fd;
	uv_poll_t poll;
	struct h2_server *server;
};

struct h2_server {
	struct rpc_server server;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	struct tls_server *tls; /* NULL: connections are not encrypted */
	/* The first worker accepts connections for all. */
	struct h2_listener listeners[H2_ADDRESSES_MAX];
	size_t listener_count;
	uv_timer_t pause; /* active while no connection is accepted, because there are too many or no file is left */
	unsigned next_worker;
	char *unix_path; /* NULL: the server listens on TCP */
	atomic_size_t connections;
	struct tag stop_listening;
	atomic_bool listening;
	bool farewell; /* of the stopping thread: the callers are being asked to leave */
	size_t arriving_max; /* bytes of requests that a worker holds */
};

struct h2_worker {
	struct rpc_worker worker;
	struct list connections;
	atomic_size_t connection_count; /* with those that are being handed over by the thread that accepted them */
	struct list dirty; /* connections that may have something to send */
	struct list due; /* calls with something to tell their handlers; see h2_due() */
	uv_prepare_t flush;
	uv_idle_t again; /* active while there is something in `dirty` or `due`, so that the loop does not wait */
	uv_timer_t tick; /* active while there are connections; see guard.c */
	uv_timer_t deadline;
	int64_t deadline_us; /* when it fires; INT64_MAX: not at all */
	struct list timed; /* calls with a deadline */
	struct buf frames; /* what nghttp2 packs during a flush */
	struct buf plain, encrypted; /* what TLS makes of bytes that came, and of bytes to send */
	unsigned handshakes; /* since the last flush */
	uint8_t *received;
	size_t arriving_bytes; /* of requests of all connections */
	struct h2_call *unused;
	size_t unused_count;
	struct tag farewell;
	struct tag shut;
	/* Connections whose callers may not have heard of the farewell; SIZE_MAX until it begins. */
	atomic_size_t uninformed;
	bool shutting;
};

enum h2_parting { H2_STAYING, H2_ASKED_TO_LEAVE, H2_LEAVING };

/* Where in a frame the bytes that come next belong (frames.c). */
struct h2_scan {
	uint8_t head[9];
	uint8_t head_len;
	uint8_t kind; /* of the frame whose payload comes */
	uint32_t left; /* of the payload */
};

/* A connection. It is freed when its socket is closed and its calls have ended. */
struct h2_connection {
	struct h2_worker *worker;
	struct list link; /* in the worker's */
	struct list dirty;
	struct tag arrived; /* at its worker */
	uv_poll_t poll;
	int polled; /* events */
	int fd;
	struct tls_session *tls; /* NULL: the connection is not encrypted */
	nghttp2_session *session; /* NULL once no frame is read or written any more */
	struct buf out; /* what the socket has not taken; nothing more is packed or read meanwhile */
	size_t out_at;
	struct list calls;
	struct list leaving; /* calls whose ends are in `out`, by their `due` */
	size_t orphans; /* calls that run although their streams were reset */
	size_t arriving_bytes;
	int64_t opened_us, heard_us; /* heard: when the other side was last seen to read or write */
	int64_t until_us; /* when a connection that is condemned, lingers or was asked to leave need not be waited for */
	int64_t ping_us; /* when the last ping came; 0: something was sent since */
	unsigned strikes; /* pings that came too soon after another */
	int64_t budget_us; /* when `budget` was last filled */
	int budget; /* frames that ask for nothing; see guard.c */
	enum h2_parting parting;
	int32_t newest; /* stream of a request */
	struct h2_scan scan;
	bool cut_short; /* this side has reset a stream, and its caller may still have been sending */
	bool greeted; /* the client's settings have come */
	bool pinged; /* and waits for the answer */
	bool condemned; /* closes as soon as what is packed was sent */
	bool lingering; /* has sent all, and waits for the other side to close */
	bool closed;
	char peer[72];
};

struct h2_header {
	const struct h2_header *next;
	const char *name, *value;
	size_t name_len, value_len;
};

/* What a call's handler must be told, as soon as nghttp2 is not at work. */
enum h2_news { H2_REQUEST = 1, H2_REFUSAL = 2, H2_LEFT = 4, H2_WROTE = 8, H2_MESSAGE = 16 };

struct h2_call {
	struct call call;
	struct h2_connection *connection;
	struct h2_call *next_free;
	struct list link; /* in connection->calls */
	struct list due; /* in worker->due, or in connection->leaving */
	struct list timed; /* in worker->timed */
	int32_t stream; /* 0: it is closed */
	unsigned news; /* of enum h2_news */

	/* The request. */
	const struct h2_header *headers; /* in the arena */
	size_t metadata_bytes;
	int64_t deadline_us;
	const struct err *flaw; /* why it is refused; in the arena */
	unsigned http_status; /* not 0: it is not gRPC's */
	const char *unknown_path; /* in the arena; NULL: the method is known */
	bool post, grpc, trailers; /* what the headers say */
	struct buf in; /* bytes of messages, of which those behind in_at were not taken */
	size_t in_at;
	struct buf request; /* the first message, with its prefix */
	size_t counted; /* bytes of both that count in arriving_bytes */
	size_t unconsumed; /* bytes for which the caller has not been given new room */
	bool half_closed;
	bool reading;

	/* The answer. */
	struct buf room; /* a message with its prefix */
	size_t room_at;
	struct buf message, details; /* grpc-message and grpc-status-details-bin, encoded */
	int status; /* gRPC's */
	bool begun; /* call_begin() has run */
	bool submitted; /* nghttp2 has the headers */
	bool ending; /* nothing follows the room but the status */
	bool ended; /* the end was packed */
	bool abandoned; /* the caller was told a status; what the handler answers is not sent */
	bool orphan; /* counted in connection->orphans */
	bool running; /* inside h2_due_run() */
	bool finished; /* while it was running */
};

static inline struct h2_call *h2_of(const struct call *call)
{
	return container_of((struct call *)(uintptr_t)call, struct h2_call, call);
}

static inline struct h2_worker *h2_worker_of(const struct rpc_worker *worker)
{
	return container_of((struct rpc_worker *)(uintptr_t)worker, struct h2_worker, worker);
}

static inline struct h2_server *h2_server_of(const struct rpc_server *server)
{
	return container_of((struct rpc_server *)(uintptr_t)server, struct h2_server, server);
}

static inline const struct rpc_options *h2_options(const struct h2_worker *worker)
{
	return &worker->worker.server->options;
}

/* Sockets (listen.c). */
bool h2_listen(struct h2_server *server, struct err *err) __attribute__((warn_unused_result));
void h2_accept_start(struct h2_server *server, uv_loop_t *loop);
void h2_stop_listening(struct rpc_server *server);
void h2_listen_release(struct h2_server *server);

/* Connections (connection.c). One that was accepted, for h2_connection_start() on the worker's thread. */
struct h2_connection *h2_connection_new(struct h2_worker *worker, int fd) __attribute__((returns_nonnull));
/* Something may have to be sent: it will be, before the loop waits. */
void h2_connection_soil(struct h2_connection *connection);
/* Tells the caller why (`text` may be NULL), then closes. */
void h2_connection_condemn(struct h2_connection *connection, uint32_t code, const char *text);
/* Frees a closed connection without calls. */
void h2_connection_try_free(struct h2_connection *connection);
/* The call's handler must be told, after what is running now. */
void h2_due(struct h2_call *h2, unsigned news);

/* What a connection does in a turn of the loop (turn.c). */
void h2_connection_start(struct tag *arrived, bool ok);
void h2_connection_flush(struct h2_connection *connection);
/* Tells handlers (due.c). */
void h2_due_run(struct h2_worker *worker);

/* The socket's bytes (socket.c). */
enum h2_socket_state {
	H2_SOCKET_OPEN,
	H2_SOCKET_REFUSED, /* TLS has failed; why is on its way to the other side */
	H2_SOCKET_CLOSED,
};
/* What has come, decrypted; valid until the next read of the worker. */
enum h2_socket_state h2_socket_read(struct h2_connection *connection, const uint8_t **bytes, size_t *n);
/* Whether frames can be written: not during a TLS handshake. */
bool h2_socket_ready(const struct h2_connection *connection);
/* False: the connection is broken. What the socket does not take waits; h2_socket_drain() tries again. */
bool h2_socket_write(struct h2_connection *connection, const void *bytes, size_t n);
bool h2_socket_drain(struct h2_connection *connection);
bool h2_socket_blocked(const struct h2_connection *connection);
/* Says that nothing follows. */
void h2_socket_end(struct h2_connection *connection);

/* DATA or HEADERS that begins: an error if the stream is closed, and nothing of it can be under way (frames.c). */
void h2_frames_check(struct h2_connection *connection, int32_t stream);
/* Bytes on their way to nghttp2. False: it gives the connection up. */
void h2_frames_begin(struct h2_connection *connection);
bool h2_frames_read(struct h2_connection *connection, const uint8_t *bytes, size_t n);

/* nghttp2's callbacks (session.c). */
void h2_session_prepare(struct h2_server *server);
bool h2_session_open(struct h2_connection *connection);

/* Requests (request.c): a header of the call; and once all have come. */
bool h2_request_header(
	struct h2_call *h2, const uint8_t *name, size_t name_len, const uint8_t *value, size_t value_len);
void h2_request_headers_end(struct h2_call *h2);
/* Messages (message.c): bytes of the body, and its end. */
void h2_message_bytes(struct h2_call *h2, const uint8_t *bytes, size_t n);
void h2_message_end(struct h2_call *h2);
void h2_message_read(struct call *call);
/* For the handler: the next message, or the end. */
void h2_message_give(struct h2_call *h2);
void h2_message_forget(struct call *call);
/* Makes the first message the request. False when there is none that is whole. */
bool h2_message_take_request(struct h2_call *h2);

/* The functions of struct carrier (carrier.c). */
extern const struct carrier h2_carrier;

/* Calls (call.c). */
struct h2_call *h2_call_take(struct h2_connection *connection, int32_t stream, const struct carrier *carrier);
/* Whether what the handler answers is not sent any more. */
bool h2_call_is_gone(const struct h2_call *h2);
/* What the call keeps of messages has changed, or it has begun. */
void h2_call_count(struct h2_call *h2);
/* Gives the caller a status at once; to the handler they have left. */
void h2_call_abandon(struct h2_call *h2, enum err_code code, const char *text);
void h2_call_stream_closed(struct h2_call *h2);
/* Frees the call if it is answered and nothing of it is left. */
void h2_call_try_finish(struct h2_call *h2);
/* The end of an answered call has left. */
void h2_call_sent(struct h2_call *h2);
void h2_call_free_unused(struct h2_worker *worker);

/* Answers (answer.c). */
uint8_t *h2_answer_room(struct call *call, size_t n);
void h2_answer_explain(struct call *call, const struct err *err);
/* A status without details. */
void h2_answer_status(struct h2_call *h2, enum err_code code, const char *text);
/* Sends the room, or what `ending` says. */
void h2_answer_send(struct h2_call *h2);
/* An answer for those who do not speak gRPC. */
void h2_answer_plain(struct h2_call *h2);
void h2_answer_reset(struct h2_call *h2, uint32_t code);

/* Deadlines (deadline.c). */
void h2_deadline_set(struct h2_call *h2, int64_t timeout_us);
void h2_deadline_due(uv_timer_t *timer);

/* What a hostile or a dead caller meets (guard.c). Every second: false when the connection is to be closed. */
bool h2_guard_look(struct h2_connection *connection, int64_t now_us) __attribute__((warn_unused_result));
/* A frame came: false when the connection is not served any more, because there were too many of its kind. */
bool h2_guard_frame(struct h2_connection *connection, const nghttp2_frame *frame);
/* Ends requests that have not arrived whole, of the connection that holds the most, if requests hold too much. */
void h2_guard_arriving(struct h2_worker *worker);

/* The end of a server (drain.c). */
size_t h2_farewell(struct rpc_server *server);
void h2_shut(struct rpc_server *server);
void h2_on_farewell(struct tag *tag, bool ok);
void h2_on_shut(struct tag *tag, bool ok);
/* The caller has heard of the farewell: streams that begin now are not looked at, and clients know which. */
void h2_part(struct h2_connection *connection);

#endif
