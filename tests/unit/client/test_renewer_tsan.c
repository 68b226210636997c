/*
 * libbursar's renewer: what a process holds is extended while it lives, by a thread of the library, and what is lost
 * is told.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "c/bursar.h"
#include "fake_server.h"
#include "lib/test.h"

enum { SECOND_US = 1000000, RENEWALS_MAX = 4096, PATIENCE_S = 120 };

/* What the server has seen, and what it is to do. Its thread and the test share it under the lock. */
static struct {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct fake_server *fake;
	int checks, renewals;
	int64_t asked_us; /* of the latest check */
	struct {
		char handle[40];
		int64_t ttl_us; /* 0 of a lease */
	} renewal[RENEWALS_MAX];
	char failing[40]; /* the handle of which a renewal fails with `code`, `failures` times */
	int code, failures;
	bool repeat;
} server = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static Bursar__V1__CheckResponse answers[1000];
static Bursar__V1__CheckItem items[1000], *item_list[1000];
static char handles[1000][40], ids[1000][40];

static void fill_check(size_t i, const Bursar__V1__CheckRequest *request)
{
	bursar__v1__check_response__init(&answers[i]);
	snprintf(handles[i], sizeof(handles[i]), "handle-%d", ++server.checks);
	snprintf(ids[i], sizeof(ids[i]), "%s", request->request_id);
	answers[i].allowed = true;
	answers[i].reservation = handles[i];
	answers[i].request_id = ids[i];
	answers[i].repeat = server.repeat;
	server.asked_us = request->reservation_ttl_us;
}

static const ProtobufCMessage *answer_check(const uint8_t *bytes, size_t len)
{
	Bursar__V1__CheckRequest *request = bursar__v1__check_request__unpack(NULL, len, bytes);

	fill_check(0, request);
	bursar__v1__check_request__free_unpacked(request, NULL);
	return &answers[0].base;
}

static const ProtobufCMessage *answer_batch(const uint8_t *bytes, size_t len)
{
	static Bursar__V1__CheckBatchResponse batch;
	Bursar__V1__CheckBatchRequest *request = bursar__v1__check_batch_request__unpack(NULL, len, bytes);

	bursar__v1__check_batch_response__init(&batch);
	for (size_t i = 0; i < request->n_items; i++) {
		fill_check(i, request->items[i]);
		bursar__v1__check_item__init(&items[i]);
		items[i].response = &answers[i];
		item_list[i] = &items[i];
	}
	batch.n_items = request->n_items;
	batch.items = item_list;
	bursar__v1__check_batch_request__free_unpacked(request, NULL);
	return &batch.base;
}

/* A stream of one message: a slot that is granted at once, and released. */
static const ProtobufCMessage *answer_acquire(const uint8_t *bytes, size_t len)
{
	static Bursar__V1__AcquireResponse response;
	static Bursar__V1__Granted granted;
	Bursar__V1__AcquireRequest *request = bursar__v1__acquire_request__unpack(NULL, len, bytes);

	fill_check(0, request->check);
	bursar__v1__acquire_response__init(&response);
	bursar__v1__granted__init(&granted);
	granted.fence = 1;
	granted.lease_us = 30 * SECOND_US;
	granted.lease = (char *)"lease";
	response.check = &answers[0];
	response.event_case = BURSAR__V1__ACQUIRE_RESPONSE__EVENT_GRANTED;
	response.granted = &granted;
	bursar__v1__acquire_request__free_unpacked(request, NULL);
	return &response.base;
}

static void answer_renew(const uint8_t *bytes, size_t len, struct fake_answer *answer)
{
	static Bursar__V1__RenewResponse renewed;
	Bursar__V1__RenewRequest *request = bursar__v1__renew_request__unpack(NULL, len, bytes);
	const char *handle = request->lease[0] ? request->lease : request->reservation->handle;
	int at = server.renewals++ % RENEWALS_MAX;

	snprintf(server.renewal[at].handle, sizeof(server.renewal[at].handle), "%s", handle);
	server.renewal[at].ttl_us = request->reservation_ttl_us;
	bursar__v1__renew_response__init(&renewed);
	answer->message = &renewed.base;
	if ((strcmp(handle, server.failing) == 0 || strcmp(server.failing, "*") == 0) && server.failures != 0) {
		*answer = (struct fake_answer){.code = server.code, .text = "scripted"};
		server.failures -= server.failures > 0;
	}
	bursar__v1__renew_request__free_unpacked(request, NULL);
	pthread_cond_broadcast(&server.changed);
}

