/* Suggests the name that was probably meant (struct meant). */
#ifndef BURSAR_CLI_MEANT_H
#define BURSAR_CLI_MEANT_H

#include "base/buf.h"
#include "base/text/distance.h"

/* Tries each name of "a|b|c". */
void meant_try_choices(struct meant *meant, const char *choices);

/* Appends "; did you mean 'NAME'?" when a name is close. */
void meant_put(struct buf *out, const struct meant *meant);

#endif
