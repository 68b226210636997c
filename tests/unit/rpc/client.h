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

/* One call in flight, and its result. */
struct client_call {
	struct client *client;
	grpc_call *call;
	grpc_metadata authorization;
	grpc_metadata_array headers;
	grpc_metadata_array trailers;
	grpc_byte_buffer *received;
	grpc_status_code status;
	grpc_slice details;
	char text[512]; /* the text of the status */
	char message[4096]; /* the message of a unary call */
	size_t message_len;
	char trailer[512]; /* grpc-status-details-bin */
	size_t trailer_len;
};

void client_init(struct client *client, int port);
void client_release(struct client *client);

/* Starts a unary call with one message, or none if `bytes` is NULL; no deadline if `timeout_ms` is negative. */
void client_start(struct client *client, struct client_call *call, const char *path, const void *bytes, size_t len,
	int timeout_ms);

/* Waits for the end of a call started by client_start. */
void client_finish(struct client_call *call);

/* Does both of the above and returns the status. */
grpc_status_code client_unary(struct client *client, struct client_call *call, const char *path, const char *text);

/* Start a server stream; get its next message into call->message, false at its end. */
void client_start_stream(struct client *client, struct client_call *call, const char *path, const char *text);
bool client_next(struct client_call *call);

/* Starts a call to which the client sends a stream too; sends a message; sends no more. */
void client_start_streams(struct client *client, struct client_call *call, const char *path);
void client_send(struct client_call *call, const char *text);
void client_close(struct client_call *call);

/* Reads the status of a stream, then frees it. */
void client_finish_stream(struct client_call *call);

#endif
