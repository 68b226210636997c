/* libbursar against a server that fails on demand: retries, deadlines, details, many calls in flight, batches. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c/bursar.h"
#include "fake_server.h"
#include "google/rpc/error_details.pb-c.h"
#include "google/rpc/status.pb-c.h"
#include "lib/test.h"

/*
 * What the server has seen and what it is to do. Its thread uses this; the test looks only after its calls have ended.
 */
static struct {
	int calls, fail_first, silent_first;
	char ids[8][40]; /* of the first checks */
	bool details;
} server;

static struct fake_server *fake;
static char answered_id[200];
static Bursar__V1__CheckResponse checked;
static Bursar__V1__CheckItem items[1000];
static Bursar__V1__CheckItem *item_list[1000];
static Bursar__V1__CheckResponse item_answers[1000];
static Bursar__V1__ItemError item_error;
static Bursar__V1__CheckBatchResponse batch;

static void fill_refusal(struct fake_answer *answer)
{
	static Google__Rpc__BadRequest__FieldViolation violation, *violations[] = {&violation};
	static Google__Rpc__BadRequest bad;
	static Google__Rpc__RetryInfo retry;
	static Google__Protobuf__Duration delay;
	static Google__Protobuf__Any any[2], *list[] = {&any[0], &any[1]};
	static uint8_t bytes[2][200];
	static Google__Rpc__Status status;

	google__rpc__bad_request__field_violation__init(&violation);
	google__rpc__bad_request__init(&bad);
	google__rpc__retry_info__init(&retry);
	google__protobuf__duration__init(&delay);
	google__rpc__status__init(&status);
	violation.field = (char *)"input_tokens";
	violation.description = (char *)"-1 is below 0";
	bad.n_field_violations = 1;
	bad.field_violations = violations;
	delay.seconds = 2;
	delay.nanos = 500000000;
	retry.retry_delay = &delay;
	for (int i = 0; i < 2; i++) {
		google__protobuf__any__init(&any[i]);
		any[i].value.data = bytes[i];
	}
	any[0].type_url = (char *)"type.googleapis.com/google.rpc.BadRequest";
	any[0].value.len = google__rpc__bad_request__pack(&bad, bytes[0]);
	any[1].type_url = (char *)"type.googleapis.com/google.rpc.RetryInfo";
	any[1].value.len = google__rpc__retry_info__pack(&retry, bytes[1]);
	status.n_details = 2;
	status.details = list;
	answer->code = BURSAR_INVALID_ARGUMENT;
	answer->text = "input_tokens: -1 is below 0";
	answer->details = &status.base;
}

static void answer_check(const uint8_t *request, size_t len, struct fake_answer *answer)
{
	Bursar__V1__CheckRequest *check = bursar__v1__check_request__unpack(NULL, len, request);

	if (server.calls < 8)
		snprintf(server.ids[server.calls], sizeof(server.ids[0]), "%s", check->request_id);
	snprintf(answered_id, sizeof(answered_id), "%s", check->request_id);
	bursar__v1__check_response__init(&checked);
	checked.allowed = strcmp(check->user, "mallory") != 0;
	checked.request_id = answered_id;
	answer->message = &checked.base;
	bursar__v1__check_request__free_unpacked(check, NULL);
}

static void answer_batch(const uint8_t *request, size_t len, struct fake_answer *answer)
{
	Bursar__V1__CheckBatchRequest *checks = bursar__v1__check_batch_request__unpack(NULL, len, request);

	bursar__v1__check_batch_response__init(&batch);
	bursar__v1__item_error__init(&item_error);
	item_error.code = BURSAR_INVALID_ARGUMENT;
	item_error.field = (char *)"user";
	item_error.message = (char *)"is empty";
	for (size_t i = 0; i < checks->n_items; i++) {
		bursar__v1__check_item__init(&items[i]);
		bursar__v1__check_response__init(&item_answers[i]);
		item_answers[i].held_tokens = checks->items[i]->input_tokens;
		item_answers[i].allowed = strlen(checks->items[i]->request_id) == 32;
		item_list[i] = &items[i];
		if (checks->items[i]->user[0])
			items[i].response = &item_answers[i];
		else
			items[i].error = &item_error;
	}
	batch.n_items = checks->n_items;
	batch.items = item_list;
	answer->message = &batch.base;
	bursar__v1__check_batch_request__free_unpacked(checks, NULL);
}

