/* HTTP as a carrier of calls (rpc/carrier.h): between a connection's thread and a worker's. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/internal.h"
#include "rpc/server.h"
#include "rpc/status.h"

static struct http_call *self_of(const struct call *call)
{
	return container_of((struct call *)(uintptr_t)call, struct http_call, call);
}

static void finish(struct http_call *self)
{
	struct rpc_worker *worker = self->call.worker;

	http_call_unwatch(self);
	call_finish(&self->call);
	http_call_free(self);
	worker_try_shut(worker);
}

static void on_closed(struct tag *tag, bool complete)
{
	struct http_call *self = container_of(tag, struct http_call, closed);
	bool writing = self->call.writing;

	self->gone = true;
	http_call_unwatch(self);
	if (!complete)
		self->call.cancelled = 1;
	if (self->call.answered && !writing) {
		finish(self);
		return;
	}
	/* The handler may end the call in either callback; the end is carried out after a write. */
	if (!self->call.answered)
		call_left(&self->call);
	if (writing)
		call_wrote(&self->call, false);
}

static void on_taken(struct tag *tag, bool ok)
{
	struct http_call *self = container_of(tag, struct http_call, taken);

	(void)ok;
	call_wrote(&self->call, !self->gone);
}

static void on_arrived(struct tag *tag, bool ok)
{
	struct http_call *self = container_of(tag, struct http_call, arrived);

	(void)ok;
	call_begin(&self->call);
	call_dispatch(&self->call, true);
}

static const char *http_route(struct call *call)
{
	static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
	const struct http_exchange *exchange = &self_of(call)->exchange;
	const char *method = "_OTHER"; /* as OpenTelemetry has it: callers may invent methods */

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(known[i], exchange->method) == 0)
			method = known[i];
	return arena_printf(&call->arena, "%s %s", method, exchange->route ? exchange->route : exchange->path);
}

static const uint8_t *http_request(const struct call *call, size_t *len)
{
	static const uint8_t none;
	const struct buf *message = &self_of(call)->upload;

	*len = message->len;
	return message->len ? (const uint8_t *)message->data : &none;
}

static void http_forget_request(struct call *call)
{
	buf_release(&self_of(call)->upload);
}

static const char *http_peer(struct call *call)
{
	return self_of(call)->exchange.peer;
}

static bool http_metadata(const struct call *call, const char *name, const char **value, size_t *len)
{
	*value = http_header_find(&self_of(call)->exchange, name);
	*len = *value ? strlen(*value) : 0;
	return *value;
}

static const char *http_session(const struct call *call)
{
	return self_of(call)->exchange.session;
}

static bool http_needs_proof(const struct call *call)
{
	return self_of(call)->exchange.needs_proof;
}

static bool http_certificate_names(struct call *call, bool (*each)(const char *name, size_t len, void *arg), void *arg)
{
	const char *const *names = self_of(call)->certificate.names;
	bool found = false;

	for (; names && *names && !found; names++)
		found = each(*names, strlen(*names), arg);
	return found;
}

static const char *http_certificate(struct call *call)
{
	return self_of(call)->certificate.pem;
}

static int64_t http_deadline_us(const struct call *call)
{
	return call->method->row->kind == RPC_SERVER_STREAM
		       ? INT64_MAX
		       : call->arrived_us + self_of(call)->http->options.request_timeout_us;
}

static uint8_t *http_room(struct call *call, size_t n)
{
	struct buf *room = &self_of(call)->room;

	buf_reset(room);
	buf_reserve(room, n + 1);
	room->len = n;
	return (uint8_t *)room->data;
}

static void http_share(struct call *call, struct shared_message *shared)
{
	struct http_call *self = self_of(call);

	shared_message_drop(self->shared); /* one that was never taken, because the caller had left */
	self->shared = shared_message_hold(shared);
}

static void http_write(struct call *call)
{
	struct http_call *self = self_of(call);

	if (self->gone) {
		/* Not immediately: `written` never runs before call_write returns. */
		worker_hand_over(call->worker, &self->taken);
		return;
	}
	pthread_mutex_lock(&self->lock);
	self->waiting = true;
	http_call_wake(self);
	pthread_mutex_unlock(&self->lock);
}

static void http_explain(struct call *call, const struct err *err)
{
	struct http_call *self = self_of(call);

	self->details = status_details(&call->arena, err, &self->details_len);
}

static void http_end(struct call *call)
{
	struct http_call *self = self_of(call);

	if (self->gone) {
		finish(self);
		return;
	}
	pthread_mutex_lock(&self->lock);
	self->ended = true;
	http_call_wake(self);
	pthread_mutex_unlock(&self->lock);
}

static const struct carrier http_carrier = {
	.route = http_route,
	.request = http_request,
	.forget_request = http_forget_request,
	.peer = http_peer,
	.metadata = http_metadata,
	.session = http_session,
	.needs_proof = http_needs_proof,
	.certificate_names = http_certificate_names,
	.certificate = http_certificate,
	.deadline_us = http_deadline_us,
	.watch = http_call_watch,
	.room = http_room,
	.share = http_share,
	.write = http_write,
	.explain = http_explain,
	.end = http_end,
};

struct http_call *http_call_new(struct http *http)
{
	struct http_call *self = mem_zalloc(1, sizeof(*self));

