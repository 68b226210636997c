/* What the scripts for the shells have in common. */
#ifndef BURSAR_CLI_COMPLETION_H
#define BURSAR_CLI_COMPLETION_H

#include "cli/command.h"

/* Calls `each` for every command that is shown. */
void completion_each(struct buf *out, void (*each)(struct buf *out, const struct command *command));

/* The length of a name's first word, and whether the command is the first of those that share it. */
size_t completion_first_word(const struct command *command);
bool completion_opens_word(const struct command *command);

/* " account", for the first command of each first word. */
void completion_put_first(struct buf *out, const struct command *command);
/* "get list ...": the second words of the commands that share its first; false when there are none. */
bool completion_put_second(struct buf *out, const struct command *command);

/*
 * What the shell's function offers for the value of an option, or for an argument: "values tiers", "words on off", "files", "profiles",
 * "commands"; false, and nothing appended, when there is nothing to offer. An argument is offered at one position, or, when it may be
 * repeated, from there on.
 */
bool completion_put_value(struct buf *out, const struct option *option);
bool completion_put_arg(struct buf *out, const struct command *command, int n, bool *repeats);
int completion_args(const struct command *command);

#endif
