/* How a denied check looks to people. */
#ifndef BURSAR_CLI_DENIED_H
#define BURSAR_CLI_DENIED_H

#include "cli/core/command.h"

/* Under the line that says it is denied: the message, and when or how it would pass. `now_us`: the store's time. */
void view_denied(struct cli *cli, const Bursar__V1__CheckResponse *answer, int64_t now_us);

#endif
