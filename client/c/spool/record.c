/*
 * Records on their way: on disk before they are sent, and kept there if no server takes them. Declared in bursar.h.
 *
 * A record on its way is a `*.batch`; one that waits is a `*.json`, which any client with the folder delivers. Two
 * processes may deliver the same one: that is a repeat for the server.
 */
#include "c/spool/spool.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* SYNC_US: most calls are answered by then, and a sync costs the disk a hundred times as much. */
enum { SYNC_US = 100000, FIRST_PAUSE_US = 1000000, SLICE_US = 50000 };

static void batch_name(const struct record *record, char out[SPOOL_NAME_MAX])
{
	snprintf(out, SPOOL_NAME_MAX, "%s.batch", record->stem);
}

/*
 * Writes the record to the folder before it is sent. When that cannot be, its owner is told, and it is sent all the
 * same.
 */
static void write_ahead(struct record *record)
{
	Bursar__V1__RecordBatchRequest batch = BURSAR__V1__RECORD_BATCH_REQUEST__INIT;
	struct bursar_spool *spool = record->spool;
	struct bursar_error error;
	char name[SPOOL_NAME_MAX];
	uint8_t *bytes;
	size_t len;

	batch.n_items = 1;
	batch.items = &record->request;
	len = bursar__v1__record_batch_request__get_packed_size(&batch);
	if (bursar__spool_full(spool, len, &error)) {
		bursar__spool_trouble(spool, &error);
		return;
	}
	bytes = malloc(len);
	if (!bytes)
		abort();
	bursar__v1__record_batch_request__pack(&batch, bytes);
	batch_name(record, name);
	if (bursar__file_write(spool->folder, name, bytes, len, spool->options.sync)) {
		record->bytes = (int64_t)len;
		record->sync_us = spool->options.sync ? 0 : bursar__now_us() + SYNC_US;
		spool->flying_bytes += record->bytes;
		spool->troubled = false;
	} else {
		bursar__spool_failed(&error);
		bursar__spool_trouble(spool, &error);
	}
	free(bytes);
}

/* What waits is sent after that time, or after the pause since it failed last. */
static void send_within(struct bursar_spool *spool, int64_t us)
{
	int64_t due_us = bursar__now_us() + (spool->pause_us > us ? spool->pause_us : us);

	if (spool->due_us > due_us)
		spool->due_us = due_us;
}

/* What becomes of a record that no server has taken. */
enum fate {
	NOT_KEPT,
	KEPT,
	STAYS /* as it was written ahead, until the disk has room again */
};

static enum fate keep(struct record *record, struct bursar_error *error)
{
	struct bursar_spool *spool = record->spool;
	char name[SPOOL_NAME_MAX];

	/* What was written ahead is counted already. */
	if (record->bytes == 0 &&
		bursar__spool_full(spool, bursar__v1__record_request__get_packed_size(record->request), error))
		return NOT_KEPT;
	bursar__waiting_name(record->stem, 0, record->request->attempt, name);
	if (bursar__waiting_write(spool->folder, name, record->request, &spool->waiting_bytes)) {
		spool->waiting++;
		spool->troubled = false;
		send_within(spool, FIRST_PAUSE_US);
		return KEPT;
	}
	bursar__spool_failed(error);
	batch_name(record, name);
	if (record->bytes == 0 || !bursar__file_sync(spool->folder, name))
		return NOT_KEPT;
	bursar__spool_trouble(spool, error);
	spool->stuck = true;
	send_within(spool, FIRST_PAUSE_US);
	return STAYS;
}

static void remove_ahead(struct record *record)
{
	struct bursar_error error;
	char name[SPOOL_NAME_MAX];

	batch_name(record, name);
	if (bursar__file_remove(record->spool->folder, name))
		return;
	bursar__spool_failed(&error);
	bursar__spool_trouble(record->spool, &error);
}

static void record_unlink(struct record *record)
{
	struct bursar_spool *spool = record->spool;

	if (record->prev)
		record->prev->next = record->next;
	else
		spool->records = record->next;
	if (record->next)
		record->next->prev = record->prev;
	spool->flying--;
	spool->flying_bytes -= record->bytes;
}

static void record_done(void *ctx, void *answer, const struct bursar_error *error)
{
	struct record *record = ctx;
	struct bursar_error own = *error;
	enum fate fate = !answer && bursar__spool_may_wait(error->code) ? keep(record, &own) : NOT_KEPT;

	if (answer) { /* so what waits may be taken, too */
		record->spool->pause_us = 0;
		if (record->spool->waiting > 0)
			send_within(record->spool, 0);
	}
	record_unlink(record);
	if (record->bytes > 0 && fate != STAYS)
		remove_ahead(record);
	record->done(record->ctx, answer, fate != NOT_KEPT, &own);
	bursar_free(record->request);
	bursar__spool_release(record->spool);
	free(record);
}

void bursar_spool_record(
	struct bursar_spool *spool, const Bursar__V1__RecordRequest *request, bursar_spooled *done, void *ctx)
{
	struct record *record = calloc(1, sizeof(*record));
	void *filled = bursar__ids_filled(BURSAR_RECORD, request);
	struct timespec now;

	if (!record)
		abort();
	record->spool = spool;
	record->request = filled ? filled : (void *)bursar__message_copy(&request->base);
	record->done = done;
	record->ctx = ctx;
	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(record->stem, sizeof(record->stem), "%016" PRId64 "-%s-%" PRIu64,
		(int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000, spool->writer, spool->number++);
	write_ahead(record);
	record->next = spool->records;
	if (record->next)
		record->next->prev = record;
	spool->records = record;
	spool->flying++;
	spool->holders++;
	bursar_submit(spool->bursar, BURSAR_RECORD, record->request, record_done, record);
}

struct waiter {
	bool ended, kept;
	Bursar__V1__RecordResponse *answer;
	struct bursar_error error;
};

static void waiter_done(void *ctx, Bursar__V1__RecordResponse *answer, bool kept, const struct bursar_error *error)
{
	*(struct waiter *)ctx = (struct waiter){true, kept, answer, *error};
}

Bursar__V1__RecordResponse *bursar_spool_record_wait(
	struct bursar_spool *spool, const Bursar__V1__RecordRequest *request, bool *kept, struct bursar_error *error)
{
	struct waiter waiter = {0};

	bursar_spool_record(spool, request, waiter_done, &waiter);
	while (!waiter.ended) {
		bursar_spool_tick(spool);
		bursar_poll(spool->bursar, SLICE_US);
	}
	*kept = waiter.kept;
	if (error && !waiter.answer)
		*error = waiter.error;
	return waiter.answer;
}
