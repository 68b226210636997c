/* price import, price end (commands.h): imports whole price lists, after showing the changes; ends prices. */
#include "cli/cmd/admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/common/confirm.h"
#include "cli/encoding/json.h"
#include "cli/encoding/yaml_read.h"
#include "cli/report/price_diff.h"
#include "cli/text/file.h"
#include "cli/text/format.h"

enum { IMPORT_US = 60000000, JSON_BYTES_MAX = 16 << 20 };

#define OPTION_FOR_TENANT \
	{ \
		't', "tenant", OPTION_TEXT, "TENANT", "this tenant's own prices (default: the prices for everybody)", \
			NULL \
	}
#define OPTION_FOR_ACCOUNT \
	{ \
		'\0', "account", OPTION_TEXT, "USER", "this account's own prices", NULL \
	}

/* Reports an error at a path of a JSON list, with its place in the file; JSON is YAML. */
static void say_place(struct cli *cli, const struct buf *text, const char *path, const char *why)
{
	struct err ignored;
	struct yaml *root = yaml_tree_parse(buf_str(text), text->len, JSON_BYTES_MAX, &ignored);
	const struct yaml *at = root ? yaml_find(root, path) : NULL;

	fprintf(stderr, "bursar: %s:", cli_arg(cli, 0));
	if (at)
		fprintf(stderr, "%d:%d:", at->line, at->column);
	fprintf(stderr, " %s: %s\n  Nothing was changed.\n", path, why);
	yaml_tree_free(root);
}

/* Reports an error in the list with the file and the place. */
static int import_failed(struct cli *cli, const struct buf *text, const struct bursar_error *error)
{
	if (error->from_server && strncmp(error->field, "prices[", 7) == 0) {
		say_place(cli, text, error->field, error->message);
		return EXIT_REFUSED;
	}
	if (!error->from_server || strcmp(error->field, "csv") != 0)
		return cli_failed(cli, error);
	fprintf(stderr, "bursar: %s: %s\n  Nothing was changed.\n", cli_arg(cli, 0), error->message);
	return EXIT_REFUSED;
}

static Bursar__V1__ImportPricesResponse *import_call(
	struct cli *cli, const struct buf *text, const Bursar__V1__ImportPricesRequest *request, int *code)
{
	struct bursar *bursar =
		cli_open(cli, (struct bursar_options){.timeout_us = option_number(cli, "timeout", IMPORT_US),
				      .attempt_us = option_number(cli, "timeout", IMPORT_US),
				      .attempts = 1});
	struct bursar_error error;
	Bursar__V1__ImportPricesResponse *answer = bursar_import_prices(bursar, request, &error);

	if (!answer)
		*code = import_failed(cli, text, &error);
	return answer;
}

/* Imports the list in `request`: previews it, shows the changes, asks, and puts them. */
static int import_list(struct cli *cli, const struct buf *text, Bursar__V1__ImportPricesRequest *request)
{
	Bursar__V1__ImportPricesResponse *answer;
	struct price_counts counts;
	char question[64];
	int code = EXIT_DONE;

	request->dry_run = true;
	answer = import_call(cli, text, request, &code);
	if (!answer)
		return code;
	counts = price_changes_count(answer);
	if (!cli->json)
		price_changes_show(cli, answer, &counts);
	snprintf(question, sizeof(question), "Import %zu prices?", counts.new + counts.changed);
	if (option_given(cli, "dry-run") || counts.new + counts.changed == 0) {
		cli_json(cli, answer);
	} else if (counts.big > 0 && !request->yes) {
		code = price_changes_refuse(cli, answer);
	} else if (cli_confirm(cli, question, &code)) {
		char *fingerprint = strdup(answer->fingerprint);

		cli_busy("importing", counts.new + counts.changed, "prices");
		request->dry_run = false;
		request->expected = fingerprint;
		bursar_free(answer);
		answer = import_call(cli, text, request, &code);
		if (answer && !cli_json(cli, answer))
			buf_putf(&cli->out, "imported: %zu new, %zu changed\n", counts.new, counts.changed);
		free(fingerprint);
	}
	bursar_free(answer);
	return code;
}

static bool is_json(struct cli *cli)
{
	const char *path = cli_arg(cli, 0), *end = strrchr(path, '.');

	if (option_given(cli, "format"))
		return strcmp(option_text(cli, "format"), "json") == 0;
	return end && strcmp(end, ".json") == 0;
}

