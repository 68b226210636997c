/* The files of the source folder: BURSAR_SOURCE_DIR, or the folder in which the program was started. */
#ifndef TESTS_LIB_SOURCE_H
#define TESTS_LIB_SOURCE_H

#include "base/buf.h"

/* The path of a file by that in the source folder. Valid until the next call. */
const char *source_path(const char *relative);
/* Appends the whole file. The program ends with a sentence if it cannot be read. */
void source_read(const char *relative, struct buf *out);

#endif
