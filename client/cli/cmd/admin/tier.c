/* tier ... (commands.h): named sets of limits. */
#include "cli/cmd/admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "cli/account/known.h"
#include "cli/account/tighter.h"
#include "cli/common/read.h"
#include "cli/common/view.h"
#include "cli/text/format.h"

static void show_tier(struct cli *cli, const Bursar__V1__Tier *tier)
{
	struct buf text = {0};

	buf_putf(&cli->out, "tier %s%s\n", tier->name, tier->shipped ? "  (as shipped)" : "");
	view_field(cli, "pool", "priority %d, %d at a time", tier->pool_priority, tier->pool_concurrent);
	put_count(&text, tier->default_output_tokens);
	buf_put_str(&text, " tokens held when a check gives no maximum");
	view_field_buf(cli, "output", &text);
	put_enum(&text, &bursar__v1__fail_policy__descriptor,
		(int)(tier->fail_policy ? tier->fail_policy : BURSAR__V1__FAIL_POLICY__FAIL_POLICY_LOCAL),
		"FAIL_POLICY_");
	buf_put_str(&text, " when the store does not answer");
	view_field_buf(cli, "fails", &text);
	if (tier->upgrade_to[0])
		view_field(cli, "upgrade to", "%s", tier->upgrade_to);
	view_policy(cli, tier->limits, tier->n_limits, "  no limits");
	buf_release(&text);
}
static void tier_cells(struct table *table, const void *message)
{
	const Bursar__V1__Tier *tier = message;
	struct buf text = {0};

	table_cell(table, "%s", tier->name);
	table_cell(table, "%d", tier->pool_priority);
	table_cell(table, "%d", tier->pool_concurrent);
	for (size_t i = 0; i < tier->n_limits; i++) {
		buf_put_str(&text, i > 0 ? " " : "");
		view_limit(&text, tier->limits[i]);
	}
	table_cell_buf(table, &text);
	buf_release(&text);
}

static void show_tiers(struct cli *cli, const Bursar__V1__ListTiersResponse *answer)
{
	static const char *const columns[] = {"TIER", ">PRIORITY", ">CONCURRENT", "~LIMITS", NULL};

	view_rows(cli, columns, answer->tiers, answer->n_tiers, tier_cells, "no tiers");
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListTiersRequest request = BURSAR__V1__LIST_TIERS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	return cli_show(cli, BURSAR_LIST_TIERS, &request, show_tiers);
}

static int run_show(struct cli *cli)
{
	Bursar__V1__GetTierRequest request = BURSAR__V1__GET_TIER_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	return cli_show(cli, BURSAR_GET_TIER, &request, show_tier);
}

/*
 * Replaces the tier's limits, or with --merge only those that the new ones correspond to. The tier then owns the new
 * ones.
 */
static void put_limits(Bursar__V1__Tier *tier, Bursar__V1__Limit **limits, size_t count, bool merge)
{
	Bursar__V1__Limit **all = mem_zalloc(tier->n_limits + count + 1, sizeof(void *));
	size_t kept = 0;

	for (size_t i = 0; i < tier->n_limits; i++) {
		bool replaced = !merge;

		for (size_t k = 0; k < count && !replaced; k++) {
			replaced = limit_takes_place(limits[k], tier->limits[i]);
			/* Keeping the name keeps the usage. */
			if (replaced && !limits[k]->name[0])
				limits[k]->name = strdup(tier->limits[i]->name);
		}
		if (replaced)
			bursar_free(tier->limits[i]);
		else
			all[kept++] = tier->limits[i];
	}
	for (size_t k = 0; k < count; k++)
		all[kept++] = limits[k];
	free(tier->limits);
	tier->limits = all;
	tier->n_limits = kept;
}

static bool read_settings(struct cli *cli, Bursar__V1__Tier *tier)
{
	int64_t priority = option_number(cli, "priority", tier->pool_priority);
	int64_t concurrent = option_number(cli, "pool-concurrent", tier->pool_concurrent);

	if (priority > 100)
		return err_set(&cli->err, ERR_INVALID, "--priority: must be 1 to 100");
	if (concurrent > INT32_MAX)
		return err_set(&cli->err, ERR_INVALID, "--pool-concurrent: must be at most 2^31-1");
	tier->pool_priority = (int32_t)priority;
	tier->pool_concurrent = (int32_t)concurrent;
	tier->default_output_tokens = option_number(cli, "default-output-tokens", tier->default_output_tokens);
	if (option_given(cli, "fail-policy"))
		tier->fail_policy = (Bursar__V1__FailPolicy)cli_enum(
			&bursar__v1__fail_policy__descriptor, "FAIL_POLICY_", option_text(cli, "fail-policy"));
	return true;
}

/* The existing tier, the one in the file, or a new one; NULL with the exit code. Free with bursar_free. */
static Bursar__V1__Tier *tier_to_change(struct cli *cli, int *code)
{
	Bursar__V1__GetTierRequest request = BURSAR__V1__GET_TIER_REQUEST__INIT;
	struct bursar_error error;
	Bursar__V1__Tier *tier;

	if (option_given(cli, "file")) {
		tier = read_json_file(cli, &bursar__v1__tier__descriptor);
		if (!tier)
			*code = cli_usage(cli);
		return tier;
	}
	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	tier = bursar_get_tier(cli_bursar(cli), &request, &error);
	if (!tier && error.code != BURSAR_NOT_FOUND) {
		*code = cli_failed(cli, &error);
		return NULL;
	}
	if (!tier) {
		tier = mem_zalloc(1, sizeof(*tier));
		bursar__v1__tier__init(tier);
	}
	return tier;
}

