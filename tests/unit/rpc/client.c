/* gRPC C core as a client, one pluck after another. */
#include "client.h"

#include <grpc/byte_buffer.h>
#include <grpc/byte_buffer_reader.h>
#include <grpc/grpc_security.h>
#include <grpc/support/alloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/unconst.h"

void client_init(struct client *client, int port)
{
	grpc_channel_credentials *credentials = grpc_insecure_credentials_create();
	grpc_arg args[] = {
		/* Each client in a test has its own connection. */
		{.type = GRPC_ARG_INTEGER, .key = unconst(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL), .value.integer = 1},
	};
	grpc_channel_args all = {.num_args = 1, .args = args};
	char target[64];

	/* Without a server on gRPC core, no thread of gRPC's looks at the sockets while a test waits for something else. */
	setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "10", 1);
	grpc_init();
	snprintf(target, sizeof(target), "127.0.0.1:%d", port);
	client->channel = grpc_channel_create(target, credentials, &all);
	client->queue = grpc_completion_queue_create_for_pluck(NULL);
	grpc_channel_credentials_release(credentials);
}

void client_release(struct client *client)
{
	grpc_channel_destroy(client->channel);
	grpc_completion_queue_shutdown(client->queue);
	grpc_completion_queue_destroy(client->queue);
	grpc_shutdown_blocking();
}

static void start(struct client_call *call, const grpc_op *ops, size_t n, void *tag)
{
	if (grpc_call_start_batch(call->call, ops, n, tag, NULL) != GRPC_CALL_OK)
		abort();
}

static void await(struct client_call *call, void *tag)
{
	grpc_completion_queue_pluck(call->client->queue, tag, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
}

static void open_call(struct client *client, struct client_call *call, const char *path, int timeout_ms)
{
	gpr_timespec deadline = gpr_inf_future(GPR_CLOCK_MONOTONIC);
	grpc_slice method = grpc_slice_from_copied_string(path);

	if (timeout_ms >= 0)
		deadline = gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC), gpr_time_from_millis(timeout_ms, GPR_TIMESPAN));
	*call = (struct client_call){.client = client};
	call->call = grpc_channel_create_call(client->channel, NULL, 0, client->queue, method, NULL, deadline, NULL);
	grpc_slice_unref(method);
	call->authorization.key = grpc_slice_from_static_string("authorization");
	call->authorization.value = grpc_slice_from_static_string("Bearer key");
	grpc_metadata_array_init(&call->headers);
	grpc_metadata_array_init(&call->trailers);
}

static size_t header_ops(struct client_call *call, grpc_op *ops)
{
	size_t n = 0;

	ops[n].op = GRPC_OP_SEND_INITIAL_METADATA;
	ops[n].data.send_initial_metadata.count = 1;
	ops[n++].data.send_initial_metadata.metadata = &call->authorization;
	ops[n].op = GRPC_OP_RECV_INITIAL_METADATA;
	ops[n++].data.recv_initial_metadata.recv_initial_metadata = &call->headers;
	return n;
}

static size_t send_ops(struct client_call *call, grpc_op *ops, grpc_byte_buffer *message)
{
	size_t n = header_ops(call, ops);

	if (message) {
		ops[n].op = GRPC_OP_SEND_MESSAGE;
		ops[n++].data.send_message.send_message = message;
	}
	ops[n++].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
	return n;
}

static grpc_byte_buffer *message_of(const void *bytes, size_t len)
{
	grpc_slice slice = grpc_slice_from_copied_buffer(bytes, len);
	grpc_byte_buffer *message = grpc_raw_byte_buffer_create(&slice, 1);

	grpc_slice_unref(slice);
	return message;
}

static size_t status_op(struct client_call *call, grpc_op *op)
{
	op->op = GRPC_OP_RECV_STATUS_ON_CLIENT;
	op->data.recv_status_on_client.trailing_metadata = &call->trailers;
	op->data.recv_status_on_client.status = &call->status;
	op->data.recv_status_on_client.status_details = &call->details;
	return 1;
}

