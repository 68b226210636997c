/* The terminal behind standard output. */
#ifndef BURSAR_CLI_SCREEN_H
#define BURSAR_CLI_SCREEN_H

#include <stddef.h>
#include <sys/ioctl.h>

/* The current size; 24 x 80 when it is unknown (a serial line). */
struct winsize screen_size(void);

/*
 * How many bytes of a line of UTF-8 fit into the given number of columns. A character takes zero, one or two columns; a
 * colour sequence takes none.
 */
size_t screen_cut(const char *line, size_t len, int columns);

/* How many columns a UTF-8 text takes. */
size_t screen_width(const char *text);

#endif
