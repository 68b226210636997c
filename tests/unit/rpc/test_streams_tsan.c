/* Streams: messages arrive in order, and each stream ends exactly once, whoever ends it. */

#include <stdio.h>
#include <string.h>

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

static void expect(struct client_call *call, const char *text)
{
	assert_true(client_next(call));
	assert_string_equal(call->message, text);
}

SERVED(both_sides_send_and_neither_waits_for_the_other)
{
	struct client_call call;
	char text[16];

	client_start_streams(&served.client, &call, "/t.T/Mirror");
	expect(&call, "ready");
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		client_send(&call, text);
		if (i % 3) /* so that some are there before the one before has been written */
			continue;
		for (int k = i ? i - 2 : 0; k <= i; k++) {
			snprintf(text, sizeof(text), "%d", k);
			expect(&call, text);
		}
	}
	client_close(&call);
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
}

SERVED(a_stream_to_which_nothing_is_sent_ends_well)
{
	struct client_call call;

	client_start_streams(&served.client, &call, "/t.T/Mirror");
	client_close(&call);
	expect(&call, "ready");
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
}

SERVED(an_empty_message_is_a_message)
{
	struct client_call call;

	client_start_streams(&served.client, &call, "/t.T/Mirror");
	expect(&call, "ready");
	client_send(&call, "");
	expect(&call, "");
	client_close(&call);
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
}

SERVED(a_message_that_is_too_large_ends_the_stream)
{
	struct client_call call;
	char large[2100];

	memset(large, 'x', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	client_start_streams(&served.client, &call, "/t.T/Mirror");
	expect(&call, "ready");
	client_send(&call, large);
	assert_false(client_next(&call));
	client_finish_stream(&call);
	assert_int_equal(call.status, GRPC_STATUS_RESOURCE_EXHAUSTED);
}

SERVED(a_caller_who_leaves_while_both_sides_send_is_gone)
{
	struct client_call call;

	for (int i = 0; i < 20; i++) {
		client_start_streams(&served.client, &call, "/t.T/Mirror");
		client_send(&call, "a");
		client_send(&call, "b");
		grpc_call_cancel(call.call, NULL);
		client_finish_stream(&call);
		assert_int_equal(call.status, GRPC_STATUS_CANCELLED);
	}
}
