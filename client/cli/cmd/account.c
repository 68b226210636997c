/* account ... (commands.h): who has which limits. */
#include "cli/cmd/commands.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/account/account.h"
#include "cli/account/filter.h"
#include "cli/account/known.h"
#include "cli/account/tighter.h"
#include "cli/common/read.h"
#include "cli/text/format.h"

/* A group that nobody has put has no limits, and its name may be a typing error. */
static void tell_of_new_group(struct cli *cli, const char *option, Bursar__V1__AccountKind kind)
{
	Bursar__V1__AccountRef ref = BURSAR__V1__ACCOUNT_REF__INIT;

	ref.id = (char *)option_text(cli, option);
	ref.tenant = (char *)option_text(cli, "tenant");
	ref.kind = kind;
	if (option_given(cli, option) && !account_is_known(cli, &ref))
		fprintf(stderr,
			"bursar: there is no %s %s yet: it has no limits until 'bursar account put %s --kind %s'\n",
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

static int run_set_tier(struct cli *cli)
{
	Bursar__V1__SetTierRequest request = BURSAR__V1__SET_TIER_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	int code;

	read_account_ref(cli, &ref);
	if (!account_expected(cli, &ref, &code))
		return code;
	request.ref = &ref;
	request.tier = (char *)cli_arg(cli, 1);
	request.reason = (char *)option_text(cli, "reason");
	return account_call(cli, BURSAR_SET_TIER, &request);
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
	Bursar__V1__AccountRef ref;
	int code;

	read_account_ref(cli, &ref);
	if (!account_expected(cli, &ref, &code))
		return code;
	request.ref = &ref;
	request.reason = (char *)option_text(cli, "reason");
	return account_call(cli, BURSAR_SUSPEND, &request);
}

static int run_unsuspend(struct cli *cli)
{
	Bursar__V1__UnsuspendRequest request = BURSAR__V1__UNSUSPEND_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	int code;

	read_account_ref(cli, &ref);
	if (!account_expected(cli, &ref, &code))
		return code;
	request.ref = &ref;
	request.reason = (char *)option_text(cli, "reason");
	return account_call(cli, BURSAR_UNSUSPEND, &request);
}

static int run_grace(struct cli *cli)
{
	Bursar__V1__SetGraceRequest request = BURSAR__V1__SET_GRACE_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	int code;
	int ways = option_given(cli, "until") + option_given(cli, "for") + option_given(cli, "off");
	int64_t percent = option_number(cli, "percent", 0);

	if (ways != 1)
		err_set(&cli->err, ERR_INVALID, "say how long by one of --for 2h, --until TIME, --off");
	else if (percent > 1000)
		err_set(&cli->err, ERR_INVALID, "--percent: must be 1 to 1,000");
	else if (option_given(cli, "until") && option_number(cli, "until", 0) <= clock_wall_us())
		err_set(&cli->err, ERR_INVALID, "--until: has passed already; --off ends a grace");
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
	Bursar__V1__AccountRef ref;
	int code;
	const char *state = cli_arg(cli, 1);

	if (strcmp(state, "on") != 0 && strcmp(state, "off") != 0) {
		err_set(&cli->err, ERR_INVALID, "'%s' must be on or off", state);
		return cli_usage(cli);
	}
	read_account_ref(cli, &ref);
	if (!account_expected(cli, &ref, &code))
		return code;
	request.ref = &ref;
	request.bypass = strcmp(state, "on") == 0;
	request.reason = (char *)option_text(cli, "reason");
	return account_call(cli, BURSAR_SET_BYPASS, &request);
}

static int run_reset(struct cli *cli)
{
	Bursar__V1__ResetRequest request = BURSAR__V1__RESET_REQUEST__INIT;
	Bursar__V1__AccountRef ref;
	Bursar__V1__ResetResponse *answer;
	int code;

	read_account_ref(cli, &ref);
	request.ref = &ref;
	request.request_id = (char *)option_text(cli, "id");
	request.reason = (char *)option_text(cli, "reason");
	answer = cli_call(cli, BURSAR_RESET, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer)) {
		buf_put_str(&cli->out, answer->repeat ? "reset before: nothing was taken again\n"
						      : "reset: taken out of today's counters: ");
		if (!answer->repeat) {
			put_count(&cli->out, answer->requests);
			buf_put_str(&cli->out, answer->requests == 1 ? " request, " : " requests, ");
			put_count(&cli->out, answer->tokens);
			buf_put_str(&cli->out, " tokens, ");
			put_money(&cli->out, answer->cost_nano_usd);
			buf_put_str(&cli->out, "\n");
		}
	}
	bursar_free(answer);
	return EXIT_DONE;
}

#define OPTIONS_CHANGE OPTION_TENANT, OPTION_KIND, OPTION_REASON
/* Of changes of an account that is expected to be there. */
#define OPTIONS_EXPECT OPTIONS_CHANGE, OPTION_CREATE

static const struct command commands[] = {
	{
		.name = "account get",
		.args = "ID",
		.summary = "show an account: tier, state, overrides",
		.about = "",
		.options = {OPTION_TENANT, OPTION_KIND},
		.examples = {"account get alice", "account get gpt-5.4 --kind model"},
		.run = run_get,
	},
	{
		.name = "account list",
		.args = "",
		.summary = "list accounts",
		.about = "Those that match all that is given.",
		.options = {OPTION_TENANT,
			{'k', "kind", OPTION_CHOICE, "KIND", "these (default: user)", "user|team|org|model|tenant"},
			OPTIONS_FILTER, {'\0', "limit", OPTION_SOME, "N", "at most so many (default: 100)", NULL},
			{'\0', "count", OPTION_FLAG, NULL, "say only how many there are", NULL}},
		.examples = {"account list --tier pro", "account list --suspended --limit 1000 --json",
			"account list --team research --overrides",
			"account list --tier trial --created-since -30d --count"},
		.run = account_list,
	},
	{
		.name = "account put",
		.args = "ID",
		.summary = "make an account, or change its tier, parents, time zone",
		.about = "What is not named stays as it is; a new account begins on the tenant's default tier.",
		.options = {OPTIONS_CHANGE, {'\0', "tier", OPTION_TEXT, "TIER", "its tier", NULL},
			{'\0', "team", OPTION_TEXT, "TEAM", "the team of a user", NULL},
			{'\0', "org", OPTION_TEXT, "ORG", "the org of a team, or of a user without one", NULL},
			{'\0', "time-zone", OPTION_TEXT, "ZONE", "IANA name; takes effect when the running windows end",
				NULL},
			{'\0', "no-team", OPTION_FLAG, NULL, "leave the team", NULL},
			{'\0', "no-org", OPTION_FLAG, NULL, "leave the org", NULL}},
		.examples = {"account put alice --tier pro --team research",
			"account put research --kind team --org acme", "account put bob --time-zone Europe/Berlin"},
		.run = run_put,
	},
	{
		.name = "account set-tier",
		.args = "ID TIER",
		.summary = "move an account to another tier",
		.about = "What was used stays used; more room helps at once.",
		.options = {OPTIONS_EXPECT},
		.examples = {"account set-tier alice enterprise --reason 'contract 2026-17'"},
		.run = run_set_tier,
	},
	{
		.name = "account override",
		.args = "ID [LIMIT...]",
		.summary = "give an account limits of its own",
		.about = "They replace the tier's limits of the same name, or add to them. Without --merge they "
			 "replace all "
			 "overrides the account had, after showing which ones go and asking. One with an end (--for, "
			 "--until) stands beside others until then; "
			 "then the tier's limit counts again, with what was used meanwhile. See LIMITS for how one is "
			 "written.",
		.options = {OPTIONS_EXPECT,
			{'\0', "for", OPTION_DURATION, "DURATION", "they end then, from now on", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "they end then", NULL},
			{'\0', "merge", OPTION_FLAG, NULL, "keep overrides of other names", NULL},
			{'\0', "remove", OPTION_LIST, "NAME", "drop this override, keep the others (may be repeated)",
				NULL},
			{'\0', "clear", OPTION_FLAG, NULL, "drop all overrides", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "drop the overrides that are not named without asking", NULL},
			{'f', "file", OPTION_FILE, "FILE", "read {\"limits\": [...]} as JSON (- is standard input)",
				NULL}},
		.examples = {"account override alice requests=60/min cost=20/day",
			"account override alice tokens=1M/day,interface=telegram --merge",
			"account override alice requests=600/min --for 7d --merge --reason 'launch week'",
			"account override alice --remove cost_per_day", "account override alice --clear"},
		.run = account_override,
	},
	{
		.name = "account delete",
		.args = "ID",
		.summary = "refuse an account until it is put again; its bills stay",
		.about = "",
		.options = {OPTIONS_CHANGE},
		.examples = {"account delete mallory --reason 'closed by the user'"},
		.run = run_delete,
	},
	{
		.name = "account erase",
		.args = "ID",
		.summary = "replace a deleted user's id by a pseudonym everywhere; the sums stay",
		.about = "For good. The user has to be deleted first, and nothing of him may be open or on its way to "
			 "the "
			 "ledger: --wait repeats it until that is so. docs/security.md says what is reached.",
		.options = {OPTION_TENANT, OPTION_REASON, {'y', "yes", OPTION_FLAG, NULL, "do it", NULL},
			{'\0', "wait", OPTION_FLAG, NULL, "wait while something of his is open", NULL}},
		.examples = {"account erase alice --yes --wait --reason 'request of 2026-11-22'"},
		.run = account_erase,
	},
	{
		.name = "account suspend",
		.args = "ID",
		.summary = "deny everything to an account",
		.about = "",
		.options = {OPTIONS_EXPECT},
		.examples = {"account suspend mallory --reason 'abuse, ticket 4711'"},
		.run = run_suspend,
	},
	{
		.name = "account unsuspend",
		.args = "ID",
		.summary = "end a suspension",
		.about = "",
		.options = {OPTIONS_EXPECT},
		.examples = {"account unsuspend mallory"},
		.run = run_unsuspend,
	},
	{
		.name = "account grace",
		.args = "ID",
		.summary = "let an account exceed its calendar limits for a while",
		.about = "",
		.options = {OPTIONS_EXPECT, {'\0', "for", OPTION_DURATION, "DURATION", "from now on", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "until then", NULL},
			{'\0', "percent", OPTION_COUNT, "N", "how much more, 1 to 1000 (default: 100)", NULL},
			{'\0', "off", OPTION_FLAG, NULL, "end it now", NULL}},
		.examples = {"account grace alice --for 2h", "account grace alice --until 2026-12-01 --percent 50",
			"account grace alice --off"},
		.run = run_grace,
	},
	{
		.name = "account reset",
		.args = "ID",
		.summary = "set the running windows and buckets back to unused",
		.about = "The ledger keeps what was spent; the reset is an entry of its own.",
		.options = {OPTIONS_CHANGE,
			{'\0', "id", OPTION_TEXT, "ID", "the reset's id, so that a repeat does nothing", NULL}},
		.examples = {"account reset alice --reason 'outage of 2026-11-22'"},
		.run = run_reset,
	},
	{
		.name = "account bypass",
		.args = "ID STATE",
		.summary = "count an account but never deny it (STATE: on or off)",
		.about = "",
		.options = {OPTIONS_EXPECT},
		.examples = {"account bypass healthcheck on", "account bypass healthcheck off"},
		.run = run_bypass,
	},
};

const struct command_group account_commands = {"Accounts", commands, sizeof(commands) / sizeof(*commands)};
