/*
 * Stops the server (rpc/server.h) so that no caller sees a failure that gRPC clients do not retry by themselves.
 *
 * gRPC's own shutdown cannot come first: it immediately ends every call that has no handler yet with CANCELLED, and
 * sends GOAWAY only afterwards. So it comes last, when no connection is left:
 *
 * 1. Health says NOT_SERVING and streams are told to leave; other calls are served as before, until balancers have
 *    noticed.
 * 2. New connections are refused. Calls are still served while streams end, because clients keep using their existing
 *    connections.
 * 3. New calls are refused with UNAVAILABLE while running ones finish. This mostly takes milliseconds.
 * 4. All connections receive a GOAWAY and are closed. Calls that arrive now or are still running end with UNAVAILABLE.
 * 5. Other carriers let go of the workers, and gRPC shuts down.
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

static size_t streams(const struct rpc_server *server)
{
	size_t count = 0;

	for (unsigned i = 0; i < server->options.workers; i++)
		count += atomic_load(&server->workers[i].streams);
	return count;
}

/* A worker that has not begun to refuse counts as one, because it may still start a call. */
static size_t running(const struct rpc_server *server)
{
	size_t count = 0;

	for (unsigned i = 0; i < server->options.workers; i++) {
		const struct rpc_worker *worker = &server->workers[i];

		count += atomic_load(&worker->refusing) ? atomic_load(&worker->running) : 1;
	}
	return count;
}

/* Waits until `left` returns 0, `until_us` has come or `hurry` is true. Without `left` only the other two count. */
static void wait_for(const struct rpc_server *server, const atomic_bool *hurry, int64_t until_us,
	size_t (*left)(const struct rpc_server *server))
{
	static const struct timespec step = {.tv_nsec = STEP_NS};

	while ((!left || left(server) > 0) && clock_mono_us() < until_us && !(hurry && atomic_load(hurry)))
		nanosleep(&step, NULL);
}

static void notify_workers(struct rpc_server *server, struct tag *(*tag_of)(struct rpc_worker *worker))
{
	for (unsigned i = 0; i < server->options.workers; i++)
		worker_hand_over(&server->workers[i], tag_of(&server->workers[i]));
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

void server_shut_grpc(struct rpc_server *server)
{
	grpc_event event;

	/* This must come before the shutdown, which would turn UNAVAILABLE into CANCELLED. */
	grpc_server_cancel_all_calls(server->grpc);
	grpc_server_shutdown_and_notify(server->grpc, server->shutdown_queue, server);
	do
		event = grpc_completion_queue_pluck(
			server->shutdown_queue, server, gpr_inf_future(GPR_CLOCK_MONOTONIC), NULL);
	while (event.type != GRPC_OP_COMPLETE);
}

void server_free(struct rpc_server *server)
{
	grpc_server_destroy(server->grpc);
	for (unsigned i = 0; i < server->options.workers; i++)
		grpc_completion_queue_destroy(server->workers[i].queue);
	grpc_completion_queue_shutdown(server->shutdown_queue);
	grpc_completion_queue_destroy(server->shutdown_queue);
	free(server->workers);
	free(server->sorted);
	free(server->methods);
	tls_files_free(server->tls_files);
	listening_release(&server->listening);
	free(server);
	grpc_shutdown_blocking();
}

void rpc_server_stop(struct rpc_server *server, const struct rpc_stop *how)
{
	int64_t refusing_us = how->drain_us / 5 < REFUSING_US ? how->drain_us / 5 : REFUSING_US;
	int64_t end_us;

	if (!server)
		return;
	notify_workers(server, drain_of);
	wait_for(server, how->hurry, clock_mono_us() + how->lame_duck_us, NULL);
	listening_shut(&server->listening);
	end_us = clock_mono_us() + how->drain_us;
	wait_for(server, how->hurry, end_us - refusing_us, streams);
	notify_workers(server, refuse_of);
	wait_for(server, how->hurry, end_us, running);
	if (how->detach)
		how->detach(how->ctx);
	server_shut_grpc(server);
	notify_workers(server, close_of);
	for (unsigned i = 0; i < server->options.workers; i++)
		pthread_join(server->workers[i].loop_thread, NULL);
	server_free(server);
}
