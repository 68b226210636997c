/*
 * CheckStream (api/limiter/limiter.h): messages of items come in, messages of answers go out, and neither waits for the
 * other. The items of a message stay packed until they have their turns (batch_turns.h); then they are decided at the
 * same time, and those that are answered by the end of a loop turn leave in one message.
 *
 * A caller who takes no answers is not read from any more: what they can hold of memory is bounded by the constants
 * below (docs/security.md).
 */
#include "api/limiter/limiter.h"

#include <stdlib.h>
#include <string.h>

#include "api/limiter/batch_turns.h"
#include "api/limiter/stream_item.h"
#include "api/limiter/unread.h"
#include "api/message/validate.h"
#include "api/message/wire_format.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/observe/metrics.h"
#include "rpc/message.h"

enum {
	ITEMS_OPEN_MAX = 256, /* of a stream that are being decided */
	READY_MAX = 64 << 10, /* with so many bytes of answers waiting, no more items are begun */
	WAITING_MAX = 32 << 20, /* the same for all streams of a worker: whoever adds to more is cut off */
	MESSAGE_MAX = 256 << 10, /* of answers together; clients take 4 MiB by default */
};

static __thread size_t waiting_bytes; /* the sum of ready_bytes */

/* Answers that leave together, and what gives the reservations in them back. */
struct outgoing {
	struct list link;
	struct buf bytes;
	struct limits_debt *debts;
};

enum stream_phase {
	STREAM_OPEN,
	STREAM_ENDING, /* nothing more is read; it ends once what was read is answered */
	STREAM_LEFT, /* nobody wants answers: what is being decided goes back */
};

/* One stream, in its call's arena. */
struct check_stream {
	struct stream_batch batch; /* of the message that was read last */
	struct wire message; /* what is left of it */
	size_t left; /* the items in there */
	struct batch_turn turn; /* of the next ones */
	size_t open; /* being decided */
	struct list ready; /* of struct outgoing */
	size_t ready_bytes;
	struct limits_debt *unsure; /* of the answers that are being written */
	struct wait flush;
	enum stream_phase phase;
	struct err why; /* what it ends with; ERR_NONE: OK */
	bool waiting, reading, writing, flushing; /* what is under way: turn, call_read, call_write, flush */
	bool busy; /* go_on() or what it would do is running */
};

static void go_on(struct check_stream *self);

/* Ending. */

/* NULL: with OK. The first reason counts. */
static void end_with(struct check_stream *self, const struct err *why)
{
	if (self->phase != STREAM_OPEN)
		return;
	self->phase = STREAM_ENDING;
	if (why)
		self->why = *why;
}

/* After a message that cannot be understood nothing that follows can be, either. */
static void fail(struct check_stream *self, const struct err *why)
{
	self->left = 0;
	if (self->phase == STREAM_LEFT)
		return;
	self->phase = STREAM_ENDING;
	self->why = *why;
}

static void leave(struct check_stream *self)
{
	struct list *link;

	self->phase = STREAM_LEFT;
	self->left = 0;
	while ((link = list_pop_front(&self->ready))) {
		struct outgoing *outgoing = container_of(link, struct outgoing, link);

		limits_debts_end(outgoing->debts, true);
		buf_release(&outgoing->bytes);
		free(outgoing);
	}
	waiting_bytes -= self->ready_bytes;
	self->ready_bytes = 0;
}

static void caller_left(struct check_stream *self)
{
	err_set(&self->why, ERR_CANCELLED, "the caller is gone");
	leave(self);
}

static bool is_over(const struct check_stream *self)
{
	return self->phase != STREAM_OPEN && !self->open && !self->left && !self->waiting && !self->flushing &&
	       list_empty(&self->ready);
}

/* `self` is gone then. Answers that are still being written arrive before the end. */
static void finish(struct check_stream *self)
{
	trace_drop(self->batch.trace);
	if (self->why.code)
		call_fail(self->batch.call, &self->why);
	else
		call_end(self->batch.call);
}

/* Answers. */

static struct outgoing *room_for(struct check_stream *self, size_t bytes)
{
	struct outgoing *last;

	if (!list_empty(&self->ready)) {
		last = container_of(self->ready.prev, struct outgoing, link);
		if (last->bytes.len + bytes <= MESSAGE_MAX)
			return last;
	}
	last = mem_zalloc(1, sizeof(*last));
	list_push_back(&self->ready, &last->link);
	return last;
}

/* Messages of one answer each, one after the other, are a message of all of them. */
static void answer_add(struct check_stream *self, struct stream_item *item)
{
	const ProtobufCMessage *answer = stream_item_answer(item);
	size_t bytes = protobuf_c_message_get_packed_size(answer);
	struct outgoing *outgoing = room_for(self, bytes);

	protobuf_c_message_pack(answer, (uint8_t *)buf_reserve(&outgoing->bytes, bytes));
	outgoing->bytes.len += bytes;
	self->ready_bytes += bytes;
	waiting_bytes += bytes;
	stream_item_free(item, &outgoing->debts);
	if (waiting_bytes <= WAITING_MAX)
		return;
	metric_inc(METRIC_answers_dropped_total, METRIC_DROPPED_ROOM, 0);
	err_set(&self->why, ERR_EXHAUSTED, "the answers were not read, and their memory was needed for others");
	leave(self);
}

static void item_done(struct stream_item *item)
{
	struct check_stream *self = item->user;
	struct limits_debt *debts = NULL;
	bool outer = self->busy;

	self->busy = true;
	self->open--;
	if (self->phase != STREAM_LEFT) {
		answer_add(self, item);
	} else {
		stream_item_free(item, &debts);
		limits_debts_end(debts, true);
	}
	batch_turn_end(1);
	self->busy = outer;
	go_on(self);
}

