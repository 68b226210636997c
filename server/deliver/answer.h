/* What an HTTP destination answers: when to come again. Bytes of strangers: tests/fuzz/fuzz_alert_answer.c. */
#ifndef BURSAR_DELIVER_ANSWER_H
#define BURSAR_DELIVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of Retry-After, seconds or a date of HTTP, as microseconds from now_us on: 0 (also when it is neither) to a day. */
int64_t answer_retry_after_us(const char *value, size_t len, int64_t now_us);
/* The same of a JSON body: "retry_after" of Discord (seconds with decimals), or "parameters.retry_after" of Telegram. */
int64_t answer_body_us(const char *body, size_t len);
/* The first line of a text without control characters, cut to `size` - 1 bytes of UTF-8. "" when it is not text. */
void answer_line(const char *text, size_t len, char *out, size_t size);

/* 408, 425, 429 and 5xx: the destination may take the same message later. */
bool answer_may_change(long status);

#endif
