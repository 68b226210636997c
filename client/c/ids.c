/*
 * Request ids. A call that is sent again has to carry the same id, so one that has none gets it before the first attempt.
 * Declared in internal.h and bursar.h.
 */
#include "c/internal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

void bursar_request_id(char out[33])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char bytes[16];

	/* So few bytes always come at once, unless a signal interrupts the wait for entropy. */
	while (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[32] = '\0';
}

static bool is_empty(const char *text)
{
	return !text || !*text;
}

/* `text` is a field of an unpacked message. An unset one is protobuf-c's shared empty string, which is not freed. */
static void put_id(char **text)
{
	char *id = malloc(33);

	if (!id)
		abort();
	bursar_request_id(id);
	if (*text && *text != protobuf_c_empty_string)
		free(*text);
	*text = id;
}

static bool record_lacks_id(const Bursar__V1__RecordRequest *record)
{
	const Bursar__V1__ReservationRef *ref = record->reservation;

	return ref && is_empty(ref->handle) && (is_empty(ref->request_id) || ref->started_at_us == 0);
}

static void record_put_id(Bursar__V1__RecordRequest *record)
{
	struct timespec now;

	if (!record_lacks_id(record))
		return;
	if (is_empty(record->reservation->request_id))
		put_id(&record->reservation->request_id);
	if (record->reservation->started_at_us == 0) {
		clock_gettime(CLOCK_REALTIME, &now);
		record->reservation->started_at_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	}
}

/* Further attempts are the same bytes; their header says that they are not the first (connection.c). */
static void check_put_id(Bursar__V1__CheckRequest *check)
{
	put_id(&check->request_id);
	check->request_id_is_new = true;
}

static ProtobufCMessage *filled_checks(const Bursar__V1__CheckBatchRequest *batch)
{
	Bursar__V1__CheckBatchRequest *copy = NULL;

	for (size_t i = 0; i < batch->n_items; i++) {
		if (!is_empty(batch->items[i]->request_id))
			continue;
		if (!copy)
			copy = (void *)bursar__message_copy(&batch->base);
		check_put_id(copy->items[i]);
	}
	return (ProtobufCMessage *)copy;
}

static ProtobufCMessage *filled_records(const Bursar__V1__RecordBatchRequest *batch)
{
	Bursar__V1__RecordBatchRequest *copy = NULL;

	for (size_t i = 0; i < batch->n_items; i++) {
		if (!record_lacks_id(batch->items[i]))
			continue;
		if (!copy)
			copy = (void *)bursar__message_copy(&batch->base);
		record_put_id(copy->items[i]);
	}
	return (ProtobufCMessage *)copy;
}

ProtobufCMessage *bursar__ids_filled(enum bursar_method method, const void *request)
{
	ProtobufCMessage *copy;

	switch (method) {
	case BURSAR_CHECK:
		if (!is_empty(((const Bursar__V1__CheckRequest *)request)->request_id))
			return NULL;
		copy = bursar__message_copy(request);
		check_put_id((Bursar__V1__CheckRequest *)copy);
		return copy;
	case BURSAR_RECORD:
		if (!record_lacks_id(request))
			return NULL;
		copy = bursar__message_copy(request);
		record_put_id((Bursar__V1__RecordRequest *)copy);
		return copy;
	case BURSAR_RESET:
		if (!is_empty(((const Bursar__V1__ResetRequest *)request)->request_id))
			return NULL;
		copy = bursar__message_copy(request);
		put_id(&((Bursar__V1__ResetRequest *)copy)->request_id);
		return copy;
	case BURSAR_CHECK_BATCH:
		return filled_checks(request);
	case BURSAR_RECORD_BATCH:
		return filled_records(request);
	default:
		return NULL;
	}
}

void bursar__acquire_put_id(Bursar__V1__AcquireRequest *request)
{
	if (request->check && is_empty(request->check->request_id))
		put_id(&request->check->request_id);
}
