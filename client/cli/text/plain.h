/* Texts that others chose, made harmless for a terminal. */
#ifndef BURSAR_CLI_PLAIN_H
#define BURSAR_CLI_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * How our own sequences for the terminal begin in cli->out. No UTF-8 text has this byte, so that the escapes of texts can be told from
 * ours.
 */
#define OWN_ESCAPE "\xff"

/*
 * Appends `text` as it may stand within a line: control characters as \u001b, and those that turn the order of a line around
 * as \u202e.
 */
void put_plain(struct buf *out, const char *text);

/*
 * The same for what is on its way out: line ends and tabs stay, and our own sequences become escapes. Without `order`, what turns the order
 * around stays. JSON says the same as before: none of these characters is outside of its strings.
 */
void put_plain_lines(struct buf *out, const char *bytes, size_t len, bool order);

#endif
