/* alert rule ... (commands.h): what is worth telling somebody. */
#include "cli/cmd/admin/admin.h"

#include <string.h>

#include "cli/alert/alert.h"
#include "cli/common/view.h"

static int run_list(struct cli *cli)
{
	Bursar__V1__ListAlertRulesRequest request = BURSAR__V1__LIST_ALERT_RULES_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	return cli_show(cli, BURSAR_LIST_ALERT_RULES, &request, alert_show_rules);
}

/* The rule in force of that name; NULL: there is none. */
static const Bursar__V1__AlertRule *find(const Bursar__V1__ListAlertRulesResponse *known, const char *name)
{
	for (size_t i = 0; i < known->n_rules; i++)
		if (strcmp(known->rules[i]->name, name) == 0)
			return known->rules[i];
	return NULL;
}

/* What is not given stays as it is, unless the kind is another one. */
static void begin(struct cli *cli, const Bursar__V1__AlertRule *known, Bursar__V1__AlertRule *rule)
{
	Bursar__V1__AlertKind kind = (Bursar__V1__AlertKind)cli_enum(
		&bursar__v1__alert_kind__descriptor, "ALERT_KIND_", option_text(cli, "kind"));

	if (!kind)
		kind = known ? known->kind : BURSAR__V1__ALERT_KIND__ALERT_KIND_THRESHOLD;
	if (known && known->kind == kind) {
		*rule = *known;
		rule->base.n_unknown_fields = 0;
	}
	rule->kind = kind;
	rule->name = (char *)cli_arg(cli, 0);
	rule->tenant = (char *)option_text(cli, "tenant");
}

static int run_put(struct cli *cli)
{
	Bursar__V1__ListAlertRulesRequest list = BURSAR__V1__LIST_ALERT_RULES_REQUEST__INIT;
	Bursar__V1__PutAlertRuleRequest request = BURSAR__V1__PUT_ALERT_RULE_REQUEST__INIT;
	Bursar__V1__AlertRule rule = BURSAR__V1__ALERT_RULE__INIT;
	Bursar__V1__ListAlertRulesResponse *known;
	struct arena arena = {0};
	int code;

	list.tenant = (char *)option_text(cli, "tenant");
	known = cli_call(cli, BURSAR_LIST_ALERT_RULES, &list, &code);
	if (!known)
		return code;
	begin(cli, find(known, cli_arg(cli, 0)), &rule);
	request.rule = &rule;
	request.reason = (char *)option_text(cli, "reason");
	code = alert_rule_read(cli, &arena, &rule) ? cli_show(cli, BURSAR_PUT_ALERT_RULE, &request, alert_show_rule)
						   : cli_usage(cli);
	bursar_free(known);
	arena_release(&arena);
	return code;
}

static void show_deleted(struct cli *cli, const Bursar__V1__DeleteAlertRuleResponse *answer)
{
	(void)answer;
	buf_putf(&cli->out, "deleted rule %s\n", cli_arg(cli, 0));
}

static int run_delete(struct cli *cli)
{
	Bursar__V1__DeleteAlertRuleRequest request = BURSAR__V1__DELETE_ALERT_RULE_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_DELETE_ALERT_RULE, &request, show_deleted);
}

static const struct command commands[] = {
	{
		COMMAND("alert rule list", "", "list the rules of alerts: the tenant's own and the shipped ones",
			run_list),
		.about =
			"AT shows when each fires: percentages of a limit or amounts; what the spend of a day is compared "
			"with; how old or how late something is.",
		.options = {OPTION_TENANT},
		.examples = {"alert rule list", "alert rule list --tenant acme --json"},
	},
	{
		COMMAND("alert rule put", "RULE",
			"create a rule, or change one; a shipped rule is replaced for the tenant", run_put),
		.about =
			"A rule of kind threshold (the default) fires once in each window of a limit or budget, when its use "
			"reaches a percentage or an amount. Settings that are not given stay as they are, also those of a shipped "
			"rule; an empty text clears one. 'alert rule list' shows the kinds by example.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'k', "kind", OPTION_CHOICE, "KIND", "what the rule looks at (default: threshold)",
				ALERT_KINDS},
			{'\0', "severity", OPTION_CHOICE, "SEVERITY", "how bad it is (default: warning)",
				ALERT_SEVERITIES},
			{'p', "percent", OPTION_TEXT, "N,...",
				"percentages of the limit; of projected and anomaly, one", NULL},
			{'\0', "amount", OPTION_TEXT, "N,...",
				"amounts of the limit's use; with --dimension cost, in USD", NULL},
			{'\0', "account-kinds", OPTION_TEXT, "KIND,...",
				"of user, team, org, model, tenant; all: every kind", NULL},
			{'\0', "account", OPTION_TEXT, "ID", "only the accounts of this id", NULL},
			{'\0', "tier", OPTION_TEXT, "TIER", "only accounts on this tier", NULL},
			{'\0', "team", OPTION_TEXT, "TEAM", "only users of this team", NULL},
			{'l', "limit", OPTION_TEXT, "NAME", "only the limit of this name", NULL},
			{'d', "dimension", OPTION_TEXT, "NAME", "only limits on this: cost, requests, tokens, ...",
				NULL},
			{'w', "window", OPTION_CHOICE, "WINDOW", "only limits of this window", "day|week|month"},
			{'\0', "minimum", OPTION_TEXT, "USD", "of anomaly: only when a day costs at least this much",
				NULL},
			{'\0', "after", OPTION_DURATION, "DURATION",
				"of starving, ledger_lag, prices_old: how long; of key_ends: how long before", NULL},
			{'c', "channels", OPTION_TEXT, "NAME,...",
				"the channels that are told; all: all of the tenant's; none: none", NULL},
			{'\0', "enabled", OPTION_CHOICE, "YES", "whether the rule applies", "yes|no"}},
		.examples = {"alert rule put limits --percent 80,95,100",
			"alert rule put pro-budget --tier pro --dimension cost --window month --percent 50,80,100",
			"alert rule put big-spender --account-kinds user --dimension cost --amount 20 --channels ops",
			"alert rule put anomaly --percent 200 --minimum 5", "alert rule put unpriced --enabled no"},
	},
	{
		COMMAND("alert rule delete", "RULE", "delete a rule of the tenant's own; a shipped one applies again",
			run_delete),
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"alert rule delete pro-budget"},
	},
};

const struct command_group alert_rule_commands = {"Alerts: rules", commands, sizeof(commands) / sizeof(*commands)};
