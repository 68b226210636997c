/* The command `price put`. */
#ifndef BURSAR_CLI_PRICE_PUT_H
#define BURSAR_CLI_PRICE_PUT_H

#include "cli/core/command.h"

/* Runs the command; returns the exit code. */
int price_put(struct cli *cli);

#endif
