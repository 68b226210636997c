/* price import, check, end (commands.h): imports whole price lists, after showing the changes; compares them; ends prices. */
#include "cli/cmd/admin/admin.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text/deflate.h"
#include "cli/common/confirm.h"
#include "cli/encoding/json.h"
#include "cli/encoding/yaml_read.h"
#include "cli/prices/price_diff.h"
#include "cli/text/file.h"
#include "cli/text/format.h"

enum { IMPORT_US = 600000000, JSON_BYTES_MAX = 16 << 20, EXIT_DIFFERENT = 1 };

#define OPTION_FOR_TENANT \
	{ \
		't', "tenant", OPTION_TEXT, "TENANT", "this tenant's own prices (default: the prices for everybody)", \
			NULL \
	}
#define OPTION_FOR_ACCOUNT \
	{ \
		'\0', "account", OPTION_TEXT, "USER", "this account's own prices", NULL \
	}

#define OPTION_FORMAT \
	{ \
		'\0', "format", OPTION_CHOICE, "FORMAT", "the format of FILE (default: by its extension, else csv)", \
			"csv|json" \
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
	if (!error->from_server || (strcmp(error->field, "csv") != 0 && strncmp(error->field, "json", 4) != 0))
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
	if (!cli->json) {
		price_changes_show(cli, answer, &counts);
		price_skipped_show(cli, answer);
	}
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

/* Only compares the list in `request` with the prices in force. */
static int check_list(struct cli *cli, const struct buf *text, Bursar__V1__ImportPricesRequest *request)
{
	Bursar__V1__ImportPricesResponse *answer;
	struct price_counts counts;
	int code = EXIT_DONE;

	request->dry_run = true;
	answer = import_call(cli, text, request, &code);
	if (!answer)
		return code;
	counts = price_changes_count(answer);
	if (!cli_json(cli, answer)) {
		price_changes_show(cli, answer, &counts);
		price_skipped_show(cli, answer);
	}
	bursar_free(answer);
	return counts.new + counts.changed ? EXIT_DIFFERENT : EXIT_DONE;
}

enum list_kind { LIST_CSV, LIST_JSON, LIST_PUBLIC };

/* What the file is: a CSV, what 'price list --json' writes, or a public list, which the server reads. */
static enum list_kind list_kind(struct cli *cli, const struct buf *text)
{
	static const char blanks[] = " \t\r\n";
	const char *end = strrchr(cli_arg(cli, 0), '.'), *at = buf_str(text), *provider;

	if (option_given(cli, "format") ? strcmp(option_text(cli, "format"), "csv") == 0
					: !end || (strcmp(end, ".json") != 0 && strcmp(end, ".py") != 0)) {
		/* With litellm's columns it may be as large as its list. */
		provider = strstr(at, "litellm_provider");
		return provider && provider < at + strcspn(at, "\n") ? LIST_PUBLIC : LIST_CSV;
	}
	at += strspn(at, blanks);
	if (*at != '{')
		return LIST_PUBLIC;
	at++;
	at += strspn(at, blanks);
	return strncmp(at, "\"prices\"", 8) == 0 || *at == '}' ? LIST_JSON : LIST_PUBLIC;
}

/* The list as JSON; NULL after reporting what is wrong, and where. */
static Bursar__V1__ListPricesResponse *read_json(struct cli *cli, const struct buf *text)
{
	ProtobufCMessage *list =
		json_new_message(buf_str(text), text->len, &bursar__v1__list_prices_response__descriptor, &cli->err);

	if (!list && cli->err.field[0])
		say_place(cli, text, cli->err.field, cli->err.text);
	else if (!list)
		fprintf(stderr, "bursar: %s: %s\n  Nothing was changed.\n", cli_arg(cli, 0), cli->err.text);
	return (Bursar__V1__ListPricesResponse *)list;
}

/* Reads the file and hands it to `use`. */
static int run_list(struct cli *cli, Bursar__V1__ImportPricesRequest *request,
	int (*use)(struct cli *cli, const struct buf *text, Bursar__V1__ImportPricesRequest *request))
{
	Bursar__V1__ListPricesResponse *list = NULL;
	struct buf text = {0}, zlib = {0};
	enum list_kind kind;
	int code = EXIT_USAGE;

	request->tenant = (char *)option_text(cli, "tenant");
	request->account = (char *)option_text(cli, "account");
	if (!file_read(cli_arg(cli, 0), &text, &cli->err) ||
		(!text.len && !err_set(&cli->err, ERR_INVALID, "%s: is empty", cli_arg(cli, 0)))) {
		cli_usage(cli);
		buf_release(&text);
		return code;
	}
	kind = list_kind(cli, &text);
	if (kind == LIST_CSV)
		request->csv = (char *)buf_str(&text);
	else if (kind == LIST_PUBLIC) {
		deflate_text(buf_str(&text), text.len, &zlib);
		request->json_zlib = (ProtobufCBinaryData){.len = zlib.len, .data = (uint8_t *)zlib.data};
	} else if ((list = read_json(cli, &text))) {
		request->n_prices = list->n_prices;
		request->prices = list->prices;
	}
	if (kind != LIST_JSON || list)
		code = use(cli, &text, request);
	bursar_free(list);
	buf_release(&zlib);
	buf_release(&text);
	return code;
}

static int run_import(struct cli *cli)
{
	Bursar__V1__ImportPricesRequest request = BURSAR__V1__IMPORT_PRICES_REQUEST__INIT;

	request.effective_from_us = option_number(cli, "from", 0);
	request.yes = option_given(cli, "yes");
	request.reason = (char *)option_text(cli, "reason");
	return run_list(cli, &request, import_list);
}

static int run_check(struct cli *cli)
{
	Bursar__V1__ImportPricesRequest request = BURSAR__V1__IMPORT_PRICES_REQUEST__INIT;

	request.yes = true; /* nothing is written */
	return run_list(cli, &request, check_list);
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
		.about =
			"Reads a CSV with a heading, like deploy/data/model_prices.csv; JSON, as 'price list --json' "
			"writes it; litellm's model_prices_and_context_window.json, or a CSV with its fields as columns; or "
			"the data.json or data.py of genai-prices. - is standard input. Prices in other CSVs are USD per 1M "
			"tokens. The prices in force "
			"change from --from on (default: now). Values for which a CSV has no column, and models that "
			"are not in the list, stay as they are. What a list says and a price cannot is not imported "
			"but counted; --json lists it. If any row is invalid, or any price changes by more than a "
			"factor of 10 without --yes, nothing changes at all.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON, OPTION_FORMAT,
			{'\0', "from", OPTION_TIME, "TIME", "when the prices take effect, for rows that do not say",
				NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "do not ask; allow changes by more than a factor of 10", NULL}},
		.examples = {"price import prices.csv --dry-run",
			"price import prices.csv --from 2027-01-01 --reason 'new year'",
			"price import prices.json  # from 'bursar price list --json'",
			"price import model_prices_and_context_window.json --dry-run  # from litellm",
			"price import contract.csv --tenant acme --account alice --yes"},
	},
	{
		COMMAND("price check", "FILE", "compare a price list with the prices in force", run_check),
		.about = "Reads the same files as 'price import' and shows what would change, but changes nothing. "
			 "Exits with 1 if there are differences.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_FORMAT},
		.examples = {"price check model_prices_and_context_window.json",
			"price check deploy/data/model_prices.csv"},
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
