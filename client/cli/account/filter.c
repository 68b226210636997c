/* Selects accounts (filter.h). */
#include "cli/account/filter.h"

bool read_account_filter(struct cli *cli, Bursar__V1__AccountFilter *filter)
{
	const char *state = option_text(cli, "state");
	int states = option_given(cli, "state") + option_given(cli, "suspended") + option_given(cli, "deleted");

	bursar__v1__account_filter__init(filter);
	if (states > 1)
		return err_set(&cli->err, ERR_INVALID,
			"--state, --suspended and --deleted exclude each other: give one of them");
	if (option_given(cli, "suspended"))
		state = "suspended";
	if (option_given(cli, "deleted"))
		state = "deleted";
	filter->state =
		(Bursar__V1__AccountState)cli_enum(&bursar__v1__account_state__descriptor, "ACCOUNT_STATE_", state);
	filter->tier = (char *)option_text(cli, "tier");
	filter->id_prefix = (char *)option_text(cli, "prefix");
	filter->team = (char *)option_text(cli, "team");
	filter->org = (char *)option_text(cli, "org");
	filter->has_overrides = option_given(cli, "overrides");
	filter->created_since_us = option_number(cli, "created-since", 0);
	filter->updated_since_us = option_number(cli, "updated-since", 0);
	return true;
}

bool account_filter_given(const struct cli *cli)
{
	static const char *const names[] = {"tier", "prefix", "team", "org", "state", "suspended", "deleted",
		"overrides", "created-since", "updated-since"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (option_given(cli, names[i]))
			return true;
	return false;
}