static void handle(void *ctx, const char *path, const uint8_t *bytes, size_t len, struct fake_answer *answer)
{
	static Bursar__V1__RecordResponse recorded;
	const char *method = strrchr(path, '/') + 1;

	(void)ctx;
	*answer = (struct fake_answer){0};
	pthread_mutex_lock(&server.lock);
	if (strcmp(method, "Check") == 0) {
		answer->message = answer_check(bytes, len);
	} else if (strcmp(method, "CheckBatch") == 0) {
		answer->message = answer_batch(bytes, len);
	} else if (strcmp(method, "Acquire") == 0) {
		answer->message = answer_acquire(bytes, len);
	} else if (strcmp(method, "Renew") == 0) {
		answer_renew(bytes, len, answer);
	} else { /* Record, RecordBatch, Cancel, Release: an empty message is an answer of each */
		bursar__v1__record_response__init(&recorded);
		answer->message = &recorded.base;
	}
	pthread_mutex_unlock(&server.lock);
}

static int set_up(void **state)
{
	server.checks = server.renewals = server.failures = server.code = 0;
	server.failing[0] = '\0';
	server.repeat = false;
	server.fake = fake_server_new(handle, NULL);
	*state = bursar_open(fake_server_address(server.fake),
		&(struct bursar_options){.attempts = 1, .attempt_us = 60 * SECOND_US, .timeout_us = 60 * SECOND_US},
		NULL);
	return *state ? 0 : 1;
}

static int tear_down(void **state)
{
	bursar_close(*state);
	fake_server_free(server.fake);
	return 0;
}

#define WITH_SERVER(name) TEST_WITH(name, set_up, tear_down)

static struct {
	int count;
	char handle[40];
	struct bursar_error error;
} lost;

static void on_lost(void *ctx, const char *what, const struct bursar_error *error)
{
	(void)ctx;
	lost.count++;
	snprintf(lost.handle, sizeof(lost.handle), "%s", what);
	lost.error = *error;
}

static struct bursar_renewer *start_renewer(struct bursar *bursar, int64_t orphan_us)
{
	struct bursar_renewer *renewer;

	memset(&lost, 0, sizeof(lost));
	renewer = bursar_renewer_open(
		bursar, &(struct bursar_renewer_options){.orphan_us = orphan_us, .lost = on_lost}, NULL);
	assert_non_null(renewer);
	return renewer;
}

static void fail_renewals(const char *of, int code, int failures)
{
	pthread_mutex_lock(&server.lock);
	snprintf(server.failing, sizeof(server.failing), "%s", of);
	server.code = code;
	server.failures = failures;
	pthread_mutex_unlock(&server.lock);
}

static int64_t asked_us(void)
{
	int64_t us;

	pthread_mutex_lock(&server.lock);
	us = server.asked_us;
	pthread_mutex_unlock(&server.lock);
	return us;
}

static void answer_repeats(bool repeat)
{
	pthread_mutex_lock(&server.lock);
	server.repeat = repeat;
	pthread_mutex_unlock(&server.lock);
}

/* Under the lock: how often it was renewed, and how far the last time. */
static int count_of(const char *of, int64_t *ttl_us)
{
	int count = 0;

	for (int i = 0; i < server.renewals && i < RENEWALS_MAX; i++)
		if (strcmp(server.renewal[i].handle, of) == 0) {
			count++;
			*ttl_us = server.renewal[i].ttl_us;
		}
	return count;
}

static int renewals_of(const char *of)
{
	int64_t ttl_us;
	int count;

	pthread_mutex_lock(&server.lock);
	count = count_of(of, &ttl_us);
	pthread_mutex_unlock(&server.lock);
	return count;
}

/* Waits, without a call, until it was renewed so often. Returns how far the last time. */
static int64_t wait_for_renewals(const char *of, int count)
{
	struct timespec until;
	int64_t ttl_us = 0;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&server.lock);
	while (count_of(of, &ttl_us) < count)
		if (pthread_cond_timedwait(&server.changed, &server.lock, &until) != 0) {
			pthread_mutex_unlock(&server.lock);
			fail_msg("%s was not renewed %d times", of, count);
		}
	pthread_mutex_unlock(&server.lock);
	return ttl_us;
}

static void poll_until_lost(struct bursar *bursar)
{
	for (int i = 0; i < PATIENCE_S && lost.count == 0; i++)
		bursar_poll(bursar, SECOND_US);
	assert_int_equal(lost.count, 1);
}

