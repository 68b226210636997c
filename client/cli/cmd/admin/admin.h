/* The groups of commands that administer accounts, the catalog, keys, pools and reservations: one for each file. */
#ifndef BURSAR_CLI_CMD_ADMIN_H
#define BURSAR_CLI_CMD_ADMIN_H

#include "cli/core/command.h"

extern const struct command_group account_commands;
extern const struct command_group bulk_commands;
extern const struct command_group tenant_commands;
extern const struct command_group text_commands;
extern const struct command_group tier_commands;
extern const struct command_group document_commands;
extern const struct command_group price_commands;
extern const struct command_group price_list_commands;
extern const struct command_group model_commands;
extern const struct command_group reservation_commands;
extern const struct command_group key_commands;
extern const struct command_group audit_commands;
extern const struct command_group pool_commands;
extern const struct command_group alert_rule_commands;
extern const struct command_group alert_channel_commands;
extern const struct command_group alert_event_commands;

#endif
