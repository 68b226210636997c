/* Spans of time as integers: times are microseconds (_US) everywhere, and seconds (_S) where calendars are computed. */
#ifndef BURSAR_BASE_UNITS_H
#define BURSAR_BASE_UNITS_H

#include <stdint.h>

#define SECOND_US INT64_C(1000000)
#define MINUTE_US (60 * SECOND_US)
#define HOUR_US (60 * MINUTE_US)
#define DAY_US (24 * HOUR_US)

#define DAY_S INT64_C(86400)

#endif
