/*
 * A slot of a pool. When its stream breaks, the next one finds the place or the lease again by the request id. Declared in
 * bursar.h.
 */
#include "c/internal.h"

#include <stdlib.h>
#include <string.h>

/* MARGIN_US: how much earlier than the store the holder gives up a lease that cannot be renewed. */
enum { MARGIN_US = 2000000, FIRST_PAUSE_US = 100000, LONGEST_PAUSE_US = 2000000, PATIENCE_US = 10000000 };

struct bursar_slot {
	struct bursar *bursar;
	struct bursar_slot_events events;
	void *ctx;
	Bursar__V1__AcquireRequest *request;
	struct bursar_stream *stream; /* NULL while it is not connected */
	int64_t asked_ttl_us; /* how long the caller wants the reservation to be held */
	Bursar__V1__CheckResponse *check; /* of the first message */
	uint64_t fence; /* 0 = not granted */
	int64_t lease_us;
	int64_t patience_us, broken_us; /* since when no server has answered; 0 = connected */
	int64_t connect_us, pause_us; /* when to connect again */
	bool denied, closing;
};

static void slot_free(struct bursar_slot *slot, const struct bursar_error *error)
{
	slot->events.ended(slot->ctx, slot->denied ? slot->check : NULL, error);
	bursar_free(slot->request);
	bursar_free(slot->check);
	free(slot);
}

static void on_granted(struct bursar_slot *slot, const Bursar__V1__Granted *granted)
{
	bool first = slot->fence == 0;

	slot->lease_us = granted->lease_us;
	if (!first && slot->fence != granted->fence) {
		/* This is another lease: the one that the caller works under was lost meanwhile. */
		bursar_stream_cancel(slot->stream);
		slot->lease_us = 0;
		return;
	}
	slot->fence = granted->fence;
	/* The server extends it while the stream lasts; between its end and the record, the renewer does. */
	if (first && slot->bursar->kept && slot->check)
		bursar__kept_granted(slot->bursar->kept, slot->request->check, slot->asked_ttl_us, slot->check);
	if (first && slot->events.granted)
		slot->events.granted(slot->ctx, granted, slot->check);
}

static void on_message(void *ctx, void *message)
{
	struct bursar_slot *slot = ctx;
	Bursar__V1__AcquireResponse *response = message;

	slot->broken_us = 0;
	slot->pause_us = 0;
	if (response->check && !slot->check) {
		slot->check = response->check;
		response->check = NULL;
	}
	switch (response->event_case) {
	case BURSAR__V1__ACQUIRE_RESPONSE__EVENT_DENIED:
		slot->denied = true;
		break;
	case BURSAR__V1__ACQUIRE_RESPONSE__EVENT_QUEUED:
		if (slot->events.queued && !slot->fence)
			slot->events.queued(slot->ctx, response->queued);
		break;
	case BURSAR__V1__ACQUIRE_RESPONSE__EVENT_GRANTED:
		on_granted(slot, response->granted);
		break;
	case BURSAR__V1__ACQUIRE_RESPONSE__EVENT_DRAINING:
		if (slot->events.draining)
			slot->events.draining(slot->ctx, response->draining);
		break;
	default: /* from a newer server */
		break;
	}
	bursar_free(response);
}

/* How long the place or the lease survives without a server. */
static int64_t survives_us(const struct bursar_slot *slot)
{
	return slot->fence ? slot->lease_us - MARGIN_US : slot->patience_us;
}

/* A server that stops may cancel its streams; so do we, when one has been without a server for too long. */
static bool stream_broke(const struct bursar_error *error)
{
	return error->code == BURSAR_UNAVAILABLE || error->code == BURSAR_CANCELLED;
}

static bool may_reconnect(struct bursar_slot *slot, const struct bursar_error *error)
{
	int64_t now = bursar__now_us();

	if (slot->closing || slot->denied || slot->bursar->closing || !stream_broke(error))
		return false;
	if (!slot->broken_us)
		slot->broken_us = now;
	slot->pause_us = !slot->pause_us ? FIRST_PAUSE_US : slot->pause_us * 2;
	if (slot->pause_us > LONGEST_PAUSE_US)
		slot->pause_us = LONGEST_PAUSE_US;
	slot->connect_us = now + slot->pause_us;
	return slot->connect_us - slot->broken_us < survives_us(slot);
}

static void on_ended(void *ctx, const struct bursar_error *error)
{
	struct bursar_slot *slot = ctx;
	struct bursar_error end = *error;

	slot->stream = NULL;
	if (may_reconnect(slot, error)) {
		if (slot->events.reconnecting)
			slot->events.reconnecting(slot->ctx, error);
		return;
	}
	if (slot->closing)
		end.code = BURSAR_OK;
	else if (slot->fence && !slot->bursar->closing && (stream_broke(error) || slot->lease_us == 0))
		bursar__error_set(&end, BURSAR_ABORTED, "the lease is lost: no server renewed it in time");
	slot_free(slot, &end);
}

static void connect_slot(struct bursar_slot *slot)
{
	slot->stream = bursar_stream_open(slot->bursar, BURSAR_ACQUIRE, slot->request, on_message, on_ended, slot);
}

struct bursar_slot *bursar_slot_open(struct bursar *bursar, const Bursar__V1__AcquireRequest *request,
	const struct bursar_slot_events *events, void *ctx, int64_t patience_us)
{
	struct bursar_slot *slot = calloc(1, sizeof(*slot));

	if (!slot)
		abort();
	slot->bursar = bursar;
	slot->events = *events;
	slot->ctx = ctx;
	slot->patience_us = patience_us > 0 ? patience_us : PATIENCE_US;
	slot->request = (Bursar__V1__AcquireRequest *)bursar__message_copy(&request->base);
	bursar__acquire_put_id(slot->request);
	if (bursar->kept && slot->request->check) {
		slot->asked_ttl_us = slot->request->check->reservation_ttl_us;
		slot->request->check->reservation_ttl_us = bursar__kept_first_us(bursar->kept, slot->asked_ttl_us);
	}
	connect_slot(slot);
	return slot;
}

void bursar_slot_close(struct bursar_slot *slot)
{
	slot->closing = true;
	if (slot->stream)
		bursar_stream_cancel(slot->stream);
	else
		slot->connect_us = 0;
}

/*
 * A stream that looks alive may still be waiting for a connection. A lease ends by the time since the server was lost, which
 * is known once a stream has ended.
 */
void bursar_slot_tick(struct bursar_slot *slot)
{
	struct bursar_error error;
	int64_t now = bursar__now_us();

	if (slot->stream) {
		if (slot->broken_us && now - slot->broken_us >= survives_us(slot))
			bursar_stream_cancel(slot->stream);
		return;
	}
	if (slot->closing) {
		bursar__error_set(&error, BURSAR_OK, "closed");
		slot_free(slot, &error);
	} else if (now >= slot->connect_us) {
		connect_slot(slot);
	}
}
