/* Each item has an arena of its own, because it lives as long as its decision takes and not as long as the stream. */
#include "api/limiter/stream_item.h"

#include <inttypes.h>
#include <string.h>

#include "api/auth/auth.h"
#include "api/limiter/unread.h"
#include "api/message/answer.h"
#include "api/message/convert.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/observe/spans.h"
#include "base/units.h"
#include "rpc/message.h"

/* Of an item without timeout_us. */
#define TIMEOUT_US (5 * SECOND_US)

static struct stream_item *item_new(struct call *call)
{
	struct arena arena = {.spare = call_arena(call)->spare};
	struct stream_item *item = arena_alloc(&arena, sizeof(*item));

	item->call = call;
	item->err.code = ERR_NONE;
	item->trace = NULL;
	item->begun_us = clock_mono_us();
	item->arena = arena;
	return item;
}

static void item_release(struct stream_item *item)
{
	struct arena arena = item->arena;

	trace_drop(item->trace);
	arena_release(&arena);
}

static void check_done(struct flow *flow)
{
	struct stream_item *item = container_of(container_of(flow, struct check, flow), struct stream_item, check);

	item->done(item);
}

static int64_t deadline_of(const struct stream_batch *batch, const Bursar__V1__StreamedCheck *streamed)
{
	int64_t own_us = batch->read_us + (streamed->timeout_us ? streamed->timeout_us : TIMEOUT_US);

	return own_us < batch->deadline_us ? own_us : batch->deadline_us;
}

static bool in_time(const struct stream_item *item, int64_t deadline_us, struct err *err)
{
	return deadline_us > item->begun_us ||
	       err_set(err, ERR_DEADLINE, "the deadline passed while the check waited for its turn");
}

/* Whether the item may be started: its bytes, its owner, its fields. */
static bool item_check(struct stream_item *item, Bursar__V1__StreamedCheck *streamed, const uint8_t *bytes, size_t len,
	struct err *err)
{
	if (!wire_check(streamed->base.descriptor, bytes, len, err) ||
		!auth_scope(item->call, &streamed->base, &item->arena, err) || !message_check(&streamed->base, err))
		return false;
	return settles_in_check_only(streamed->check, err) || err_prefix(err, "check.");
}

static void item_decide(struct stream_item *item, const struct stream_batch *batch, int64_t deadline_us)
{
	struct check_question *question = &item->check.question;

	question_of_check(item->request, item->call, &item->arena, question);
	question->deadline_us = deadline_us;
	check_start(&item->check, batch->worker, &item->arena, check_done);
}

bool stream_item_start(const struct stream_batch *batch, const uint8_t *bytes, size_t len,
	void (*done)(struct stream_item *item), void *user, struct err *err)
{
	struct stream_item *item = item_new(batch->call);
	ProtobufCAllocator allocator = message_allocator(&item->arena);
	Bursar__V1__StreamedCheck *streamed = bursar__v1__streamed_check__unpack(&allocator, len, bytes);
	struct trace *outer;
	int64_t deadline_us;

	if (!streamed) {
		item_release(item);
		return err_set(err, ERR_INVALID, "an item is not a well-formed StreamedCheck");
	}
	item->done = done;
	item->user = user;
	item->id = streamed->id;
	item->request = streamed->check;
	deadline_us = deadline_of(batch, streamed);
	if (!item_check(item, streamed, bytes, len, &item->err) || !in_time(item, deadline_us, &item->err)) {
		done(item);
		return true;
	}
	if (streamed->traceparent[0])
		item->trace = trace_begin(streamed->traceparent, strlen(streamed->traceparent));
	outer = trace_enter(item->trace ? item->trace : batch->trace);
	item_decide(item, batch, deadline_us);
	trace_leave(outer);
	return true;
}

const ProtobufCMessage *stream_item_answer(struct stream_item *item)
{
	Bursar__V1__CheckStreamResponse *response =
		message_new(&item->arena, CheckStreamResponse, check_stream_response);
	Bursar__V1__StreamedAnswer *answer = message_new(&item->arena, StreamedAnswer, streamed_answer);

	answer->id = item->id;
	if (!item->err.code && !item->check.flow.ok && item->check.flow.err.field[0])
		err_prefix(&item->check.flow.err, "check.");
	if (item->err.code)
		answer->error = error_to_message(&item->arena, &item->err);
	else
		check_to_item(&item->check, item->request, item->call, &answer->response, &answer->error);
	span_served(item->trace, call_path(item->call), NULL, item->begun_us, answer->error ? answer->error->code : 0);
	response->items = message_list(&item->arena, 1);
	response->items[0] = answer;
	response->n_items = 1;
	return &response->base;
}

void stream_item_free(struct stream_item *item, struct limits_debt **debts)
{
	if (!item->err.code) {
		unread_add(&item->check, debts);
		check_release(&item->check);
	}
	item_release(item);
}
