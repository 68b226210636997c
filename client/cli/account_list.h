/* account list. */
#ifndef BURSAR_CLI_ACCOUNT_LIST_H
#define BURSAR_CLI_ACCOUNT_LIST_H

#include "cli/command.h"

/* Runs the command; its exit code. */
int account_list_run(struct cli *cli);

#endif
