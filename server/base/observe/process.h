/* What this process says about itself: its name to others, its version, and what it takes from the machine. */
#ifndef BURSAR_BASE_OBSERVE_PROCESS_H
#define BURSAR_BASE_OBSERVE_PROCESS_H

#include <stddef.h>

#include "base/buf.h"

/* "host:pid". */
void process_name(char *name, size_t size);

/*
 * Appends bursar_build_info, and the process_ metrics that Prometheus's own libraries have, by their names. Reads
 * /proc: for a scraper's thread.
 */
void process_print(struct buf *out);

#endif
