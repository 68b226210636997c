/* libbursar with several servers, and with none: who is asked, and what a check answers when nobody is there. */
#include <stdio.h>
#include <string.h>

#include "c/bursar.h"
#include "fake_server.h"
#include "lib/test.h"

enum { SERVERS = 3 };

/* What the servers have seen, and what each of them does. */
static struct one {
	struct fake_server *fake;
	int calls;
	int code; /* 0: answers */
	bool silent;
	char last_id[40];
} servers[SERVERS];

static Bursar__V1__CheckResponse checked;

static void handle(void *ctx, const char *path, const uint8_t *bytes, size_t len, struct fake_answer *answer)
{
	struct one *one = ctx;
	Bursar__V1__CheckRequest *request = bursar__v1__check_request__unpack(NULL, len, bytes);

	(void)path;
	one->calls++;
	snprintf(one->last_id, sizeof(one->last_id), "%s", request->request_id);
	bursar__v1__check_request__free_unpacked(request, NULL);
	bursar__v1__check_response__init(&checked);
	checked.allowed = true;
	*answer = (struct fake_answer){.code = one->code, .silent = one->silent};
	if (one->code)
		answer->text = "not now";
	else
		answer->message = &checked.base;
}

static struct bursar *open_with(int count, struct bursar_options options)
{
	char addresses[SERVERS * 40] = "";

	for (int i = 0; i < count; i++) {
		servers[i] = (struct one){.fake = fake_server_new(handle, &servers[i])};
		snprintf(addresses + strlen(addresses), sizeof(addresses) - strlen(addresses), "%s%s", i ? "," : "",
			fake_server_address(servers[i].fake));
	}
	return bursar_open(addresses, &options, NULL);
}

static void close_all(struct bursar *bursar, int count)
{
	bursar_close(bursar);
	for (int i = 0; i < count; i++)
		if (servers[i].fake)
			fake_server_free(servers[i].fake);
}

static Bursar__V1__CheckResponse *check_of(struct bursar *bursar, const char *user, struct bursar_error *error)
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;

	request.user = (char *)user;
	return bursar_check(bursar, &request, error);
}

/* A check that must be allowed. */
static void passes(struct bursar *bursar)
{
	Bursar__V1__CheckResponse *answer = check_of(bursar, "alice", NULL);

	assert_non_null(answer);
	assert_true(answer->allowed);
	bursar_free(answer);
}

TEST(calls_go_to_the_servers_in_turn)
{
	struct bursar *bursar = open_with(3, (struct bursar_options){0});

	for (int i = 0; i < 9; i++)
		passes(bursar);
	for (int i = 0; i < 3; i++)
		assert_int_equal(servers[i].calls, 3);
	close_all(bursar, 3);
}

TEST(a_server_that_is_gone_costs_nobody_a_call)
{
	struct bursar *bursar = open_with(2, (struct bursar_options){.attempts = 2});

	fake_server_free(servers[0].fake);
	servers[0].fake = NULL;
	for (int i = 0; i < 8; i++)
		passes(bursar);
	assert_int_equal(servers[0].calls, 0);
	assert_int_equal(servers[1].calls, 8);
	close_all(bursar, 2);
}

TEST(what_a_silent_server_got_goes_to_the_next_under_the_same_id)
{
	struct bursar *bursar = open_with(2, (struct bursar_options){.attempt_us = 2000000});

	servers[0].silent = true;
	passes(bursar);
	if (servers[0].calls == 0)
		passes(bursar);
	assert_int_equal(servers[0].calls, 1);
	assert_string_equal(servers[0].last_id, servers[1].last_id);
	close_all(bursar, 2);
}

TEST(a_call_that_a_stopping_server_cancels_is_sent_again)
{
	struct bursar *bursar = open_with(2, (struct bursar_options){0});

	servers[0].code = BURSAR_CANCELLED;
	for (int i = 0; i < 4; i++)
		passes(bursar);
	assert_int_equal(servers[1].calls, 4);
	close_all(bursar, 2);
}

