/* Makes text from others safe for a terminal. */
#ifndef BURSAR_CLI_PLAIN_H
#define BURSAR_CLI_PLAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/*
 * Begins our own terminal sequences in cli->out. This byte never occurs in UTF-8, so our sequences can be told from
 * escape characters in texts.
 */
#define OWN_ESCAPE "\xff"

/*
 * Appends `text` made safe for use within a line: control characters as \u001b, and characters that reverse the order
 * of text as \u202e.
 */
void put_plain(struct buf *out, const char *text);

/*
 * The same for text on its way out: keeps line ends and tabs, and turns our own sequences into escapes. Without
 * `order`, keeps characters that reverse the order. JSON keeps its meaning: these characters occur only inside its
 * strings.
 */
void put_plain_lines(struct buf *out, const char *bytes, size_t len, bool order);

#endif
