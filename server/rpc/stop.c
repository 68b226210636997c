/*
 * Stops the server (rpc/server.h) so that no caller sees a failure that gRPC clients do not retry by themselves.
 *
 * gRPC core's own shutdown cannot come first: it immediately ends every call that has no handler yet with CANCELLED, and
 * sends GOAWAY only afterwards. So it comes last:
 *
 * 1. Health says NOT_SERVING and streams are told to leave; other calls are served as before, until balancers have
 *    noticed.
 * 2. New connections are refused. Calls are still served while streams end, because clients keep using their existing
 *    connections.
 * 3. A transport that can (rpc/h2) asks callers to make further calls elsewhere. New calls that come nevertheless are
 *    refused with UNAVAILABLE while running ones finish. This mostly takes milliseconds.
 * 4. Other carriers let go of the workers.
 * 5. All connections receive a GOAWAY and are closed. Calls that arrive now or are still running end with UNAVAILABLE.
 */
#include "rpc/internal.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/units.h"

enum { STEP_NS = 1000000 };
/*
 * The part of the drain time that is reserved for running calls in step 3, even when streams use up the rest. A fifth
 * of the drain time if that is less.
 */
#define REFUSING_US SECOND_US

static size_t streams(struct rpc_server *server)
{
	size_t count = 0;

	for (unsigned i = 0; i < server->options.workers; i++)
		count += atomic_load(&server->workers[i]->streams);
	return count;
}

/* A worker that has not begun to refuse counts as one, because it may still start a call. */
static size_t running(struct rpc_server *server)
{
	size_t count = 0;

	for (unsigned i = 0; i < server->options.workers; i++) {
		const struct rpc_worker *worker = server->workers[i];

		count += atomic_load(&worker->refusing) ? atomic_load(&worker->running) : 1;
	}
	return count;
}

/* Waits until `left` returns 0, `until_us` has come or `hurry` is true. Without `left` only the other two count. */
static void wait_for(struct rpc_server *server, const atomic_bool *hurry, int64_t until_us,
	size_t (*left)(struct rpc_server *server))
{
	static const struct timespec step = {.tv_nsec = STEP_NS};

	while ((!left || left(server) > 0) && clock_mono_us() < until_us && !(hurry && atomic_load(hurry)))
		nanosleep(&step, NULL);
}

static void notify_workers(struct rpc_server *server, struct tag *(*tag_of)(struct rpc_worker *worker))
{
	for (unsigned i = 0; i < server->options.workers; i++)
		worker_hand_over(server->workers[i], tag_of(server->workers[i]));
}

static struct tag *drain_of(struct rpc_worker *worker)
{
	return &worker->drain;
}

static struct tag *refuse_of(struct rpc_worker *worker)
{
	return &worker->refuse;
}

static struct tag *close_of(struct rpc_worker *worker)
{
	return &worker->close;
}

void rpc_server_stop(struct rpc_server *server, const struct rpc_stop *how)
{
	int64_t refusing_us = how->drain_us / 5 < REFUSING_US ? how->drain_us / 5 : REFUSING_US;
	int64_t end_us;

	if (!server)
		return;
	notify_workers(server, drain_of);
	wait_for(server, how->hurry, clock_mono_us() + how->lame_duck_us, NULL);
	server->transport->stop_listening(server);
	end_us = clock_mono_us() + how->drain_us;
	wait_for(server, how->hurry, end_us - refusing_us, streams);
	if (server->transport->farewell)
		wait_for(server, how->hurry, end_us - refusing_us / 2, server->transport->farewell);
	notify_workers(server, refuse_of);
	wait_for(server, how->hurry, end_us, running);
	if (how->detach)
		how->detach(how->ctx);
	server->transport->shut(server);
	notify_workers(server, close_of);
	for (unsigned i = 0; i < server->options.workers; i++)
		pthread_join(server->workers[i]->thread, NULL);
	server->transport->release(server);
	server_free(server);
}
