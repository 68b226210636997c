/* An item of CheckStream: from its bytes to its answer. */
#ifndef BURSAR_API_LIMITER_STREAM_ITEM_H
#define BURSAR_API_LIMITER_STREAM_ITEM_H

#include <stddef.h>
#include <stdint.h>

#include "api/limiter/private.h"
#include "base/observe/trace.h"

/* What the items of a message have in common. */
struct stream_batch {
	struct call *call;
	struct worker *worker;
	struct trace *trace; /* of items without one of their own; may be NULL */
	int64_t read_us; /* clock_mono_us: when their message was read */
	int64_t deadline_us; /* of the stream */
};

struct stream_item {
	struct check check;
	struct call *call;
	void (*done)(struct stream_item *item);
	void *user; /* the stream's */
	uint64_t id;
	const Bursar__V1__CheckRequest *request;
	struct err err; /* set for an item that was not started */
	struct trace *trace; /* its own; NULL: it has none */
	int64_t begun_us;
	struct arena arena; /* of all this */
};

/*
 * Unpacks an item and decides it; `done` runs exactly once, possibly before this returns. False with ERR_INVALID, and
 * no item, when the bytes are not a StreamedCheck.
 */
bool stream_item_start(const struct stream_batch *batch, const uint8_t *bytes, size_t len,
	void (*done)(struct stream_item *item), void *user, struct err *err) __attribute__((warn_unused_result));

/* A message with this one answer; in the item's arena. */
const ProtobufCMessage *stream_item_answer(struct stream_item *item);

/* Adds what gives back the reservation, if it has one, to `debts` (api/limiter/unread.h), and frees the item. */
void stream_item_free(struct stream_item *item, struct limits_debt **debts);

#endif
