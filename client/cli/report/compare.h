/* What providers said that requests cost, beside what the prices say. */
#ifndef BURSAR_CLI_COMPARE_H
#define BURSAR_CLI_COMPARE_H

#include "cli/core/command.h"

/* Shows the comparison for an account, by the options of 'report compare'. The exit code. */
int costs_compare(struct cli *cli, Bursar__V1__AccountRef *ref);

#endif
