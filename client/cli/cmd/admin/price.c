/* price ... (commands.h): what models cost. Prices are typed in USD per 1M tokens and sent as typed. */
#include "cli/cmd/admin/admin.h"

#include <string.h>

#include "cli/common/view.h"
#include "cli/prices/price_diff.h"
#include "cli/prices/price_put.h"
#include "cli/text/format.h"
static void price_cells(struct table *table, const void *message)
{
	const Bursar__V1__Price *price = message;
	struct buf text = {0};

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
	buf_release(&text);
}

/* The day on which a source was read: its last "(2026-08-21)" or ",2026-08-21)"; NULL if it has none. */
static const char *source_day(const char *source)
{
	static const char shape[] = "0000-00-00)";
	const char *found = NULL;

	for (const char *at = source; (at = strpbrk(at, "(,")); at++) {
		size_t n = 0;

		while (n < sizeof(shape) - 1 &&
			(shape[n] == '0' ? at[n + 1] >= '0' && at[n + 1] <= '9' : at[n + 1] == shape[n]))
			n++;
		if (n == sizeof(shape) - 1)
			found = at + 1;
	}
	return found;
}

/* How old the sources are: that of the newest, and of the oldest if it is another day. */
static void put_ages(struct buf *out, const Bursar__V1__ListPricesResponse *answer)
{
	enum { DAY = 10 };
	const char *newest = NULL, *oldest = NULL;

	for (size_t i = 0; i < answer->n_prices; i++) {
		const char *day = source_day(answer->prices[i]->source);

		if (day && (!newest || strncmp(day, newest, DAY) > 0))
			newest = day;
		if (day && (!oldest || strncmp(day, oldest, DAY) < 0))
			oldest = day;
	}
	if (!newest)
		return;
	buf_putf(out, "; sources of %.*s", DAY, oldest);
	if (strncmp(newest, oldest, DAY) != 0)
		buf_putf(out, " to %.*s", DAY, newest);
}

static void show_list(struct cli *cli, const Bursar__V1__ListPricesResponse *answer)
{
	static const char *const columns[] = {
		"PROVIDER", "~MODEL", ">INPUT", ">OUTPUT", ">CACHED", ">CACHE WRITE", "~ABOVE", "~FOR", NULL};

	view_rows(cli, columns, answer->prices, answer->n_prices, price_cells, "no prices");
	if (answer->next_page_token[0]) {
		view_more(cli, answer->n_prices);
	} else if (answer->n_prices > 0) {
		buf_putf(&cli->out, "%zu prices, USD per 1M tokens", answer->n_prices);
		put_ages(&cli->out, answer);
		buf_put_str(&cli->out, "\n");
	}
}

static int run_list(struct cli *cli)
{
	Bursar__V1__ListPricesRequest request = BURSAR__V1__LIST_PRICES_REQUEST__INIT;

	request.tenant = (char *)option_text(cli, "tenant");
	request.provider = (char *)option_text(cli, "provider");
	request.model_prefix = (char *)option_text(cli, "prefix");
	request.account = (char *)option_text(cli, "account");
	request.at_us = option_number(cli, "at", 0);
	return cli_show_pages(cli, BURSAR_LIST_PRICES, &request, 1000, show_list);
}

static int run_show(struct cli *cli)
{
	Bursar__V1__GetPriceRequest request = BURSAR__V1__GET_PRICE_REQUEST__INIT;

	request.model = (char *)cli_arg(cli, 0);
	request.tenant = (char *)option_text(cli, "tenant");
	request.account = (char *)option_text(cli, "account");
	request.provider = (char *)option_text(cli, "provider");
	request.at_us = option_number(cli, "at", 0);
	return cli_show(cli, BURSAR_GET_PRICE, &request, price_show);
}

#define OPTION_FOR_TENANT \
	{ \
		't', "tenant", OPTION_TEXT, "TENANT", "this tenant's own price (default: the price for everybody)", \
			NULL \
	}
#define OPTION_FOR_ACCOUNT \
	{ \
		'\0', "account", OPTION_TEXT, "USER", "this account's own price", NULL \
	}
#define OPTION_AT \
	{ \
		'\0', "at", OPTION_TIME, "TIME", "the price in force at this time (default: now)", NULL \
	}

