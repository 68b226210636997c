/* price put: reads the prices typed, has the server compare them with those in force, and puts them. */
#include "cli/prices/price_put.h"

#include <stdio.h>
#include <string.h>

#include "base/unconst.h"
#include "cli/prices/price_diff.h"
#include "cli/text/parse.h"

enum { PARTS_MAX = 8 };
struct price_parts {
	Bursar__V1__ContextTier above[PARTS_MAX], *above_p[PARTS_MAX];
	Bursar__V1__ModeRatio modes[PARTS_MAX], *modes_p[PARTS_MAX];
	size_t clears;
	char *clear[16]; /* the field of ImportPricesRequest */
	struct buf rates, mode_rates, regions, hours, allowances;
	struct buf above_rates[PARTS_MAX];
	char expected[32];
};

/* Checks only the form of each price: it is stored as typed. */
static bool price_text(struct cli *cli, const char *option, const char *field, struct price_parts *parts, char **out)
{
	const char *text = option_text(cli, option);
	int64_t ignored;

	if (!*text)
		return true;
	if (strcmp(text, "none") == 0) {
		parts->clear[parts->clears++] = unconst(field);
		return true;
	}
	if (strspn(text, "0123456789.") != strlen(text) || !parse_usd(text, strlen(text), &ignored, &cli->err))
		return err_set(&cli->err, ERR_INVALID,
			"--%s: '%s' is not a price; write USD per 1M tokens such as 0.075, or none", option, text);
	*out = (char *)text;
	return true;
}

/* Parses "272000:input=10,output=45" or ">=200000:..." in place; the parts point into it, others go to `rates`. */
static bool read_above(char *text, Bursar__V1__ContextTier *tier, struct buf *rates, struct err *err)
{
	const char *number = strncmp(text, ">=", 2) == 0 ? text + 2 : text;
	char *rest = strchr(text, ':'), *pair, *save = NULL;

	bursar__v1__context_tier__init(tier);
	if (!rest || !parse_count(number, (size_t)(rest - number), &tier->above_tokens, err))
		return err_set(err, ERR_INVALID, "--above: '%s' must look like 272000:input=10,output=45", text);
	tier->above_tokens -= number > text;
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
			buf_putf(rates, "%s%s=%s", rates->len ? " " : "", pair, value);
	}
	if (rates->len)
		tier->rates = unconst(buf_str(rates));
	return true;
}

/* Parses "batch=1/2" in place. */
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

/* "none" removes the existing ones; others given with it replace them. */
static bool is_none(const char *text, const char *field, struct price_parts *parts)
{
	if (strcmp(text, "none") != 0)
		return false;
	parts->clear[parts->clears++] = unconst(field);
	return true;
}

static bool read_parts(struct cli *cli, Bursar__V1__Price *price, struct price_parts *parts)
{
	size_t above, modes;
	char **above_texts = (char **)option_list(cli, "above", &above);
	char **mode_texts = (char **)option_list(cli, "mode", &modes);

	if (above > PARTS_MAX || modes > PARTS_MAX)
		return err_set(&cli->err, ERR_INVALID, "--above and --mode can be given at most 8 times each");
	price->context_tiers = parts->above_p;
	price->modes = parts->modes_p;
	for (size_t i = 0; i < above; i++) {
		Bursar__V1__ContextTier *tier = &parts->above[price->n_context_tiers];

		if (i == 0 && is_none(above_texts[i], "context_tiers", parts))
			continue;
		if (!read_above(above_texts[i], tier, &parts->above_rates[price->n_context_tiers], &cli->err))
			return false;
		parts->above_p[price->n_context_tiers++] = tier;
	}
	for (size_t i = 0; i < modes; i++) {
		Bursar__V1__ModeRatio *mode = &parts->modes[price->n_modes];

		if (i == 0 && is_none(mode_texts[i], "modes", parts))
			continue;
		if (!read_ratio(mode_texts[i], mode, &cli->err))
			return false;
		parts->modes_p[price->n_modes++] = mode;
	}
	return true;
}

/* Joins what was typed in several options; "none" removes the existing list. The server checks the items. */
static char *join_list(
	struct cli *cli, const char *option, const char *field, struct price_parts *parts, struct buf *out)
{
	size_t count;
	const char *const *texts = option_list(cli, option, &count);

	for (size_t i = 0; i < count; i++)
		if (i > 0 || !is_none(texts[i], field, parts))
			buf_putf(out, "%s%s", out->len ? " " : "", texts[i]);
	return unconst(buf_str(out));
}

/* Other rates: "name=USD", or "name=none", which removes that one. */
static bool read_rates(struct cli *cli, Bursar__V1__Price *price, struct price_parts *parts)
{
	size_t count;
	char **texts = (char **)option_list(cli, "rate", &count);

	for (size_t i = 0; i < count; i++) {
		char *value = strchr(texts[i], '=');

		if (!value || strcmp(value, "=none") != 0) {
			buf_putf(&parts->rates, "%s%s", parts->rates.len ? " " : "", texts[i]);
			continue;
		}
		if (parts->clears == sizeof(parts->clear) / sizeof(parts->clear[0]))
			return err_set(&cli->err, ERR_INVALID, "--rate: too many rates are removed at once");
		*value = '\0';
		parts->clear[parts->clears++] = texts[i];
	}
	price->rates = unconst(buf_str(&parts->rates));
	return true;
}

