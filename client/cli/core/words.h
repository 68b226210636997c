/* Translates the server's messages from API field names to the options and arguments of the command line. */
#ifndef BURSAR_CLI_WORDS_H
#define BURSAR_CLI_WORDS_H

#include "cli/core/command.h"

/*
 * Appends "--to: is before --from" for the field "to_day" and "is before from_day"; durations appear as they were
 * typed.
 */
void words_put(struct buf *out, const struct cli *cli, const char *field, const char *message);

#endif
