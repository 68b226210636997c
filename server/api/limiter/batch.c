/*
 * CheckBatch and RecordBatch (api/limiter/limiter.h): when a batch's turn comes, its items run concurrently and
 * independently; answers are in order.
 */
#include "api/limiter/batch_turns.h"
#include "api/message/convert.h"
#include "api/auth/auth.h"
#include "api/limiter/private.h"
#include "api/limiter/unread.h"
#include "api/message/validate.h"
#include "api/message/wire_format.h"
#include "base/clock.h"
#include "base/list.h"
#include "rpc/message.h"

/* What a request counts as that is malformed. */
enum { ITEMS_LARGEST = 1000 };

/* A batch, in its call's arena. `left` starts at one more than the items, so the batch cannot end while it starts. */
struct batch {
	struct batch_turn turn;
	struct call *call;
	void (*start)(struct batch *batch);
	size_t left, count;
	void (*reply)(struct batch *batch);
	struct check_item **checks;
	struct record_item *records;
};
struct check_item {
	struct check check;
	struct batch *batch;
	const Bursar__V1__CheckRequest *request;
	struct err err; /* set for an item that was not started */
};
struct record_item {
	struct record_run run;
	struct batch *batch;
	struct err err;
};

static void item_ended(struct batch *batch)
{
	if (--batch->left == 0)
		batch->reply(batch);
}

static void reply_packed(struct batch *batch, const ProtobufCMessage *message)
{
	call_fill_message(batch->call, message);
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->checks && !batch->checks[i]->err.code)
			check_release(&batch->checks[i]->check);
		if (batch->records && !batch->records[i].err.code)
			settle_release(&batch->records[i].run.settle);
	}
	batch_turn_end(batch->turn.items);
	call_reply_filled(batch->call);
}

static void checks_reply(struct batch *batch)
{
	struct arena *arena = call_arena(batch->call);
	Bursar__V1__CheckBatchResponse response = BURSAR__V1__CHECK_BATCH_RESPONSE__INIT;
	struct limits_debt *debts = NULL;

	response.n_items = batch->count;
	response.items = message_list(arena, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct check_item *item = batch->checks[i];

		response.items[i] = message_new(arena, CheckItem, check_item);
		if (item->err.code) {
			response.items[i]->error = error_to_message(arena, &item->err);
			continue;
		}
		unread_add(&item->check, &debts);
		check_to_item(&item->check, item->request, batch->call, &response.items[i]->response,
			&response.items[i]->error);
	}
	unread_watch(batch->call, debts);
	reply_packed(batch, &response.base);
}

static void check_done(struct flow *flow)
{
	item_ended(container_of(container_of(flow, struct check, flow), struct check_item, check)->batch);
}

static void check_item_start(struct check_item *item, struct worker *worker)
{
	struct arena *arena = call_arena(item->batch->call);

	if (!message_check(&item->request->base, &item->err) || !settles_in_check_only(item->request, &item->err)) {
		item_ended(item->batch);
		return;
	}
	question_of_check(item->request, item->batch->call, arena, &item->check.question);
	item->check.question.deadline_us = call_deadline_us(item->batch->call);
	check_start(&item->check, worker, arena, check_done);
}

static void fail(struct batch *batch, const struct err *err)
{
	batch_turn_end(batch->turn.items);
	call_fail(batch->call, err);
}

/* The batch's request; NULL: it was not good, and the call has been failed. */
static const void *request_of(struct batch *batch, const ProtobufCMessageDescriptor *descriptor)
{
	struct err err;
	const void *request = batch_read(batch->call, descriptor, &err);

	if (!request)
		fail(batch, &err);
	return request;
}

static void batch_begin(struct batch *batch, size_t count, void (*reply)(struct batch *batch))
{
	batch->count = count;
	batch->left = count + 1;
	batch->reply = reply;
}

