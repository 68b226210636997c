/* Private to server/ops: spans as OTLP's JSON. */
#ifndef BURSAR_OPS_OTLP_JSON_H
#define BURSAR_OPS_OTLP_JSON_H

#include "base/buf.h"
#include "base/observe/spans.h"

/* Appends an ExportTraceServiceRequest. `instance` names this process. */
void otlp_json(struct buf *out, const char *instance, const struct span *spans, size_t count);

#endif
