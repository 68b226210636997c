/* A bare gRPC client for the tests of the server. */
#ifndef TESTS_RPC_CLIENT_H
#define TESTS_RPC_CLIENT_H

#include <grpc/grpc.h>
#include <stdbool.h>
#include <stddef.h>

struct client {
	grpc_channel *channel;
	grpc_completion_queue *queue;
};

/* One call under way, and what came of it. */
struct client_call {
	struct client *client;
	grpc_call *call;
	grpc_metadata authorization;
	grpc_metadata_array headers;
	grpc_metadata_array trailers;
	grpc_byte_buffer *received;
	grpc_status_code status;
	grpc_slice details;
	char text[512]; /* the status' text */
	char message[4096]; /* the message of a unary call */
	size_t message_len;
	char trailer[512]; /* grpc-status-details-bin */
	size_t trailer_len;
};

void client_init(struct client *client, int port);
void client_release(struct client *client);

/* Starts a unary call with one message, or with none when `bytes` is NULL; `timeout_ms` below 0: no deadline. */
void client_start(struct client *client, struct client_call *call, const char *path, const void *bytes, size_t len,
	int timeout_ms);

/* Waits for the end of a call that client_start began. */
void client_finish(struct client_call *call);

/* The two above, and the status. */
grpc_status_code client_unary(struct client *client, struct client_call *call, const char *path, const char *text);

/* Starts a stream of the server's; its next message goes to call->message, false at its end. */
void client_start_stream(struct client *client, struct client_call *call, const char *path, const char *text);
bool client_next(struct client_call *call);

/* Reads the status of a stream; then frees it. */
void client_finish_stream(struct client_call *call);

#endif
