/* When and from where each key was used: collected by each worker and written to PostgreSQL every few seconds. */
#ifndef BURSAR_SERVICE_WORKER_KEY_LOG_H
#define BURSAR_SERVICE_WORKER_KEY_LOG_H

#include <stdint.h>

#include "service/worker/worker.h"

struct key_log;

struct key_log *key_log_new(struct worker *worker);
/* Stops writing. True if no write is in flight; only then may the log and its store be freed. */
bool key_log_stop(struct key_log *log);
/* Uses that have not been written yet are lost: a few seconds of "last used". NULL is fine. */
void key_log_free(struct key_log *log);

/* Neither allocates nor blocks. `peer` is copied. */
void key_log_note(struct key_log *log, int64_t key, const char *peer);

#endif
