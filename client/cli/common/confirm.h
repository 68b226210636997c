/* Asks before anything is changed. */
#ifndef BURSAR_CLI_CONFIRM_H
#define BURSAR_CLI_CONFIRM_H

#include "cli/core/command.h"

/*
 * Writes the output collected so far, and asks the question at the terminal ("Apply 3 changes?"), unless --yes was
 * given. False with the exit code when the answer is no, or there is no terminal.
 */
bool cli_confirm(struct cli *cli, const char *question, int *code);

/*
 * The same without the option; prints `otherwise`, such as "repeat the command with --yes", when there is no
 * terminal.
 */
bool cli_ask(struct cli *cli, const char *question, const char *otherwise, int *code);

/* Says at a terminal what is being done if it may take a while: "applying 2000 changes". */
void cli_busy(const char *doing, size_t count, const char *what);

#endif
