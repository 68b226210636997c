/* price import, price end: whole lists of prices, shown first; prices that end. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/confirm.h"
#include "cli/file.h"
#include "cli/format.h"
#include "cli/json.h"
#include "cli/parse.h"
#include "cli/table.h"
#include "cli/yaml_read.h"

enum { IMPORT_US = 60000000, JSON_BYTES_MAX = 16 << 20 };

#define OPTION_FOR_TENANT \
	{ \
		't', "tenant", OPTION_TEXT, "TENANT", "the tenant's own price (default: everybody's)", NULL \
	}
#define OPTION_FOR_ACCOUNT \
	{ \
		'\0', "account", OPTION_TEXT, "USER", "this account's own price", NULL \
	}

static const struct rate {
	const char *name;
	size_t price, context; /* where it stands in a Price and in a ContextTier; 0: not there */
} rates[] = {
	{"input", offsetof(Bursar__V1__Price, input), offsetof(Bursar__V1__ContextTier, input)},
	{"output", offsetof(Bursar__V1__Price, output), offsetof(Bursar__V1__ContextTier, output)},
	{"cached input", offsetof(Bursar__V1__Price, cached_input), offsetof(Bursar__V1__ContextTier, cached_input)},
	{"cache write", offsetof(Bursar__V1__Price, cache_write), offsetof(Bursar__V1__ContextTier, cache_write)},
	{"reasoning", offsetof(Bursar__V1__Price, reasoning), 0},
	{"audio input", offsetof(Bursar__V1__Price, audio_input), 0},
	{"audio output", offsetof(Bursar__V1__Price, audio_output), 0},
};
enum { RATES = sizeof(rates) / sizeof(rates[0]) };

static const char *text_at(const void *message, size_t offset)
{
	return message ? *(char *const *)(const void *)((const char *)message + offset) : "";
}

/* "+20.0%" */
static void put_percent(struct buf *out, const char *before, const char *after)
{
	int64_t was, is;
	struct err err;

	if (!parse_usd(before, strlen(before), &was, &err) || !parse_usd(after, strlen(after), &is, &err) || was == 0)
		return;
	__int128 permille = ((__int128)is - was) * 1000 / was;
	int64_t shown = (int64_t)(permille < 0 ? -permille : permille);
	buf_putf(out, "%c%" PRId64 ".%" PRId64 "%%", permille < 0 ? '-' : '+', shown / 10, shown % 10);
}

/* The table of changes, and the line that the next row begins with. */
struct diff {
	struct table *table;
	const Bursar__V1__PriceChange *change;
	bool named;
};

static void put_row(struct diff *diff, const char *what, const char *before, const char *after)
{
	const Bursar__V1__PriceChange *change = diff->change;
	bool added = change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED;
	struct buf percent = {0};

	if (strcmp(before, after) == 0)
		return;
	table_line(diff->table);
	table_cell(diff->table, "%s", diff->named ? "" : added ? "new" : "changed");
	table_colour(diff->table, added ? "green" : "yellow");
	table_cell(diff->table, "%s", diff->named ? "" : change->after->provider);
	table_cell(diff->table, "%s", diff->named ? "" : change->after->model);
	table_cell(diff->table, "%s%s%s", change->after->tenant, change->after->account[0] ? " " : "",
		change->after->account);
	table_cell(diff->table, "%s", what);
	table_cell(diff->table, "%s", before[0] ? before : "-");
	table_cell(diff->table, "%s", after[0] ? after : "-");
	put_percent(&percent, before, after);
	if (change->big_move && percent.len)
		buf_put_str(&percent, " !");
	table_cell_buf(diff->table, &percent);
	if (change->big_move)
		table_colour(diff->table, "red");
	diff->named = true;
	buf_release(&percent);
}

static void put_contexts(struct diff *diff, const Bursar__V1__Price *before, const Bursar__V1__Price *after)
{
	size_t was = before ? before->n_context_tiers : 0;
	char what[80];

	for (size_t i = 0; i < was || i < after->n_context_tiers; i++) {
		const Bursar__V1__ContextTier *old = i < was ? before->context_tiers[i] : NULL;
		const Bursar__V1__ContextTier *new = i < after->n_context_tiers ? after->context_tiers[i] : NULL;
		int64_t above = new ? new->above_tokens : old ? old->above_tokens : 0;
		bool moved = old && new && old->above_tokens != new->above_tokens;

		for (size_t r = 0; r < RATES; r++) {
			if (!rates[r].context)
				continue;
			snprintf(what, sizeof(what), "%s above %" PRId64, rates[r].name, above);
			put_row(diff, what, moved ? "" : text_at(old, rates[r].context),
				text_at(new, rates[r].context));
		}
	}
}

static void put_modes(struct buf *out, const Bursar__V1__Price *price)
{
	for (size_t i = 0; price && i < price->n_modes; i++)
		buf_putf(out, "%s%s=%d/%d", i > 0 ? " " : "", price->modes[i]->mode, price->modes[i]->numerator,
			price->modes[i]->denominator);
}

static void put_until(struct buf *out, const Bursar__V1__Price *price)
{
	if (price && price->effective_to_us)
		put_time(out, price->effective_to_us);
}

