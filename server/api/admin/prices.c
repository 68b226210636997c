/* Prices (api/admin/private.h): given in USD per 1M tokens, stored in pico-USD per token. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/list.h"
#include "domain/price/price_allowance.h"
#include "domain/price/price_text.h"

static char *rate_text(struct arena *arena, int64_t pico, enum meter meter)
{
	char text[32];

	price_format(pico, meter, text);
	return arena_strndup(arena, text, strlen(text));
}

/* The meters that have a field in a price and in its message. */
#define PRICE_RATES(RATE) \
	RATE(input, METER_INPUT) \
	RATE(output, METER_OUTPUT) \
	RATE(cached_input, METER_CACHED_INPUT) \
	RATE(cache_write, METER_CACHE_WRITE) \
	RATE(reasoning, METER_REASONING) RATE(audio_input, METER_AUDIO_INPUT) RATE(audio_output, METER_AUDIO_OUTPUT)
#define CONTEXT_RATES(RATE) \
	RATE(input, METER_INPUT) \
	RATE(output, METER_OUTPUT) RATE(cached_input, METER_CACHED_INPUT) RATE(cache_write, METER_CACHE_WRITE)

/* The buffer's text in the arena; the buffer is empty then. */
static char *text_take(struct arena *arena, struct buf *text)
{
	char *copy = arena_strndup(arena, buf_str(text), text->len);

	buf_reset(text);
	return copy;
}

static void extras_to_message(struct arena *arena, const struct price *price, Bursar__V1__Price *message)
{
	struct buf text = {0};

	message->context_tiers = message_list(arena, CONTEXT_TIERS_MAX);
	for (int i = 0; i < price->context_tiers; i++) {
		Bursar__V1__ContextTier *tier = message_new(arena, ContextTier, context_tier);
		const int64_t *pico = price->context[i].rates.pico;

		tier->above_tokens = price->context[i].above_tokens;
#define RATE(field, meter) tier->field = rate_text(arena, pico[meter], meter);
		CONTEXT_RATES(RATE)
#undef RATE
#define RATE(field, meter) | 1u << (meter)
		rates_format(&price->context[i].rates, 0 CONTEXT_RATES(RATE), &text);
#undef RATE
		tier->rates = text_take(arena, &text);
		message->context_tiers[message->n_context_tiers++] = tier;
	}
	message->modes = message_list(arena, MODES_MAX);
	for (int i = 0; i < price->modes; i++) {
		Bursar__V1__ModeRatio *mode = message_new(arena, ModeRatio, mode_ratio);

		mode->mode = unconst(price->mode[i].name);
		mode->numerator = price->mode[i].num;
		mode->denominator = price->mode[i].den;
		message->modes[message->n_modes++] = mode;
	}
	rates_format(&price->base, METERS_KEPT_MASK, &text);
	message->rates = text_take(arena, &text);
	mode_rates_format(price, &text);
	message->mode_rates = text_take(arena, &text);
	regions_format(price, &text);
	message->regions = text_take(arena, &text);
	hours_format(price, &text);
	message->hours = text_take(arena, &text);
	allowances_format(price, &text);
	message->allowances = text_take(arena, &text);
	buf_release(&text);
}

Bursar__V1__Price *admin_price_message(struct arena *arena, const struct price *price)
{
	Bursar__V1__Price *message = message_new(arena, Price, price);

	message->tenant = unconst(price->tenant);
	message->account = unconst(price->account);
	message->provider = unconst(price->provider);
	message->model = unconst(price->model);
#define RATE(field, meter) message->field = rate_text(arena, price->base.pico[meter], meter);
	PRICE_RATES(RATE)
#undef RATE
	extras_to_message(arena, price, message);
	message->effective_from_us = price->from_us;
	message->effective_to_us = price->to_us;
	message->source = unconst(price->source);
	return message;
}

static bool context_read(const Bursar__V1__ContextTier *message, struct rates *rates, struct err *err)
{
	rates_clear(rates);
#define RATE(field, meter) &&price_parse(message->field, meter, #field, &rates->pico[meter], err)
	return true CONTEXT_RATES(RATE) && rates_parse(message->rates, "rates", rates, err);
#undef RATE
}

static bool extras_read(const Bursar__V1__Price *message, struct price *price, struct err *err)
{
	for (size_t i = 0; i < message->n_context_tiers; i++) {
		price->context[i].above_tokens = message->context_tiers[i]->above_tokens;
		if (!context_read(message->context_tiers[i], &price->context[i].rates, err))
			return err_prefix(err, "context_tiers[%zu].", i);
	}
	price->context_tiers = (int)message->n_context_tiers;
	for (size_t i = 0; i < message->n_modes; i++) {
		const Bursar__V1__ModeRatio *mode = message->modes[i];

		memcpy(price->mode[i].name, mode->mode, strlen(mode->mode) + 1);
		price->mode[i].num = mode->numerator;
		price->mode[i].den = mode->denominator;
	}
	price->modes = (int)message->n_modes;
	return rates_parse(message->rates, "rates", &price->base, err) &&
	       mode_rates_parse(message->mode_rates, "mode_rates", price, err) &&
	       regions_parse(message->regions, "regions", price, err) &&
	       hours_parse(message->hours, "hours", price, err) &&
	       allowances_parse(message->allowances, "allowances", price, err);
}

