/* The groups of commands, one for each file. */
#ifndef BURSAR_CLI_COMMANDS_H
#define BURSAR_CLI_COMMANDS_H

#include "cli/core/command.h"

/* All groups; ends with NULL. */
extern const struct command_group *const command_groups[];

extern const struct command_group check_commands;
extern const struct command_group status_commands;
extern const struct command_group account_commands;
extern const struct command_group bulk_commands;
extern const struct command_group tenant_commands;
extern const struct command_group tier_commands;
extern const struct command_group document_commands;
extern const struct command_group price_commands;
extern const struct command_group price_list_commands;
extern const struct command_group reservation_commands;
extern const struct command_group ledger_commands;
extern const struct command_group report_commands;
extern const struct command_group stats_commands;
extern const struct command_group key_commands;
extern const struct command_group audit_commands;
extern const struct command_group watch_commands;
extern const struct command_group doctor_commands;
extern const struct command_group text_commands;
extern const struct command_group pool_commands;
extern const struct command_group run_commands;
extern const struct command_group replay_commands;
extern const struct command_group profile_commands;
extern const struct command_group meta_commands;

#endif
