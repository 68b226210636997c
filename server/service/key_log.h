/* Which keys were used when, and from where: gathered by each worker, written to PostgreSQL now and then. */
#ifndef BURSAR_SERVICE_KEY_LOG_H
#define BURSAR_SERVICE_KEY_LOG_H

#include <stdint.h>

#include "service/worker.h"

struct key_log;

struct key_log *key_log_new(struct worker *worker);
/* What was not written yet is lost: some seconds of "last used". */
void key_log_free(struct key_log *log);

/* No allocation, nothing that waits. `peer` is copied. */
void key_log_note(struct key_log *log, int64_t key, const char *peer);

#endif