static void handle(void *ctx, const char *path, const uint8_t *request, size_t len, struct fake_answer *answer)
{
	(void)ctx;
	if (strcmp(path, "/bursar.v1.Limiter/Check") == 0)
		answer_check(request, len, answer);
	else if (strcmp(path, "/bursar.v1.Limiter/CheckBatch") == 0)
		answer_batch(request, len, answer);
	else
		*answer = (struct fake_answer){.code = BURSAR_UNIMPLEMENTED, .text = "no such method"};
	server.calls++;
	if (server.details)
		fill_refusal(answer);
	else if (server.calls <= server.fail_first)
		*answer = (struct fake_answer){.code = BURSAR_UNAVAILABLE, .text = "not now"};
	else if (server.calls <= server.silent_first)
		answer->silent = true;
	if (answer->code != 0)
		answer->message = NULL;
}

static int set_up(void **state)
{
	memset(&server, 0, sizeof(server));
	fake = fake_server_new(handle, NULL);
	*state = bursar_open(fake_server_address(fake),
		&(struct bursar_options){.timeout_us = 5000000, .attempt_us = 300000, .attempts = 4}, NULL);
	return *state ? 0 : 1;
}

static int tear_down(void **state)
{
	bursar_close(*state);
	fake_server_free(fake);
	return 0;
}

static Bursar__V1__CheckResponse *check(struct bursar *bursar, const char *user, struct bursar_error *error)
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__CheckResponse *answer;

	request.user = (char *)user;
	answer = bursar_check(bursar, &request, error);
	assert_string_equal(request.request_id, ""); /* the caller's request stays as it was */
	return answer;
}

#define WITH_SERVER(name) TEST_WITH(name, set_up, tear_down)

WITH_SERVER(a_call_without_an_id_gets_a_random_one)
{
	Bursar__V1__CheckResponse *one = check(*state, "alice", NULL), *two = check(*state, "alice", NULL);

	assert_non_null(one);
	assert_non_null(two);
	assert_true(one->allowed);
	assert_int_equal(strlen(one->request_id), 32);
	assert_string_not_equal(one->request_id, two->request_id);
	bursar_free(one);
	bursar_free(two);
}

/* A check that is answered at last after `calls` calls, each of the same request. */
static void is_sent_again(struct bursar *bursar, int calls)
{
	Bursar__V1__CheckResponse *answer = check(bursar, "alice", NULL);

	assert_non_null(answer);
	assert_true(answer->allowed);
	assert_int_equal(server.calls, calls);
	assert_int_equal(strlen(server.ids[0]), 32);
	for (int i = 1; i < calls; i++)
		assert_string_equal(server.ids[0], server.ids[i]);
	bursar_free(answer);
}

WITH_SERVER(what_failed_is_sent_again_whole_and_with_the_same_id)
{
	server.fail_first = 2;
	is_sent_again(*state, 3);
}

WITH_SERVER(silence_is_sent_again_too)
{
	server.silent_first = 1;
	is_sent_again(*state, 2);
}

WITH_SERVER(attempts_end)
{
	struct bursar_error error;

	server.fail_first = 1000;
	assert_null(check(*state, "alice", &error));
	assert_int_equal(error.code, BURSAR_UNAVAILABLE);
	assert_string_equal(error.message, "not now");
	assert_int_equal(server.calls, 4);
}

WITH_SERVER(a_refusal_has_its_field_and_is_not_sent_again)
{
	struct bursar_error error;

	server.details = true;
	assert_null(check(*state, "alice", &error));
	assert_int_equal(error.code, BURSAR_INVALID_ARGUMENT);
	assert_true(error.from_server);
	assert_string_equal(error.field, "input_tokens");
	assert_string_equal(error.message, "-1 is below 0");
	assert_int_equal(error.retry_after_us, 2500000);
	assert_int_equal(server.calls, 1);
}

