/* tenant ... (commands.h): bot fleets and the settings for all their users. */
#include "cli/cmd/admin/admin.h"

#include <inttypes.h>

#include "cli/common/view.h"

static const char *unknown_users_name(Bursar__V1__UnknownUsers value)
{
	return value == BURSAR__V1__UNKNOWN_USERS__UNKNOWN_USERS_REFUSE ? "refuse" : "admit";
}

static const char *unknown_model_name(Bursar__V1__UnknownModel value)
{
	if (value == BURSAR__V1__UNKNOWN_MODEL__UNKNOWN_MODEL_FALLBACK)
		return "fallback";
	if (value == BURSAR__V1__UNKNOWN_MODEL__UNKNOWN_MODEL_FAMILY)
		return "family";
	return value == BURSAR__V1__UNKNOWN_MODEL__UNKNOWN_MODEL_FREE ? "free" : "refuse";
}

static void show_tenant(struct cli *cli, const Bursar__V1__Tenant *tenant)
{
	buf_putf(&cli->out, "tenant %s%s\n", tenant->id,
		tenant->known ? "" : "  (never put: has the settings of 'default')");
	view_field(cli, "default tier", "%s", tenant->default_tier[0] ? tenant->default_tier : "free");
	view_field(cli, "unknown", "users: %s, models: %s", unknown_users_name(tenant->unknown_users),
		unknown_model_name(tenant->unknown_model));
	if (tenant->fallback_model[0])
		view_field(cli, "fallback", "the price of %s", tenant->fallback_model);
	if (tenant->cost_source == BURSAR__V1__COST_SOURCE__COST_SOURCE_PROVIDER)
		view_field(cli, "charged", "what the provider says that a request cost, where it says so");
	view_field(cli, "language", "%s", tenant->language[0] ? tenant->language : "en");
	view_field(cli, "epoch", "%" PRId64, tenant->epoch);
}

static int run_get(struct cli *cli)
{
	Bursar__V1__GetTenantRequest request = BURSAR__V1__GET_TENANT_REQUEST__INIT;

	request.id = (char *)cli_arg(cli, 0);
	return cli_show(cli, BURSAR_GET_TENANT, &request, show_tenant);
}

/* The option's value if given, else the tenant's current one. */
static char *keep_or(struct cli *cli, const char *option, char *old)
{
	return option_given(cli, option) ? (char *)option_text(cli, option) : old;
}

static int run_put(struct cli *cli)
{
	Bursar__V1__GetTenantRequest get = BURSAR__V1__GET_TENANT_REQUEST__INIT;
	Bursar__V1__PutTenantRequest request = BURSAR__V1__PUT_TENANT_REQUEST__INIT;
	Bursar__V1__Tenant tenant = BURSAR__V1__TENANT__INIT, *old;
	struct bursar_error error;
	int code;

	get.id = (char *)cli_arg(cli, 0);
	old = bursar_get_tenant(cli_bursar(cli), &get, &error);
	if (!old && error.code != BURSAR_NOT_FOUND)
		return cli_failed(cli, &error);
	if (old)
		tenant = *old;
	tenant.id = get.id;
	tenant.default_tier = keep_or(cli, "default-tier", tenant.default_tier);
	tenant.fallback_model = keep_or(cli, "fallback-model", tenant.fallback_model);
	tenant.language = keep_or(cli, "language", tenant.language);
	if (option_given(cli, "unknown-users"))
		tenant.unknown_users = (Bursar__V1__UnknownUsers)cli_enum(
			&bursar__v1__unknown_users__descriptor, "UNKNOWN_USERS_", option_text(cli, "unknown-users"));
	if (option_given(cli, "unknown-model"))
		tenant.unknown_model = (Bursar__V1__UnknownModel)cli_enum(
			&bursar__v1__unknown_model__descriptor, "UNKNOWN_MODEL_", option_text(cli, "unknown-model"));
	if (option_given(cli, "cost-source"))
		tenant.cost_source = (Bursar__V1__CostSource)cli_enum(
			&bursar__v1__cost_source__descriptor, "COST_SOURCE_", option_text(cli, "cost-source"));
	request.tenant = &tenant;
	request.reason = (char *)option_text(cli, "reason");
	code = cli_show(cli, BURSAR_PUT_TENANT, &request, show_tenant);
	bursar_free(old);
	return code;
}
static void tenant_cells(struct table *table, const void *message)
{
	const Bursar__V1__Tenant *tenant = message;

	table_cell(table, "%s", tenant->id);
	table_cell(table, "%s", tenant->default_tier);
	table_cell(table, "%s", unknown_users_name(tenant->unknown_users));
	table_cell(table, "%s", unknown_model_name(tenant->unknown_model));
	table_cell(table, "%" PRId64, tenant->epoch);
	table_cell(table, "%s", tenant->known ? "yes" : "never");
}

static void show_list(struct cli *cli, const Bursar__V1__ListTenantsResponse *answer)
{
	static const char *const columns[] = {
		"~TENANT", "DEFAULT TIER", "UNKNOWN USERS", "UNKNOWN MODELS", ">EPOCH", "PUT", NULL};

	view_rows(cli, columns, answer->tenants, answer->n_tenants, tenant_cells, "no tenants");
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListTenantsRequest request = BURSAR__V1__LIST_TENANTS_REQUEST__INIT;

	return cli_show_pages(cli, BURSAR_LIST_TENANTS, &request, 100, show_list);
}

static const struct command commands[] = {
	{
		COMMAND("tenant get", "TENANT", "show a tenant's settings", run_get),
		.examples = {"tenant get default"},
	},
	{
		COMMAND("tenant put", "TENANT", "create a tenant, or change its settings", run_put),
		.about = "Settings that are not given stay as they are.",
		.options = {OPTION_REASON,
			{'\0', "default-tier", OPTION_TEXT, "TIER", "the tier of unknown users (default: free)", NULL},
			{'\0', "unknown-users", OPTION_CHOICE, "WHAT",
				"what to do with users that were never put (default: admit)", "admit|refuse"},
			{'\0', "unknown-model", OPTION_CHOICE, "WHAT",
				"what to do with a check for a model without a price: charge it like its family (see "
				"'model family list'), else like the fallback model; charge it like the fallback "
				"model; let it run for nothing; refuse it (default: as for 'default', shipped as "
				"family)",
				"family|fallback|free|refuse"},
			{'\0', "fallback-model", OPTION_TEXT, "MODEL",
				"the model whose price is used for an unknown one", NULL},
			{'\0', "cost-source", OPTION_CHOICE, "WHAT",
				"whose word on the cost of a request counts, if the provider says it (default: price)",
				"price|provider"},
			{'\0', "language", OPTION_TEXT, "TAG", "the language of texts for users (default: en)", NULL}},
		.examples = {"tenant put acme --default-tier pro",
			"tenant put acme --unknown-model fallback --fallback-model gpt-5.4"},
	},
	{
		COMMAND("tenant list", "", "list tenants", run_list),
		.about = "Includes tenants that were never put, but created by a check or an account: they have the "
			 "settings of 'default'. A typing error in --tenant creates one.",
		.options = {{'\0', "limit", OPTION_SOME, "N", "the maximum number of tenants to show (default: 100)",
			NULL}},
		.examples = {"tenant list"},
	},
};

const struct command_group tenant_commands = {"Tenants", commands, sizeof(commands) / sizeof(*commands)};
