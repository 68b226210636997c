/*
 * libbursar's spool: records are on disk before they are sent, wait there while no server takes them, and none
 * disappears.
 */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "c/bursar.h"
#include "fake_server.h"
#include "lib/test.h"

/* What the server does, and the users of the records that it took. Its thread uses this between calls of the test. */
static struct {
	struct fake_server *fake;
	bool away;
	int code; /* of every call, unless 0 */
	int taken;
	char users[16][16];
	char lease[16]; /* of the latest */
	size_t on_disk; /* files of calls when it arrived */
} server;

static char folder[] = "/tmp/b-spool-XXXXXX";
static Bursar__V1__RecordResponse recorded;
static Bursar__V1__RecordItem items[100], *item_list[100];
static Bursar__V1__ItemError item_error;
static Bursar__V1__RecordBatchResponse batch;

static size_t files(const char *ending);

static bool take(const Bursar__V1__RecordRequest *request)
{
	if (strcmp(request->reservation->user, "mallory") == 0)
		return false;
	snprintf(server.lease, sizeof(server.lease), "%s", request->lease);
	server.on_disk = files(".batch");
	snprintf(server.users[server.taken++ % 16], 16, "%s", request->reservation->user);
	return true;
}

static void answer_batch(const uint8_t *bytes, size_t len, struct fake_answer *answer)
{
	Bursar__V1__RecordBatchRequest *requests = bursar__v1__record_batch_request__unpack(NULL, len, bytes);

	bursar__v1__record_batch_response__init(&batch);
	bursar__v1__item_error__init(&item_error);
	item_error.code = BURSAR_INVALID_ARGUMENT;
	item_error.message = (char *)"no such user";
	for (size_t i = 0; i < requests->n_items; i++) {
		if (strcmp(requests->items[i]->reservation->user, "spoiler") == 0)
			*answer = (struct fake_answer){.code = BURSAR_INVALID_ARGUMENT, .text = "cannot be read"};
	}
	for (size_t i = 0; i < requests->n_items && answer->code == 0; i++) {
		bursar__v1__record_item__init(&items[i]);
		item_list[i] = &items[i];
		if (take(requests->items[i]))
			items[i].response = &recorded;
		else
			items[i].error = &item_error;
	}
	batch.n_items = requests->n_items;
	batch.items = item_list;
	answer->message = answer->code == 0 ? &batch.base : NULL;
	bursar__v1__record_batch_request__free_unpacked(requests, NULL);
}

static void handle(void *ctx, const char *path, const uint8_t *bytes, size_t len, struct fake_answer *answer)
{
	Bursar__V1__RecordRequest *request;

	(void)ctx;
	*answer = (struct fake_answer){0};
	bursar__v1__record_response__init(&recorded);
	if (server.away) {
		*answer = (struct fake_answer){.code = BURSAR_UNAVAILABLE, .text = "away"};
	} else if (server.code != 0) {
		*answer = (struct fake_answer){.code = server.code, .text = "scripted"};
	} else if (strcmp(path, "/bursar.v1.Limiter/RecordBatch") == 0) {
		answer_batch(bytes, len, answer);
	} else {
		request = bursar__v1__record_request__unpack(NULL, len, bytes);
		answer->message = &recorded.base;
		if (!take(request))
			*answer = (struct fake_answer){.code = BURSAR_INVALID_ARGUMENT, .text = "no such user"};
		bursar__v1__record_request__free_unpacked(request, NULL);
	}
}

static size_t files(const char *ending)
{
	DIR *dir = opendir(folder);
	size_t count = 0;

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
		size_t len = strlen(entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		count += len > strlen(ending) && strcmp(entry->d_name + len - strlen(ending), ending) == 0;
	}
	closedir(dir);
	return count;
}

static void clear_folder(void)
{
	DIR *dir = opendir(folder);

	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	rmdir(folder);
}

static int set_up(void **state)
{
	memset(&server, 0, sizeof(server));
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	if (!mkdtemp(folder))
		return 1;
	server.fake = fake_server_new(handle, NULL);
	*state = bursar_open(
		fake_server_address(server.fake), &(struct bursar_options){.attempts = 1, .attempt_us = 5000000}, NULL);
	return *state ? 0 : 1;
}

static int tear_down(void **state)
{
	bursar_close(*state);
	fake_server_free(server.fake);
	clear_folder();
	return 0;
}

#define WITH_SERVER(name) TEST_WITH(name, set_up, tear_down)

static struct {
	int answered, kept, failed;
	int refused, bad, troubles;
	int code;
	char reason[32];
} told;

static void on_done(void *ctx, Bursar__V1__RecordResponse *answer, bool kept, const struct bursar_error *error)
{
	(void)ctx;
	told.answered += answer != NULL;
	told.kept += kept;
	if (!answer && !kept) {
		told.failed++;
		told.code = error->code;
		snprintf(told.reason, sizeof(told.reason), "%s", error->reason);
	}
	bursar_free(answer);
}