static const struct command commands[] = {
	{
		COMMAND("price list", "", "list the prices in force", run_list),
		.options = {{'t', "tenant", OPTION_TEXT, "TENANT",
				    "also show this tenant's own prices (default: only those for everybody)", NULL},
			{'\0', "account", OPTION_TEXT, "USER", "show only this account's own prices", NULL},
			{'\0', "provider", OPTION_TEXT, "NAME", "show only this provider's prices", NULL},
			{'\0', "prefix", OPTION_TEXT, "TEXT", "show only models that begin with TEXT", NULL}, OPTION_AT,
			{'\0', "limit", OPTION_SOME, "N", "the maximum number of prices to show (default: 1000)",
				NULL}},
		.examples = {"price list --provider anthropic", "price list --prefix gpt-5 --at 2026-12-31",
			"price list --tenant acme --account alice"},
	},
	{
		COMMAND("price show", "MODEL", "show a model's price, with its long-context rates and modes", run_show),
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT,
			{'\0', "provider", OPTION_TEXT, "NAME", "the provider, if several have a model with this id",
				NULL},
			OPTION_AT},
		.examples = {"price show gpt-5.4", "price show gemini-3.6-flash --at 2027-01-02"},
	},
	{
		COMMAND("price put", "PROVIDER MODEL", "set a model's price from a given time", price_put),
		.about =
			"Prices are USD per 1M tokens; docs/money.md has the units of other meters. Values that are not given stay as they are; the first "
			"price of a tenant or account starts from the price that applied to it before. 'none' removes "
			"a value. The previous price ends where this one begins. A meter without its own price "
			"costs the rate of input or output. A change by more than a factor of 10 needs --yes.",
		.options = {OPTION_FOR_TENANT, OPTION_FOR_ACCOUNT, OPTION_REASON,
			{'\0', "input", OPTION_TEXT, "USD", "fresh input", NULL},
			{'\0', "output", OPTION_TEXT, "USD", "output", NULL},
			{'\0', "cached-input", OPTION_TEXT, "USD", "input read from the cache", NULL},
			{'\0', "cache-write", OPTION_TEXT, "USD", "input written to the cache", NULL},
			{'\0', "reasoning", OPTION_TEXT, "USD", "reasoning output", NULL},
			{'\0', "audio-input", OPTION_TEXT, "USD", "audio input", NULL},
			{'\0', "audio-output", OPTION_TEXT, "USD", "audio output", NULL},
			{'\0', "above", OPTION_LIST, "N:input=USD,output=USD",
				"rates for input longer than N tokens (>=N: or as long; may be repeated); none: "
				"remove the existing ones",
				NULL},
			{'\0', "rate", OPTION_LIST, "METER=USD",
				"what else the provider bills, per 1M tokens or characters, per 1,000 calls or pages, "
				"per second or image: cache_write_1h=6, web_searches=10 (may be repeated); "
				"METER=none: remove it",
				NULL},
			{'\0', "mode", OPTION_LIST, "MODE=N/M",
				"what a mode costs as a fraction of the price, such as batch=1/2 (may be repeated); "
				"none: remove the existing ones",
				NULL},
			{'\0', "mode-rate", OPTION_LIST, "MODE:METER=USD",
				"a mode's rate that does not follow from its fraction, such as "
				"batch:cached_input=0.25, or above N tokens: 'batch>200000:cached_input=0.5' (may be "
				"repeated; replaces the existing ones); none: remove them",
				NULL},
			{'\0', "region", OPTION_LIST, "REGION=N/M",
				"what a region costs as a fraction of the price, such as us=11/10 (may be repeated; "
				"replaces the existing ones); none: remove them",
				NULL},
			{'\0', "hours", OPTION_LIST, "FROM-TO=N/M",
				"what a time of day costs, in UTC or at an offset: 16:30-00:30=1/2, "
				"mon-fri@09:00-12:00+08:00=2/1, 09:00-17:00[Europe/Berlin]=2/1 (may be repeated; replaces the existing ones); none: "
				"remove them",
				NULL},
			{'\0', "allowance", OPTION_LIST, "METER=N/PERIOD",
				"so many are free in each day, week or month, in UTC or in a zone: web_searches=1000/day, "
				"grounded_prompts=1500/day,zone=America/Los_Angeles,shared=gemini-flash (may be repeated; "
				"replaces the existing ones); none: remove them",
				NULL},
			{'\0', "from", OPTION_TIME, "TIME",
				"when the price takes effect (default: now; for a first price: always)", NULL},
			{'\0', "until", OPTION_TIME, "TIME", "when the price ends", NULL},
			{'\0', "source", OPTION_TEXT, "TEXT", "where the price comes from", NULL},
			{'\0', "dry-run", OPTION_FLAG, NULL, "show what would change, even with --yes", NULL},
			{'y', "yes", OPTION_FLAG, NULL, "allow a change by more than a factor of 10", NULL}},
		.examples = {"price put openai gpt-5.6 --input 5 --output 30 --cached-input 0.5 --above "
			     "272000:input=10,output=45",
			"price put google gemini-3.6-flash --input 1.5 --output 7.5 --from 2027-01-01",
			"price put openai gpt-5.6 --input 4 --output 24 --tenant acme --source 'contract 2026-17'"},
	},
};

const struct command_group price_commands = {"Prices", commands, sizeof(commands) / sizeof(*commands)};
