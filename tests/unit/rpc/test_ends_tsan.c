/* How calls that their handlers hold end: by deadline, by the caller, by a drain; and how many may be held. */

#include <pthread.h>

#include "lib/test.h"
#include "served.h"

SERVED(a_deadline_ends_the_call_and_tells_the_handler)
{
	struct client_call call;

	client_start(&served.client, &call, "/t.T/Hold", "x", 1, 1000);
	sem_wait(&served.held);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_DEADLINE_EXCEEDED);
	sem_wait(&served.cancelled);
}

SERVED(a_caller_who_leaves_is_noticed)
{
	struct client_call call;

	client_start(&served.client, &call, "/t.T/Hold", "x", 1, -1);
	sem_wait(&served.held);
	grpc_call_cancel(call.call, NULL);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_CANCELLED);
	sem_wait(&served.cancelled);
}

SERVED(held_calls_do_not_use_up_the_slots)
{
	struct client_call calls[19];
	struct client_call call;

	for (size_t i = 0; i < 19; i++)
		client_start(&served.client, &calls[i], "/t.T/Hold", "x", 1, -1);
	for (size_t i = 0; i < 19; i++)
		sem_wait(&served.held);
	assert_int_equal(client_unary(&served.client, &call, "/t.T/Echo", "x"), GRPC_STATUS_OK);
	for (size_t i = 0; i < 19; i++) {
		grpc_call_cancel(calls[i].call, NULL);
		client_finish(&calls[i]);
		sem_wait(&served.cancelled);
	}
}

SERVED(calls_above_the_bound_are_refused_not_kept)
{
	struct client_call calls[60];
	int refused = 0;
	int held = 0;

	for (size_t i = 0; i < 60; i++)
		client_start(&served.client, &calls[i], "/t.T/Hold", "x", 1, -1);
	/* Two workers with 20 calls each: any more are answered at once, so at most 40 are left. */
	for (int i = 0; i < 20; i++)
		sem_wait(&served.held);
	for (size_t i = 0; i < 60; i++)
		grpc_call_cancel(calls[i].call, NULL);
	for (size_t i = 0; i < 60; i++) {
		client_finish(&calls[i]);
		if (calls[i].status == GRPC_STATUS_RESOURCE_EXHAUSTED)
			refused++;
		else
			held++;
	}
	assert_true(held >= 20);
	assert_int_equal(refused + held, 60);
}

static void *stop_now(void *how)
{
	rpc_server_stop(served.server, how);
	return NULL;
}

/* Stops the server beside the test, which waits for its end with is_stopped. */
static pthread_t stopping(struct rpc_stop *how)
{
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, stop_now, how), 0);
	return thread;
}

static void is_stopped(pthread_t thread)
{
	pthread_join(thread, NULL);
	served.server = NULL;
}

/* A call that its handler holds. */
static void start_held(struct client_call *call, const char *path)
{
	client_start(&served.client, call, path, "x", 1, -1);
	sem_wait(&served.held);
}

/* Stops the server while the handler of `path` holds a call; that is how the call ends. */
static void ends_while_stopping(struct client_call *call, const char *path, int64_t drain_us)
{
	struct rpc_stop stop = {.drain_us = drain_us};
	pthread_t thread;

	start_held(call, path);
	thread = stopping(&stop);
	client_finish(call);
	is_stopped(thread);
}

SERVED(a_drain_lets_running_calls_end)
{
	struct client_call call;

	ends_while_stopping(&call, "/t.T/UntilDrain", 20000000);
	assert_int_equal(call.status, GRPC_STATUS_OK);
	assert_string_equal(call.message, "drained");
	sem_wait(&served.draining);
}

SERVED(after_the_drain_time_calls_end_with_unavailable)
{
	struct client_call call;

	ends_while_stopping(&call, "/t.T/Hold", 1000);
	assert_int_equal(call.status, GRPC_STATUS_UNAVAILABLE);
	sem_wait(&served.cancelled);
}

SERVED(while_a_call_runs_a_stopping_server_refuses_others)
{
	struct rpc_stop stop = {.drain_us = 600000000};
	struct client_call running;
	struct client_call call;
	grpc_status_code status;
	pthread_t thread;

	start_held(&running, "/t.T/Hold");
	thread = stopping(&stop);
	do
		status = client_unary(&served.client, &call, "/t.T/Echo", "x");
	while (status == GRPC_STATUS_OK);
	assert_int_equal(status, GRPC_STATUS_UNAVAILABLE);
	/* Over nghttp2 the client was asked to leave, and finds no server to connect to. */
	if (!served_by_nghttp2())
		assert_string_equal(call.text, "the server is stopping: call another one");
	grpc_call_cancel(running.call, NULL);
	client_finish(&running);
	is_stopped(thread);
}

SERVED(while_a_stream_runs_a_stopping_server_serves_only_connected_callers)
{
	struct rpc_stop stop = {.drain_us = 600000000};
	struct client_call stream;
	struct client_call call;
	struct client late;
	pthread_t thread;
	int port = rpc_server_port(served.server);

	client_start_stream(&served.client, &stream, "/t.T/Linger", "");
	sem_wait(&served.held);
	assert_true(client_next(&stream));
	thread = stopping(&stop);
	do {
		client_init(&late, port);
		client_unary(&late, &call, "/t.T/Echo", "x");
		client_release(&late);
	} while (call.status == GRPC_STATUS_OK);
	assert_int_equal(call.status, GRPC_STATUS_UNAVAILABLE);
	for (int i = 0; i < 20; i++)
		assert_int_equal(client_unary(&served.client, &call, "/t.T/Echo", "x"), GRPC_STATUS_OK);
	grpc_call_cancel(stream.call, NULL);
	client_finish_stream(&stream);
	is_stopped(thread);
}

SERVED(a_stop_that_is_hurried_waits_for_nobody)
{
	atomic_bool hurry = false;
	struct rpc_stop stop = {.lame_duck_us = 600000000, .drain_us = 600000000, .hurry = &hurry};
	struct client_call held;
	struct client_call call;
	pthread_t thread;

	start_held(&held, "/t.T/Hold");
	start_held(&call, "/t.T/UntilDrain");
	thread = stopping(&stop);
	client_finish(&call);
	assert_int_equal(client_unary(&served.client, &call, "/t.T/Echo", "x"), GRPC_STATUS_OK);
	atomic_store(&hurry, true);
	client_finish(&held);
	assert_int_equal(held.status, GRPC_STATUS_UNAVAILABLE);
	is_stopped(thread);
}
