/* gRPC core's calls: one arrives in a slot, is handled, ends with one batch, and returns to the free list. */
#include <assert.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/support/alloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "rpc/core.h"
#include "rpc/status.h"

/* The length of the free list of calls. */
enum { FREE_MAX = 2048 };

static void core_free(struct core_call *core)
{
	grpc_metadata_array_destroy(&core->metadata);
	arena_release(&core->call.arena);
	free(core);
}

static void give(struct core_worker *worker, struct core_call *core)
{
	if (worker->unused_count >= FREE_MAX) {
		core_free(core);
		return;
	}
	core->next_free = worker->unused;
	worker->unused = core;
	worker->unused_count++;
}

/* Returns the call to the free list if it is answered and has nothing in flight. */
static void core_release(struct core_call *core)
{
	struct rpc_worker *worker = core->call.worker;

	if (!core->call.answered || core->waiting > 0)
		return;
	call_finish(&core->call);
	list_remove(&core->call.stripped);
	grpc_slice_unref(core->request);
	grpc_slice_unref(core->room);
	grpc_slice_unref(core->status_text);
	if (core->with_trailer)
		grpc_slice_unref(core->trailer.value);
	if (core->sending)
		grpc_byte_buffer_destroy(core->sending);
	if (core->payload)
		grpc_byte_buffer_destroy(core->payload);
	if (!core->call.method->row->handle)
		grpc_call_details_destroy(&core->details);
	grpc_call_unref(core->grpc);
	arena_reset(&core->call.arena);
	give(core_worker_of(worker), core);
	worker_try_shut(worker);
}

/* Starts a batch for the call; the call is not released before the tag has come back. */
static void core_start_batch(struct core_call *core, const grpc_op *ops, size_t count, struct tag *tag)
{
	grpc_call_error error;

	tag_lend(tag);
	error = grpc_call_start_batch(core->grpc, ops, count, tag, NULL);
	/* Anything else means that this file misuses gRPC. */
	if (error != GRPC_CALL_OK)
		abort();
	core->waiting++;
}

static void on_closed(struct tag *tag, bool ok)
{
	struct core_call *core = container_of(tag, struct core_call, closed);

	(void)ok;
	core->waiting--;
	/* Before the call's end this only means that the caller is gone or their deadline has passed. */
	if (!core->call.answered)
		call_left(&core->call);
	else
		core_release(core);
}

static void on_ended(struct tag *tag, bool ok)
{
	struct core_call *core = container_of(tag, struct core_call, ended);

	(void)ok;
	core->waiting--;
	unsent_done(&core->call);
	core_release(core);
}

static void core_end(struct call *call)
{
	struct core_call *core = core_of(call);
	grpc_op ops[4] = {{0}};
	size_t n = 0;

	unsent_strip_later(call);
	if (!core->headers_sent)
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	if (call->with_message) {
		core->sending = grpc_raw_byte_buffer_create(&core->room, 1);
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = core->sending;
	}
	ops[n].op = GRPC_OP_SEND_STATUS_FROM_SERVER;
	ops[n].data.send_status_from_server.status = (grpc_status_code)call->status;
	if (call->status)
		ops[n].data.send_status_from_server.status_details = &core->status_text;
	if (core->with_trailer) {
		ops[n].data.send_status_from_server.trailing_metadata_count = 1;
		ops[n].data.send_status_from_server.trailing_metadata = &core->trailer;
	}
	n++;
	if (!call->watched) {
		call->watched = true;
		ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
		ops[n++].data.recv_close_on_server.cancelled = &call->cancelled;
	}
	unsent_begin(call, call->ended_bytes + (call->with_message ? GRPC_SLICE_LENGTH(core->room) : 0));
	core_start_batch(core, ops, n, &core->ended);
}

static void on_wrote(struct tag *tag, bool ok)
{
	struct core_call *core = container_of(tag, struct core_call, wrote);

	core->waiting--;
	unsent_done(&core->call);
	grpc_byte_buffer_destroy(core->sending);
	core->sending = NULL;
	call_wrote(&core->call, ok);
}

static void refuse_unknown(struct core_call *core)
{
	struct err err;
	char *path = grpc_slice_to_c_string(core->details.method);

	err_set(&err, ERR_UNIMPLEMENTED, "unknown method %s", path);
	gpr_free(path);
	call_fail(&core->call, &err);
}

static void post_again(struct core_worker *worker, const struct method *method);

static void on_arrived(struct tag *tag, bool ok)
{
	struct core_call *core = container_of(tag, struct core_call, arrived);
	struct core_worker *worker = core_worker_of(core->call.worker);

	worker->posted--;
	/* Not ok means that the server is shutting down and returns the slot unused. */
	if (!ok) {
		if (!core->call.method->row->handle)
			grpc_call_details_destroy(&core->details);
		give(worker, core);
		worker_try_shut(&worker->worker);
		return;
	}
	/* Posts the next slot first: streams occupy theirs for long, and calls without a slot would wait unseen. */
	post_again(worker, core->call.method);
	call_begin(&core->call);
	if (!core->call.method->row->handle && !worker->worker.refusing)
		refuse_unknown(core);
	else
		call_dispatch(&core->call, core->payload || core->call.method->row->kind == RPC_STREAMS);
}

static uint8_t *core_room(struct call *call, size_t n)
{
	struct core_call *core = core_of(call);

	grpc_slice_unref(core->room);
	core->room = grpc_slice_malloc(n);
	return GRPC_SLICE_START_PTR(core->room);
}

