/* The system's database of time zones: TZif files under /usr/share/zoneinfo. */
#ifndef BURSAR_DOMAIN_ZONE_FILE_H
#define BURSAR_DOMAIN_ZONE_FILE_H

#include "base/err.h"
#include "domain/tz.h"

/* The zone, kept for good; "" and "UTC" need no file. ERR_INVALID when there is none of this name. Thread-safe. */
const struct tz *zone_need(const char *name, struct err *err);

#endif