static bool read_lists(struct cli *cli, Bursar__V1__Price *price, struct price_parts *parts)
{
	price->mode_rates = join_list(cli, "mode-rate", "mode_rates", parts, &parts->mode_rates);
	price->regions = join_list(cli, "region", "regions", parts, &parts->regions);
	price->hours = join_list(cli, "hours", "hours", parts, &parts->hours);
	price->allowances = join_list(cli, "allowance", "allowances", parts, &parts->allowances);
	return read_rates(cli, price, parts);
}

static void parts_release(struct price_parts *parts)
{
	struct buf *const bufs[] = {
		&parts->rates, &parts->mode_rates, &parts->regions, &parts->hours, &parts->allowances};

	for (size_t i = 0; i < sizeof(bufs) / sizeof(bufs[0]); i++)
		buf_release(bufs[i]);
	for (int i = 0; i < PARTS_MAX; i++)
		buf_release(&parts->above_rates[i]);
}

static bool read_price(struct cli *cli, Bursar__V1__Price *price, struct price_parts *parts)
{
	price->provider = (char *)cli_arg(cli, 0);
	price->model = (char *)cli_arg(cli, 1);
	price->tenant = (char *)option_text(cli, "tenant");
	price->account = (char *)option_text(cli, "account");
	price->source = (char *)option_text(cli, "source");
	price->effective_from_us = option_number(cli, "from", 0);
	price->effective_to_us = option_number(cli, "until", 0);
	return price_text(cli, "input", "input", parts, &price->input) &&
	       price_text(cli, "output", "output", parts, &price->output) &&
	       price_text(cli, "cached-input", "cached_input", parts, &price->cached_input) &&
	       price_text(cli, "cache-write", "cache_write", parts, &price->cache_write) &&
	       price_text(cli, "reasoning", "reasoning", parts, &price->reasoning) &&
	       price_text(cli, "audio-input", "audio_input", parts, &price->audio_input) &&
	       price_text(cli, "audio-output", "audio_output", parts, &price->audio_output) &&
	       read_parts(cli, price, parts) && read_lists(cli, price, parts);
}

/* There is only one price: "prices[0].input" from the server is its input. */
static int put_failed(struct cli *cli, struct bursar_error *error)
{
	static const char first[] = "prices[0].";
	size_t len = sizeof(first) - 1;

	if (strncmp(error->field, first, len) == 0)
		memmove(error->field, error->field + len, strlen(error->field + len) + 1);
	return cli_failed(cli, error);
}

static void show_put(struct cli *cli, const Bursar__V1__ImportPricesResponse *answer)
{
	const Bursar__V1__Price *price = answer->changes[0]->after;
	struct price_counts counts = price_changes_count(answer);

	if (cli_json(cli, price))
		return;
	price_changes_show(cli, answer, &counts);
	price_show(cli, price);
}

/* Previews the change first: a change that is too large is reported with the old and the new price. */
static int put_one(struct cli *cli, Bursar__V1__ImportPricesRequest *request, struct price_parts *parts)
{
	struct bursar_error error;
	struct price_counts counts;

	request->dry_run = true;
	Bursar__V1__ImportPricesResponse *answer = bursar_import_prices(cli_bursar(cli), request, &error);
	if (!answer)
		return put_failed(cli, &error);
	counts = price_changes_count(answer);
	if (counts.big > 0 && !request->yes) {
		int code = price_changes_refuse(cli, answer);

		bursar_free(answer);
		return code;
	}
	if (counts.same == 0 && !option_given(cli, "dry-run")) {
		snprintf(parts->expected, sizeof(parts->expected), "%s", answer->fingerprint);
		bursar_free(answer);
		request->dry_run = false;
		request->expected = parts->expected;
		answer = bursar_import_prices(cli_bursar(cli), request, &error);
		if (!answer)
			return put_failed(cli, &error);
	}
	show_put(cli, answer);
	bursar_free(answer);
	return EXIT_DONE;
}

int price_put(struct cli *cli)
{
	Bursar__V1__ImportPricesRequest request = BURSAR__V1__IMPORT_PRICES_REQUEST__INIT;
	Bursar__V1__Price price = BURSAR__V1__PRICE__INIT, *prices[] = {&price};
	struct price_parts parts = {0};
	int code;

	if (!read_price(cli, &price, &parts)) {
		parts_release(&parts);
		return cli_usage(cli);
	}
	request.n_prices = 1;
	request.prices = prices;
	request.merge = true;
	request.n_clear = parts.clears;
	request.clear = parts.clear;
	request.yes = option_given(cli, "yes");
	request.reason = (char *)option_text(cli, "reason");
	code = put_one(cli, &request, &parts);
	parts_release(&parts);
	return code;
}
