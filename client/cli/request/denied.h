/* Shows a denied check. */
#ifndef BURSAR_CLI_DENIED_H
#define BURSAR_CLI_DENIED_H

#include "cli/core/command.h"

/* Shows, below the line "denied", the message and when or how the request would pass. `now_us`: the store's time. */
void view_denied(struct cli *cli, const Bursar__V1__CheckResponse *answer, int64_t now_us);

#endif
