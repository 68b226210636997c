/* A call of RPC_STREAMS without a network, for handlers: the test gives it messages, and takes what is written. */
#ifndef TESTS_UNIT_SERVICE_FAKE_STREAM_H
#define TESTS_UNIT_SERVICE_FAKE_STREAM_H

#include "fakes.h"
#include "rpc/internal.h"

enum { FAKE_WRITES_MAX = 512 };

struct fake_stream {
	struct call call;
	struct rpc_worker worker;
	struct rpc_method row;
	struct method method;
	struct buf room; /* what is being written */
	struct buf written[FAKE_WRITES_MAX];
	int writes;
	struct buf message; /* the one that was read last */
	struct err err; /* with which it ended */
	bool ended;
};

/* Starts the handler on the fake's worker. */
void fake_stream_open(struct fake_stream *stream, void (*handle)(struct call *call, void *ctx), struct fake *fake);
void fake_stream_release(struct fake_stream *stream);

/* A read is in flight; it gets these bytes, or (NULL) hears that there are no more. */
bool fake_stream_reads(const struct fake_stream *stream);
void fake_stream_give(struct fake_stream *stream, const void *bytes, size_t n);
/* A write is in flight; it is over. */
bool fake_stream_writes(const struct fake_stream *stream);
void fake_stream_wrote(struct fake_stream *stream, bool ok);
/* The caller leaves: the write in flight fails, like the read. */
void fake_stream_leave(struct fake_stream *stream);
void fake_stream_drain(struct fake_stream *stream);

#endif
