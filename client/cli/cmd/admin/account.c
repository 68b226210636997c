/* account ... (commands.h): accounts, their limits and their state. */
#include "cli/cmd/admin/admin.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/account/account.h"
#include "cli/account/filter.h"
#include "cli/account/known.h"
#include "cli/account/tighter.h"
#include "cli/common/read.h"
#include "cli/text/format.h"

/* A group that was never put has no limits, and its name may be a typing error. */
static void tell_of_new_group(struct cli *cli, const char *option, Bursar__V1__AccountKind kind)
{
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;

	ref.id = (char *)option_text(cli, option);
	ref.tenant = (char *)option_text(cli, "tenant");
	ref.kind = kind;
	if (option_given(cli, option) && !account_is_known(cli, &ref))
		fprintf(stderr,
			"bursar: %s %s does not exist yet: it has no limits until 'bursar account put %s --kind %s'\n",
			option, ref.id, ref.id, option);
}

static int run_get(struct cli *cli)
{
	Bursar__V1__GetAccountRequest request = BURSAR__V1__GET_ACCOUNT_REQUEST__INIT;
	Bursar__V1__AccountRef ref;

	read_account_ref(cli, &ref);
	request.ref = &ref;
	return account_call(cli, BURSAR_GET_ACCOUNT, &request);
}

static int run_put(struct cli *cli)
{
	Bursar__V1__PutAccountRequest request = BURSAR__V1__PUT_ACCOUNT_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	int code;

	read_account_ref(cli, &ref);
	request.ref = &ref;
	request.tier = (char *)option_text(cli, "tier");
	request.team = (char *)option_text(cli, "team");
	request.org = (char *)option_text(cli, "org");
	request.time_zone = (char *)option_text(cli, "time-zone");
	request.clear_team = option_given(cli, "no-team");
	request.clear_org = option_given(cli, "no-org");
	request.reason = (char *)option_text(cli, "reason");
	code = account_call(cli, BURSAR_PUT_ACCOUNT, &request);
	cli_flush(cli);
	if (code == EXIT_DONE) {
		tell_of_new_group(cli, "team", BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TEAM);
		tell_of_new_group(cli, "org", BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_ORG);
	}
	return code;
}

/* Makes a call that changes an account that exists, or that the user wants to create. */
static int change(
	struct cli *cli, enum bursar_method method, const void *request, Bursar__V1__AccountRef **ref, char **reason)
{
	Bursar__V1__AccountRef account;
	int code;

	read_account_ref(cli, &account);
	if (!account_expected(cli, &account, &code))
		return code;
	*ref = &account;
	*reason = (char *)option_text(cli, "reason");
	code = account_call(cli, method, request);
	*ref = NULL; /* `account` is local to this function */
	return code;
}

static int run_set_tier(struct cli *cli)
{
	Bursar__V1__SetTierRequest request = BURSAR__V1__SET_TIER_REQUEST__INIT;

	request.tier = (char *)cli_arg(cli, 1);
	return change(cli, BURSAR_SET_TIER, &request, &request.ref, &request.reason);
}

static int run_delete(struct cli *cli)
{
	Bursar__V1__DeleteAccountRequest request = BURSAR__V1__DELETE_ACCOUNT_REQUEST__INIT;
	Bursar__V1__AccountRef ref;

	read_account_ref(cli, &ref);
	request.ref = &ref;
	request.reason = (char *)option_text(cli, "reason");
	return account_call(cli, BURSAR_DELETE_ACCOUNT, &request);
}

static int run_suspend(struct cli *cli)
{
	Bursar__V1__SuspendRequest request = BURSAR__V1__SUSPEND_REQUEST__INIT;

	return change(cli, BURSAR_SUSPEND, &request, &request.ref, &request.reason);
}

static int run_unsuspend(struct cli *cli)
{
	Bursar__V1__UnsuspendRequest request = BURSAR__V1__UNSUSPEND_REQUEST__INIT;

	return change(cli, BURSAR_UNSUSPEND, &request, &request.ref, &request.reason);
}

