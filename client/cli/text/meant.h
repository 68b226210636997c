/* The name that was meant, of those that were tried (struct meant). */
#ifndef BURSAR_CLI_MEANT_H
#define BURSAR_CLI_MEANT_H

#include "base/buf.h"
#include "base/text/distance.h"

/* Tries each of "a|b|c". */
void meant_try_choices(struct meant *meant, const char *choices);

/* Appends "; did you mean 'NAME'?" when a name is near. */
void meant_put(struct buf *out, const struct meant *meant);

#endif
