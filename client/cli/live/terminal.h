/* The terminal as a screen of a command's own: taken, drawn on, given back as it was found. */
#ifndef BURSAR_CLI_TERMINAL_H
#define BURSAR_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"

/* Are people at both ends: is there a terminal to draw on, and one to read keys from? */
bool terminal_is_there(void);

/* Another screen, no cursor, keys as they are pressed. Given back at the program's end in any case. */
void terminal_take(void);

/* As it was found; whatever is said after that stays to be read. Harmless when it was not taken. */
void terminal_back(void);

/* Waits up to so many milliseconds for a key: true for q, and when nobody can press one any more. */
bool terminal_asked_to_quit(int wait_ms);

/* How many lines of text a screen has room for now. */
int terminal_rows(void);

/* Makes of the text what draws it over the screen: cut to its size, in `out`, which is to be flushed. */
void terminal_put_screen(struct buf *out);

#endif
