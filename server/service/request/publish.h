/*
 * A worker tells what it decides to those who watch. It asks the store once a second whether there are any; as long as there are none,
 * `worker->watched` is NULL and a decision costs one look at it.
 */
#ifndef BURSAR_SERVICE_REQUEST_PUBLISH_H
#define BURSAR_SERVICE_REQUEST_PUBLISH_H

#include "service/request/check.h"
#include "service/request/settle.h"
#include "service/worker/worker.h"

struct publisher;

/* `server` says which process it is; borrowed. It asks at once. */
struct publisher *publisher_new(struct worker *worker, const char *server);
/* Tells what is left; then nothing more. The store is freed next, then the publisher. */
void publisher_stop(struct publisher *publisher);
void publisher_free(struct publisher *publisher); /* NULL is fine */

/* Only while worker->watched: what was decided. */
void publish_check(const struct check *check);
void publish_settled(const struct settle *settle);
/* On the way to a slot: granted after `waited_us`, or refused for `cause`. */
void publish_slot(const struct check *check, const char *pool, int64_t waited_us, const char *cause);

#endif
