/*
 * Renews what a connection's checks hold, in a thread and on a completion queue of its own: a program that waits for
 * its model for minutes polls nothing meanwhile. Declared in bursar.h.
 */
#include "c/internal.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { CONCURRENT = 32, SLICE_US = 50000, SECOND_US = 1000000, HANDLE_BYTES_MAX = 2048 };
#define ORPHAN_US INT64_C(60000000)
#define DAY_US (INT64_C(86400) * SECOND_US)

struct bursar_renewer {
	struct bursar *bursar;
	struct bursar__kept *kept;
	/* Of the thread. */
	pthread_t thread;
	struct bursar *line; /* the same servers, on a queue of its own */
	size_t in_flight;
};

struct flight {
	struct bursar_renewer *renewer;
	struct bursar__renewal renewal;
};

static void renewed(void *ctx, void *answer, const struct bursar_error *error)
{
	struct flight *flight = ctx;

	bursar__kept_renewed(flight->renewer->kept, &flight->renewal, answer ? NULL : error);
	flight->renewer->in_flight--;
	bursar_free(answer);
	free(flight->renewal.handle);
	free(flight);
}

static void renew(struct bursar_renewer *renewer, const struct bursar__renewal *renewal)
{
	Bursar__V1__RenewRequest request = BURSAR__V1__RENEW_REQUEST__INIT;
	Bursar__V1__ReservationRef reservation = BURSAR__V1__RESERVATION_REF__INIT;
	struct flight *flight = calloc(1, sizeof(*flight));

	if (!flight || !renewal->handle)
		abort();
	*flight = (struct flight){renewer, *renewal};
	if (renewal->lease) {
		request.lease = renewal->handle;
	} else {
		reservation.handle = renewal->handle;
		request.reservation = &reservation;
		request.reservation_ttl_us = renewal->ttl_us;
	}
	renewer->in_flight++;
	bursar_submit(renewer->line, BURSAR_RENEW, &request, renewed, flight);
}

/* Sends what is due. Returns when there is more. */
static int64_t renew_due(struct bursar_renewer *renewer)
{
	struct bursar__renewal due[CONCURRENT];
	int64_t next_us;
	size_t count = bursar__kept_take(renewer->kept, due, CONCURRENT - renewer->in_flight, &next_us);

	for (size_t i = 0; i < count; i++)
		renew(renewer, &due[i]);
	return next_us;
}

static void *run(void *arg)
{
	struct bursar_renewer *renewer = arg;

	for (;;) {
		int64_t next_us = renew_due(renewer), rest_us = bursar__now_us() + SLICE_US;

		if (renewer->in_flight > 0)
			bursar_poll(renewer->line, SLICE_US);
		/* Not at once, so that what is due one after the other is looked for together. */
		else if (!bursar__kept_wait(renewer->kept, next_us > rest_us ? next_us : rest_us))
			break;
	}
	while (renew_due(renewer), renewer->in_flight > 0)
		bursar_poll(renewer->line, SLICE_US);
	return NULL;
}

/* The program's signals are for its own threads. */
static int start_thread(struct bursar_renewer *renewer)
{
	sigset_t all, before;
	int failure;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failure = pthread_create(&renewer->thread, NULL, run, renewer);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failure;
}

static void renewer_free(struct bursar_renewer *renewer)
{
	renewer->bursar->kept = NULL;
	bursar_close(renewer->line);
	bursar__kept_free(renewer->kept);
	free(renewer);
}

struct bursar_renewer *bursar_renewer_open(
	struct bursar *bursar, const struct bursar_renewer_options *options, struct bursar_error *error)
{
	struct bursar_renewer_options chosen = options ? *options : (struct bursar_renewer_options){0};
	struct bursar_renewer *renewer;
	int failure;

	if (chosen.orphan_us != 0 && (chosen.orphan_us < SECOND_US || chosen.orphan_us > DAY_US)) {
		bursar__error_field(
			error, "orphan_us", "%" PRId64 " is not 0, or 1 s to 24 h in microseconds", chosen.orphan_us);
		return NULL;
	}
	if (bursar->kept) {
		bursar__error_set(error, BURSAR_FAILED_PRECONDITION, "the connection has a renewer already");
		return NULL;
	}
	renewer = calloc(1, sizeof(*renewer));
	if (!renewer)
		abort();
	renewer->bursar = bursar;
	renewer->line = bursar__line_open(bursar);
	renewer->kept = bursar__kept_new(chosen.orphan_us ? chosen.orphan_us : ORPHAN_US, chosen.lost, chosen.ctx);
	failure = start_thread(renewer);
	if (failure != 0) {
		bursar__error_set(error, BURSAR_RESOURCE_EXHAUSTED, "no thread can be started: %s", strerror(failure));
		renewer_free(renewer);
		return NULL;
	}
	bursar->kept = renewer->kept;
	return renewer;
}

static bool handle_valid(const char *field, const char *handle, struct bursar_error *error)
{
	size_t len = strlen(handle);

	if (len == 0 || len > HANDLE_BYTES_MAX)
		return bursar__error_field(error, field, "has %zu bytes; 1 to %d are needed", len, HANDLE_BYTES_MAX);
	return true;
}

static bool add(struct bursar_renewer *renewer, const char *handle, bool lease, int64_t us, struct bursar_error *error)
{
	if (bursar__kept_add(renewer->kept, handle, lease, us))
		return true;
	bursar__error_set(error, BURSAR_RESOURCE_EXHAUSTED, "%d are renewed already", BURSAR_RENEWED_MAX);
	return false;
}

bool bursar_renewer_add(
	struct bursar_renewer *renewer, const char *reservation, int64_t longest_us, struct bursar_error *error)
{
	if (longest_us != 0 && (longest_us < SECOND_US || longest_us > DAY_US))
		return bursar__error_field(
			error, "longest_us", "%" PRId64 " is not 0, or 1 s to 24 h in microseconds", longest_us);
	return handle_valid("reservation", reservation, error) && add(renewer, reservation, false, longest_us, error);
}

bool bursar_renewer_add_lease(
	struct bursar_renewer *renewer, const char *lease, int64_t lease_us, struct bursar_error *error)
{
	if (lease_us < SECOND_US || lease_us > DAY_US)
		return bursar__error_field(
			error, "lease_us", "%" PRId64 " is not 1 s to 24 h in microseconds", lease_us);
	return handle_valid("lease", lease, error) && add(renewer, lease, true, lease_us, error);
}

void bursar_renewer_drop(struct bursar_renewer *renewer, const char *handle)
{
	bursar__kept_drop(renewer->kept, handle);
}

void bursar_renewer_close(struct bursar_renewer *renewer)
{
	if (!renewer)
		return;
	bursar__kept_close(renewer->kept);
	pthread_join(renewer->thread, NULL);
	renewer_free(renewer);
}