static void on_problem(void *ctx, const char *name, const struct bursar_error *error)
{
	(void)ctx;
	told.refused += strstr(name, ".refused") != NULL;
	told.bad += strstr(name, ".bad") != NULL;
	told.troubles += name[0] == '\0';
	told.code = error->code;
	snprintf(told.reason, sizeof(told.reason), "%s", error->reason);
}

static struct bursar_spool *open_spool_with(struct bursar *bursar, struct bursar_spool_options options)
{
	struct bursar_spool *spool;

	memset(&told, 0, sizeof(told));
	options.problem = on_problem;
	spool = bursar_spool_open(bursar, folder, &options, NULL);
	assert_non_null(spool);
	return spool;
}

static struct bursar_spool *open_spool(struct bursar *bursar)
{
	return open_spool_with(bursar, (struct bursar_spool_options){0});
}

static void record(struct bursar *bursar, struct bursar_spool *spool, const char *user)
{
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__TokenUsage usage = BURSAR__V1__TOKEN_USAGE__INIT;

	reservation.user = (char *)user;
	request.reservation = &reservation;
	request.usage = &usage;
	bursar_spool_record(spool, &request, on_done, NULL);
	while (bursar_in_flight(bursar) > 0)
		bursar_poll(bursar, 1000000);
}

/* Until nothing waits any more. */
static void drain(struct bursar *bursar, struct bursar_spool *spool)
{
	while (bursar_spool_waiting(spool) > 0) {
		bursar_spool_tick(spool);
		bursar_poll(bursar, 100000);
	}
}

WITH_SERVER(a_record_that_is_taken_leaves_no_file)
{
	struct bursar_spool *spool = open_spool(*state);

	record(*state, spool, "alice");
	assert_int_equal(told.answered, 1);
	assert_int_equal(server.taken, 1);
	assert_int_equal(files(""), 0);
	bursar_spool_close(spool);
}

WITH_SERVER(what_is_kept_arrives_in_order_when_the_server_is_back)
{
	struct bursar_spool *spool = open_spool(*state);

	server.away = true;
	record(*state, spool, "one");
	record(*state, spool, "two");
	record(*state, spool, "three");
	assert_int_equal(told.kept, 3);
	assert_int_equal(files(".json"), 3);
	bursar_spool_tick(spool); /* still away: nothing is lost */
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, 1000000);
	assert_int_equal(files(".json"), 3);
	server.away = false;
	drain(*state, spool);
	assert_int_equal(server.taken, 3);
	assert_string_equal(server.users[0], "one");
	assert_string_equal(server.users[1], "two");
	assert_string_equal(server.users[2], "three");
	assert_int_equal(files(".json"), 0);
	bursar_spool_close(spool);
}

WITH_SERVER(the_next_program_sends_what_one_has_left)
{
	struct bursar_spool *spool = open_spool(*state);

	server.away = true;
	record(*state, spool, "alice");
	bursar_spool_close(spool);
	server.away = false;
	spool = open_spool(*state);
	assert_int_equal(bursar_spool_waiting(spool), 1);
	drain(*state, spool);
	assert_string_equal(server.users[0], "alice");
	bursar_spool_close(spool);
}

WITH_SERVER(a_full_spool_says_so_and_a_wrong_record_is_not_kept)
{
	struct bursar_spool *spool = open_spool_with(*state, (struct bursar_spool_options){.records_max = 1});

	record(*state, spool, "mallory");
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.code, BURSAR_INVALID_ARGUMENT);
	server.away = true;
	record(*state, spool, "alice");
	record(*state, spool, "bob");
	assert_int_equal(told.kept, 1);
	assert_int_equal(told.failed, 2);
	assert_int_equal(told.code, BURSAR_RESOURCE_EXHAUSTED);
	bursar_spool_close(spool);
}

static void put_file(const char *name, const void *bytes, size_t len)
{
	char path[300];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	fclose(file);
}

static void put_text(const char *name, const char *text)
{
	put_file(name, text, strlen(text));
}

WITH_SERVER(what_is_refused_later_or_cannot_be_read_is_put_aside)
{
	struct bursar_spool *spool = open_spool(*state);

	server.away = true;
	record(*state, spool, "mallory");
	record(*state, spool, "alice");
	put_text("0-torn-0.json", "{");
	server.away = false;
	drain(*state, spool);
	assert_int_equal(told.refused, 1);
	assert_int_equal(told.bad, 1);
	assert_int_equal(files(".json.refused"), 1);
	assert_int_equal(files(".json.bad"), 1);
	assert_int_equal(server.taken, 1);
	bursar_spool_close(spool);
}

