/* libbursar's spool: records that no server takes wait on disk, arrive once there is one, and none disappears. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "c/bursar.h"
#include "fake_server.h"
#include "lib/test.h"

/* What the server does, and the users of the records that it took. Its thread uses this between calls of the test. */
static struct {
	struct fake_server *fake;
	bool away;
	int taken;
	char users[16][16];
} server;

static char folder[] = "/tmp/b-spool-XXXXXX";
static Bursar__V1__RecordResponse recorded;
static Bursar__V1__RecordItem items[100], *item_list[100];
static Bursar__V1__ItemError item_error;
static Bursar__V1__RecordBatchResponse batch;

static bool take(const Bursar__V1__RecordRequest *request)
{
	if (strcmp(request->reservation->user, "mallory") == 0)
		return false;
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
		bursar__v1__record_item__init(&items[i]);
		item_list[i] = &items[i];
		if (take(requests->items[i]))
			items[i].response = &recorded;
		else
			items[i].error = &item_error;
	}
	batch.n_items = requests->n_items;
	batch.items = item_list;
	answer->message = &batch.base;
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
	int answered, kept, failed, refused;
	int code;
} told;

static void on_done(void *ctx, Bursar__V1__RecordResponse *answer, bool kept, const struct bursar_error *error)
{
	(void)ctx;
	told.answered += answer != NULL;
	told.kept += kept;
	if (!answer && !kept) {
		told.failed++;
		told.code = error->code;
	}
	bursar_free(answer);
}

static void on_refused(void *ctx, const char *name, const struct bursar_error *error)
{
	(void)ctx;
	assert_non_null(strstr(name, ".refused"));
	told.refused++;
	told.code = error->code;
}

static struct bursar_spool *open_spool(struct bursar *bursar, size_t records_max)
{
	memset(&told, 0, sizeof(told));
	return bursar_spool_open(bursar, folder, records_max, on_refused, NULL, NULL);
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
	struct bursar_spool *spool = open_spool(*state, 0);

	record(*state, spool, "alice");
	assert_int_equal(told.answered, 1);
	assert_int_equal(server.taken, 1);
	assert_int_equal(files(".record"), 0);
	bursar_spool_close(spool);
}

WITH_SERVER(what_is_kept_arrives_in_order_when_the_server_is_back)
{
	struct bursar_spool *spool = open_spool(*state, 0);

	server.away = true;
	record(*state, spool, "one");
	record(*state, spool, "two");
	record(*state, spool, "three");
	assert_int_equal(told.kept, 3);
	assert_int_equal(files(".record"), 3);
	bursar_spool_tick(spool); /* still away: nothing is lost */
	while (bursar_in_flight(*state) > 0)
		bursar_poll(*state, 1000000);
	assert_int_equal(files(".record"), 3);
	server.away = false;
	drain(*state, spool);
	assert_int_equal(server.taken, 3);
	assert_string_equal(server.users[0], "one");
	assert_string_equal(server.users[1], "two");
	assert_string_equal(server.users[2], "three");
	assert_int_equal(files(".record"), 0);
	bursar_spool_close(spool);
}

WITH_SERVER(the_next_program_sends_what_one_has_left)
{
	struct bursar_spool *spool = open_spool(*state, 0);

	server.away = true;
	record(*state, spool, "alice");
	bursar_spool_close(spool);
	server.away = false;
	spool = open_spool(*state, 0);
	assert_int_equal(bursar_spool_waiting(spool), 1);
	drain(*state, spool);
	assert_string_equal(server.users[0], "alice");
	bursar_spool_close(spool);
}

WITH_SERVER(a_full_spool_says_so_and_a_wrong_record_is_not_kept)
{
	struct bursar_spool *spool = open_spool(*state, 1);

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

WITH_SERVER(what_is_refused_later_or_cannot_be_read_is_put_aside)
{
	struct bursar_spool *spool = open_spool(*state, 0);
	char path[64];
	FILE *file;

	server.away = true;
	record(*state, spool, "mallory");
	record(*state, spool, "alice");
	snprintf(path, sizeof(path), "%s/0-torn.record", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	fputs("no record", file);
	fclose(file);
	server.away = false;
	drain(*state, spool);
	assert_int_equal(told.refused, 2);
	assert_int_equal(files(".refused"), 2);
	assert_int_equal(server.taken, 1);
	bursar_spool_close(spool);
}

WITH_SERVER(a_record_on_its_way_is_kept_when_the_spool_closes)
{
	struct bursar_spool *spool = open_spool(*state, 0);
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
	assert_int_equal(files(".record"), 1);
}

WITH_SERVER(a_folder_that_cannot_be_used_is_refused)
{
	struct bursar_error error;

	assert_null(bursar_spool_open(*state, "/proc/no/such", 0, NULL, NULL, &error));
	assert_string_equal(error.field, "directory");
	assert_null(bursar_spool_open(*state, "/dev/null", 0, NULL, NULL, &error));
	assert_non_null(strstr(error.message, "cannot be used"));
}
