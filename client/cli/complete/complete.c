/*
 * complete: offers the shells names that the server knows. On any failure it offers nothing and prints nothing:
 * somebody is typing.
 */
#include "cli/complete/complete.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody waits longer than this after pressing Tab. */
enum { PATIENCE_US = 1000000, OFFERS = 200 };

/* Values of typed options that select the server and the tenant. */
struct typed {
	const char *tenant, *kind;
};

/* In the order of bursar.v1.AccountKind. */
static const char *const kinds[] = {"", "users", "teams", "orgs", "models", "tenants", NULL};

/* Shells do not expand a leading ~ before the command runs. */
static void set_variable(const char *name, const char *value)
{
	const char *home = strncmp(value, "~/", 2) == 0 ? getenv("HOME") : NULL;
	char path[4096];

	snprintf(path, sizeof(path), "%s%s", home ? home : "", home ? value + 1 : value);
	setenv(name, path, 1);
}

static void take_option(struct typed *typed, const char *name, const char *value)
{
	static const struct {
		const char *option, *variable;
	} rows[] = {
		{"--addr", "BURSAR_ADDR"},
		{"-a", "BURSAR_ADDR"},
		{"--key-file", "BURSAR_KEY_FILE"},
		{"--tls-ca", "BURSAR_TLS_CA"},
		{"--tls-cert", "BURSAR_TLS_CERT"},
		{"--tls-key", "BURSAR_TLS_KEY"},
		{"--profile", "BURSAR_PROFILE"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].option, name) == 0)
			set_variable(rows[i].variable, value);
	if (strcmp(name, "--key-file") == 0)
		unsetenv("BURSAR_KEY");
	if (strcmp(name, "--tenant") == 0 || strcmp(name, "-t") == 0)
		typed->tenant = value;
	if (strcmp(name, "--kind") == 0 || strcmp(name, "-k") == 0)
		typed->kind = value;
}

static void read_typed(struct cli *cli, struct typed *typed)
{
	for (int i = 2; i < cli->args_count; i++) {
		const char *word = cli->args[i], *equals = strchr(word, '=');
		char name[32];

		if (word[0] != '-')
			continue;
		if (!equals) {
			take_option(typed, word, cli_arg(cli, i + 1));
		} else if ((size_t)(equals - word) < sizeof(name)) {
			snprintf(name, sizeof(name), "%.*s", (int)(equals - word), word);
			take_option(typed, name, equals + 1);
		}
	}
}

/* Prints one name per line: names that contain a line end cannot be offered. */
static void offer(struct cli *cli, const char *name)
{
	if (*name && !strpbrk(name, "\n\t") && strncmp(name, cli_arg(cli, 1), strlen(cli_arg(cli, 1))) == 0)
		buf_putf(&cli->out, "%s\n", name);
}

/* Prints the names in an answer; `name_of` returns the name of each row in its list. */
static void *ask(struct cli *cli, enum bursar_method method, const void *request)
{
	struct bursar_error error;

	return bursar_call(
		cli_open(cli,
			(struct bursar_options){.timeout_us = PATIENCE_US, .attempt_us = PATIENCE_US, .attempts = 1}),
		method, request, &error);
}

static void offer_tiers(struct cli *cli, char *tenant)
{
	Bursar__V1__ListTiersRequest request = BURSAR__V1__LIST_TIERS_REQUEST__INIT;

	request.tenant = tenant;
	Bursar__V1__ListTiersResponse *answer = ask(cli, BURSAR_LIST_TIERS, &request);
	for (size_t i = 0; answer && i < answer->n_tiers; i++)
		offer(cli, answer->tiers[i]->name);
	bursar_free(answer);
}

static void offer_pools(struct cli *cli, char *tenant)
{
	Bursar__V1__ListPoolsRequest request = BURSAR__V1__LIST_POOLS_REQUEST__INIT;

	request.tenant = tenant;
	Bursar__V1__ListPoolsResponse *answer = ask(cli, BURSAR_LIST_POOLS, &request);
	for (size_t i = 0; answer && i < answer->n_pools; i++)
		if (answer->pools[i]->ref)
			offer(cli, answer->pools[i]->ref->name);
	bursar_free(answer);
}

/* Each code once, whatever its languages. */
static void offer_codes(struct cli *cli, char *tenant)
{
	Bursar__V1__ListTextsRequest request = BURSAR__V1__LIST_TEXTS_REQUEST__INIT;

	request.tenant = tenant;
	request.shipped = true;
	Bursar__V1__ListTextsResponse *answer = ask(cli, BURSAR_LIST_TEXTS, &request);
	for (size_t i = 0; answer && i < answer->n_texts; i++)
		if (i == 0 || strcmp(answer->texts[i]->code, answer->texts[i - 1]->code) != 0)
			offer(cli, answer->texts[i]->code);
	bursar_free(answer);
}

static void offer_tenants(struct cli *cli)
{
	Bursar__V1__ListTenantsRequest request = BURSAR__V1__LIST_TENANTS_REQUEST__INIT;

	request.page_size = OFFERS;
	Bursar__V1__ListTenantsResponse *answer = ask(cli, BURSAR_LIST_TENANTS, &request);
	for (size_t i = 0; answer && i < answer->n_tenants; i++)
		offer(cli, answer->tenants[i]->id);
	bursar_free(answer);
}