/* A check of this user and id, which asks to hold its reservation for `ttl_us`. Copies the handle. */
static void check(struct bursar *bursar, const char *user, const char *id, int64_t ttl_us, char out[40])
{
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__CheckResponse *answer;

	request.user = (char *)user;
	request.request_id = (char *)id;
	request.reservation_ttl_us = ttl_us;
	answer = bursar_check(bursar, &request, NULL);
	assert_non_null(answer);
	assert_int_equal(request.reservation_ttl_us, ttl_us); /* the caller's request stays as it was */
	snprintf(out, 40, "%s", answer->reservation);
	bursar_free(answer);
}

static void record(struct bursar *bursar, Bursar__V1__ReservationRef reservation, bool keep_open)
{
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;

	request.reservation = &reservation;
	request.keep_open = keep_open;
	bursar_free(bursar_record(bursar, &request, NULL));
}

static Bursar__V1__ReservationRef ref(const char *handle)
{
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;

	reservation.handle = (char *)handle;
	return reservation;
}

WITH_SERVER(what_a_check_holds_is_renewed_until_it_is_recorded)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	char first[40], second[40];
	int before;

	check(*state, "alice", "", 0, first);
	assert_int_equal(asked_us(), SECOND_US);
	check(*state, "alice", "", 0, second);
	assert_true(wait_for_renewals(first, 1) >= SECOND_US);
	record(*state, ref(first), true);
	assert_true(wait_for_renewals(first, 4) > SECOND_US); /* the longer it runs, the further */
	record(*state, ref(first), false);
	before = renewals_of(first);
	wait_for_renewals(second, renewals_of(second) + 2);
	assert_true(renewals_of(first) <= before + 1); /* one may have been on its way */
	assert_int_equal(lost.count, 0);
	bursar_renewer_close(renewer);
}

WITH_SERVER(a_record_by_user_and_id_ends_the_renewals_too)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	Bursar__V1__ReservationRef fields = BURSAR__V1__RESERVATION_REF__INIT;
	char first[40], second[40], other[40];
	int before;

	check(*state, "alice", "request", 0, first);
	check(*state, "bob", "request", 0, other);
	check(*state, "alice", "another", 0, second);
	wait_for_renewals(first, 1);
	fields.user = (char *)"alice";
	fields.request_id = (char *)"request";
	record(*state, fields, false);
	before = renewals_of(first);
	wait_for_renewals(second, renewals_of(second) + 2);
	wait_for_renewals(other, 2);
	assert_true(renewals_of(first) <= before + 1);
	bursar_renewer_close(renewer);
}

static void keep_handle(void *ctx, void *answer, const struct bursar_error *error)
{
	(void)error;
	snprintf(ctx, 40, "%s", ((Bursar__V1__CheckResponse *)answer)->reservation);
	bursar_free(answer);
}

WITH_SERVER(those_of_a_batch_are_renewed_each_until_it_is_cancelled)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	struct bursar_batch *batch = bursar_batch_new(*state, BURSAR_CHECK, 2);
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	Bursar__V1__CancelRequest cancel = BURSAR__V1__CANCEL_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation;
	char first[40], second[40];
	int before;

	request.user = (char *)"alice";
	bursar_batch_add(batch, &request, keep_handle, first);
	bursar_batch_add(batch, &request, keep_handle, second);
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, SECOND_US);
	bursar_batch_free(batch);
	assert_int_equal(asked_us(), SECOND_US);
	wait_for_renewals(first, 1);
	wait_for_renewals(second, 1);
	reservation = ref(first);
	cancel.reservation = &reservation;
	bursar_free(bursar_cancel(*state, &cancel, NULL));
	before = renewals_of(first);
	wait_for_renewals(second, renewals_of(second) + 2);
	assert_true(renewals_of(first) <= before + 1);
	bursar_renewer_close(renewer);
}

WITH_SERVER(what_would_not_outlive_the_process_is_not_renewed_nor_is_a_repeat)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	char brief[40], repeat[40], clock[40];

	check(*state, "alice", "", SECOND_US, brief);
	answer_repeats(true);
	check(*state, "alice", "known", 0, repeat);
	answer_repeats(false);
	check(*state, "alice", "", 0, clock);
	wait_for_renewals(clock, 3);
	assert_int_equal(renewals_of(brief), 0);
	assert_int_equal(renewals_of(repeat), 0);
	bursar_renewer_close(renewer);
}

