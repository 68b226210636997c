/* The answer of /readyz. */
#ifndef BURSAR_OPS_READY_H
#define BURSAR_OPS_READY_H

#include "ops/pages.h"

/* Asks all probes and appends the JSON of their answers; true when all are ready. */
bool ready_print(const struct http_probe *probes, struct buf *body);

#endif