static void written(struct call *call, bool ok, void *ctx)
{
	struct check_stream *self = ctx;

	self->writing = false;
	call_on_ended(call, NULL, NULL, 0);
	limits_debts_end(self->unsure, !ok);
	if (!ok)
		caller_left(self);
	go_on(self);
}

static void write_next(struct check_stream *self)
{
	struct outgoing *next = container_of(list_pop_front(&self->ready), struct outgoing, link);
	struct call *call = self->batch.call;

	memcpy(call_room(call, next->bytes.len), next->bytes.data, next->bytes.len);
	self->ready_bytes -= next->bytes.len;
	waiting_bytes -= next->bytes.len;
	self->unsure = next->debts;
	unread_watch(call, next->debts);
	buf_release(&next->bytes);
	free(next);
	self->writing = true;
	call_write_filled(call, written, self);
}

static void flush_due(struct wait *wait)
{
	struct check_stream *self = container_of(wait, struct check_stream, flush);

	self->flushing = false;
	if (!self->writing && !list_empty(&self->ready))
		write_next(self);
	go_on(self);
}

/* At the end of the loop turn, in which Redis answers many items; at once if none is left to wait for. */
static void answer(struct check_stream *self)
{
	struct timers *timers = self->batch.worker->parts.timers;

	if (self->writing || list_empty(&self->ready))
		return;
	if (!self->open || self->ready_bytes >= READY_MAX) {
		write_next(self);
	} else if (!self->flushing) {
		self->flushing = true;
		self->flush = (struct wait){.due = flush_due};
		timers->start(timers, &self->flush, 0);
	}
}

/* Items. */

static bool is_item(const struct wire_field *field)
{
	return field->number == 1 && field->counted;
}

static void item_begin(struct check_stream *self)
{
	struct wire_field item = {0};
	struct err err;

	while (wire_next(&self->message, &item) && !is_item(&item))
		;
	self->left--;
	self->open++;
	if (stream_item_start(&self->batch, item.bytes, item.len, item_done, self, &err))
		return;
	self->open--;
	batch_turn_end(1);
	fail(self, &err);
}

static void turn_came(struct batch_turn *turn)
{
	struct check_stream *self = container_of(turn, struct check_stream, turn);
	size_t items = turn->items;
	bool outer = self->busy;

	self->busy = true;
	self->waiting = false;
	for (; items > 0 && self->left > 0; items--)
		item_begin(self);
	batch_turn_end(items);
	if (!self->left)
		call_forget_request(self->batch.call);
	self->busy = outer;
	go_on(self);
}

static bool has_room(const struct check_stream *self)
{
	return self->open < ITEMS_OPEN_MAX && self->ready_bytes < READY_MAX;
}

static void take_items(struct check_stream *self)
{
	size_t room = ITEMS_OPEN_MAX - self->open;

	self->turn = (struct batch_turn){
		.worker = self->batch.worker, .items = self->left < room ? self->left : room, .start = turn_came};
	self->waiting = true;
	batch_turn_wait(&self->turn);
}

static bool message_begin(struct check_stream *self, const uint8_t *bytes, size_t n, struct err *err)
{
	Bursar__V1__CheckStreamRequest request = BURSAR__V1__CHECK_STREAM_REQUEST__INIT;
	struct wire wire = {.at = bytes, .end = bytes + n};
	struct wire_field field;

	while (wire_next(&wire, &field))
		request.n_items += is_item(&field);
	if (wire.at != wire.end)
		return err_set(err, ERR_INVALID, "the message is not a well-formed CheckStreamRequest");
	if (!list_lengths_check(&request.base, err))
		return false;
	self->message = (struct wire){.at = bytes, .end = bytes + n};
	self->left = request.n_items;
	self->batch.read_us = clock_mono_us();
	return true;
}

static void got(struct call *call, const uint8_t *bytes, size_t n, void *ctx)
{
	struct check_stream *self = ctx;
	struct err err;

	(void)call;
	self->reading = false;
	if (!bytes)
		end_with(self, NULL);
	else if (self->phase != STREAM_LEFT && !message_begin(self, bytes, n, &err))
		fail(self, &err);
	go_on(self);
}

/* Does whatever can be done now, and ends the stream if nothing is left to do. */
static void go_on(struct check_stream *self)
{
	if (self->busy)
		return;
	self->busy = true;
	while (self->left && !self->waiting && has_room(self))
		take_items(self);
	answer(self);
	if (self->phase == STREAM_OPEN && !self->left && !self->reading && has_room(self)) {
		self->reading = true;
		call_read(self->batch.call, got, self);
	}
	self->busy = false;
	if (is_over(self))
		finish(self);
}

static void left(struct call *call, void *ctx)
{
	(void)call;
	caller_left(ctx);
	go_on(ctx);
}

static void draining(struct call *call, void *ctx)
{
	struct err err;

	(void)call;
	call_draining_error(&err);
	end_with(ctx, &err);
	go_on(ctx);
}

void limiter_check_stream(struct call *call, void *ctx)
{
	struct check_stream *self = arena_zalloc(call_arena(call), 1, sizeof(*self));
	struct err err;

	if (call_draining(call)) {
		call_draining_error(&err);
		call_fail(call, &err);
		return;
	}
	self->batch = (struct stream_batch){
		.call = call, .worker = ctx, .trace = trace_keep(trace_now), .deadline_us = call_deadline_us(call)};
	list_init(&self->ready);
	call_on_cancel(call, left, self);
	call_on_drain(call, draining, self);
	go_on(self);
}