void client_start(struct client *client, struct client_call *call, const char *path, const void *bytes, size_t len,
	int timeout_ms)
{
	grpc_byte_buffer *message = bytes ? message_of(bytes, len) : NULL;
	grpc_op ops[6] = {{0}};
	size_t n;

	open_call(client, call, path, timeout_ms);
	n = send_ops(call, ops, message);
	ops[n].op = GRPC_OP_RECV_MESSAGE;
	ops[n++].data.recv_message.recv_message = &call->received;
	n += status_op(call, &ops[n]);
	start(call, ops, n, call);
	if (message)
		grpc_byte_buffer_destroy(message);
}

static void take_message(struct client_call *call)
{
	grpc_byte_buffer_reader reader;
	grpc_slice all;

	grpc_byte_buffer_reader_init(&reader, call->received);
	all = grpc_byte_buffer_reader_readall(&reader);
	call->message_len = GRPC_SLICE_LENGTH(all);
	if (call->message_len >= sizeof(call->message))
		abort();
	memcpy(call->message, GRPC_SLICE_START_PTR(all), call->message_len);
	call->message[call->message_len] = '\0';
	grpc_slice_unref(all);
	grpc_byte_buffer_reader_destroy(&reader);
	grpc_byte_buffer_destroy(call->received);
	call->received = NULL;
}

static void close_call(struct client_call *call)
{
	char *text = grpc_slice_to_c_string(call->details);

	snprintf(call->text, sizeof(call->text), "%s", text);
	gpr_free(text);
	for (size_t i = 0; i < call->trailers.count; i++) {
		const grpc_metadata *entry = &call->trailers.metadata[i];

		if (grpc_slice_str_cmp(entry->key, "grpc-status-details-bin") != 0)
			continue;
		call->trailer_len = GRPC_SLICE_LENGTH(entry->value);
		if (call->trailer_len > sizeof(call->trailer))
			abort();
		memcpy(call->trailer, GRPC_SLICE_START_PTR(entry->value), call->trailer_len);
	}
	grpc_slice_unref(call->details);
	grpc_metadata_array_destroy(&call->headers);
	grpc_metadata_array_destroy(&call->trailers);
	grpc_call_unref(call->call);
}

void client_finish(struct client_call *call)
{
	await(call, call);
	if (call->received)
		take_message(call);
	close_call(call);
}

grpc_status_code client_unary(struct client *client, struct client_call *call, const char *path, const char *text)
{
	client_start(client, call, path, text, strlen(text), 19000);
	client_finish(call);
	return call->status;
}

void client_start_stream(struct client *client, struct client_call *call, const char *path, const char *text)
{
	grpc_byte_buffer *message = message_of(text, strlen(text));
	grpc_op ops[4] = {{0}};
	size_t n;

	open_call(client, call, path, 19000);
	n = send_ops(call, ops, message);
	start(call, ops, n, call);
	grpc_byte_buffer_destroy(message);
	await(call, call);
}

void client_start_streams(struct client *client, struct client_call *call, const char *path)
{
	grpc_op ops[2] = {{0}};
	size_t n;

	open_call(client, call, path, 19000);
	n = header_ops(call, ops);
	start(call, ops, n, call);
	await(call, call);
}

void client_send(struct client_call *call, const char *text)
{
	grpc_byte_buffer *message = message_of(text, strlen(text));
	grpc_op op = {.op = GRPC_OP_SEND_MESSAGE, .data.send_message.send_message = message};

	start(call, &op, 1, &call->authorization);
	await(call, &call->authorization);
	grpc_byte_buffer_destroy(message);
}

void client_close(struct client_call *call)
{
	grpc_op op = {.op = GRPC_OP_SEND_CLOSE_FROM_CLIENT};

	start(call, &op, 1, &call->authorization);
	await(call, &call->authorization);
}

bool client_next(struct client_call *call)
{
	grpc_op op = {.op = GRPC_OP_RECV_MESSAGE, .data.recv_message.recv_message = &call->received};

	start(call, &op, 1, &call->message);
	await(call, &call->message);
	if (!call->received)
		return false;
	take_message(call);
	return true;
}

void client_finish_stream(struct client_call *call)
{
	grpc_op op = {0};

	status_op(call, &op);
	start(call, &op, 1, &call->status);
	await(call, &call->status);
	close_call(call);
}
