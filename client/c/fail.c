/* What a check answers when no server does: the client's own policy. Declared in internal.h and bursar.h. */
#include "c/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* SHARES: buckets of all users; those whose ids have the same hash share one, so that memory is bounded. */
enum { SHARES = 4096, MINUTE_US = 60000000 };

struct bursar__shares {
	int64_t interval_us; /* between two requests of a user */
	int64_t full_at_us[SHARES]; /* when the bucket is full again, on the monotonic clock */
};

void bursar__fail_set(struct bursar *bursar, const struct bursar_options *options)
{
	int per_minute = options->fail_share_per_minute > 0 ? options->fail_share_per_minute : 5;

	bursar->fail = options->fail;
	bursar->fail_after_us = options->fail_after_us > 0 ? options->fail_after_us : 2000000;
	if (bursar->fail != BURSAR_FAIL_SHARE)
		return;
	bursar->shares = calloc(1, sizeof(*bursar->shares));
	if (!bursar->shares)
		abort();
	bursar->shares->interval_us = MINUTE_US / (per_minute < MINUTE_US ? per_minute : MINUTE_US);
}

int64_t bursar__fail_timeout_us(const struct bursar *bursar, enum bursar_method method)
{
	if (bursar->fail == BURSAR_FAIL_CLOSED || (method != BURSAR_CHECK && method != BURSAR_CHECK_BATCH))
		return bursar->timeout_us;
	return bursar->fail_after_us < bursar->timeout_us ? bursar->fail_after_us : bursar->timeout_us;
}

/* Takes one request from the user's share; returns 0, or how long it lasts until there is one again. */
static int64_t share_take_us(struct bursar__shares *shares, const char *user)
{
	uint32_t hash = 2166136261u; /* FNV-1a */
	int64_t now = bursar__now_us(), *full_at;

	for (const char *p = user; *p; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619u;
	full_at = &shares->full_at_us[hash % SHARES];
	if (*full_at < now)
		*full_at = now;
	if (*full_at + shares->interval_us > now + MINUTE_US)
		return *full_at + shares->interval_us - now - MINUTE_US;
	*full_at += shares->interval_us;
	return 0;
}

static char *text_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

static void *message_new(size_t size)
{
	void *message = calloc(1, size);

	if (!message)
		abort();
	return message;
}

static void deny(Bursar__V1__CheckResponse *answer, int64_t wait_us)
{
	char text[80];

	snprintf(text, sizeof(text), "Please try again in %lld s.", (long long)(wait_us + 999999) / 1000000);
	answer->reason = BURSAR__V1__REASON__REASON_REQUEST_RATE;
	answer->retry_after_us = wait_us;
	answer->message = text_copy(text);
}

static Bursar__V1__CheckResponse *answer_check(struct bursar *bursar, const Bursar__V1__CheckRequest *request)
{
	Bursar__V1__CheckResponse *answer = message_new(sizeof(*answer));
	int64_t wait_us = bursar->shares ? share_take_us(bursar->shares, request->user) : 0;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	bursar__v1__check_response__init(answer);
	answer->allowed = wait_us == 0;
	answer->request_id = text_copy(request->request_id);
	answer->started_at_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	answer->quality = BURSAR__V1__QUALITY__QUALITY_BLIND;
	answer->cause = text_copy("no server answered: decided by the client's fail policy");
	if (wait_us > 0)
		deny(answer, wait_us);
	return answer;
}

static void *answer_batch(struct bursar *bursar, const Bursar__V1__CheckBatchRequest *request)
{
	Bursar__V1__CheckBatchResponse *answer = message_new(sizeof(*answer));

	bursar__v1__check_batch_response__init(answer);
	answer->n_items = request->n_items;
	answer->items = message_new((request->n_items + 1) * sizeof(*answer->items));
	for (size_t i = 0; i < request->n_items; i++) {
		answer->items[i] = message_new(sizeof(*answer->items[i]));
		bursar__v1__check_item__init(answer->items[i]);
		answer->items[i]->response = answer_check(bursar, request->items[i]);
	}
	return answer;
}

void *bursar__fail_answer(struct bursar *bursar, enum bursar_method method, grpc_byte_buffer *request)
{
	void *message, *answer;

	if (bursar->fail == BURSAR_FAIL_CLOSED || (method != BURSAR_CHECK && method != BURSAR_CHECK_BATCH))
		return NULL;
	message = bursar__message_read(request, bursar__methods[method].request, NULL);
	answer = method == BURSAR_CHECK ? (void *)answer_check(bursar, message) : answer_batch(bursar, message);
	bursar_free(message);
	return answer;
}

void bursar_reservation_of(const Bursar__V1__CheckRequest *request, const Bursar__V1__CheckResponse *answer,
	Bursar__V1__ReservationRef *reservation)
{
	bursar__v1__reservation_ref__init(reservation);
	if (answer->reservation[0]) {
		reservation->handle = answer->reservation;
		return;
	}
	reservation->tenant = request->tenant;
	reservation->user = request->user;
	reservation->request_id = answer->request_id;
	reservation->started_at_us = answer->started_at_us;
}
