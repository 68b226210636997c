/* price ...: what models cost. Prices are typed in USD per 1M tokens, and passed on as they were typed. */
#include "cli/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/format.h"
#include "cli/parse.h"
#include "cli/table.h"
#include "cli/view.h"

static const char *or_dash(const char *text)
{
	return text[0] ? text : "-";
}

static void show_price(struct cli *cli, const Bursar__V1__Price *price)
{
	struct buf text = {0};

	buf_putf(&cli->out, "%s %s  (USD per 1M tokens)\n", price->provider, price->model);
	if (price->tenant[0])
		view_field(cli, "of", "tenant %s%s%s", price->tenant, price->account[0] ? ", account " : "",
			price->account);
	view_field(cli, "input", "%s  (cached %s, cache write %s)", or_dash(price->input), or_dash(price->cached_input),
		or_dash(price->cache_write));
	view_field(cli, "output", "%s  (reasoning %s)", or_dash(price->output), or_dash(price->reasoning));
	if (price->audio_input[0] || price->audio_output[0])
		view_field(cli, "audio", "%s in, %s out", or_dash(price->audio_input), or_dash(price->audio_output));
	for (size_t i = 0; i < price->n_context_tiers; i++) {
		const Bursar__V1__ContextTier *tier = price->context_tiers[i];

		put_count(&text, tier->above_tokens);
		buf_putf(&text, " tokens of input: %s in, %s out, cached %s, cache write %s", or_dash(tier->input),
			or_dash(tier->output), or_dash(tier->cached_input), or_dash(tier->cache_write));
		view_field_buf(cli, "above", &text);
	}
	for (size_t i = 0; i < price->n_modes; i++)
		view_field(cli, "mode", "%s costs %d/%d", price->modes[i]->mode, price->modes[i]->numerator,
			price->modes[i]->denominator);
	if (price->effective_from_us) {
		put_time(&text, price->effective_from_us);
		view_field_buf(cli, "from", &text);
	}
	if (price->effective_to_us) {
		put_time(&text, price->effective_to_us);
		view_field_buf(cli, "until", &text);
	}
	if (price->source[0])
		view_field(cli, "source", "%s", price->source);
	buf_release(&text);
}

static void show_list(struct cli *cli, const Bursar__V1__ListPricesResponse *answer)
{
	static const char *const columns[] = {
		"PROVIDER", "~MODEL", ">INPUT", ">OUTPUT", ">CACHED", ">CACHE WRITE", "~ABOVE", "~FOR", NULL};
	struct table *table = table_new(columns, cli->colour);
	struct buf text = {0};

	for (size_t i = 0; i < answer->n_prices; i++) {
		const Bursar__V1__Price *price = answer->prices[i];

		table_line(table);
		table_cell(table, "%s", price->provider);
		table_cell(table, "%s", price->model);
		table_cell(table, "%s", or_dash(price->input));
		table_cell(table, "%s", or_dash(price->output));
		table_cell(table, "%s", or_dash(price->cached_input));
		table_cell(table, "%s", or_dash(price->cache_write));
		if (price->n_context_tiers > 0) {
			put_count(&text, price->context_tiers[0]->above_tokens);
			buf_putf(&text, ": %s/%s", or_dash(price->context_tiers[0]->input),
				or_dash(price->context_tiers[0]->output));
		}
		table_cell_buf(table, &text);
		table_cell(table, "%s%s%s", price->tenant, price->account[0] ? " " : "", price->account);
	}
	table_put(&cli->out, table, "no prices");
	if (answer->next_page_token[0])
		buf_putf(&cli->out, "(the first %zu; more with --limit N)\n", answer->n_prices);
	else if (answer->n_prices > 0)
		buf_putf(&cli->out, "%zu prices, USD per 1M tokens\n", answer->n_prices);
	table_free(table);
	buf_release(&text);
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListPricesRequest request = BURSAR__V1__LIST_PRICES_REQUEST__INIT;
	Bursar__V1__ListPricesResponse *answer;
	int code;

	request.tenant = (char *)option_text(cli, "tenant");
	request.provider = (char *)option_text(cli, "provider");
	request.model_prefix = (char *)option_text(cli, "prefix");
	request.account = (char *)option_text(cli, "account");
	request.at_us = option_number(cli, "at", 0);
	answer = cli_call_pages(cli, BURSAR_LIST_PRICES, &request, option_number(cli, "limit", 1000), &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer))
		show_list(cli, answer);
	bursar_free(answer);
	return EXIT_DONE;
}