WITH_SERVER(a_record_is_on_disk_before_it_is_sent)
{
	struct bursar_spool *spool = open_spool_with(*state, (struct bursar_spool_options){.sync = true});

	record(*state, spool, "alice");
	assert_int_equal(server.on_disk, 1);
	assert_int_equal(files(""), 0);
	bursar_spool_close(spool);
	spool = open_spool(*state);
	record(*state, spool, "alice");
	assert_int_equal(server.on_disk, 1);
	bursar_spool_close(spool);
}

/* As a process leaves it that is killed in the middle of a call. */
static void put_batch(const char *name, size_t count)
{
	static Bursar__V1__ReservationRef reservation;
	static Bursar__V1__RecordRequest request[3], *list[3] = {&request[0], &request[1], &request[2]};
	Bursar__V1__RecordBatchRequest left = BURSAR__V1__RECORD_BATCH_REQUEST__INIT;
	uint8_t bytes[500];

	bursar__v1__reservation_ref__init(&reservation);
	reservation.user = (char *)"alice";
	for (int i = 0; i < 3; i++) {
		bursar__v1__record_request__init(&request[i]);
		request[i].reservation = &reservation;
		request[i].attempt = i;
		request[i].lease = (char *)"over";
	}
	left.n_items = count;
	left.items = list;
	put_file(name, bytes, bursar__v1__record_batch_request__pack(&left, bytes));
}

WITH_SERVER(what_a_killed_process_had_on_its_way_is_sent_by_the_next)
{
	struct bursar_spool *spool;

	put_batch("0000000000000001-0a0b0c0d-0.batch", 3);
	put_batch("0000000000000002-0a0b0c0d-1.batch", 0);
	put_text("0000000000000003-0a0b0c0d-2.batch", "cut");
	put_text(".0000000000000004-0a0b0c0d-3.batch.1.tmp", "half");
	spool = open_spool(*state);
	assert_int_equal(bursar_spool_waiting(spool), 3);
	assert_int_equal(files("000001-0a0b0c0d-0.1-1.json"), 1);
	drain(*state, spool);
	assert_int_equal(server.taken, 3);
	assert_string_equal(server.lease, ""); /* it has ended long ago */
	assert_int_equal(told.bad, 2);
	assert_int_equal(files(".batch.bad"), 2);
	bursar_spool_close(spool);
}

WITH_SERVER(what_clients_of_other_languages_left_is_sent_in_order)
{
	struct bursar_spool *spool = open_spool(*state);

	put_text("0000000000000002-b-0.json",
		"{\"reservation\": {\"user\": \"two\", \"request_id\": \"b\", \"started_at_us\": \"5\"}, \"usage\": {\"input_tokens\": 7}}");
	put_text("0000000000000001-a-0.json",
		"{\"reservation\":{\"user\":\"one\",\"requestId\":\"a\",\"startedAtUs\":\"5\"},\"usage\":{},\"laterField\":[{}, 1.5e3, null]}\n");
	assert_true(bursar_spool_drain(spool, 60000000));
	assert_int_equal(server.taken, 2);
	assert_string_equal(server.users[0], "one");
	assert_string_equal(server.users[1], "two");
	bursar_spool_close(spool);
}

WITH_SERVER(what_one_process_keeps_another_delivers)
{
	struct bursar_spool *one = open_spool(*state), *two = open_spool(*state);

	server.away = true;
	record(*state, one, "alice");
	server.away = false;
	assert_true(bursar_spool_drain(two, 60000000));
	assert_true(bursar_spool_drain(one, 60000000));
	assert_int_equal(server.taken, 1);
	assert_int_equal(told.troubles, 0);
	bursar_spool_close(one);
	bursar_spool_close(two);
}

WITH_SERVER(a_record_that_spoils_the_call_is_found)
{
	struct bursar_spool *spool = open_spool(*state);

	server.away = true;
	record(*state, spool, "alice");
	record(*state, spool, "spoiler");
	record(*state, spool, "bob");
	server.away = false;
	drain(*state, spool);
	assert_int_equal(server.taken, 2);
	assert_int_equal(told.refused, 1);
	bursar_spool_close(spool);
}

WITH_SERVER(a_record_waits_while_the_key_is_refused)
{
	struct bursar_spool *spool = open_spool(*state);

	server.code = BURSAR_UNAUTHENTICATED;
	record(*state, spool, "alice");
	assert_int_equal(told.kept, 1);
	assert_false(bursar_spool_drain(spool, 100000));
	while (told.troubles == 0) {
		bursar_spool_tick(spool);
		bursar_poll(*state, 100000);
	}
	assert_int_equal(told.code, BURSAR_UNAUTHENTICATED);
	server.code = 0;
	drain(*state, spool);
	assert_int_equal(server.taken, 1);
	bursar_spool_close(spool);
}

