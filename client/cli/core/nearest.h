/*
 * Finds the existing name that a mistyped one probably meant. A call that fails is ignored: nothing is suggested
 * then.
 */
#ifndef BURSAR_CLI_NEAREST_H
#define BURSAR_CLI_NEAREST_H

#include "base/text/distance.h"
#include "cli/core/command.h"

/* Each sets meant->name, or leaves it "". */
void nearest_account(struct cli *cli, const Bursar__V1__AccountRef *ref, struct meant *meant);
void nearest_user(struct cli *cli, const char *tenant, struct meant *meant);
void nearest_tenant(struct cli *cli, struct meant *meant);
void nearest_tier(struct cli *cli, const char *tenant, struct meant *meant);
void nearest_pool(struct cli *cli, const char *tenant, struct meant *meant);
void nearest_model(struct cli *cli, const char *tenant, struct meant *meant);

#endif