static int run_show(struct cli *cli)
{
	Bursar__V1__GetPriceRequest request = BURSAR__V1__GET_PRICE_REQUEST__INIT;
	Bursar__V1__Price *price;
	int code;

	request.model = (char *)cli_arg(cli, 0);
	request.tenant = (char *)option_text(cli, "tenant");
	request.account = (char *)option_text(cli, "account");
	request.provider = (char *)option_text(cli, "provider");
	request.at_us = option_number(cli, "at", 0);
	price = cli_call(cli, BURSAR_GET_PRICE, &request, &code);
	if (!price)
		return code;
	if (!cli_json(cli, price))
		show_price(cli, price);
	bursar_free(price);
	return EXIT_DONE;
}

/* Each price is checked here for its form only: what was typed is what is stored. */
static bool price_text(struct cli *cli, const char *option, char **out)
{
	const char *text = option_text(cli, option);
	int64_t ignored;

	if (!*text)
		return true;
	if (strspn(text, "0123456789.") != strlen(text) || !parse_usd(text, strlen(text), &ignored, &cli->err))
		return err_set(&cli->err, ERR_INVALID, "--%s: '%s' is no price; write USD per 1M tokens such as 0.075",
			option, text);
	*out = (char *)text;
	return true;
}

/* "272000:input=10,output=45": cut in place, its parts borrowed. */
static bool read_above(char *text, Bursar__V1__ContextTier *tier, struct err *err)
{
	char *rest = strchr(text, ':'), *pair, *save = NULL;

	bursar__v1__context_tier__init(tier);
	if (!rest || !parse_count(text, (size_t)(rest - text), &tier->above_tokens, err))
		return err_set(err, ERR_INVALID, "--above: '%s' must look like 272000:input=10,output=45", text);
	for (pair = strtok_r(rest + 1, ",", &save); pair; pair = strtok_r(NULL, ",", &save)) {
		char *value = strchr(pair, '=');
		int64_t ignored;

		if (value)
			*value++ = '\0';
		if (!value || !parse_usd(value, strlen(value), &ignored, err))
			return err_set(
				err, ERR_INVALID, "--above: %s needs USD per 1M tokens, such as %s=10", pair, pair);
		if (strcmp(pair, "input") == 0)
			tier->input = value;
		else if (strcmp(pair, "output") == 0)
			tier->output = value;
		else if (strcmp(pair, "cached-input") == 0)
			tier->cached_input = value;
		else if (strcmp(pair, "cache-write") == 0)
			tier->cache_write = value;
		else
			return err_set(err, ERR_INVALID,
				"--above: '%s' is none of input, output, cached-input, cache-write", pair);
	}
	return true;
}

/* "batch=1/2": cut in place. */
static bool read_ratio(char *text, Bursar__V1__ModeRatio *ratio, struct err *err)
{
	char *value = strchr(text, '=');
	int used = 0;

	bursar__v1__mode_ratio__init(ratio);
	if (!value || sscanf(value + 1, "%9d/%9d%n", &ratio->numerator, &ratio->denominator, &used) != 2 ||
		value[1 + used] || ratio->numerator < 0 || ratio->denominator <= 0)
		return err_set(err, ERR_INVALID, "--mode: '%s' must look like batch=1/2", text);
	*value = '\0';
	ratio->mode = text;
	return true;
}

struct price_parts {
	Bursar__V1__ContextTier above[8], *above_p[8];
	Bursar__V1__ModeRatio modes[8], *modes_p[8];
};

static bool read_parts(struct cli *cli, Bursar__V1__Price *price, struct price_parts *parts)
{
	size_t above, modes;
	char **above_texts = (char **)option_list(cli, "above", &above);
	char **mode_texts = (char **)option_list(cli, "mode", &modes);

	if (above > 8 || modes > 8)
		return err_set(&cli->err, ERR_INVALID, "at most 8 of --above and 8 of --mode");
	for (size_t i = 0; i < above; i++) {
		if (!read_above(above_texts[i], &parts->above[i], &cli->err))
			return false;
		parts->above_p[i] = &parts->above[i];
	}
	for (size_t i = 0; i < modes; i++) {
		if (!read_ratio(mode_texts[i], &parts->modes[i], &cli->err))
			return false;
		parts->modes_p[i] = &parts->modes[i];
	}
	price->n_context_tiers = above;
	price->context_tiers = parts->above_p;
	price->n_modes = modes;
	price->modes = parts->modes_p;
	return true;
}