static int run_grace(struct cli *cli)
{
	Bursar__V1__SetGraceRequest request = BURSAR__V1__SET_GRACE_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	int code;
	int ways = option_given(cli, "until") + option_given(cli, "for") + option_given(cli, "off");
	int64_t percent = option_number(cli, "percent", 0);

	if (ways != 1)
		err_set(&cli->err, ERR_INVALID, "give one of --for DURATION, --until TIME and --off");
	else if (percent > 1000)
		err_set(&cli->err, ERR_INVALID, "--percent: must be 1 to 1,000");
	else if (option_given(cli, "until") && option_number(cli, "until", 0) <= clock_wall_us())
		err_set(&cli->err, ERR_INVALID, "--until: has already passed; --off ends a grace");
	if (cli->err.text[0])
		return cli_usage(cli);
	read_account_ref(cli, &ref);
	if (!account_expected(cli, &ref, &code))
		return code;
	request.ref = &ref;
	request.until_us = option_number(cli, "until", 0);
	if (option_given(cli, "for"))
		request.until_us = clock_wall_us() + option_number(cli, "for", 0);
	request.percent = (int32_t)percent;
	request.reason = (char *)option_text(cli, "reason");
	code = account_call(cli, BURSAR_SET_GRACE, &request);
	if (code == EXIT_DONE && request.until_us)
		tell_tighter_of(cli, &ref, NULL, 0, percent ? (int)percent : 100);
	return code;
}

static int run_bypass(struct cli *cli)
{
	Bursar__V1__SetBypassRequest request = BURSAR__V1__SET_BYPASS_REQUEST__INIT;
	const char *state = cli_arg(cli, 1);

	request.bypass = strcmp(state, "on") == 0;
	if (!request.bypass && strcmp(state, "off") != 0) {
		err_set(&cli->err, ERR_INVALID, "STATE: '%s' must be on or off", state);
		return cli_usage(cli);
	}
	return change(cli, BURSAR_SET_BYPASS, &request, &request.ref, &request.reason);
}

static void show_reset(struct cli *cli, const Bursar__V1__ResetResponse *answer)
{
	if (answer->repeat) {
		buf_put_str(&cli->out, "already reset: nothing was taken again\n");
		return;
	}
	buf_put_str(&cli->out, "reset: removed from today's counters: ");
	put_count(&cli->out, answer->requests);
	buf_put_str(&cli->out, answer->requests == 1 ? " request, " : " requests, ");
	put_count(&cli->out, answer->tokens);
	buf_put_str(&cli->out, " tokens, ");
	put_money(&cli->out, answer->cost_nano_usd);
	buf_put_str(&cli->out, "\n");
}

static int run_reset(struct cli *cli)
{
	Bursar__V1__ResetRequest request = BURSAR__V1__RESET_REQUEST__INIT;
	Bursar__V1__AccountRef ref;

	read_account_ref(cli, &ref);
	request.ref = &ref;
	request.request_id = (char *)option_text(cli, "id");
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_RESET, &request, show_reset);
}

#define OPTIONS_CHANGE OPTION_TENANT, OPTION_KIND, OPTION_REASON
/* For commands that expect the account to exist. */
#define OPTIONS_EXPECT OPTIONS_CHANGE, OPTION_CREATE

