/* A gRPC server in a thread of the test. */
#include "fake_server.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <grpc/support/time.h>

enum { SILENT_MAX = 64 };

struct fake_server {
	grpc_server *server;
	grpc_completion_queue *queue;
	pthread_t thread;
	fake_handler *handler;
	void *ctx;
	char address[32];
	grpc_call *silent[SILENT_MAX];
	int silent_count;
};

static int shutdown_tag, call_tag, batch_tag;

/* Runs one batch to its end; the server serves one call at a time. False if it failed. */
static bool run_batch(struct fake_server *fake, grpc_call *call, grpc_op *ops, size_t count)
{
	if (grpc_call_start_batch(call, ops, count, &batch_tag, NULL) != GRPC_CALL_OK)
		abort();
	return grpc_completion_queue_pluck(fake->queue, &batch_tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL).success;
}

static grpc_slice pack(const ProtobufCMessage *message)
{
	grpc_slice bytes = grpc_slice_malloc(protobuf_c_message_get_packed_size(message));

	protobuf_c_message_pack(message, GRPC_SLICE_START_PTR(bytes));
	return bytes;
}

static void send_answer(struct fake_server *fake, grpc_call *call, const struct fake_answer *answer)
{
	grpc_slice text = grpc_slice_from_copied_string(answer->text ? answer->text : "");
	grpc_metadata trailer = {.key = grpc_slice_from_static_string("grpc-status-details-bin")};
	grpc_byte_buffer *body = NULL;
	grpc_op ops[3] = {{.op = GRPC_OP_SEND_INITIAL_METADATA}, {.op = GRPC_OP_SEND_STATUS_FROM_SERVER}};
	size_t count = 2;

	ops[1].data.send_status_from_server.status = (grpc_status_code)answer->code;
	ops[1].data.send_status_from_server.status_details = &text;
	if (answer->details) {
		trailer.value = pack(answer->details);
		ops[1].data.send_status_from_server.trailing_metadata = &trailer;
		ops[1].data.send_status_from_server.trailing_metadata_count = 1;
	}
	if (answer->message) {
		grpc_slice bytes = pack(answer->message);

		body = grpc_raw_byte_buffer_create(&bytes, 1);
		grpc_slice_unref(bytes);
		ops[count++] = (grpc_op){.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = body};
	}
	run_batch(fake, call, ops, count);
	grpc_slice_unref(text);
	if (answer->details)
		grpc_slice_unref(trailer.value);
	if (body)
		grpc_byte_buffer_destroy(body);
	grpc_call_unref(call);
}

static void serve(struct fake_server *fake, grpc_call *call, const grpc_call_details *details)
{
	grpc_byte_buffer *received = NULL;
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &received};
	char *path = grpc_slice_to_c_string(details->method);
	struct fake_answer answer = {0};
	grpc_byte_buffer_reader reader;

	if (run_batch(fake, call, &op, 1) && received && grpc_byte_buffer_reader_init(&reader, received)) {
		grpc_slice bytes = grpc_byte_buffer_reader_readall(&reader);

		fake->handler(fake->ctx, path, GRPC_SLICE_START_PTR(bytes), GRPC_SLICE_LENGTH(bytes), &answer);
		grpc_slice_unref(bytes);
		grpc_byte_buffer_reader_destroy(&reader);
		if (!answer.silent)
			send_answer(fake, call, &answer);
		else if (fake->silent_count < SILENT_MAX)
			fake->silent[fake->silent_count++] = call;
	} else {
		grpc_call_unref(call);
	}
	if (received)
		grpc_byte_buffer_destroy(received);
	gpr_free(path);
}

static void *loop(void *arg)
{
	struct fake_server *fake = arg;

	for (;;) {
		grpc_metadata_array metadata;
		grpc_call_details details;
		grpc_call *call = NULL;
		bool right;

		grpc_metadata_array_init(&metadata);
		grpc_call_details_init(&details);
		right = grpc_server_request_call(fake->server, &call, &details, &metadata, fake->queue, fake->queue,
				&call_tag) == GRPC_CALL_OK &&
			grpc_completion_queue_pluck(fake->queue, &call_tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL)
				.success &&
			call;
		if (right)
			serve(fake, call, &details);
		grpc_metadata_array_destroy(&metadata);
		grpc_call_details_destroy(&details);
		if (!right)
			return NULL; /* shut down */
	}
}

struct fake_server *fake_server_new(fake_handler *handler, void *ctx)
{
	struct fake_server *fake = calloc(1, sizeof(*fake));
	grpc_server_credentials *credentials = grpc_insecure_server_credentials_create();
	int port;

	grpc_init();
	fake->handler = handler;
	fake->ctx = ctx;
	fake->server = grpc_server_create(NULL, NULL);
	fake->queue = grpc_completion_queue_create_for_pluck(NULL);
	grpc_server_register_completion_queue(fake->server, fake->queue, NULL);
	port = grpc_server_add_http2_port(fake->server, "127.0.0.1:0", credentials);
	grpc_server_credentials_release(credentials);
	snprintf(fake->address, sizeof(fake->address), "127.0.0.1:%d", port);
	grpc_server_start(fake->server);
	if (port == 0 || pthread_create(&fake->thread, NULL, loop, fake) != 0)
		abort();
	return fake;
}

const char *fake_server_address(const struct fake_server *fake)
{
	return fake->address;
}

void fake_server_free(struct fake_server *fake)
{
	grpc_server_shutdown_and_notify(fake->server, fake->queue, &shutdown_tag);
	grpc_server_cancel_all_calls(fake->server);
	pthread_join(fake->thread, NULL);
	for (int i = 0; i < fake->silent_count; i++)
		grpc_call_unref(fake->silent[i]);
	grpc_completion_queue_pluck(fake->queue, &shutdown_tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	grpc_completion_queue_shutdown(fake->queue);
	grpc_server_destroy(fake->server);
	grpc_completion_queue_destroy(fake->queue);
	free(fake);
	grpc_shutdown_blocking();
}
