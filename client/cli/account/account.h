/* Functions of the account commands. */
#ifndef BURSAR_CLI_ACCOUNT_H
#define BURSAR_CLI_ACCOUNT_H

#include "cli/core/command.h"

/* Makes the call and shows the account returned. */
int account_call(struct cli *cli, enum bursar_method method, const void *request);

/* account override (override.c), account erase (erase.c), account list (list.c); return exit codes. */
int account_override(struct cli *cli);
int account_erase(struct cli *cli);
int account_list(struct cli *cli);

#endif