bool admin_price_part_read(const Bursar__V1__Price *message, struct price *price, struct err *err)
{
	bool read;

	memcpy(price->tenant, message->tenant, strlen(message->tenant) + 1);
	memcpy(price->account, message->account, strlen(message->account) + 1);
	memcpy(price->provider, message->provider, strlen(message->provider) + 1);
	memcpy(price->model, message->model, strlen(message->model) + 1);
	memcpy(price->source, message->source, strlen(message->source) + 1);
	price->from_us = message->effective_from_us;
	price->to_us = message->effective_to_us;
	rates_clear(&price->base);
#define RATE(field, meter) &&price_parse(message->field, meter, #field, &price->base.pico[meter], err)
	read = true PRICE_RATES(RATE);
#undef RATE
	return read && extras_read(message, price, err);
}

bool admin_price_read(const Bursar__V1__Price *message, struct price *price, struct err *err)
{
	if (!admin_price_part_read(message, price, err))
		return false;
	price_modes_settle(price);
	return price_check(price, err);
}

static void put_answer(struct call *call, const struct catalog_edit *edit)
{
	call_reply_message(call, &admin_price_message(call_arena(call), &edit->op.price.price)->base);
}

ADMIN_EDIT_ANSWER(put_done, put_answer)

void admin_put_price(struct call *call, void *ctx)
{
	struct admin_edit *put = admin_edit_new(call, EDIT_PRICE);
	struct price_put *op = &put->edit.op.price;
	struct err err;
	const Bursar__V1__PutPriceRequest *request = request_take(call, &bursar__v1__put_price_request__descriptor);

	if (!request)
		return;
	if (!admin_price_read(request->price, &op->price, &err)) {
		err_prefix(&err, "price.");
		call_fail(call, &err);
		return;
	}
	op->yes = request->yes;
	admin_edit_start(put, ctx, request->reason, put_done);
}

void admin_get_price(struct call *call, void *ctx)
{
	struct err err;
	const Bursar__V1__GetPriceRequest *request = request_take(call, &bursar__v1__get_price_request__descriptor);
	struct snapshot *snapshot = request ? admin_snapshot(call, ctx) : NULL;
	const char *model;
	const struct price *price;

	if (!snapshot)
		return;
	model = request->provider[0] ? arena_printf(call_arena(call), "%s/%s", request->provider, request->model)
				     : request->model;
	price = price_find(catalog_prices(snapshot->catalog), tenant_or_default(request->tenant), request->account,
		model, request->at_us ? request->at_us : worker_now_us(ctx));
	if (price) {
		call_reply_message(call, &admin_price_message(call_arena(call), price)->base);
	} else {
		err_set(&err, ERR_NOT_FOUND, "model: %s has no price at that time", model);
		err_reason_of(&err, "PRICE_NOT_FOUND", "%s", model);
		call_fail(call, &err);
	}
	snapshot_give(ctx, snapshot);
}

static void list_answer(struct call *call, const struct price_list *op)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ListPricesResponse *answer = message_new(arena, ListPricesResponse, list_prices_response);

	admin_rows(arena, op, answer->prices, answer->n_prices, admin_price_message);
	if (op->more)
		answer->next_page_token = arena_printf(arena, "%" PRId64, op->last);
	call_reply_message(call, &answer->base);
}

ADMIN_CALL(list_call, price_list, ListPricesRequest, list_prices_request, list_done, list_answer)

void admin_list_prices(struct call *call, void *ctx)
{
	struct worker *worker = ctx;
	struct list_call *list = list_call_new(call);
	struct err err;

	if (!list)
		return;
	if (strspn(list->request->page_token, "0123456789") != strlen(list->request->page_token)) {
		err_invalid(&err, "page_token", "is not valid: pass next_page_token from the previous page");
		call_fail(call, &err);
		return;
	}
	list->op = (struct price_list){
		.job = admin_question(call, list_done),
		.tenant = tenant_or_default(list->request->tenant),
		.provider = list->request->provider,
		.model_prefix = list->request->model_prefix,
		.account = list->request->account,
		.at_us = list->request->at_us ? list->request->at_us : worker_now_us(worker),
		.after = (int64_t)strtoull(list->request->page_token, NULL, 10),
		.limit = admin_page(list->request->page_size, 100, 1000),
	};
	admin_ask(worker, price_list, &list->op);
}
