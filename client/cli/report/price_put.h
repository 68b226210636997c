/* What `price put` does. */
#ifndef BURSAR_CLI_PRICE_PUT_H
#define BURSAR_CLI_PRICE_PUT_H

#include "cli/core/command.h"

/* The command's function: answers the exit code. */
int price_put(struct cli *cli);

#endif
