/* Asking before something is changed. */
#ifndef BURSAR_CLI_CONFIRM_H
#define BURSAR_CLI_CONFIRM_H

#include "cli/core/command.h"

/*
 * Writes out what was gathered, and asks the question at the terminal ("Apply 3 changes?"), unless the option --yes was given. False
 * with the exit code when the answer is no, or nobody is there to be asked.
 */
bool cli_confirm(struct cli *cli, const char *question, int *code);

/* The same without an option; `otherwise`, "repeat it with --yes", is said where nobody is there to be asked. */
bool cli_ask(struct cli *cli, const char *question, const char *otherwise, int *code);

/* Says at a terminal what is being done, where it is so much that it takes a while: "applying 2000 changes". */
void cli_busy(const char *doing, size_t count, const char *what);

#endif