WITH_SERVER(a_reservation_that_is_as_long_as_it_may_be_is_left_alone)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	char brief[40], clock[40];
	int before;

	check(*state, "alice", "", 2 * SECOND_US, brief);
	check(*state, "alice", "", 0, clock);
	wait_for_renewals(clock, 3);
	before = renewals_of(brief);
	assert_int_equal(before, 1);
	wait_for_renewals(clock, 6);
	assert_int_equal(renewals_of(brief), before);
	bursar_poll(*state, 0);
	assert_int_equal(lost.count, 0);
	bursar_renewer_close(renewer);
}

WITH_SERVER(one_that_has_ended_is_told_and_not_asked_for_again)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	char ended[40], clock[40];

	check(*state, "alice", "", 0, ended);
	check(*state, "alice", "", 0, clock);
	fail_renewals(ended, BURSAR_FAILED_PRECONDITION, -1);
	poll_until_lost(*state);
	assert_string_equal(lost.handle, ended);
	assert_int_equal(lost.error.code, BURSAR_FAILED_PRECONDITION);
	wait_for_renewals(clock, renewals_of(clock) + 2);
	assert_int_equal(renewals_of(ended), 1);
	bursar_renewer_close(renewer);
}

WITH_SERVER(a_renewal_that_fails_is_tried_again)
{
	struct bursar_renewer *renewer = start_renewer(*state, 60 * SECOND_US);

	fail_renewals("handed over", BURSAR_ABORTED, 1);
	assert_true(bursar_renewer_add(renewer, "handed over", 0, NULL));
	wait_for_renewals("handed over", 2); /* after 5 s */
	bursar_poll(*state, 0);
	assert_int_equal(lost.count, 0);
	bursar_renewer_close(renewer);
}

WITH_SERVER(what_no_server_renews_in_time_is_lost)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	char handle[40];

	fail_renewals("*", BURSAR_UNAVAILABLE, -1);
	check(*state, "alice", "", 0, handle);
	poll_until_lost(*state);
	assert_string_equal(lost.handle, handle);
	assert_int_equal(lost.error.code, BURSAR_UNAVAILABLE);
	bursar_renewer_close(renewer);
}

WITH_SERVER(a_lease_is_renewed_each_third_of_its_time_until_it_is_lost)
{
	struct bursar_renewer *renewer = start_renewer(*state, 0);

	assert_true(bursar_renewer_add_lease(renewer, "lease", 60 * SECOND_US, NULL));
	assert_true(bursar_renewer_add_lease(renewer, "short", 9 * SECOND_US, NULL));
	assert_true(bursar_renewer_add_lease(renewer, "other", 9 * SECOND_US, NULL));
	assert_int_equal(wait_for_renewals("short", 2), 0);
	bursar_renewer_drop(renewer, "other");
	bursar_renewer_drop(renewer, "unknown");
	fail_renewals("short", BURSAR_FAILED_PRECONDITION, -1);
	poll_until_lost(*state);
	assert_string_equal(lost.handle, "short");
	assert_int_equal(renewals_of("lease"), 0);
	bursar_renewer_close(renewer);
}

WITH_SERVER(a_lease_that_is_released_or_recorded_is_not_renewed)
{
	struct bursar_renewer *renewer = start_renewer(*state, 0);
	Bursar__V1__ReleaseRequest release = BURSAR__V1__RELEASE_REQUEST__INIT;
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__CancelRequest cancel = BURSAR__V1__CANCEL_REQUEST__INIT;
	static const char *const leases[] = {"one", "two", "three", "clock"};
	int before[3];

	for (int i = 0; i < 4; i++)
		assert_true(bursar_renewer_add_lease(renewer, leases[i], 9 * SECOND_US, NULL));
	release.lease = (char *)"one";
	bursar_free(bursar_release(*state, &release, NULL));
	request.lease = (char *)"two";
	bursar_free(bursar_record(*state, &request, NULL));
	cancel.lease = (char *)"three";
	bursar_free(bursar_cancel(*state, &cancel, NULL));
	for (int i = 0; i < 3; i++)
		before[i] = renewals_of(leases[i]);
	wait_for_renewals("clock", renewals_of("clock") + 2);
	for (int i = 0; i < 3; i++)
		assert_true(renewals_of(leases[i]) <= before[i] + 1);
	bursar_renewer_close(renewer);
}