/* Models with a price. A model may occur for several providers: shells sort the names and drop duplicates. */
static void offer_models(struct cli *cli, char *tenant)
{
	Bursar__V1__ListPricesRequest request = BURSAR__V1__LIST_PRICES_REQUEST__INIT;

	request.tenant = tenant;
	request.model_prefix = (char *)cli_arg(cli, 1);
	request.page_size = OFFERS;
	Bursar__V1__ListPricesResponse *answer = ask(cli, BURSAR_LIST_PRICES, &request);
	for (size_t i = 0; answer && i < answer->n_prices; i++)
		if (i == 0 || strcmp(answer->prices[i]->model, answer->prices[i - 1]->model) != 0)
			offer(cli, answer->prices[i]->model);
	bursar_free(answer);
}

static void offer_aliases(struct cli *cli, char *tenant)
{
	Bursar__V1__ListAliasesRequest request = BURSAR__V1__LIST_ALIASES_REQUEST__INIT;

	request.tenant = tenant;
	request.prefix = (char *)cli_arg(cli, 1);
	request.page_size = OFFERS;
	Bursar__V1__ListAliasesResponse *answer = ask(cli, BURSAR_LIST_ALIASES, &request);
	for (size_t i = 0; answer && i < answer->n_aliases; i++)
		offer(cli, answer->aliases[i]->name);
	bursar_free(answer);
}

static void offer_patterns(struct cli *cli, char *tenant)
{
	Bursar__V1__ListFamiliesRequest request = BURSAR__V1__LIST_FAMILIES_REQUEST__INIT;

	request.tenant = tenant;
	Bursar__V1__ListFamiliesResponse *answer = ask(cli, BURSAR_LIST_FAMILIES, &request);
	for (size_t i = 0; answer && i < answer->n_families; i++)
		offer(cli, answer->families[i]->pattern);
	bursar_free(answer);
}

static void offer_accounts(struct cli *cli, char *tenant, int kind)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;

	request.tenant = tenant;
	request.kind = (Bursar__V1__AccountKind)kind;
	request.id_prefix = (char *)cli_arg(cli, 1);
	request.page_size = OFFERS;
	Bursar__V1__ListAccountsResponse *answer = ask(cli, BURSAR_LIST_ACCOUNTS, &request);
	for (size_t i = 0; answer && i < answer->n_accounts; i++)
		if (answer->accounts[i]->ref)
			offer(cli, answer->accounts[i]->ref->id);
	bursar_free(answer);
}

/* "accounts" are those of --kind, whose values are the words of this list without the s. */
static int kind_of(const char *what, const char *typed)
{
	for (int i = 1; kinds[i]; i++)
		if (strcmp(what, kinds[i]) == 0 || (strcmp(what, "accounts") == 0 && *typed &&
							   strncmp(kinds[i], typed, strlen(kinds[i]) - 1) == 0))
			return i;
	return 1;
}

int complete_run(struct cli *cli)
{
	const char *what = cli_arg(cli, 0), *address;
	struct typed typed = {.tenant = "", .kind = ""};

	read_typed(cli, &typed);
	if (!cli_settings_load(cli))
		return EXIT_DONE;
	address = cli_setting(cli, SETTING_ADDR);
	cli->address = address ? address : BURSAR_DEFAULT_ADDRESS;
	if (!*typed.tenant && cli_profile_setting(cli, SETTING_TENANT))
		typed.tenant = cli_profile_setting(cli, SETTING_TENANT);
	if (strcmp(what, "tiers") == 0)
		offer_tiers(cli, (char *)typed.tenant);
	else if (strcmp(what, "pools") == 0)
		offer_pools(cli, (char *)typed.tenant);
	else if (strcmp(what, "codes") == 0)
		offer_codes(cli, (char *)typed.tenant);
	else if (strcmp(what, "tenants") == 0)
		offer_tenants(cli);
	else if (strcmp(what, "models") == 0)
		offer_models(cli, (char *)typed.tenant);
	else if (strcmp(what, "aliases") == 0)
		offer_aliases(cli, (char *)typed.tenant);
	else if (strcmp(what, "patterns") == 0)
		offer_patterns(cli, (char *)typed.tenant);
	else
		offer_accounts(cli, (char *)typed.tenant, kind_of(what, typed.kind));
	return EXIT_DONE;
}

/* Placeholders of arguments and options, by their first word in capitals. */
const struct completion_row completion_rows[] = {
	{"TIER", "tiers", NULL},
	{"MODEL", "models", NULL},
	{"ALIAS", "aliases", NULL},
	{"PATTERN", "patterns", NULL},
	{"POOL", "pools", NULL},
	{"USER", "users", NULL},
	{"TEAM", "teams", NULL},
	{"ORG", "orgs", NULL},
	{"TENANT", "tenants", NULL},
	{"CODE", "codes", NULL},
	{"LANGUAGE", NULL, "de en es ru"},
	{"ID", "accounts", NULL},
	{"FILE", NULL, NULL},
	{"SHELL", NULL, "bash zsh fish"},
	{"ROLE", NULL, "user bot viewer admin operator"},
	{"STATE", NULL, "on off"},
	{"CHANGE", NULL, "set-tier suspend unsuspend delete grace bypass override"},
	{0},
};

const struct completion_row *completion_row(const char *placeholder)
{
	placeholder += strspn(placeholder, "[");
	for (const struct completion_row *row = completion_rows; row->placeholder; row++) {
		size_t len = strlen(row->placeholder);

		if (strncmp(placeholder, row->placeholder, len) == 0 &&
			!(placeholder[len] >= 'A' && placeholder[len] <= 'Z'))
			return row;
	}
	return NULL;
}
