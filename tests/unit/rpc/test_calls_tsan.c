/* Unary calls from the outside: answers, refusals, errors. */

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/observe/metrics.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "lib/test.h"
#include "served.h"

SERVED(a_call_is_answered)
{
	struct client_call call;
	char large[2000];

	assert_int_equal(client_unary(&served.client, &call, "/t.T/Echo", "hello"), GRPC_STATUS_OK);
	assert_string_equal(call.message, "hello");
	assert_int_equal(client_unary(&served.client, &call, "/t.T/Echo", ""), GRPC_STATUS_OK);
	assert_int_equal(call.message_len, 0);
	memset(large, 'x', sizeof(large));
	client_start(&served.client, &call, "/t.T/Echo", large, sizeof(large), 20000);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_OK);
	assert_int_equal(call.message_len, sizeof(large));
	assert_memory_equal(call.message, large, sizeof(large));
}

SERVED(a_handler_sees_path_metadata_peer_and_deadline)
{
	struct client_call call;

	assert_int_equal(client_unary(&served.client, &call, "/t.T/Tell", ""), GRPC_STATUS_OK);
	assert_string_equal(call.message, "/t.T/Tell Bearer key ipv4:127.0.0.1 deadline 10");
}

SERVED(an_unknown_method_is_unimplemented)
{
	struct client_call call;

	assert_int_equal(client_unary(&served.client, &call, "/t.T/Nope", "x"), GRPC_STATUS_UNIMPLEMENTED);
	assert_string_equal(call.text, "unknown method /t.T/Nope");
	/* More calls than slots, so each slot is posted again. */
	for (int i = 0; i < 50; i++)
		assert_int_equal(client_unary(&served.client, &call, "/u.U/Nope", "x"), GRPC_STATUS_UNIMPLEMENTED);
}

SERVED(a_call_without_its_message_is_invalid)
{
	struct client_call call;

	client_start(&served.client, &call, "/t.T/Echo", NULL, 0, 20000);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_INVALID_ARGUMENT);
	assert_string_equal(call.text, "the request message is missing or cut short");
}

SERVED(a_message_above_the_limit_is_refused)
{
	struct client_call call;
	char large[2001] = {0};

	client_start(&served.client, &call, "/t.T/Echo", large, sizeof(large), 20000);
	client_finish(&call);
	assert_int_equal(call.status, GRPC_STATUS_RESOURCE_EXHAUSTED);
}

SERVED(an_error_carries_field_and_retry)
{
	struct client_call call;
	Google__Rpc__Status *status;
	Google__Rpc__BadRequest *bad;
	Google__Rpc__RetryInfo *retry;

	assert_int_equal(client_unary(&served.client, &call, "/t.T/Fail", ""), GRPC_STATUS_INVALID_ARGUMENT);
	assert_string_equal(call.text, "items[3].user: is empty");
	status = google__rpc__status__unpack(NULL, call.trailer_len, (uint8_t *)call.trailer);
	assert_non_null(status);
	assert_int_equal(status->code, 3);
	assert_string_equal(status->message, call.text);
	assert_int_equal(status->n_details, 2);
	assert_string_equal(status->details[0]->type_url, "type.googleapis.com/google.rpc.BadRequest");
	bad = google__rpc__bad_request__unpack(NULL, status->details[0]->value.len, status->details[0]->value.data);
	assert_string_equal(bad->field_violations[0]->field, "items[3].user");
	assert_string_equal(bad->field_violations[0]->description, "is empty");
	assert_string_equal(status->details[1]->type_url, "type.googleapis.com/google.rpc.RetryInfo");
	retry = google__rpc__retry_info__unpack(NULL, status->details[1]->value.len, status->details[1]->value.data);
	assert_int_equal(retry->retry_delay->seconds, 1);
	assert_int_equal(retry->retry_delay->nanos, 500000000);
	google__rpc__bad_request__free_unpacked(bad, NULL);
	google__rpc__retry_info__free_unpacked(retry, NULL);
	google__rpc__status__free_unpacked(status, NULL);
}

static void *call_often(void *arg)
{
	struct client own;
	char text[32];

	client_init(&own, rpc_server_port(served.server));
	for (int i = 0; i < 200; i++) {
		struct client_call call;

		snprintf(text, sizeof(text), "%s %d", (char *)arg, i);
		assert_int_equal(client_unary(&own, &call, "/t.T/Echo", text), GRPC_STATUS_OK);
		assert_string_equal(call.message, text);
	}
	client_release(&own);
	return NULL;
}

SERVED(many_callers_each_get_their_own_answer)
{
	int64_t before = metric_value(METRIC_grpc_calls_total, metrics_method("/t.T/Echo"), METRIC_CODE_OK);
	static char names[4][4] = {"a", "b", "c", "d"};
	pthread_t threads[4];

	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, call_often, names[i]), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(
		metric_value(METRIC_grpc_calls_total, metrics_method("/t.T/Echo"), METRIC_CODE_OK), before + 800);
}
