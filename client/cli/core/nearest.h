/* Which of the names that there are was meant by one that there is not. Errors of the calls are nobody's business: then nothing is near. */
#ifndef BURSAR_CLI_NEAREST_H
#define BURSAR_CLI_NEAREST_H

#include "base/text/distance.h"
#include "cli/core/command.h"

/* Each fills meant->name, or leaves it "". */
void nearest_account(struct cli *cli, const Bursar__V1__AccountRef *ref, struct meant *meant);
void nearest_user(struct cli *cli, const char *tenant, struct meant *meant);
void nearest_tenant(struct cli *cli, struct meant *meant);
void nearest_tier(struct cli *cli, const char *tenant, struct meant *meant);
void nearest_pool(struct cli *cli, const char *tenant, struct meant *meant);
void nearest_model(struct cli *cli, const char *tenant, struct meant *meant);

#endif
