/*
 * Limits on the command line.
 *
 *   LIMIT     = DIMENSION "=" AMOUNT [ "/" PERIOD ] { "," OPTION }
 *   DIMENSION = requests | tokens | input_tokens | output_tokens | cost | concurrent
 *   AMOUNT    = a count (1500, 200k, 1.5M); for cost: USD (5, 0.25, $5, 5USD)
 *   PERIOD    = day | week | month         a calendar window in the account's time zone
 *             | [NUMBER] UNIT              a bucket that refills evenly: s, min, 10min, 24h (never with concurrent)
 *   OPTION    = burst=AMOUNT | name=NAME | interface=ID | model=ID | warn=PERCENT |
 *               until=TIME (of an account's own limit) | shadow | quiet
 *
 * A comma in an ID is written "\,", a backslash "\\".
 */
#ifndef BURSAR_CLI_LIMIT_SPEC_H
#define BURSAR_CLI_LIMIT_SPEC_H

#include "base/buf.h"
#include "base/err.h"
#include "bursar/v1/types.pb-c.h"

/* The rules above in a few lines with examples, for help and error texts. */
extern const char limit_spec_help[];

/*
 * Reads one limit. A new message, free with bursar_free (protobuf_c_message_free_unpacked); NULL with ERR_INVALID,
 * whose text names the part at fault and what would be right.
 */
Bursar__V1__Limit *limit_spec_parse(const char *text, struct err *err);

/*
 * Appends the limit as limit_spec_parse reads it, to the same limit but for a burst that is the amount, which becomes 0; its name only
 * when `with_name`.
 */
void limit_spec_put(struct buf *out, const Bursar__V1__Limit *limit, bool with_name);

#endif
