/* Reads whole files. */
#ifndef BURSAR_CLI_FILE_H
#define BURSAR_CLI_FILE_H

#include "base/buf.h"
#include "base/err.h"

/*
 * Appends the file ("-" is standard input), at most 16 MiB, and a terminating NUL that `len` does not include. False
 * with ERR_INVALID that names the file.
 */
bool file_read(const char *path, struct buf *out, struct err *err);

#endif
