/* model ... (commands.h): the names of models, and what models without a price cost. */
#include "cli/cmd/admin/admin.h"

#include "cli/common/view.h"
#include "cli/prices/alias_import.h"
#include "cli/text/format.h"

#define OPTION_FOR_TENANT(what) \
	{ \
		't', "tenant", OPTION_TEXT, "TENANT", what, NULL \
	}

static void put_owner(struct cli *cli, const char *tenant)
{
	if (tenant[0])
		buf_putf(&cli->out, " of tenant %s", tenant);
}

static void alias_cells(struct table *table, const void *message)
{
	const Bursar__V1__Alias *alias = message;

	table_cell(table, "%s", alias->name);
	table_cell(table, "%s/%s%s", alias->provider, alias->model, alias->priced ? "" : "  (no price)");
	table_cell(table, "%s", alias->tenant);
}

static void show_aliases(struct cli *cli, const Bursar__V1__ListAliasesResponse *answer)
{
	static const char *const columns[] = {"~ALIAS", "~MODEL", "~FOR", NULL};

	view_rows(cli, columns, answer->aliases, answer->n_aliases, alias_cells, "no aliases");
	if (answer->next_page_token[0])
		view_more(cli, answer->n_aliases);
}

static int run_alias_list(struct cli *cli)
{
	Bursar__V1__ListAliasesRequest request = BURSAR__V1__LIST_ALIASES_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.prefix = (char *)option_text(cli, "prefix");
	request.model = (char *)cli_arg(cli, 0);
	return cli_show_pages(cli, BURSAR_LIST_ALIASES, &request, 1000, show_aliases);
}

static void show_alias(struct cli *cli, const Bursar__V1__Alias *alias)
{
	buf_putf(&cli->out, "alias %s", alias->name);
	put_owner(cli, alias->tenant);
	buf_putf(&cli->out, " is %s/%s\n", alias->provider, alias->model);
}

static int run_alias_put(struct cli *cli)
{
	Bursar__V1__PutAliasRequest request = BURSAR__V1__PUT_ALIAS_REQUEST__INIT;
	Bursar__V1__Alias alias = BURSAR__V1__ALIAS__INIT;

	alias.tenant = (char *)option_text(cli, "tenant");
	alias.name = (char *)cli_arg(cli, 0);
	alias.model = (char *)cli_arg(cli, 1);
	request.alias = &alias;
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_PUT_ALIAS, &request, show_alias);
}

static void show_alias_gone(struct cli *cli, const Bursar__V1__Alias *alias)
{
	buf_putf(&cli->out, "deleted alias %s", alias->name);
	put_owner(cli, alias->tenant);
	buf_putf(&cli->out, ", which was %s/%s\n", alias->provider, alias->model);
}

static int run_alias_delete(struct cli *cli)
{
	Bursar__V1__DeleteAliasRequest request = BURSAR__V1__DELETE_ALIAS_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.name = (char *)cli_arg(cli, 0);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_DELETE_ALIAS, &request, show_alias_gone);
}

static void family_cells(struct table *table, const void *message)
{
	const Bursar__V1__Family *family = message;
	struct buf from = {0};

	if (family->effective_from_us)
		put_time(&from, family->effective_from_us);
	table_cell(table, "%s", family->pattern);
	table_cell(table, "%s/%s%s", family->provider, family->model, family->priced ? "" : "  (no price)");
	table_cell(table, "%s", family->effective_from_us ? buf_str(&from) : "always");
	table_cell(table, "%s", family->tenant);
	buf_release(&from);
}

static void show_families(struct cli *cli, const Bursar__V1__ListFamiliesResponse *answer)
{
	static const char *const columns[] = {"~PATTERN", "~COSTS AS MUCH AS", "FROM", "~FOR", NULL};

	view_rows(cli, columns, answer->families, answer->n_families, family_cells, "no rules");
}

static int run_family_list(struct cli *cli)
{
	Bursar__V1__ListFamiliesRequest request = BURSAR__V1__LIST_FAMILIES_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	return cli_show(cli, BURSAR_LIST_FAMILIES, &request, show_families);
}

static void put_family(struct cli *cli, const Bursar__V1__Family *family)
{
	buf_putf(&cli->out, "%s", family->pattern);
	put_owner(cli, family->tenant);
	buf_putf(&cli->out, " costs as much as %s/%s", family->provider, family->model);
	if (family->effective_from_us) {
		buf_put_str(&cli->out, ", from ");
		put_time(&cli->out, family->effective_from_us);
	}
	buf_put_str(&cli->out, "\n");
}

static int run_family_put(struct cli *cli)
{
	Bursar__V1__PutFamilyRequest request = BURSAR__V1__PUT_FAMILY_REQUEST__INIT;
	Bursar__V1__Family family = BURSAR__V1__FAMILY__INIT;

	family.tenant = (char *)option_text(cli, "tenant");
	family.pattern = (char *)cli_arg(cli, 0);
	family.model = (char *)cli_arg(cli, 1);
	family.effective_from_us = option_number(cli, "from", 0);
	request.family = &family;
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_PUT_FAMILY, &request, put_family);
}