static int put_tier(struct cli *cli, const Bursar__V1__Tier *tier, Bursar__V1__Limit *const *given, size_t given_count)
{
	Bursar__V1__PutTierRequest request = BURSAR__V1__PUT_TIER_REQUEST__INIT;
	Bursar__V1__Tier named = *tier, *answer;
	int code;

	named.tenant = (char *)option_text(cli, "tenant");
	named.name = (char *)cli_arg(cli, 0);
	if (option_given(cli, "upgrade-to"))
		named.upgrade_to = (char *)option_text(cli, "upgrade-to");
	request.tier = &named;
	request.reason = (char *)option_text(cli, "reason");
	answer = cli_call(cli, BURSAR_PUT_TIER, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer))
		show_tier(cli, answer);
	cli_flush(cli);
	if (!answer->n_limits)
		fprintf(stderr, "bursar: tier %s has no limits: accounts on it are never denied\n", answer->name);
	tell_of_limits(cli, answer->limits, answer->n_limits);
	tell_tighter(given, given_count, answer->limits, answer->n_limits, 0);
	bursar_free(answer);
	return EXIT_DONE;
}

static int run_put(struct cli *cli)
{
	Bursar__V1__Limit **limits;
	Bursar__V1__Tier *tier;
	size_t count;
	int code = EXIT_USAGE;

	if (!limits_read(cli, 1, &limits, &count)) {
		limits_free(limits, count);
		return cli_usage(cli);
	}
	tier = tier_to_change(cli, &code);
	if (!tier) {
		limits_free(limits, count);
		return code;
	}
	if (count > 0)
		put_limits(tier, limits, count, option_given(cli, "merge"));
	code = read_settings(cli, tier) ? put_tier(cli, tier, limits, count) : cli_usage(cli);
	free(limits);
	bursar_free(tier);
	return code;
}
static void show_deleted(struct cli *cli, const Bursar__V1__DeleteTierResponse *answer)
{
	buf_putf(&cli->out, "deleted tier %s%s\n", cli_arg(cli, 0), answer->tier ? "; now in force:" : "");
	if (answer->tier)
		show_tier(cli, answer->tier);
}

static int run_delete(struct cli *cli)
{
	Bursar__V1__DeleteTierRequest request = BURSAR__V1__DELETE_TIER_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_DELETE_TIER, &request, show_deleted);
}

static const struct command commands[] = {
	{
		COMMAND("tier list", "", "list the tiers of a tenant", run_list),
		.options = {OPTION_TENANT},
		.examples = {"tier list", "tier list --tenant acme --json"},
	},
	{
		COMMAND("tier show", "TIER", "show a tier's limits and settings", run_show),
		.options = {OPTION_TENANT},
		.examples = {"tier show pro", "tier show pro --json > pro.json"},
	},
	{
		COMMAND("tier put", "TIER [LIMIT...]", "create a tier, or change its limits and settings", run_put),
		.about = "LIMITs replace all limits of the tier; with --merge, only those they correspond to. Without "
			 "LIMIT, the limits stay. Settings that are not given stay as they are. The change applies to "
			 "every account on the tier within a second. See LIMITS for the syntax.",
		.options = {OPTION_TENANT, OPTION_REASON,
			{'\0', "merge", OPTION_FLAG, NULL, "keep limits that no LIMIT corresponds to", NULL},
			{'f', "file", OPTION_FILE, "FILE",
				"read the tier as JSON, as 'tier show --json' writes it (- is standard input)", NULL},
			{'\0', "priority", OPTION_COUNT, "N", "the priority in the pool, 1 to 100", NULL},
			{'\0', "pool-concurrent", OPTION_COUNT, "N",
				"how many requests of a user may run at once in the pool", NULL},
			{'\0', "default-output-tokens", OPTION_COUNT, "N",
				"the tokens to hold when a check gives no maximum", NULL},
			{'\0', "fail-policy", OPTION_CHOICE, "WHAT", "what to do when the store does not answer",
				"local|open|closed"},
			{'\0', "upgrade-to", OPTION_TEXT, "TIER", "the tier to suggest in texts for denied users",
				NULL}},
		.examples = {"tier put team requests=60/min tokens=500k/min,burst=1M cost=20/day cost=300/month",
			"tier put pro requests=30/min --merge", "tier put pro --upgrade-to enterprise",
			"tier put pro -f pro.json"},
	},
	{
		COMMAND("tier delete", "TIER", "delete one of the tenant's own tiers", run_delete),
		.about =
			"Refused while an account is on the tier, while it is the default tier, and while another tier "
			"names it as its upgrade. A shipped tier that was changed goes back to its shipped version.",
		.options = {OPTION_TENANT, OPTION_REASON},
		.examples = {"tier delete trial", "tier delete pro --tenant acme --reason 'as shipped is fine'"},
	},
};

const struct command_group tier_commands = {"Tiers", commands, sizeof(commands) / sizeof(*commands)};
