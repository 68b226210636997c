/* The groups of commands, one for each file; those that administer are in cmd/admin. */
#ifndef BURSAR_CLI_COMMANDS_H
#define BURSAR_CLI_COMMANDS_H

#include "cli/cmd/admin/admin.h"

/* All groups; ends with NULL. */
extern const struct command_group *const command_groups[];

extern const struct command_group check_commands;
extern const struct command_group status_commands;
extern const struct command_group ledger_commands;
extern const struct command_group report_commands;
extern const struct command_group stats_commands;
extern const struct command_group watch_commands;
extern const struct command_group doctor_commands;
extern const struct command_group dashboard_commands;
extern const struct command_group run_commands;
extern const struct command_group replay_commands;
extern const struct command_group profile_commands;
extern const struct command_group meta_commands;

#endif