/* The disk takes no byte more, or does again. */
static void disk_refuses(bool refuses)
{
	static struct rlimit before;
	struct rlimit limit;

	if (before.rlim_max == 0)
		getrlimit(RLIMIT_FSIZE, &before);
	signal(SIGXFSZ, SIG_IGN);
	limit = before;
	if (refuses)
		limit.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

WITH_SERVER(a_record_is_sent_although_the_disk_refuses_it_and_that_is_told)
{
	struct bursar_spool *spool = open_spool(*state);

	disk_refuses(true);
	record(*state, spool, "alice");
	assert_int_equal(told.answered, 1);
	assert_int_equal(told.troubles, 1);
	assert_string_equal(told.reason, "SPOOL_FAILED");
	server.away = true;
	record(*state, spool, "bob");
	disk_refuses(false);
	assert_int_equal(told.failed, 1);
	assert_int_equal(told.code, BURSAR_UNAVAILABLE);
	assert_string_equal(told.reason, "SPOOL_FAILED");
	assert_int_equal(files(""), 0);
	bursar_spool_close(spool);
}

WITH_SERVER(what_was_written_ahead_is_not_lost_when_the_disk_is_full_later)
{
	struct bursar_spool *spool = open_spool(*state);
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;

	server.away = true;
	reservation.user = (char *)"alice";
	request.reservation = &reservation;
	bursar_spool_record(spool, &request, on_done, NULL);
	assert_int_equal(files(".batch"), 1);
	disk_refuses(true);
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, 1000000);
	assert_int_equal(told.kept, 1);
	assert_int_equal(told.troubles, 1);
	assert_int_equal(files(".batch"), 1);
	disk_refuses(false);
	server.away = false;
	assert_true(bursar_spool_drain(spool, 60000000));
	assert_int_equal(server.taken, 1);
	assert_int_equal(files(""), 0);
	bursar_spool_close(spool);
}

WITH_SERVER(a_folder_that_is_gone_is_told)
{
	struct bursar_spool *spool = open_spool(*state);

	assert_int_equal(rmdir(folder), 0);
	server.away = true;
	record(*state, spool, "alice");
	assert_int_equal(told.failed, 1);
	assert_string_equal(told.reason, "SPOOL_FAILED");
	assert_int_equal(told.troubles, 1);
	mkdir(folder, 0700); /* for the tear-down */
	bursar_spool_close(spool);
}

WITH_SERVER(a_spool_has_its_bounds_in_bytes)
{
	struct bursar_spool *spool = open_spool_with(*state, (struct bursar_spool_options){.bytes_max = 150});

	server.away = true;
	record(*state, spool, "alice");
	record(*state, spool, "bob");
	assert_int_equal(told.kept, 1);
	assert_int_equal(told.failed, 1);
	assert_string_equal(told.reason, "SPOOL_FULL");
	assert_int_equal(told.troubles, 1);
	bursar_spool_close(spool);
}

WITH_SERVER(a_record_that_waits_for_its_answer_is_answered_kept_or_refused)
{
	struct bursar_spool *spool = open_spool(*state);
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;
	Bursar__V1__RecordResponse *answer;
	struct bursar_error error;
	bool kept;

	reservation.user = (char *)"alice";
	request.reservation = &reservation;
	answer = bursar_spool_record_wait(spool, &request, &kept, &error);
	assert_non_null(answer);
	assert_false(kept);
	bursar_free(answer);
	server.away = true;
	assert_null(bursar_spool_record_wait(spool, &request, &kept, &error));
	assert_true(kept);
	server.away = false;
	reservation.user = (char *)"mallory";
	assert_null(bursar_spool_record_wait(spool, &request, &kept, &error));
	assert_false(kept);
	assert_int_equal(error.code, BURSAR_INVALID_ARGUMENT);
	assert_true(bursar_spool_drain(spool, 60000000));
	bursar_spool_close(spool);
}

WITH_SERVER(a_record_on_its_way_is_kept_when_the_spool_closes)
{
	struct bursar_spool *spool = open_spool(*state);
	Bursar__V1__RecordRequest request = BURSAR__V1__RECORD_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;

	server.away = true;
	reservation.user = (char *)"alice";
	request.reservation = &reservation;
	bursar_spool_record(spool, &request, on_done, NULL);
	bursar_spool_close(spool);
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, 1000000);
	assert_int_equal(told.kept, 1);
	assert_int_equal(files(".json"), 1);
}

WITH_SERVER(a_folder_that_cannot_be_used_is_refused)
{
	struct bursar_error error;

	assert_null(bursar_spool_open(*state, "/proc/no/such", NULL, &error));
	assert_string_equal(error.field, "directory");
	assert_null(bursar_spool_open(*state, "/dev/null", NULL, &error));
	assert_non_null(strstr(error.message, "cannot be used"));
}
