/* A server with handlers that do what the tests need: echo, fail, hold, count. */
#ifndef TESTS_RPC_SERVED_H
#define TESTS_RPC_SERVED_H

#include <semaphore.h>
#include <stdatomic.h>

#include "client.h"
#include "lib/test.h"
#include "rpc/server.h"
#include "rpc/shared.h"

struct served {
	struct rpc_server *server; /* a test that stops it sets it to NULL */
	struct client client;
	/* What the handlers tell the test. */
	sem_t held;
	sem_t cancelled;
	sem_t draining;
	atomic_int opened;
	atomic_int closed;
	struct shared_message *shared; /* what Share sends; the test's */
	atomic_bool expels; /* still_admitted refuses everybody */
};
enum { POURED = 1 << 20 }; /* a message of Pour */
/* For the current test. */
extern struct served served;
extern const struct rpc_method served_methods[];

/* Whether the tests run on that carrier: ctest runs them on both, by the environment variable BURSAR_CARRIER. */
bool served_by_nghttp2(void);

/* At most 20 calls per worker, and messages of up to 2,000 bytes. */
struct rpc_server *served_start(unsigned workers, const char *listen, struct err *err);

/* A server with two workers and a client for each test; afterwards both are gone and each worker is closed. */
int served_open(void **state);
int served_close(void **state);
#define SERVED(name) TEST_WITH(name, served_open, served_close)

#endif
