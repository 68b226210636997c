/* A gRPC server in a thread of the test: it answers what the test's function says and keeps no state. */
#ifndef BURSAR_TESTS_FAKE_SERVER_H
#define BURSAR_TESTS_FAKE_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <protobuf-c/protobuf-c.h>

struct fake_answer {
	int code; /* 0 = OK with `message` */
	const char *text; /* for a failure */
	const ProtobufCMessage *message; /* packed before the function is called again */
	const ProtobufCMessage *details; /* google.rpc.Status, or NULL */
	bool silent; /* no answer at all, so that the caller's deadline passes */
};

/* Called in the server's thread for each call, one at a time. */
typedef void fake_handler(void *ctx, const char *path, const uint8_t *request, size_t len, struct fake_answer *answer);

struct fake_server;

/* Listens on a free loopback port; fake_server_address returns the address ("127.0.0.1:40123"). */
struct fake_server *fake_server_new(fake_handler *handler, void *ctx);
const char *fake_server_address(const struct fake_server *fake);
void fake_server_free(struct fake_server *fake);

#endif
