/* How calls end that their handlers keep: by deadline, by the caller, by a drain; and how many are kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "served.h"

static void a_deadline_ends_the_call_and_tells_the_handler(void **state)
{
	struct client_call call;

	(void)state;
	client_start(&served.client, &call, "/t.T/Hold", "x", 1, 100);
	sem_wait(&served.held);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_DEADLINE_EXCEEDED);
	sem_wait(&served.cancelled);
}

static void a_caller_who_leaves_is_noticed(void **state)
{
	struct client_call call;

	(void)state;
	client_start(&served.client, &call, "/t.T/Hold", "x", 1, -1);
	sem_wait(&served.held);
	grpc_call_cancel(call.call, NULL);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_CANCELLED);
	sem_wait(&served.cancelled);
}

static void held_calls_do_not_use_up_the_slots(void **state)
{
	struct client_call calls[19];
	struct client_call call;

	(void)state;
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

static void calls_above_the_bound_are_refused_not_kept(void **state)
{
	struct client_call calls[60];
	int refused = 0;
	int held = 0;

	(void)state;
	for (size_t i = 0; i < 60; i++)
		client_start(&served.client, &calls[i], "/t.T/Hold", "x", 1, -1);
	/* Two workers of 20: what is above is answered at once, so 40 are left at most. */
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

static void *stop_now(void *drain_us)
{
	rpc_server_stop(served.server, *(int64_t *)drain_us);
	return NULL;
}

static void a_drain_lets_running_calls_end(void **state)
{
	int64_t drain_us = 20000000;
	struct client_call call;
	pthread_t thread;

	(void)state;
	client_start(&served.client, &call, "/t.T/UntilDrain", "x", 1, -1);
	sem_wait(&served.held);
	assert_int_equal(pthread_create(&thread, NULL, stop_now, &drain_us), 0);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
	assert_string_equal(call.message, "drained");
	pthread_join(thread, NULL);
	sem_wait(&served.draining);
	served.server = NULL;
}

static void after_the_drain_time_calls_are_cancelled(void **state)
{
	int64_t drain_us = 1000;
	struct client_call call;
	pthread_t thread;

	(void)state;
	client_start(&served.client, &call, "/t.T/Hold", "x", 1, -1);
	sem_wait(&served.held);
	assert_int_equal(pthread_create(&thread, NULL, stop_now, &drain_us), 0);
	client_finish(&call);
	assert_true(call.status == GRPC_STATUS_UNAVAILABLE || call.status == GRPC_STATUS_CANCELLED);
	pthread_join(thread, NULL);
	sem_wait(&served.cancelled);
	served.server = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		SERVED(a_deadline_ends_the_call_and_tells_the_handler),
		SERVED(a_caller_who_leaves_is_noticed),
		SERVED(held_calls_do_not_use_up_the_slots),
		SERVED(calls_above_the_bound_are_refused_not_kept),
		SERVED(a_drain_lets_running_calls_end),
		SERVED(after_the_drain_time_calls_are_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