/* A connection to nobody: on port 1 only root could listen, and nobody does in a test. */
static struct bursar *nobody(enum bursar_fail fail, int share)
{
	return bursar_open("127.0.0.1:1",
		&(struct bursar_options){
			.attempts = 2, .fail = fail, .fail_after_us = 500000, .fail_share_per_minute = share},
		NULL);
}

TEST(closed_is_the_error)
{
	struct bursar *bursar = nobody(BURSAR_FAIL_CLOSED, 0);
	struct bursar_error error;

	assert_null(check_of(bursar, "alice", &error));
	assert_int_equal(error.code, BURSAR_UNAVAILABLE);
	bursar_close(bursar);
}

TEST(open_allows_and_says_so_and_its_record_names_the_request)
{
	struct bursar *bursar = nobody(BURSAR_FAIL_OPEN, 0);
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation;
	Bursar__V1__CheckResponse *answer;

	request.user = (char *)"alice";
	request.tenant = (char *)"acme";
	answer = bursar_check(bursar, &request, NULL);
	assert_true(answer->allowed);
	assert_int_equal(answer->quality, BURSAR__V1__QUALITY__QUALITY_BLIND);
	assert_string_not_equal(answer->cause, "");
	bursar_reservation_of(&request, answer, &reservation);
	assert_string_equal(reservation.handle, "");
	assert_string_equal(reservation.tenant, "acme");
	assert_string_equal(reservation.user, "alice");
	assert_int_equal(strlen(reservation.request_id), 32);
	assert_true(reservation.started_at_us > 1700000000000000);
	bursar_free(answer);
	bursar_close(bursar);
}

TEST(a_share_is_each_users_own)
{
	struct bursar *bursar = nobody(BURSAR_FAIL_SHARE, 3);

	Bursar__V1__CheckResponse *answer;

	for (int i = 0; i < 3; i++)
		passes(bursar); /* alice */
	answer = check_of(bursar, "alice", NULL);
	assert_false(answer->allowed);
	assert_int_equal(answer->reason, BURSAR__V1__REASON__REASON_REQUEST_RATE);
	assert_in_range(answer->retry_after_us, 1, 20000000);
	assert_non_null(strstr(answer->message, "try again in"));
	bursar_free(answer);
	answer = check_of(bursar, "bob", NULL);
	assert_true(answer->allowed);
	bursar_free(answer);
	bursar_close(bursar);
}

static int ended;

static void note_allowed(void *ctx, void *answer, const struct bursar_error *error)
{
	Bursar__V1__CheckResponse *response = answer;

	(void)ctx;
	(void)error;
	assert_true(response && response->allowed && response->quality == BURSAR__V1__QUALITY__QUALITY_BLIND);
	bursar_free(answer);
	ended++;
}

TEST(each_check_of_a_batch_gets_the_policys_answer)
{
	struct bursar *bursar = nobody(BURSAR_FAIL_OPEN, 0);
	struct bursar_batch *batch = bursar_batch_new(bursar, BURSAR_CHECK, 2);
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;

	ended = 0;
	request.user = (char *)"alice";
	for (int i = 0; i < 2; i++)
		bursar_batch_add(batch, &request, note_allowed, NULL);
	while (bursar_in_flight(bursar) > 0)
		bursar_poll(bursar, 1000000);
	assert_int_equal(ended, 2);
	bursar_batch_free(batch);
	bursar_close(bursar);
}

TEST(a_batch_may_leave_by_itself)
{
	struct bursar *bursar = nobody(BURSAR_FAIL_OPEN, 0);
	struct bursar_batch *batch = bursar_batch_new(bursar, BURSAR_CHECK, 1000);
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;

	ended = 0;
	request.user = (char *)"alice";
	bursar_batch_within(batch, 1000);
	bursar_batch_add(batch, &request, note_allowed, NULL);
	assert_int_equal(bursar_in_flight(bursar), 0);
	while (ended == 0)
		bursar_poll(bursar, 1000000);
	bursar_batch_add(batch, &request, note_allowed, NULL);
	bursar_batch_flush(batch); /* by hand, before it is due */
	while (bursar_in_flight(bursar) > 0)
		bursar_poll(bursar, 1000000);
	assert_int_equal(ended, 2);
	bursar_batch_free(batch);
	bursar_close(bursar);
}
