/*
 * Limits on the command line.
 *
 *   LIMIT     = DIMENSION "=" AMOUNT [ "/" PERIOD ] { "," OPTION }
 *   DIMENSION = a name of enum Dimension (types.proto), in lower case and without its prefix: requests, input_tokens, ...
 *   AMOUNT    = a count (1500, 200k, 1.5M); for cost: USD (5, 0.25, $5, 5USD)
 *   PERIOD    = day | week | month         a calendar window in the account's time zone
 *             | [NUMBER] UNIT              a bucket that refills evenly: s, min, 10min, 24h (never with concurrent)
 *   OPTION    = burst=AMOUNT | name=NAME | interface=ID | model=ID | warn=PERCENT |
 *               until=TIME (for overrides only) | shadow | quiet
 *
 * A comma in an ID is written "\,", a backslash "\\".
 */
#ifndef BURSAR_CLI_LIMIT_SPEC_H
#define BURSAR_CLI_LIMIT_SPEC_H

#include "base/buf.h"
#include "base/err.h"
#include "bursar/v1/types.pb-c.h"

/* The rules above in short, with examples, for help texts. */
extern const char limit_spec_help[];

/*
 * Reads one limit into a new message; free it with bursar_free (protobuf_c_message_free_unpacked). NULL with
 * ERR_INVALID, whose text names the wrong part and says what would be right.
 */
Bursar__V1__Limit *limit_spec_parse(const char *text, struct err *err);

/* Reads the name of a dimension. */
bool limit_dimension_parse(const char *text, size_t len, Bursar__V1__Dimension *out, struct err *err);

/*
 * Appends the limit so that limit_spec_parse reads the same limit, except that a burst equal to the amount becomes 0.
 * Includes the name only when `with_name`.
 */
void limit_spec_put(struct buf *out, const Bursar__V1__Limit *limit, bool with_name);

#endif
