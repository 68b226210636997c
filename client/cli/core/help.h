/* Help texts, generated from the commands' rows. All functions append. */
#ifndef BURSAR_CLI_HELP_H
#define BURSAR_CLI_HELP_H

#include "cli/core/command.h"

/* The overview of all commands. */
void help_put_overview(struct buf *out, const struct command_group *const *groups);

/* The commands whose names begin with the word, such as "account". False when no name does. */
bool help_put_group(struct buf *out, const struct command_group *const *groups, const char *word);

/* One command: usage, what it does, options, examples. */
void help_put_command(struct buf *out, const struct command *command);

/* docs/cli.md, and the man page that the build installs. */
void help_put_markdown(struct buf *out, const struct command_group *const *groups);
void help_put_man(struct buf *out, const struct command_group *const *groups);

/* "-t, --tenant TENANT" */
void help_put_option(struct buf *out, const struct option *option);

/* "check USER [OPTION...]" */
void help_put_usage(struct buf *out, const struct command *command);

/*
 * Appends `text`, wrapped so that no line is longer than `width`. Every line after the first is indented by `indent`
 * spaces.
 */
void help_put_wrapped(struct buf *out, const char *text, size_t column, size_t indent, size_t width);

#endif
