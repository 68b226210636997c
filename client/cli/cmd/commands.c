/* All commands. */
#include "cli/cmd/commands.h"

const struct command_group *const command_groups[] = {
	&check_commands,
	&status_commands,
	&account_commands,
	&bulk_commands,
	&tenant_commands,
	&text_commands,
	&tier_commands,
	&document_commands,
	&price_commands,
	&price_list_commands,
	&reservation_commands,
	&ledger_commands,
	&report_commands,
	&stats_commands,
	&key_commands,
	&audit_commands,
	&watch_commands,
	&doctor_commands,
	&pool_commands,
	&run_commands,
	&replay_commands,
	&profile_commands,
	&meta_commands,
	NULL,
};
