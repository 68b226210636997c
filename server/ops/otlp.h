/* Exports spans (base/observe/spans.h) by OTLP/HTTP, on a thread of its own. */
#ifndef BURSAR_OPS_OTLP_H
#define BURSAR_OPS_OTLP_H

#include "base/conf/conf.h"
#include "base/err.h"

struct otlp;

/*
 * Starts sampling and exporting as configured; `*out` is NULL when no endpoint is. Call it before threads that serve
 * calls start. False with ERR_INVALID when an option is wrong; the endpoint need not be available.
 */
bool otlp_start(const struct conf *conf, struct otlp **out, struct err *err) __attribute__((warn_unused_result));

/* Exports what waits, within seconds, and ends the thread; NULL is fine. */
void otlp_stop(struct otlp *otlp);

#endif
