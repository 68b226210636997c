/* Which keys were used when, and from where: gathered by each worker, written to PostgreSQL now and then. */
#ifndef BURSAR_SERVICE_WORKER_KEY_LOG_H
#define BURSAR_SERVICE_WORKER_KEY_LOG_H

#include <stdint.h>

#include "service/worker/worker.h"

struct key_log;

struct key_log *key_log_new(struct worker *worker);
/* From now on nothing is written any more. True when no write is under way: only then may the log, and its store, be freed. */
bool key_log_stop(struct key_log *log);
/* What was not written yet is lost: some seconds of "last used". NULL is fine. */
void key_log_free(struct key_log *log);

/* No allocation, nothing that waits. `peer` is copied. */
void key_log_note(struct key_log *log, int64_t key, const char *peer);

#endif