static const struct command commands[] = {
	{
		COMMAND("account get", "ID", "show an account: tier, state, overrides", run_get),
		.options = {OPTION_TENANT, OPTION_KIND},
		.examples = {"account get alice", "account get gpt-5.4 --kind model"},
	},
	{
		COMMAND("account list", "", "list accounts", account_list),
		.about = "Lists the accounts that match all options given.",
		.options = {OPTION_TENANT,
			{'k', "kind", OPTION_CHOICE, "KIND", "the kind of accounts (default: user)",
				"user|team|org|model|tenant"},
			OPTIONS_FILTER,
			{'\0', "limit", OPTION_SOME, "N", "the maximum number of accounts to show (default: 100)",
				NULL},
			{'\0', "count", OPTION_FLAG, NULL, "print only the number of matching accounts", NULL}},
		.examples = {"account list --tier pro", "account list --suspended --limit 1000 --json",
			"account list --team research --overrides",
			"account list --tier trial --created-since -30d --count"},
	},
	{
		COMMAND("account put", "ID", "create an account, or change its tier, parents or time zone", run_put),
		.about = "Settings that are not given stay as they are. A new account starts on the tenant's default "
			 "tier.",
		.options = {OPTIONS_CHANGE, {'\0', "tier", OPTION_TEXT, "TIER", "the account's tier", NULL},
			{'\0', "team", OPTION_TEXT, "TEAM", "the team of a user", NULL},
			{'\0', "org", OPTION_TEXT, "ORG", "the org of a team, or of a user without a team", NULL},
			{'\0', "time-zone", OPTION_TEXT, "ZONE",
				"an IANA name; takes effect when the running windows end", NULL},
			{'\0', "no-team", OPTION_FLAG, NULL, "remove the user from their team", NULL},
			{'\0', "no-org", OPTION_FLAG, NULL, "remove the account from its org", NULL}},
		.examples = {"account put alice --tier pro --team research",
			"account put research --kind team --org acme", "account put bob --time-zone Europe/Berlin"},
	},
	{
		COMMAND("account set-tier", "ID TIER", "move an account to another tier", run_set_tier),
		.about = "Usage so far still counts. A higher limit takes effect at once.",
		.options = {OPTIONS_EXPECT},
		.examples = {"account set-tier alice enterprise --reason 'contract 2026-17'"},
	},
	{
		COMMAND("account override", "ID [LIMIT...]", "give an account its own limits", account_override),
		.about = "Overrides replace the tier's limits of the same name, or add to them. Without --merge they "
			 "replace all existing overrides of the account, after showing which ones would go and asking. "
			 "A temporary override (--for, --until) applies alongside the others until it ends; then the "
			 "tier's limit applies again and counts what was used meanwhile. See LIMITS for the syntax.",
		.options = {OPTIONS_EXPECT,
			{'\0', "for", OPTION_DURATION, "DURATION", "how long the overrides last, from now", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "when the overrides end", NULL},
			{'\0', "merge", OPTION_FLAG, NULL, "keep overrides with other names", NULL},
			{'\0', "remove", OPTION_LIST, "NAME", "remove this override, keep the others (may be repeated)",
				NULL},
			{'\0', "clear", OPTION_FLAG, NULL, "remove all overrides", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "remove overrides that are not given, without asking", NULL},
			{'f', "file", OPTION_FILE, "FILE", "read {\"limits\": [...]} as JSON (- is standard input)",
				NULL}},
		.examples = {"account override alice requests=60/min cost=20/day",
			"account override alice tokens=1M/day,interface=telegram --merge",
			"account override alice requests=600/min --for 7d --merge --reason 'launch week'",
			"account override alice --remove cost_per_day", "account override alice --clear"},
	},
	{
		COMMAND("account delete", "ID",
			"delete an account: deny it everything until it is put again; bills stay", run_delete),
		.options = {OPTIONS_CHANGE},
		.examples = {"account delete mallory --reason 'closed by the user'"},
	},
	{
		COMMAND("account erase", "ID", "replace a deleted user's id with a pseudonym everywhere; totals stay",
			account_erase),
		.about = "This cannot be undone. Delete the user first. Erasing is refused while the user has open "
			 "requests or entries on their way to the ledger; --wait tries again until there are none. "
			 "docs/security.md lists what is erased.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'y', "yes", OPTION_FLAG, NULL, "confirm that the user is to be erased", NULL},
			{'\0', "wait", OPTION_FLAG, NULL, "wait while anything of the user's is open", NULL}},
		.examples = {"account erase alice --yes --wait --reason 'request of 2026-11-22'"},
	},
	{
		COMMAND("account suspend", "ID", "deny an account everything", run_suspend),
		.options = {OPTIONS_EXPECT},
		.examples = {"account suspend mallory --reason 'abuse, ticket 4711'"},
	},
	{
		COMMAND("account unsuspend", "ID", "end a suspension", run_unsuspend),
		.options = {OPTIONS_EXPECT},
		.examples = {"account unsuspend mallory"},
	},
	{
		COMMAND("account grace", "ID", "let an account exceed its calendar limits for a while", run_grace),
		.options = {OPTIONS_EXPECT,
			{'\0', "for", OPTION_DURATION, "DURATION", "how long the grace lasts, from now", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "when the grace ends", NULL},
			{'\0', "percent", OPTION_COUNT, "N",
				"how much more to allow, in percent, 1 to 1000 (default: 100)", NULL},
			{'\0', "off", OPTION_FLAG, NULL, "end the grace now", NULL}},
		.examples = {"account grace alice --for 2h", "account grace alice --until 2026-12-01 --percent 50",
			"account grace alice --off"},
	},
	{
		COMMAND("account reset", "ID", "reset the running windows and buckets to unused", run_reset),
		.about = "The ledger keeps what was spent; the reset is a separate entry.",
		.options = {OPTIONS_CHANGE,
			{'\0', "id", OPTION_TEXT, "ID", "the reset's id, so that repeating it does nothing", NULL}},
		.examples = {"account reset alice --reason 'outage of 2026-11-22'"},
	},
	{
		COMMAND("account bypass", "ID STATE", "count an account's use but never deny it (STATE: on or off)",
			run_bypass),
		.options = {OPTIONS_EXPECT},
		.examples = {"account bypass healthcheck on", "account bypass healthcheck off"},
	},
};

const struct command_group account_commands = {"Accounts", commands, sizeof(commands) / sizeof(*commands)};
