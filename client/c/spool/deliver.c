/* Sends the records that wait in a spool's folder, also those that other processes left there. Declared in bursar.h. */
#include "c/spool/spool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* SEND_BYTES: a server takes a call of 1 MiB. */
enum { SEND_BYTES = 900 << 10, FIRST_PAUSE_US = 1000000, LONGEST_PAUSE_US = 30000000, SLICE_US = 50000 };

static void trouble(struct bursar_spool *spool)
{
	struct bursar_error error;

	bursar__spool_failed(&error);
	bursar__spool_trouble(spool, &error);
}

/* A file that will never be taken keeps its content under another name, and its owner is told. */
static void set_aside(struct bursar_spool *spool, const char *name, const char *why, const struct bursar_error *error)
{
	char aside[SPOOL_NAME_MAX];

	if (bursar__file_set_aside(spool->folder, name, why, aside))
		bursar__spool_tell(spool, aside, error);
	else if (errno != ENOENT)
		trouble(spool);
}

/* What an answer says of one of the files. Returns whether it waits no longer. */
static bool settle(struct bursar_spool *spool, const char *name, const Bursar__V1__RecordItem *item)
{
	struct bursar_error error = {0};

	if (!item->error) {
		if (bursar__file_remove(spool->folder, name))
			return true;
		trouble(spool); /* it is sent again, and charged once */
		return false;
	}
	if (item->error->field[0])
		bursar__error_field(&error, item->error->field, "%s", item->error->message);
	else
		bursar__error_set(&error, item->error->code, "%s", item->error->message);
	error.code = item->error->code;
	error.from_server = true;
	if (bursar__spool_may_wait(error.code))
		return false;
	set_aside(spool, name, "refused", &error);
	return true;
}

/* One of the records spoils the call: one by one, it is found. Returns whether to go on at once. */
static bool failed(struct bursar_spool *spool, const struct bursar_error *error)
{
	bool for_good = !bursar__spool_may_wait(error->code);

	if (spool->sent > 1 && (for_good || error->code == BURSAR_RESOURCE_EXHAUSTED)) {
		spool->send_max = 1;
		return true;
	}
	if (for_good)
		set_aside(spool, spool->names[0], "refused", error);
	else if (error->from_server && error->code != BURSAR_UNAVAILABLE)
		bursar__spool_trouble(spool, error);
	return for_good;
}

static void sent_done(void *ctx, void *answer, const struct bursar_error *error)
{
	struct bursar_spool *spool = ctx;
	Bursar__V1__RecordBatchResponse *answers = answer;
	struct listing listing = {0};
	size_t gone = 0;
	bool goes_on = !answer && failed(spool, error);

	for (size_t i = 0; answers && i < spool->sent && i < answers->n_items; i++)
		gone += settle(spool, spool->names[i], answers->items[i]);
	if (answers)
		spool->send_max = SPOOL_SEND_MAX;
	spool->sent = 0;
	bursar_free(answer);
	bursar__spool_look(spool, &listing);
	bursar__listing_free(&listing);
	spool->pause_us = goes_on || gone > 0 ? 0 : spool->pause_us ? spool->pause_us * 2 : FIRST_PAUSE_US;
	if (spool->pause_us > LONGEST_PAUSE_US)
		spool->pause_us = LONGEST_PAUSE_US;
	spool->due_us = bursar__now_us() + spool->pause_us;
	bursar__spool_release(spool);
}

/* The record in a file, if it can be read: NULL when it is gone or set aside. */
static Bursar__V1__RecordRequest *load_one(struct bursar_spool *spool, const char *name)
{
	Bursar__V1__RecordRequest *record = NULL;
	struct bursar_error error;
	struct bytes text;

	if (bursar__file_read(spool->folder, name, &text)) {
		record = bursar__record_read(&text);
		free(text.data);
	} else if (errno == ENOENT) {
		return NULL; /* another process has delivered it */
	} else if (errno != EFBIG) {
		trouble(spool);
		return NULL;
	}
	if (!record) {
		bursar__error_set(&error, BURSAR_DATA_LOSS, "the file does not hold a record");
		set_aside(spool, name, "bad", &error);
	}
	return record;
}

/* Takes the oldest files. Returns how many `requests` there are. */
static size_t load(struct bursar_spool *spool, Bursar__V1__RecordRequest *requests[SPOOL_SEND_MAX])
{
	struct listing listing = {0};
	size_t bytes = 0;

	bursar__spool_look(spool, &listing);
	for (size_t i = 0; i < listing.count && spool->sent < spool->send_max; i++) {
		Bursar__V1__RecordRequest *request = load_one(spool, listing.files[i].name);
		size_t len = request ? bursar__v1__record_request__get_packed_size(request) : 0;

		if (request && spool->sent > 0 && bytes + len > SEND_BYTES) {
			bursar_free(request);
			break;
		}
		if (!request)
			continue;
		bytes += len;
		snprintf(spool->names[spool->sent], SPOOL_NAME_MAX, "%s", listing.files[i].name);
		requests[spool->sent++] = request;
	}
	bursar__listing_free(&listing);
	return spool->sent;
}

static void send_waiting(struct bursar_spool *spool)
{
	Bursar__V1__RecordBatchRequest batch = BURSAR__V1__RECORD_BATCH_REQUEST__INIT;
	Bursar__V1__RecordRequest *requests[SPOOL_SEND_MAX];

	batch.n_items = load(spool, requests);
	batch.items = requests;
	if (batch.n_items == 0) {
		spool->due_us = bursar__now_us() + LONGEST_PAUSE_US; /* other processes may leave something */
		return;
	}
	spool->holders++;
	bursar_submit(spool->bursar, BURSAR_RECORD_BATCH, &batch, sent_done, spool);
	for (size_t i = 0; i < batch.n_items; i++)
		bursar_free(requests[i]);
}

/* Of records that have had no answer for a while: they outlive the machine from now on. */
static void sync_flying(struct bursar_spool *spool)
{
	int64_t now = bursar__now_us();

	for (struct record *record = spool->records; record; record = record->next) {
		char name[SPOOL_NAME_MAX];

		if (record->sync_us == 0 || record->sync_us > now)
			continue;
		record->sync_us = 0;
		snprintf(name, sizeof(name), "%s.batch", record->stem);
		if (!bursar__file_sync(spool->folder, name))
			trouble(spool);
	}
}

void bursar_spool_tick(struct bursar_spool *spool)
{
	sync_flying(spool);
	if (spool->sent > 0 || bursar__now_us() < spool->due_us)
		return;
	bursar__spool_unstick(spool);
	send_waiting(spool);
}

bool bursar_spool_drain(struct bursar_spool *spool, int64_t timeout_us)
{
	int64_t until = bursar__now_us() + timeout_us;
	struct listing listing = {0};

	bursar__spool_look(spool, &listing);
	bursar__listing_free(&listing);
	spool->due_us = 0;
	while ((spool->waiting > 0 || spool->sent > 0 || spool->stuck) && bursar__now_us() < until) {
		bursar_spool_tick(spool);
		bursar_poll(spool->bursar, SLICE_US);
	}
	return spool->waiting == 0 && !spool->stuck;
}
