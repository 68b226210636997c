/*
 * bulk (commands.h): one change for many accounts. Skips accounts that already have it, so an interrupted run can be
 * repeated.
 */
#include "cli/cmd/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/account/bulk.h"
#include "cli/account/filter.h"
#include "cli/common/read.h"

/* The parts of the request, from the command line. */
struct selection {
	Bursar__V1__AccountChange change;
	Bursar__V1__AccountFilter filter;
	Bursar__V1__AccountRef ref;
	Bursar__V1__Limit **limits;
	size_t limit_count;
};

static bool read_tier(struct cli *cli, struct selection *made)
{
	made->change.tier = (char *)cli_arg(cli, 1);
	return cli->args_count == 2 || err_set(&cli->err, ERR_INVALID, "TIER is missing");
}

static bool read_nothing(struct cli *cli, struct selection *made)
{
	(void)made;
	return cli->args_count == 1 ||
	       err_set(&cli->err, ERR_INVALID, "only set-tier, bypass and override take more arguments");
}

static bool read_grace(struct cli *cli, struct selection *made)
{
	int ways = option_given(cli, "until") + option_given(cli, "for") + option_given(cli, "off");

	if (ways != 1)
		return err_set(&cli->err, ERR_INVALID, "give one of --for DURATION, --until TIME and --off");
	made->change.grace_until_us = option_number(cli, "until", 0);
	if (option_given(cli, "for"))
		made->change.grace_until_us = clock_wall_us() + option_number(cli, "for", 0);
	made->change.grace_percent = (int32_t)option_number(cli, "percent", 0);
	return read_nothing(cli, made);
}

static bool read_bypass(struct cli *cli, struct selection *made)
{
	made->change.bypass = strcmp(cli_arg(cli, 1), "on") == 0;
	return (cli->args_count == 2 && (made->change.bypass || strcmp(cli_arg(cli, 1), "off") == 0)) ||
	       err_set(&cli->err, ERR_INVALID, "write bypass on, or bypass off");
}

static bool read_override(struct cli *cli, struct selection *made)
{
	size_t removed;

	made->change.remove = (char **)option_list(cli, "remove", &removed);
	made->change.n_remove = removed;
	made->change.merge = option_given(cli, "merge") || removed > 0;
	if (option_given(cli, "clear") != (cli->args_count == 1 && removed == 0))
		return err_set(&cli->err, ERR_INVALID,
			"give LIMIT, such as requests=60/min, or --remove NAME, or --clear to remove all overrides");
	if (!limits_read(cli, 1, &made->limits, &made->limit_count))
		return false;
	limits_end(cli, made->limits, made->limit_count);
	made->change.limits = made->limits;
	made->change.n_limits = made->limit_count;
	return true;
}

static const struct {
	const char *word;
	const char *action; /* ACCOUNT_ACTION_ ... */
	bool (*read)(struct cli *cli, struct selection *made);
} changes[] = {
	{"set-tier", "SET_TIER", read_tier},
	{"suspend", "SUSPEND", read_nothing},
	{"unsuspend", "UNSUSPEND", read_nothing},
	{"delete", "DELETE", read_nothing},
	{"grace", "SET_GRACE", read_grace},
	{"bypass", "SET_BYPASS", read_bypass},
	{"override", "OVERRIDE_LIMITS", read_override},
};
enum { CHANGES = sizeof(changes) / sizeof(*changes) };

static bool read_change(struct cli *cli, struct selection *made)
{
	int at = 0;

	bursar__v1__account_change__init(&made->change);
	while (at < CHANGES && strcmp(cli_arg(cli, 0), changes[at].word) != 0)
		at++;
	if (at == CHANGES)
		return cli_none_of(
			&cli->err, cli_arg(cli, 0), "set-tier|suspend|unsuspend|delete|grace|bypass|override");
	made->change.action = (Bursar__V1__AccountAction)cli_enum(
		&bursar__v1__account_action__descriptor, "ACCOUNT_ACTION_", changes[at].action);
	return changes[at].read(cli, made);
}