static void core_explain(struct call *call, const struct err *err)
{
	struct core_call *core = core_of(call);
	size_t len;
	const uint8_t *details = status_details(&call->arena, err, &len);

	core->status_text = grpc_slice_from_copied_string(err->text);
	core->trailer.key = grpc_slice_from_static_string("grpc-status-details-bin");
	core->trailer.value = grpc_slice_from_copied_buffer((const char *)details, len);
	core->with_trailer = true;
}

static void core_write(struct call *call)
{
	struct core_call *core = core_of(call);
	grpc_op ops[2] = {{0}};
	size_t n = 0;

	if (!core->headers_sent) {
		core->headers_sent = true;
		ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
	}
	core->sending = grpc_raw_byte_buffer_create(&core->room, 1);
	ops[n].op = GRPC_OP_SEND_MESSAGE;
	ops[n++].data.send_message.send_message = core->sending;
	unsent_begin(call, call->ended_bytes + GRPC_SLICE_LENGTH(core->room));
	core_start_batch(core, ops, n, &core->wrote);
}

static void core_watch(struct call *call)
{
	struct core_call *core = core_of(call);
	grpc_op op = {.op = GRPC_OP_RECV_CLOSE_ON_SERVER};

	op.data.recv_close_on_server.cancelled = &call->cancelled;
	core_start_batch(core, &op, 1, &core->closed);
}

/* The message becomes the request, which is not copied: gRPC counts its memory. */
static void on_read(struct tag *tag, bool ok)
{
	struct core_call *core = container_of(tag, struct core_call, read);
	struct call *call = &core->call;
	const uint8_t *bytes;
	size_t len;

	core->waiting--;
	core->payload = core->received;
	core->received = NULL;
	if (!ok)
		core_forget_request(call);
	if (call->answered) {
		core_release(core);
		return;
	}
	core_join_request(call);
	bytes = core_request(call, &len);
	call_got(call, core->payload ? bytes : NULL, len);
}

static void core_read(struct call *call)
{
	struct core_call *core = core_of(call);
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &core->received};

	core_forget_request(call);
	core_start_batch(core, &op, 1, &core->read);
}

/* The status needs no flow-control window. */
static void core_drop(struct call *call, const char *why)
{
	grpc_call_cancel_with_status(core_of(call)->grpc, GRPC_STATUS_RESOURCE_EXHAUSTED, why, NULL);
}

static const struct carrier core_carrier = {
	.admitted = core_join_request,
	.request = core_request,
	.forget_request = core_forget_request,
	.peer = core_peer,
	.metadata = core_metadata,
	.certificate_names = core_certificate_names,
	.certificate = core_certificate,
	.deadline_us = core_deadline_us,
	.watch = core_watch,
	.room = core_room,
	.write = core_write,
	.explain = core_explain,
	.end = core_end,
	.read = core_read,
	.drop = core_drop,
};

/* Resets the call for a new arrival. */
static void prepare(struct core_call *core, struct core_worker *worker, const struct method *method)
{
	grpc_metadata_array metadata = core->metadata;
	struct arena arena = core->call.arena;

	/* The free list exists to reuse the metadata array and the arena's first chunk. */
	metadata.count = 0;
	*core = (struct core_call){
		.call = {.carrier = &core_carrier, .worker = &worker->worker, .method = method, .arena = arena},
		.metadata = metadata,
		.arrived = {.done = on_arrived},
		.closed = {.done = on_closed},
		.wrote = {.done = on_wrote},
		.ended = {.done = on_ended},
		.read = {.done = on_read},
		.request = grpc_empty_slice(),
		.room = grpc_empty_slice(),
		.status_text = grpc_empty_slice(),
	};
	list_init(&core->call.link);
	list_init(&core->call.unsent);
	list_init(&core->call.stripped);
}

/* A call from the free list, or a new one. */
static struct core_call *take(struct core_worker *worker, const struct method *method)
{
	struct core_call *core = worker->unused;

	if (core) {
		worker->unused = core->next_free;
		worker->unused_count--;
	} else {
		core = mem_zalloc(1, sizeof(*core));
		core->call.arena.spare = &worker->worker.spare;
		grpc_metadata_array_init(&core->metadata);
	}
	prepare(core, worker, method);
	return core;
}

void core_post(struct core_worker *worker, const struct method *method)
{
	const struct core_server *server = core_server_of(worker->worker.server);
	void *registered = server->registered[method - server->server.methods];
	struct core_call *core = take(worker, method);
	grpc_call_error error;

	worker->posted++;
	tag_lend(&core->arrived);
	if (registered) {
		error = grpc_server_request_registered_call(server->grpc, registered, &core->grpc, &core->deadline,
			&core->metadata, method->row->kind == RPC_STREAMS ? NULL : &core->payload, worker->queue,
			worker->queue, &core->arrived);
	} else {
		grpc_call_details_init(&core->details);
		error = grpc_server_request_call(server->grpc, &core->grpc, &core->details, &core->metadata,
			worker->queue, worker->queue, &core->arrived);
	}
	assert(error == GRPC_CALL_OK);
	(void)error;
}

static void post_again(struct core_worker *worker, const struct method *method)
{
	unsigned char *slots = &worker->slots[method - worker->worker.server->methods];

	core_post(worker, method);
	if (*slots < RPC_SLOTS) {
		(*slots)++;
		core_post(worker, method);
	}
}

void core_free_unused(struct core_worker *worker)
{
	while (worker->unused) {
		struct core_call *core = worker->unused;

		worker->unused = core->next_free;
		core_free(core);
	}
}
