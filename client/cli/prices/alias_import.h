/* model alias import: reads a list of aliases, shows what it changes, asks, and puts it. */
#ifndef BURSAR_CLI_ALIAS_IMPORT_H
#define BURSAR_CLI_ALIAS_IMPORT_H

#include "cli/core/command.h"

int alias_import(struct cli *cli);

#endif
