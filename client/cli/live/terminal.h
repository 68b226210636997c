/* The terminal as a command's own screen: takes it, draws on it, restores it. */
#ifndef BURSAR_CLI_TERMINAL_H
#define BURSAR_CLI_TERMINAL_H

#include <stdbool.h>

#include "base/buf.h"

/* Whether there is a terminal to draw on, and one to read keys from. */
bool terminal_is_there(void);

/* Switches to another screen, hides the cursor and reads keys as they are pressed. Restored at exit in any case. */
void terminal_take(void);

/* Restores the terminal; later output stays visible. Does nothing if the screen was not taken. */
void terminal_back(void);

/* Waits up to the given milliseconds for a key: true for q, and when the terminal is gone. */
bool terminal_asked_to_quit(int wait_ms);

/* How many lines of text fit on the screen now. */
int terminal_rows(void);

/* Turns the text in `out` into a sequence that draws it on the screen, cut to its size. Flush `out` afterwards. */
void terminal_put_screen(struct buf *out);

#endif
