/* Facts that a worker notes for the alerts role: collected, and written to PostgreSQL every few seconds. */
#ifndef BURSAR_SERVICE_WORKER_ALERT_LOG_H
#define BURSAR_SERVICE_WORKER_ALERT_LOG_H

#include "domain/alert/alert.h"
#include "service/worker/worker.h"

struct alert_log;

struct alert_log *alert_log_new(struct worker *worker);
/* Takes no more notes, and writes those it has. True when that is done; only then may the log and its store be freed. */
bool alert_log_stop(struct alert_log *log);
/* What has not been written yet is lost. NULL is fine. */
void alert_log_free(struct alert_log *log);

/*
 * Notes the event, whose texts are copied, unless the log remembers that it has noted one of this kind, tenant and `key` in the same
 * span of time (its multiple of span_us since 1970). It forgets some when there are many, and all when a write has failed.
 */
void alert_log_note(struct alert_log *log, const struct alert_event *note, const char *key, int64_t span_us);

#endif
