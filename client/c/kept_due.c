/*
 * What a renewer looks after, on the side of its thread: what is due, and what became of it. What is lost waits here
 * until the thread of the connection takes it. Declared in internal.h.
 */
#include "c/kept.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SECOND_US = 1000000, MARGIN_US = 2 * SECOND_US, RETRY_MAX_US = 5 * SECOND_US };

struct loss {
	struct loss *next;
	char *handle;
	struct bursar_error error;
};

static const struct bursar_error late = {.code = BURSAR_UNAVAILABLE, .message = "no server renewed it in time"};

static bool is_any(const struct item *item, const void *what)
{
	(void)item;
	(void)what;
	return true;
}

static bool is_lease(const struct item *item, const void *what)
{
	(void)what;
	return item->lease;
}

void bursar__kept_free(struct bursar__kept *kept)
{
	bursar__kept_remove_those(kept, is_any, NULL);
	for (struct loss *loss = kept->losses, *next; loss; loss = next) {
		next = loss->next;
		free(loss->handle);
		free(loss);
	}
	pthread_cond_destroy(&kept->changed);
	pthread_mutex_destroy(&kept->lock);
	free(kept);
}

/* Removes the item at this place, and has its owner told. */
static void lose(struct bursar__kept *kept, struct item **at, const struct bursar_error *error)
{
	struct loss *loss = calloc(1, sizeof(*loss));

	if (!loss)
		abort();
	loss->error = *error;
	loss->handle = (*at)->handle;
	(*at)->handle = NULL;
	loss->next = kept->losses;
	kept->losses = loss;
	bursar__kept_remove(kept, at);
}

size_t bursar__kept_tell(struct bursar__kept *kept)
{
	struct loss *losses;
	size_t told = 0;

	pthread_mutex_lock(&kept->lock);
	losses = kept->losses;
	kept->losses = NULL;
	pthread_mutex_unlock(&kept->lock);
	for (struct loss *loss = losses, *next; loss; loss = next, told++) {
		next = loss->next;
		if (kept->lost)
			kept->lost(kept->ctx, loss->handle, &loss->error);
		free(loss->handle);
		free(loss);
	}
	return told;
}

/* When the holder of a lease gives it up: before the store does, as another one may have the slot then. */
static int64_t end_us(const struct item *item)
{
	int64_t margin = item->ttl_us / 4 < MARGIN_US ? item->ttl_us / 4 : MARGIN_US;

	return item->lease ? item->until_us - margin : INT64_MAX;
}

/* The longer a request runs, the less often it costs a call: half as long again each time. */
static int64_t next_ttl_us(const struct bursar__kept *kept, const struct item *item, int64_t now)
{
	int64_t ran = now - item->began_us, left = item->longest_us - ran, ttl = ran;

	if (item->lease)
		return item->ttl_us;
	if (ttl < kept->orphan_us)
		ttl = kept->orphan_us;
	if (kept->closing || ttl > left)
		ttl = left;
	return ttl > SECOND_US ? ttl : SECOND_US;
}

static int64_t due_us(const struct bursar__kept *kept, const struct item *item)
{
	if (item->renewing)
		return INT64_MAX;
	if (kept->closing)
		return 0;
	return item->due_us > kept->quiet_until_us ? item->due_us : kept->quiet_until_us;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

size_t bursar__kept_take(struct bursar__kept *kept, struct bursar__renewal *due, size_t max, int64_t *next_us)
{
	int64_t now = bursar__now_us();
	size_t count = 0;

	*next_us = INT64_MAX;
	pthread_mutex_lock(&kept->lock);
	for (size_t i = 0; i < KEPT_BUCKETS; i++)
		for (struct item **at = &kept->buckets[i]; *at;) {
			struct item *item = *at;

			if (now >= end_us(item)) {
				lose(kept, at, &late);
				continue;
			}
			if (due_us(kept, item) <= now && count < max) {
				item->renewing = true;
				due[count++] = (struct bursar__renewal){.handle = strdup(item->handle),
					.lease = item->lease,
					.last = kept->closing,
					.ttl_us = next_ttl_us(kept, item, now),
					.sent_us = now};
			}
			*next_us = sooner(*next_us, sooner(due_us(kept, item), end_us(item)));
			at = &item->next;
		}
	kept->look_us = *next_us;
	kept->news = false;
	pthread_mutex_unlock(&kept->lock);
	return count;
}

/* Is it gone, rather than out of reach? */
static bool is_gone(const struct bursar_error *error)
{
	return error->code == BURSAR_NOT_FOUND || error->code == BURSAR_FAILED_PRECONDITION ||
	       error->code == BURSAR_INVALID_ARGUMENT || error->code == BURSAR_UNIMPLEMENTED;
}

static void renewed(struct bursar__kept *kept, struct item **at, const struct bursar__renewal *renewal)
{
	struct item *item = *at;

	bursar__kept_extended(item, renewal->sent_us, renewal->ttl_us);
	/* The API knows no time below a second: a reservation that lasts until then is as long as it may be. */
	if (!item->lease && (renewal->last || item->until_us >= item->began_us + item->longest_us - SECOND_US))
		bursar__kept_remove(kept, at);
}

static void not_renewed(struct bursar__kept *kept, struct item **at, const struct bursar_error *error)
{
	struct item *item = *at;
	int64_t now = bursar__now_us();

	if (!error->from_server) {
		kept->quiet_until_us = now + SECOND_US;
		if (kept->closing)
			bursar__kept_remove_those(kept, is_any, NULL);
	}
	if (kept->closing)
		return;
	if (is_gone(error) || now >= item->until_us)
		lose(kept, at, is_gone(error) ? error : &late);
	else
		item->due_us = sooner(now + sooner(item->ttl_us / 8, RETRY_MAX_US), item->until_us);
}

void bursar__kept_renewed(
	struct bursar__kept *kept, const struct bursar__renewal *renewal, const struct bursar_error *error)
{
	struct item **at;

	pthread_mutex_lock(&kept->lock);
	at = bursar__kept_find(kept, renewal->handle);
	if (*at) {
		(*at)->renewing = renewal->last; /* once, then */
		if (error)
			not_renewed(kept, at, error);
		else
			renewed(kept, at, renewal);
	}
	pthread_mutex_unlock(&kept->lock);
}

bool bursar__kept_wait(struct bursar__kept *kept, int64_t until_us)
{
	struct timespec until = {.tv_sec = until_us / SECOND_US, .tv_nsec = until_us % SECOND_US * 1000};
	bool goes_on;

	pthread_mutex_lock(&kept->lock);
	while (!kept->closing && !kept->news && bursar__now_us() < until_us)
		if (until_us == INT64_MAX)
			pthread_cond_wait(&kept->changed, &kept->lock);
		else
			pthread_cond_timedwait(&kept->changed, &kept->lock, &until);
	goes_on = !kept->closing;
	pthread_mutex_unlock(&kept->lock);
	return goes_on;
}

void bursar__kept_close(struct bursar__kept *kept)
{
	pthread_mutex_lock(&kept->lock);
	kept->closing = true;
	bursar__kept_remove_those(kept, is_lease, NULL);
	pthread_cond_signal(&kept->changed);
	pthread_mutex_unlock(&kept->lock);
}
