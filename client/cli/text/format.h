/* Formats numbers for people: money, counts, durations, times. What is called put_... appends to `out`. */
#ifndef BURSAR_CLI_FORMAT_H
#define BURSAR_CLI_FORMAT_H

#include "base/buf.h"
#include "bursar/v1/types.pb-c.h"

/* nano-USD as "$1,234.50": at least two decimals, at most nine, never rounded. */
void put_money(struct buf *out, int64_t nano);

/* "12,345" */
void put_count(struct buf *out, int64_t count);

/* Money for COST, a count for other dimensions. */
void put_amount(struct buf *out, Bursar__V1__Dimension dimension, int64_t amount);

/* "350 ms", "1.5 s", "12 s", "3 min 20 s", "2 h 5 min", "3 d 4 h": rounded up, so that waiting that long is enough. */
void put_duration(struct buf *out, int64_t us);

/* "1500us", "500ms", "30s", "36h": exact, as parse_duration reads it. */
void put_duration_exact(struct buf *out, int64_t us);

/* "2026-11-23T14:03:11.25Z": exact, in UTC, as parse_time reads it. */
void put_time_exact(struct buf *out, int64_t us);

/* A minute of the day as "22:00", as parse_minute reads it. */
void put_minute(struct buf *out, int minute);

/* Local time with its zone: "2026-11-23T14:03:11+01:00"; "never" for 0. */
void put_time(struct buf *out, int64_t us);

/* "2026-11-23T14:03:11+01:00 (in 12 s)", or "(12 s ago)", relative to `now_us`. */
void put_time_from(struct buf *out, int64_t us, int64_t now_us);

/* An enum's name as people write it: "request_rate" for REASON_REQUEST_RATE (`prefix` is "REASON_"). */
void put_enum(struct buf *out, const ProtobufCEnumDescriptor *descriptor, int value, const char *prefix);

/* "-" for NULL and "". */
const char *or_dash(const char *text);

#endif