TEST(a_missing_server_is_told_from_a_refusal)
{
	struct bursar *bursar;
	struct bursar_error error;

	/* Port 1 on loopback: only root could listen there, and nobody does in a test. */
	bursar = bursar_open("127.0.0.1:1", &(struct bursar_options){.timeout_us = 1000000, .attempts = 2}, NULL);
	assert_null(check(bursar, "alice", &error));
	assert_int_equal(error.code, BURSAR_UNAVAILABLE);
	assert_false(error.from_server);
	bursar_close(bursar);
}

TEST(an_invalid_address_is_refused)
{
	struct bursar_error error;

	assert_null(bursar_open("localhost:http", NULL, &error));
	assert_int_equal(error.code, BURSAR_INVALID_ARGUMENT);
	assert_string_equal(error.field, "address");
}

struct tally {
	struct bursar *bursar;
	int allowed, denied, failed, left;
	int code;
};

static void count_one(void *ctx, void *answer, const struct bursar_error *error)
{
	struct tally *tally = ctx;
	Bursar__V1__CheckResponse *response = answer;
	Bursar__V1__CheckRequest next = BURSAR__V1__CHECK_REQUEST__INIT;

	tally->failed += !answer;
	tally->allowed += response && response->allowed;
	tally->denied += response && !response->allowed;
	tally->code = error->code;
	bursar_free(answer);
	if (tally->left > 0) {
		next.user = (char *)(tally->left-- % 2 ? "alice" : "mallory");
		bursar_submit(tally->bursar, BURSAR_CHECK, &next, count_one, tally);
	}
}

WITH_SERVER(many_calls_are_in_flight_and_a_callback_may_send_more)
{
	struct tally tally = {.bursar = *state, .left = 136};
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;

	request.user = (char *)"alice";
	for (int i = 0; i < 64; i++)
		bursar_submit(*state, BURSAR_CHECK, &request, count_one, &tally);
	assert_int_equal(bursar_in_flight(*state), 64);
	assert_int_equal(tally.allowed, 0); /* never before the call that takes the callback has returned */
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, 1000000);
	assert_int_equal(tally.allowed, 64 + 68);
	assert_int_equal(tally.denied, 68);
	assert_int_equal(tally.failed, 0);
}

WITH_SERVER(closing_cancels_what_is_in_flight)
{
	struct tally tally = {.bursar = *state, .left = 1};
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	struct bursar *bursar = bursar_open(fake_server_address(fake), NULL, NULL);

	server.silent_first = 1000;
	tally.bursar = bursar;
	request.user = (char *)"alice";
	for (int i = 0; i < 3; i++)
		bursar_submit(bursar, BURSAR_CHECK, &request, count_one, &tally);
	bursar_close(bursar);
	assert_int_equal(tally.failed, 4); /* the three, plus the one sent by a callback */
	assert_int_equal(tally.code, BURSAR_CANCELLED);
}

static int order[10];
static size_t ordered;

static void note_item(void *ctx, void *answer, const struct bursar_error *error)
{
	Bursar__V1__CheckResponse *response = answer;

	if (ordered < 10)
		order[ordered++] = response ? (int)response->held_tokens : -error->code;
	if (response)
		assert_true(response->allowed);
	else
		assert_string_equal(error->field, "user");
	++*(int *)ctx;
	bursar_free(answer);
}

WITH_SERVER(a_batch_gives_each_item_its_own_answer)
{
	struct bursar_batch *gathered = bursar_batch_new(*state, BURSAR_CHECK, 3);
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	int ended = 0;

	ordered = 0;
	server.fail_first = 1; /* the whole batch is sent again */
	for (int i = 1; i <= 4; i++) {
		request.user = (char *)(i == 2 ? "" : "alice");
		request.input_tokens = i;
		bursar_batch_add(gathered, &request, note_item, &ended);
	}
	assert_int_equal(bursar_in_flight(*state), 1); /* three went, the fourth waits */
	bursar_batch_flush(gathered);
	bursar_batch_free(gathered);
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, 1000000);
	assert_int_equal(ended, 4);
	assert_int_equal(order[0] + order[1] + order[2] + order[3], 1 - BURSAR_INVALID_ARGUMENT + 3 + 4);
}