WITH_SERVER(a_renewer_that_is_closed_leaves_what_is_open_for_as_long_as_it_may_run)
{
	struct bursar_renewer *renewer = start_renewer(*state, 0);
	char handle[40];
	int64_t ttl_us;

	check(*state, "alice", "", 120 * INT64_C(1000000), handle);
	assert_int_equal(asked_us(), 60 * SECOND_US);
	assert_true(bursar_renewer_add_lease(renewer, "lease", 60 * SECOND_US, NULL));
	bursar_renewer_close(renewer);
	assert_int_equal(renewals_of(handle), 1);
	ttl_us = wait_for_renewals(handle, 1);
	assert_in_range(ttl_us, 1, 120 * SECOND_US);
	assert_int_equal(renewals_of("lease"), 0);
	check(*state, "alice", "", 0, handle);
	assert_int_equal(asked_us(), 0); /* as if there had never been one */
}

static void on_ended(void *ctx, const Bursar__V1__CheckResponse *denied, const struct bursar_error *error)
{
	(void)denied;
	assert_int_equal(error->code, BURSAR_OK);
	*(bool *)ctx = true;
}

WITH_SERVER(the_reservation_of_a_slot_is_renewed_until_its_record)
{
	struct bursar_renewer *renewer = start_renewer(*state, SECOND_US);
	Bursar__V1__AcquireRequest request = BURSAR__V1__ACQUIRE_REQUEST__INIT;
	Bursar__V1__CheckRequest asked = BURSAR__V1__CHECK_REQUEST__INIT;
	struct bursar_slot_events events = {.ended = on_ended};
	bool ended = false;

	asked.user = (char *)"alice";
	request.check = &asked;
	bursar_slot_open(*state, &request, &events, &ended, 0);
	while (!ended)
		bursar_poll(*state, SECOND_US);
	assert_int_equal(asked_us(), SECOND_US);
	wait_for_renewals("handle-1", 2);
	record(*state, ref("handle-1"), false);
	bursar_renewer_close(renewer);
}

static void forget(void *ctx, void *answer, const struct bursar_error *error)
{
	(void)ctx;
	(void)error;
	bursar_free(answer);
}

WITH_SERVER(beyond_its_bound_checks_hold_what_they_ask_for)
{
	struct bursar_renewer *renewer = start_renewer(*state, 0);
	struct bursar_batch *batch = bursar_batch_new(*state, BURSAR_CHECK, 1000);
	Bursar__V1__CheckRequest request = BURSAR__V1__CHECK_REQUEST__INIT;
	struct bursar_error error;
	char handle[40];

	request.user = (char *)"alice";
	for (int i = 0; i < BURSAR_RENEWED_MAX; i++)
		bursar_batch_add(batch, &request, forget, NULL);
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, SECOND_US);
	bursar_batch_free(batch);
	assert_int_equal(asked_us(), 60 * SECOND_US);
	check(*state, "alice", "", 0, handle);
	assert_int_equal(asked_us(), 0);
	assert_false(bursar_renewer_add(renewer, "one more", 0, &error));
	assert_int_equal(error.code, BURSAR_RESOURCE_EXHAUSTED);
	record(*state, ref("handle-1"), false);
	assert_true(bursar_renewer_add_lease(renewer, "one more", 60 * SECOND_US, NULL));
	fail_renewals("*", BURSAR_UNAVAILABLE, -1); /* so that closing does not extend them all */
	bursar_renewer_close(renewer);
}

WITH_SERVER(options_and_handles_that_cannot_be_are_refused)
{
	struct bursar_error error;
	struct bursar_renewer *renewer;
	char endless[4000];

	assert_null(bursar_renewer_open(*state, &(struct bursar_renewer_options){.orphan_us = 999999}, &error));
	assert_string_equal(error.field, "orphan_us");
	renewer = bursar_renewer_open(*state, NULL, &error);
	assert_non_null(renewer);
	assert_null(bursar_renewer_open(*state, NULL, &error));
	assert_int_equal(error.code, BURSAR_FAILED_PRECONDITION);
	memset(endless, 'x', sizeof(endless) - 1);
	endless[sizeof(endless) - 1] = '\0';
	assert_false(bursar_renewer_add(renewer, endless, 0, &error));
	assert_string_equal(error.field, "reservation");
	assert_false(bursar_renewer_add(renewer, "handle", 5, &error));
	assert_string_equal(error.field, "longest_us");
	assert_false(bursar_renewer_add_lease(renewer, "", SECOND_US, &error));
	assert_string_equal(error.field, "lease");
	assert_false(bursar_renewer_add_lease(renewer, "lease", 0, &error));
	assert_string_equal(error.field, "lease_us");
	bursar_renewer_close(renewer);
	bursar_renewer_close(NULL);
}
