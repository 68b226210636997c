/*
 * Publishes a worker's decisions to watchers. Asks the store once a second whether there are any; while there are none,
 * worker->watched is NULL and a decision only costs a test of it.
 */
#ifndef BURSAR_SERVICE_REQUEST_PUBLISH_H
#define BURSAR_SERVICE_REQUEST_PUBLISH_H

#include "service/request/check.h"
#include "service/request/settle.h"
#include "service/worker/worker.h"

struct publisher;

/* `server` names the process and is borrowed. The first query is sent at once. */
struct publisher *publisher_new(struct worker *worker, const char *server);
/* Publishes what is left and then stops. The caller frees the store next, then the publisher. */
void publisher_stop(struct publisher *publisher);
void publisher_free(struct publisher *publisher); /* NULL is fine */

/* Publish a decision. Call them only while worker->watched is set. */
void publish_check(const struct check *check);
void publish_settled(const struct settle *settle);
/* A slot was granted after `waited_us` (`cause` is ""), or refused for `cause`. */
void publish_slot(const struct check *check, const char *pool, int64_t waited_us, const char *cause);

#endif