static void show_families_gone(struct cli *cli, const Bursar__V1__DeleteFamilyResponse *answer)
{
	for (size_t i = 0; i < answer->n_families; i++) {
		buf_put_str(&cli->out, "deleted: ");
		put_family(cli, answer->families[i]);
	}
}

static int run_family_delete(struct cli *cli)
{
	Bursar__V1__DeleteFamilyRequest request = BURSAR__V1__DELETE_FAMILY_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.pattern = (char *)cli_arg(cli, 0);
	request.effective_from_us = option_number(cli, "from", 0);
	request.reason = (char *)option_text(cli, "reason");
	return cli_show(cli, BURSAR_DELETE_FAMILY, &request, show_families_gone);
}

static const struct command commands[] = {
	{
		COMMAND("model alias list", "[MODEL]", "list other names of models, or of one model", run_alias_list),
		.options = {OPTION_FOR_TENANT(
				    "also show this tenant's own aliases (default: only those for everybody)"),
			{'\0', "prefix", OPTION_TEXT, "TEXT", "show only names that begin with TEXT", NULL},
			{'\0', "limit", OPTION_SOME, "N", "the maximum number of aliases to show (default: 1000)",
				NULL}},
		.examples = {"model alias list gpt-4o", "model alias list --prefix claude- --tenant acme"},
	},
	{
		COMMAND("model alias put", "ALIAS MODEL", "give a model another name", run_alias_put),
		.about = "Requests, limits and reports that name ALIAS then mean MODEL, at its price of that time. "
			 "MODEL may be given by any of its names, and must have a price; an alias of an alias leads to "
			 "its model. ALIAS counts in the spellings of resellers too: claude-opus-5-20260401 is also "
			 "us.anthropic.claude-opus-5-20260401-v1:0. Takes effect within a second.",
		.options = {OPTION_FOR_TENANT("this tenant's own alias (default: for everybody)"), OPTION_REASON},
		.examples = {"model alias put gpt-4o-2024-11-20 gpt-4o",
			"model alias put our-best anthropic/claude-opus-5 --tenant acme"},
	},
	{
		COMMAND("model alias delete", "ALIAS", "take a name from a model", run_alias_delete),
		.options = {OPTION_FOR_TENANT("this tenant's own alias (default: the one for everybody)"),
			OPTION_REASON},
		.examples = {"model alias delete our-best --tenant acme"},
	},
	{
		COMMAND("model alias import", "FILE", "import a list of aliases, after showing the changes",
			alias_import),
		.about =
			"Reads a CSV with the columns alias and model, and perhaps provider and tenant, like "
			"deploy/data/model_aliases.csv, or JSON (FILE ends in .json), as 'model alias list --json' "
			"writes it; - is standard input. If any row is wrong, nothing changes at all. Aliases that the "
			"list does not name stay.",
		.options = {OPTION_FOR_TENANT(
				    "this tenant's own aliases (default: as each row says, else for everybody)"),
			OPTION_REASON,
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "do not ask", NULL}},
		.examples = {"model alias import aliases.csv --dry-run",
			"model alias import aliases.csv --tenant acme --yes"},
	},
	{
		COMMAND("model family list", "", "list what models without a price cost, by their names",
			run_family_list),
		.options = {OPTION_FOR_TENANT("also show this tenant's own rules (default: only those for everybody)")},
		.examples = {"model family list"},
	},
	{
		COMMAND("model family put", "PATTERN MODEL",
			"charge models without a price, by their names, like another model", run_family_put),
		.about = "PATTERN is the beginning of names and a *, in any case: 'gpt-6*'. The longest one that "
			 "matches counts, a tenant's own before those for everybody. Applies in tenants whose "
			 "--unknown-model is family. Such requests are flagged, and can be priced again once their "
			 "price is known. A new rule with the same PATTERN takes over from --from on.",
		.options = {OPTION_FOR_TENANT("this tenant's own rule (default: for everybody)"), OPTION_REASON,
			{'\0', "from", OPTION_TIME, "TIME",
				"when the rule takes effect (default: now; for a first rule: always)", NULL}},
		.examples = {"model family put 'gpt-6*' gpt-5.6", "model family put 'ollama/*' ollama/llama3.3",
			"model family put 'claude-*' claude-opus-5 --tenant acme --from 2027-01-01"},
	},
	{
		COMMAND("model family delete", "PATTERN", "delete the rules with this pattern", run_family_delete),
		.options = {OPTION_FOR_TENANT("this tenant's own rules (default: those for everybody)"), OPTION_REASON,
			{'\0', "from", OPTION_TIME, "TIME", "only the rule that takes effect at this time", NULL}},
		.examples = {"model family delete 'gpt-6*'"},
	},
};

const struct command_group model_commands = {"Names of models", commands, sizeof(commands) / sizeof(*commands)};