/* Counts the items without unpacking them: field 1 of both kinds of batches. */
static size_t count_items(const struct call *call)
{
	size_t len;
	const uint8_t *bytes = call_request(call, &len);
	struct wire wire = {.at = bytes, .end = bytes + len};
	struct wire_field item;
	size_t count = 0;

	while (wire_next(&wire, &item))
		count += item.counted && item.number == 1;
	return wire.at == wire.end ? count : ITEMS_LARGEST;
}

static void turn_came(struct batch_turn *turn)
{
	struct batch *batch = container_of(turn, struct batch, turn);
	struct err err;

	if (call_deadline_us(batch->call) > clock_mono_us()) {
		batch->start(batch);
		return;
	}
	err_set(&err, ERR_DEADLINE, "the deadline passed while the batch waited for its turn");
	fail(batch, &err);
}

static void batch_wait(struct call *call, struct worker *worker, void (*start)(struct batch *batch))
{
	struct batch *batch = arena_zalloc(call_arena(call), 1, sizeof(*batch));

	batch->turn = (struct batch_turn){.worker = worker, .items = count_items(call), .start = turn_came};
	batch->call = call;
	batch->start = start;
	batch_turn_wait(&batch->turn);
}

static void check_batch(struct batch *batch)
{
	struct arena *arena = call_arena(batch->call);
	const Bursar__V1__CheckBatchRequest *request = request_of(batch, &bursar__v1__check_batch_request__descriptor);

	if (!request)
		return;
	batch_begin(batch, request->n_items, checks_reply);
	batch->checks = message_list(arena, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		/* Each in a piece of its own, which the arena has more easily than one for all. */
		struct check_item *item = arena_alloc(arena, sizeof(*item));

		item->batch = batch;
		item->request = request->items[i];
		item->err.code = ERR_NONE;
		batch->checks[i] = item;
		check_item_start(item, batch->turn.worker);
	}
	item_ended(batch);
}

void limiter_check_batch(struct call *call, void *ctx)
{
	batch_wait(call, ctx, check_batch);
}

static void records_reply(struct batch *batch)
{
	struct arena *arena = call_arena(batch->call);
	Bursar__V1__RecordBatchResponse response = BURSAR__V1__RECORD_BATCH_RESPONSE__INIT;

	response.n_items = batch->count;
	response.items = message_list(arena, batch->count);
	for (size_t i = 0; i < batch->count; i++) {
		struct record_item *item = &batch->records[i];

		response.items[i] = message_new(arena, RecordItem, record_item);
		if (item->err.code)
			response.items[i]->error = error_to_message(arena, &item->err);
		else if (!item->run.settle.flow.ok)
			response.items[i]->error = error_to_message(arena, &item->run.settle.flow.err);
		else
			response.items[i]->response = record_to_message(&item->run, caller_sees_names(batch->call));
	}
	reply_packed(batch, &response.base);
}

static void record_done(struct record_run *run)
{
	item_ended(container_of(run, struct record_item, run)->batch);
}

static void record_item_start(struct record_item *item, const Bursar__V1__RecordRequest *request, struct worker *worker)
{
	struct arena *arena = call_arena(item->batch->call);

	if (!message_check(&request->base, &item->err) ||
		!record_prepare(request, worker, arena, &item->run, &item->err)) {
		item_ended(item->batch);
		return;
	}
	record_start(&item->run, worker, call_deadline_us(item->batch->call), record_done);
}

static void record_batch(struct batch *batch)
{
	const Bursar__V1__RecordBatchRequest *request =
		request_of(batch, &bursar__v1__record_batch_request__descriptor);

	if (!request)
		return;
	batch_begin(batch, request->n_items, records_reply);
	batch->records = arena_zalloc(call_arena(batch->call), batch->count, sizeof(*batch->records));
	for (size_t i = 0; i < batch->count; i++) {
		batch->records[i].batch = batch;
		record_item_start(&batch->records[i], request->items[i], batch->turn.worker);
	}
	item_ended(batch);
}

void limiter_record_batch(struct call *call, void *ctx)
{
	batch_wait(call, ctx, record_batch);
}
