/* Server streams: messages arrive in order, and each stream ends exactly once, whoever ends it. */

#include <stdio.h>

#include "lib/test.h"
#include "served.h"

/* A stream of Count brings so many messages, 0 and up, and ends well. */
static void counts(const char *request, int messages)
{
	struct client_call call;
	char expected[16];

	client_start_stream(&served.client, &call, "/t.T/Count", request);
	for (int i = 0; i < messages; i++) {
		assert_true(client_next(&call));
		snprintf(expected, sizeof(expected), "%d", i);
		assert_string_equal(call.message, expected);
	}
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
}

SERVED(a_stream_brings_its_messages_in_order)
{
	counts("100", 100);
}

SERVED(a_stream_ended_during_a_write_still_brings_it)
{
	counts("-3", 3);
}

SERVED(a_stream_whose_reader_leaves_ends)
{
	struct client_call call;

	client_start_stream(&served.client, &call, "/t.T/Count", "1000000000");
	assert_true(client_next(&call));
	grpc_call_cancel(call.call, NULL);
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_CANCELLED);
}

SERVED(a_caller_who_is_no_longer_admitted_is_told_and_the_stream_ends_once)
{
	struct client_call idle[3], busy, held;

	for (int i = 0; i < 3; i++)
		client_start_stream(&served.client, &idle[i], "/t.T/Linger", "");
	client_start_stream(&served.client, &busy, "/t.T/Linger", "on");
	client_start(&served.client, &held, "/t.T/Hold", "x", 1, -1);
	for (int i = 0; i < 5; i++)
		sem_wait(&served.held);
	for (int i = 0; i < 3; i++)
		assert_true(client_next(&idle[i]));
	atomic_store(&served.expels, true);
	while (client_next(&busy))
		;
	client_finish_stream(&busy);
	assert_int_equal(busy.status, GRPC_STATUS_UNAUTHENTICATED);
	for (int i = 0; i < 3; i++) {
		assert_false(client_next(&idle[i]));
		client_finish_stream(&idle[i]);
		assert_int_equal(idle[i].status, GRPC_STATUS_UNAUTHENTICATED);
		assert_string_equal(idle[i].text, "/t.T/Linger: no more");
	}
	for (int i = 0; i < 4; i++)
		sem_wait(&served.cancelled);
	/* Unary calls are not re-checked: their handlers must answer soon anyway. */
	assert_int_equal(sem_trywait(&served.cancelled), -1);
	grpc_call_cancel(held.call, NULL);
	client_finish(&held);
	sem_wait(&served.cancelled);
}
