/* What the scripts for the shells have in common. */
#ifndef BURSAR_CLI_COMPLETION_H
#define BURSAR_CLI_COMPLETION_H

#include "cli/core/command.h"

/* Scripts for the shells. */
void completion_put_bash(struct buf *out, const struct command_group *const *groups);
void completion_put_zsh(struct buf *out, const struct command_group *const *groups);
void completion_put_fish(struct buf *out, const struct command_group *const *groups);

/* What the functions below have in common: where the script goes, and every command there is. */
struct completion {
	struct buf *out;
	const struct command_group *const *groups;
};

/* Calls `each` for every command that is shown. */
void completion_each(
	const struct completion *script, void (*each)(const struct completion *script, const struct command *command));

/* The length of a name's first word, and whether the command is the first of those that share it. */
size_t completion_first_word(const struct command *command);
bool completion_opens_word(const struct command_group *const *groups, const struct command *command);

/* " account", for the first command of each first word. */
void completion_put_first(const struct completion *script, const struct command *command);
/* "get list ...", where the command opens its first word: the second words of those that share it; false when there are none. */
bool completion_put_second(struct buf *out, const struct command_group *const *groups, const struct command *command);

/*
 * What the shell's function offers for the value of an option, or for an argument: "values tiers", "words on off", "files", "profiles",
 * "commands"; false, and nothing appended, when there is nothing to offer. An argument is offered at one position, or, when it may be
 * repeated, from there on.
 */
bool completion_put_value(struct buf *out, const struct option *option);
bool completion_put_arg(struct buf *out, const struct command *command, int n, bool *repeats);
int completion_args(const struct command *command);

#endif