/* A file excludes filters: nobody would see which of its ids a filter skips. */
static bool read_selection(struct cli *cli, struct selection *made, struct bulk *bulk)
{
	int ways = option_given(cli, "file") + option_given(cli, "all") + account_filter_given(cli);

	if (ways == 0)
		return err_set(&cli->err, ERR_INVALID,
			"say which accounts: --file, a filter such as --tier or --state, or --all");
	if (ways > 1)
		return err_set(&cli->err, ERR_INVALID,
			"--file and --all exclude each other and all filters: leave out the others");
	read_account_ref(cli, &made->ref);
	bursar__v1__change_accounts_request__init(&bulk->request);
	bulk->request.tenant = made->ref.tenant;
	bulk->request.kind = made->ref.kind;
	bulk->request.change = &made->change;
	bulk->request.filter = &made->filter;
	bulk->request.reason = (char *)option_text(cli, "reason");
	bulk->request.known_only = option_given(cli, "file") && !option_given(cli, "create");
	return read_account_filter(cli, &made->filter) &&
	       (!option_given(cli, "file") || bulk_read_ids(bulk, option_text(cli, "file")));
}

static int run_bulk(struct cli *cli)
{
	struct selection made = {0};
	struct bulk bulk = {.cli = cli};
	bool dry = option_given(cli, "dry-run") || !option_given(cli, "yes");
	int code;

	if (!read_change(cli, &made) || !read_selection(cli, &made, &bulk)) {
		code = cli_usage(cli);
	} else {
		code = bulk_run(&bulk, dry);
		bulk_show(&bulk, dry);
		if (code == EXIT_DONE && bulk.counts.matched == 0) {
			cli_flush(cli);
			fprintf(stderr,
				"bursar: no account matches; check with 'bursar account list' and the same options\n");
		}
		if (code == EXIT_DONE && dry && !option_given(cli, "dry-run") && bulk.counts.changed > 0) {
			cli_flush(cli);
			fprintf(stderr, "bursar: repeat the command with --yes to change them\n");
			code = EXIT_USAGE;
		}
	}
	bulk_release(&bulk);
	limits_free(made.limits, made.limit_count);
	return code;
}

static const struct command commands[] = {
	{
		COMMAND("bulk", "CHANGE [ARGUMENT...]",
			"change many accounts: tier, suspension, deletion, grace, bypass, overrides", run_bulk),
		.about = "CHANGE is set-tier TIER, suspend, unsuspend, delete, grace, bypass on (or off), or override "
			 "LIMIT...: like the commands for one account. It applies to the accounts that match all "
			 "filters, or to those in a file, where every id must be known. Without --yes it shows what "
			 "would change. Accounts that already have the change are skipped, so an interrupted run can "
			 "simply be repeated. Accounts are changed in batches of 500, each completely or not at all.",
		.options = {OPTION_TENANT, OPTION_KIND, OPTION_REASON, OPTIONS_FILTER,
			{'f', "file", OPTION_FILE, "FILE",
				"the ids in the column 'user' or 'id' of this CSV file, or in its only column (- is "
				"standard input)",
				NULL},
			{'\0', "create", OPTION_FLAG, NULL,
				"with --file: create accounts for ids that were never put or used", NULL},
			{'\0', "all", OPTION_FLAG, NULL, "all accounts that are not deleted", NULL},
			{'\0', "for", OPTION_DURATION, "DURATION", "grace, override: how long, from now", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "grace, override: when it ends", NULL},
			{'\0', "off", OPTION_FLAG, NULL, "grace: end it now", NULL},
			{'\0', "percent", OPTION_COUNT, "N",
				"grace: how much more to allow, in percent, 1 to 1000 (default: 100)", NULL},
			{'\0', "merge", OPTION_FLAG, NULL, "override: keep overrides with other names", NULL},
			{'\0', "remove", OPTION_LIST, "NAME", "override: remove this one, keep the others", NULL},
			{'\0', "clear", OPTION_FLAG, NULL, "override: remove all overrides", NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "change the accounts", NULL}},
		.examples = {"bulk set-tier pro --tier trial --reason 'the trial is over'",
			"bulk suspend --file leavers.csv --dry-run", "bulk unsuspend --suspended --prefix test- --yes",
			"bulk grace --tier free --for 1d --yes",
			"bulk override requests=60/min --team research --merge"},
	},
};

const struct command_group bulk_commands = {"Many accounts at once", commands, sizeof(commands) / sizeof(*commands)};