static int run_put(struct cli *cli)
{
	Bursar__V1__PutPriceRequest request = BURSAR__V1__PUT_PRICE_REQUEST__INIT;
	Bursar__V1__Price price = BURSAR__V1__PRICE__INIT, *answer;
	struct price_parts parts;
	int code;

	price.provider = (char *)cli_arg(cli, 0);
	price.model = (char *)cli_arg(cli, 1);
	price.tenant = (char *)option_text(cli, "tenant");
	price.account = (char *)option_text(cli, "account");
	price.source = (char *)option_text(cli, "source");
	price.effective_from_us = option_number(cli, "from", 0);
	price.effective_to_us = option_number(cli, "until", 0);
	if (!price_text(cli, "input", &price.input) || !price_text(cli, "output", &price.output) ||
		!price_text(cli, "cached-input", &price.cached_input) ||
		!price_text(cli, "cache-write", &price.cache_write) ||
		!price_text(cli, "reasoning", &price.reasoning) ||
		!price_text(cli, "audio-input", &price.audio_input) ||
		!price_text(cli, "audio-output", &price.audio_output) || !read_parts(cli, &price, &parts))
		return cli_usage(cli);
	request.price = &price;
	request.yes = option_given(cli, "yes");
	request.reason = (char *)option_text(cli, "reason");
	answer = cli_call(cli, BURSAR_PUT_PRICE, &request, &code);
	if (!answer)
		return code;
	if (!cli_json(cli, answer))
		show_price(cli, answer);
	bursar_free(answer);
	return EXIT_DONE;
}

#define OPTION_FOR_TENANT \
	{ \
		't', "tenant", OPTION_TEXT, "TENANT", "the tenant's own price (default: everybody's)", NULL \
	}
#define OPTION_FOR_ACCOUNT \
	{ \
		'\0', "account", OPTION_TEXT, "USER", "this account's own price", NULL \
	}
#define OPTION_AT \
	{ \
		'\0', "at", OPTION_TIME, "TIME", "in force then (default: now)", NULL \
	}

static const struct command commands[] = {
	{
		.name = "price list",
		.args = "",
		.summary = "list the prices in force",
		.about = "",
		.options = {{'t', "tenant", OPTION_TEXT, "TENANT", "and the tenant's own (default: everybody's)", NULL},
			{'\0', "account", OPTION_TEXT, "USER", "only this account's own prices", NULL},
			{'\0', "provider", OPTION_TEXT, "NAME", "only this provider's", NULL},
			{'\0', "prefix", OPTION_TEXT, "TEXT", "only models that begin so", NULL}, OPTION_AT,
			{'\0', "limit", OPTION_SOME, "N", "at most so many (default: 1000)", NULL}},
		.examples = {"price list --provider anthropic", "price list --prefix gpt-5 --at 2026-12-31",
			"price list --tenant acme --account alice"},
		.run = run_list,
	},
	{
		.name = "price show",
		.args = "MODEL",
		.summary = "show a model's price with its long-context rates and modes",
		.about = "",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT,
			{'\0', "provider", OPTION_TEXT, "NAME", "whose model it is, where several have one of this id",
				NULL},
			OPTION_AT},
		.examples = {"price show gpt-5.4", "price show gemini-3.6-flash --at 2027-01-02"},
		.run = run_show,
	},
	{
		.name = "price put",
		.args = "PROVIDER MODEL",
		.summary = "set a model's price from a time on",
		.about =
			"All prices are USD per 1M tokens. The price before it ends where this one begins. A class "
			"without a "
			"price of its own costs the rate of input or output. A move of more than 10 times needs --yes.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON,
			{'\0', "input", OPTION_TEXT, "USD", "fresh input", NULL},
			{'\0', "output", OPTION_TEXT, "USD", "output", NULL},
			{'\0', "cached-input", OPTION_TEXT, "USD", "input read from the cache", NULL},
			{'\0', "cache-write", OPTION_TEXT, "USD", "input written to the cache", NULL},
			{'\0', "reasoning", OPTION_TEXT, "USD", "output that is thinking", NULL},
			{'\0', "audio-input", OPTION_TEXT, "USD", "audio heard", NULL},
			{'\0', "audio-output", OPTION_TEXT, "USD", "audio spoken", NULL},
			{'\0', "above", OPTION_LIST, "N:input=USD,output=USD",
				"rates when the input is longer than N (may be repeated)", NULL},
			{'\0', "mode", OPTION_LIST, "MODE=N/M",
				"what a mode costs of the price, such as batch=1/2 (may be repeated)", NULL},
			{'\0', "from", OPTION_TIME, "TIME", "in force from then on (default: always)", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "in force until then", NULL},
			{'\0', "source", OPTION_TEXT, "TEXT", "where the price was read", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "allow a move of more than 10 times", NULL}},
		.examples = {"price put openai gpt-5.6 --input 5 --output 30 --cached-input 0.5 --above "
			     "272000:input=10,output=45",
			"price put google gemini-3.6-flash --input 1.5 --output 7.5 --from 2027-01-01",
			"price put openai gpt-5.6 --input 4 --output 24 --tenant acme --source 'contract 2026-17'"},
		.run = run_put,
	},
};

const struct command_group price_commands = {"Prices", commands, sizeof(commands) / sizeof(*commands)};
