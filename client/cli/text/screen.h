/* The terminal behind standard output. */
#ifndef BURSAR_CLI_SCREEN_H
#define BURSAR_CLI_SCREEN_H

#include <stddef.h>
#include <sys/ioctl.h>

/* As large as it is now; 24 x 80 where nobody has told it (a serial line). */
struct winsize screen_size(void);

/*
 * How many bytes of a line of UTF-8 fit into so many columns: a character takes none, one or two, what sets a colour
 * takes none.
 */
size_t screen_cut(const char *line, size_t len, int columns);

/* How many columns a text of UTF-8 takes. */
size_t screen_width(const char *text);

#endif