	self->http = http;
	self->call.carrier = &http_carrier;
	list_init(&self->call.link);
	list_init(&self->unsent);
	self->exchange.arena = &self->arena;
	self->headers_end = &self->exchange.headers;
	self->arrived.done = on_arrived;
	self->taken.done = on_taken;
	self->closed.done = on_closed;
	pthread_mutex_init(&self->lock, NULL);
	return self;
}

void http_call_free(struct http_call *self)
{
	buf_release(&self->upload);
	buf_release(&self->room);
	buf_release(&self->out);
	shared_message_drop(self->shared);
	shared_message_drop(self->sending);
	buf_release(&self->exchange.reply);
	arena_release(&self->arena);
	arena_release(&self->call.arena);
	pthread_mutex_destroy(&self->lock);
	free(self);
}

static bool give(struct http_call *self, struct err *err)
{
	struct http *http = self->http;
	struct rpc_server *rpc = http->rpc;

	if (!rpc) {
		err_set(err, ERR_UNAVAILABLE, "the server is starting or stopping: call another one");
		return err_reason(err, "DRAINING");
	}
	self->call.method = rpc_server_method(rpc, self->exchange.rpc);
	if (!self->call.method)
		return err_set(err, ERR_UNIMPLEMENTED, "unknown method %s", self->exchange.rpc);
	self->call.worker = rpc_server_worker(rpc, atomic_fetch_add(&http->next_worker, 1));
	self->handed = self->suspended = true;
	MHD_suspend_connection(self->connection);
	worker_hand_over(self->call.worker, &self->arrived);
	return true;
}

bool http_call_hand_over(struct http_call *self, struct err *err)
{
	bool given;

	pthread_rwlock_rdlock(&self->http->attached);
	given = give(self, err);
	pthread_rwlock_unlock(&self->http->attached);
	return given;
}

/* With the lock held. */
static enum http_turn turn_of(const struct http_call *self)
{
	if (self->left)
		return HTTP_DROP;
	if (self->waiting)
		return HTTP_BEGIN;
	return self->ended ? HTTP_ANSWER : HTTP_WAIT;
}

enum http_turn http_call_turn(struct http_call *self)
{
	enum http_turn turn;

	pthread_mutex_lock(&self->lock);
	turn = turn_of(self);
	self->begun = turn == HTTP_BEGIN;
	if (turn == HTTP_WAIT) {
		self->suspended = true;
		MHD_suspend_connection(self->connection);
	}
	pthread_mutex_unlock(&self->lock);
	return turn;
}

/* The next message as text: in `out`, or in a form that is made for all who send the message. With the lock held. */
static void take_message(struct http_call *self)
{
	const struct http_translator *translator = self->http->translator;
	struct http_exchange *exchange = &self->exchange;
	struct shared_message *shared = self->shared;
	struct buf *form;

	if (!shared) {
		translator->part(translator, exchange, (const uint8_t *)self->room.data, self->room.len, &self->out);
		return;
	}
	form = &shared->form[exchange->form];
	pthread_mutex_lock(&shared->lock);
	if (!form->len)
		translator->part(translator, exchange, shared->bytes, shared->len, form);
	pthread_mutex_unlock(&shared->lock);
	self->sending = shared;
	self->shared = NULL;
	self->text = form->data;
	self->text_len = form->len;
}

/* The text that was sent is not needed any more. With the lock held. */
static void text_done(struct http_call *self)
{
	http_unsent_done(self);
	shared_message_drop(self->sending);
	self->sending = NULL;
	buf_reset(&self->out);
	self->text_len = 0;
}

/* With the lock held: the text that comes next. False when there is nothing. */
static bool next_text(struct http_call *self)
{
	const struct http_translator *translator = self->http->translator;
	struct http_exchange *exchange = &self->exchange;

	text_done(self);
	if (self->waiting) {
		take_message(self);
		self->waiting = false;
		worker_hand_over(self->call.worker, &self->taken);
	} else if (self->ended && self->details) {
		translator->broken(
			translator, exchange, self->call.status, self->details, self->details_len, &self->out);
		self->details = NULL;
	} else if (self->beat) {
		translator->idle(translator, exchange, &self->out);
	}
	self->beat = false;
	if (!self->sending) {
		self->text = self->out.data;
		self->text_len = self->out.len;
	}
	if (self->text_len)
		http_unsent_begin(self);
	return self->text_len > 0;
}

ssize_t http_call_read(void *arg, uint64_t at, char *bytes, size_t max)
{
	struct http_call *self = arg;
	ssize_t taken = 0;

	(void)at;
	pthread_mutex_lock(&self->lock);
	if (self->left) {
		taken = MHD_CONTENT_READER_END_WITH_ERROR;
	} else if (self->text_len || next_text(self)) {
		size_t n = self->text_len < max ? self->text_len : max;

		memcpy(bytes, self->text, n);
		self->text += n;
		self->text_len -= n;
		taken = (ssize_t)n;
	} else if (self->ended) {
		taken = MHD_CONTENT_READER_END_OF_STREAM;
	} else {
		self->suspended = true;
		MHD_suspend_connection(self->connection);
	}
	pthread_mutex_unlock(&self->lock);
	return taken;
}

void http_call_close(struct http_call *self, bool complete)
{
	if (!self->handed) {
		http_call_free(self);
		return;
	}
	/* From now on the descriptor of the connection may be another's. */
	http_unsent_done(self);
	self->closed.ok = complete;
	worker_hand_over(self->call.worker, &self->closed);
}
