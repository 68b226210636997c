/* Prices recorded requests again. */
#ifndef BURSAR_CLI_RERATE_H
#define BURSAR_CLI_RERATE_H

#include "cli/core/command.h"

/* Shows what would change, asks, and corrects it, by the options of 'ledger rerate'. The exit code. */
int ledger_rerate(struct cli *cli);

#endif