/* The list as JSON; NULL after reporting what is wrong, and where. */
static Bursar__V1__ListPricesResponse *read_json(struct cli *cli, const struct buf *text)
{
	ProtobufCMessage *list =
		json_read_message(buf_str(text), text->len, &bursar__v1__list_prices_response__descriptor, &cli->err);

	if (!list && cli->err.field[0])
		say_place(cli, text, cli->err.field, cli->err.text);
	else if (!list)
		fprintf(stderr, "bursar: %s: %s\n  Nothing was changed.\n", cli_arg(cli, 0), cli->err.text);
	return (Bursar__V1__ListPricesResponse *)list;
}

static int run_import(struct cli *cli)
{
	Bursar__V1__ImportPricesRequest request = BURSAR__V1__IMPORT_PRICES_REQUEST__INIT;
	Bursar__V1__ListPricesResponse *list = NULL;
	struct buf text = {0};
	int code = EXIT_USAGE;

	request.tenant = (char *)option_text(cli, "tenant");
	request.account = (char *)option_text(cli, "account");
	request.effective_from_us = option_number(cli, "from", 0);
	request.yes = option_given(cli, "yes");
	request.reason = (char *)option_text(cli, "reason");
	if (!file_read(cli_arg(cli, 0), &text, &cli->err) ||
		(!text.len && !err_set(&cli->err, ERR_INVALID, "%s: is empty", cli_arg(cli, 0)))) {
		cli_usage(cli);
	} else if (!is_json(cli)) {
		request.csv = (char *)buf_str(&text);
		code = import_list(cli, &text, &request);
	} else if ((list = read_json(cli, &text))) {
		request.n_prices = list->n_prices;
		request.prices = list->prices;
		code = import_list(cli, &text, &request);
	}
	bursar_free(list);
	buf_release(&text);
	return code;
}

static int run_end(struct cli *cli)
{
	Bursar__V1__EndPriceRequest request = BURSAR__V1__END_PRICE_REQUEST__INIT;
	struct buf text = {0};
	int code;

	request.provider = (char *)cli_arg(cli, 0);
	request.model = (char *)cli_arg(cli, 1);
	request.tenant = (char *)option_text(cli, "tenant");
	request.account = (char *)option_text(cli, "account");
	request.at_us = option_number(cli, "from", 0);
	request.reason = (char *)option_text(cli, "reason");
	Bursar__V1__Price *price = cli_call(cli, BURSAR_END_PRICE, &request, &code);
	if (!price)
		return code;
	if (!cli_json(cli, price)) {
		put_time(&text, price->effective_to_us);
		buf_putf(&cli->out, "%s %s%s%s%s%s ends at %s\n", price->provider, price->model,
			price->tenant[0] ? " of tenant " : "", price->tenant, price->account[0] ? ", account " : "",
			price->account, buf_str(&text));
	}
	buf_release(&text);
	bursar_free(price);
	return EXIT_DONE;
}

static const struct command commands[] = {
	{
		COMMAND("price import", "FILE", "import a whole price list, after showing the changes", run_import),
		.about = "Reads a CSV with a heading, like deploy/data/model_prices.csv, or JSON, as 'price list "
			 "--json' writes it; - is standard input. All prices are USD per 1M tokens. The prices in "
			 "force change from --from on (default: now). Values for which the CSV has no column, and "
			 "models that are not in the list, stay as they are. If any row is invalid, or any price "
			 "changes by more than a factor of 10 without --yes, nothing changes at all.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON,
			{'\0', "format", OPTION_CHOICE, "FORMAT",
				"the format of FILE (default: by its extension, else csv)", "csv|json"},
			{'\0', "from", OPTION_TIME, "TIME", "when the prices take effect, for rows that do not say",
				NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "do not ask; allow changes by more than a factor of 10", NULL}},
		.examples = {"price import prices.csv --dry-run",
			"price import prices.csv --from 2027-01-01 --reason 'new year'",
			"price import prices.json  # from 'bursar price list --json'",
			"price import contract.csv --tenant acme --account alice --yes"},
	},
	{
		COMMAND("price end", "PROVIDER MODEL", "end the price in force: for an account, a tenant, or everybody",
			run_end),
		.about = "Ends exactly that price; after that, the tenant's price applies, or everybody's. Prices that "
			 "begin later stay, and so does what was billed.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON,
			{'\0', "from", OPTION_TIME, "TIME", "when the price ends (default: now)", NULL}},
		.examples = {"price end openai gpt-5.6 --tenant acme",
			"price end openai gpt-5.6 --tenant acme --account alice "
			"--from 2027-01-01"},
	},
};

const struct command_group price_list_commands = {"Price lists", commands, sizeof(commands) / sizeof(*commands)};
