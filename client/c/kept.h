/*
 * What a renewer looks after. Its two sides, kept.c and kept_due.c, are in different threads and share it under one
 * lock.
 */
#ifndef BURSAR_CLIENT_KEPT_H
#define BURSAR_CLIENT_KEPT_H

#include <pthread.h>

#include "c/internal.h"

enum { KEPT_BUCKETS = 4096 };

struct item {
	struct item *next; /* in the bucket */
	char *handle;
	char *user, *request_id; /* of a reservation that was checked here; "" or NULL when they are not known */
	bool lease, renewing;
	int64_t began_us, longest_us; /* of a reservation: how long it may be held in all */
	int64_t ttl_us, until_us; /* how far it was extended the last time, and until when that lasts */
	int64_t due_us;
};

struct loss;

struct bursar__kept {
	pthread_mutex_t lock;
	pthread_cond_t changed; /* waits on the monotonic clock */
	struct item *buckets[KEPT_BUCKETS];
	size_t count;
	size_t promised; /* checks that were sent with a short time and are not answered yet */
	int64_t orphan_us;
	int64_t quiet_until_us; /* no server was reached: nothing is renewed before */
	int64_t look_us; /* when the renewer looks again, unless there is news: something that is due before */
	bool news;
	bool closing;
	bursar_lost *lost;
	void *ctx;
	struct loss *losses; /* what the caller is still to be told, the latest first */
};

/* For all of them the lock is held. */

/* Where the handle's item is, or would be. */
struct item **bursar__kept_find(struct bursar__kept *kept, const char *handle);
/* Removes and frees the item at this place. */
void bursar__kept_remove(struct bursar__kept *kept, struct item **at);
void bursar__kept_remove_those(
	struct bursar__kept *kept, bool (*is)(const struct item *item, const void *what), const void *what);
/* It lasts for `ttl_us` from `now_us` on. A lease is due after a third of that, a reservation after half. */
void bursar__kept_extended(struct item *item, int64_t now_us, int64_t ttl_us);

#endif