static void put_change(struct table *table, const Bursar__V1__PriceChange *change)
{
	struct diff diff = {.table = table, .change = change};
	struct buf was = {0}, is = {0};

	for (size_t r = 0; r < RATES; r++)
		put_row(&diff, rates[r].name, text_at(change->before, rates[r].price),
			text_at(change->after, rates[r].price));
	put_contexts(&diff, change->before, change->after);
	put_modes(&was, change->before);
	put_modes(&is, change->after);
	put_row(&diff, "modes", buf_str(&was), buf_str(&is));
	buf_reset(&was);
	buf_reset(&is);
	put_until(&was, change->before);
	put_until(&is, change->after);
	put_row(&diff, "until", buf_str(&was), buf_str(&is));
	buf_release(&was);
	buf_release(&is);
}

struct counts {
	size_t all, same, new, changed, big;
};

static struct counts count_changes(const Bursar__V1__ImportPricesResponse *answer)
{
	struct counts counts = {.all = answer->n_changes};

	for (size_t i = 0; i < answer->n_changes; i++) {
		const Bursar__V1__PriceChange *change = answer->changes[i];

		counts.same += change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME;
		counts.new += change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED;
		counts.changed += change->kind == BURSAR__V1__CHANGE_KIND__CHANGE_KIND_CHANGED;
		counts.big += change->big_move ? 1 : 0;
	}
	return counts;
}

static void show_diff(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer, const struct counts *counts)
{
	static const char *const columns[] = {
		"CHANGE", "PROVIDER", "~MODEL", "~FOR", "WHAT", ">OLD", ">NEW", ">BY", NULL};
	struct table *table = table_new(columns, cli->colour);

	for (size_t i = 0; i < answer->n_changes; i++)
		if (answer->changes[i]->kind != BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME)
			put_change(table, answer->changes[i]);
	table_put(&cli->out, table, "nothing to change");
	buf_putf(&cli->out, "%zu new, %zu changed, %zu as they are; USD per 1M tokens\n", counts->new, counts->changed,
		counts->same);
	table_free(table);
}

/* Names each row that moves too far; answers the exit code. */
static int refuse_big(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer)
{
	cli_flush(cli);
	fprintf(stderr, "bursar: these would move by more than 10 times, and so nothing was changed:\n");
	for (size_t i = 0; i < answer->n_changes; i++) {
		const Bursar__V1__PriceChange *change = answer->changes[i];

		if (!change->big_move)
			continue;
		fprintf(stderr, "  %s %s: ", change->after->provider, change->after->model);
		if (change->line)
			fprintf(stderr, "line %d, ", change->line);
		fprintf(stderr, "input %s -> %s, output %s -> %s\n", change->before->input, change->after->input,
			change->before->output, change->after->output);
	}
	fprintf(stderr, "  Repeat it with --yes if that is meant.\n");
	return EXIT_REFUSED;
}

/* What is wrong at the path of a JSON list, with its place; JSON is YAML. */
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

/* An error of the list names the file, and where in it. */
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

/* The list was read into `request`: looked at, shown, and put. */
static int import_list(struct cli *cli, const struct buf *text, Bursar__V1__ImportPricesRequest *request)
{
	Bursar__V1__ImportPricesResponse *answer;
	struct counts counts;
	char question[64];
	int code = EXIT_DONE;

	request->dry_run = true;
	answer = import_call(cli, text, request, &code);
	if (!answer)
		return code;
	counts = count_changes(answer);
	if (!cli->json)
		show_diff(cli, answer, &counts);
	snprintf(question, sizeof(question), "Import %zu prices?", counts.new + counts.changed);
	if (option_given(cli, "dry-run") || counts.new + counts.changed == 0) {
		cli_json(cli, answer);
	} else if (counts.big > 0 && !request->yes) {
		code = refuse_big(cli, answer);
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

/* The list as JSON; NULL after saying what is wrong, and where. */
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
		.name = "price import",
		.args = "FILE",
		.summary = "put a whole list of prices, shown first",
		.about = "A CSV with a header, as deploy/data/model_prices.csv has it, or JSON, as 'price list --json' "
			 "writes "
			 "it; - is standard input. All prices are USD per 1M tokens. What is in force now changes from "
			 "--from "
			 "on (default: now), what the CSV has no column for stays, and models that the list does not "
			 "name "
			 "stay. A broken row, or a move of more than 10 times without --yes, changes nothing at all.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON,
			{'\0', "format", OPTION_CHOICE, "FORMAT",
				"what FILE is (default: by the end of its name, else csv)", "csv|json"},
			{'\0', "from", OPTION_TIME, "TIME", "in force from then on, where a row does not say", NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, also with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "do not ask; allow moves of more than 10 times", NULL}},
		.examples = {"price import prices.csv --dry-run",
			"price import prices.csv --from 2027-01-01 --reason 'new year'",
			"price import prices.json  # of 'bursar price list --json'",
			"price import contract.csv --tenant acme --account alice --yes"},
		.run = run_import,
	},
	{
		.name = "price end",
		.args = "PROVIDER MODEL",
		.summary = "end the price in force: of an account, of a tenant, or everybody's",
		.about = "Ends exactly that price; what is then in force is the tenant's, or everybody's. Prices that "
			 "begin "
			 "later stay. What was billed stays.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON,
			{'\0', "from", OPTION_TIME, "TIME", "it ends then (default: now)", NULL}},
		.examples = {"price end openai gpt-5.6 --tenant acme",
			"price end openai gpt-5.6 --tenant acme --account alice "
			"--from 2027-01-01"},
		.run = run_end,
	},
};

const struct command_group price_list_commands = {"Price lists", commands, sizeof(commands) / sizeof(*commands)};
