/* Completion scripts for the shells. */
#ifndef BURSAR_CLI_COMPLETION_H
#define BURSAR_CLI_COMPLETION_H

#include "cli/core/command.h"

/* Append the script for one shell. */
void completion_put_bash(struct buf *out, const struct command_group *const *groups);
void completion_put_zsh(struct buf *out, const struct command_group *const *groups);
void completion_put_fish(struct buf *out, const struct command_group *const *groups);

/* Shared by the functions below: the output, and all commands. */
struct completion {
	struct buf *out;
	const struct command_group *const *groups;
};

/* Calls `each` for every command that is not hidden. */
void completion_each(
	const struct completion *script, void (*each)(const struct completion *script, const struct command *command));

/* The length of a name's first word, and whether this is the first command with that word. */
size_t completion_first_word(const struct command *command);
bool completion_opens_word(const struct command_group *const *groups, const struct command *command);

/* Appends " account", for the first command with that first word. */
void completion_put_first(const struct completion *script, const struct command *command);
/*
 * Appends "get list ...": for the first command with a first word, the second words of all. False when there are
 * none.
 */
bool completion_put_second(struct buf *out, const struct command_group *const *groups, const struct command *command);

/*
 * Append what the shell's function offers for the value of an option, or for an argument: "values tiers", "words on
 * off", "files", "profiles", "commands". False, with nothing appended, when there is nothing to offer. An argument is
 * offered at its position, and if it can be repeated, at all later ones.
 */
bool completion_put_value(struct buf *out, const struct option *option);
bool completion_put_arg(struct buf *out, const struct command *command, int n, bool *repeats);
int completion_args(const struct command *command);

/* Appends " --option -o" for each option that takes a value. */
void completion_put_takes(struct buf *out, const struct option *options);

#endif
