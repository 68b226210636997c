/* ImportPrices and EndPrice (api/admin/private.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "api/admin/price_public.h"
#include "api/admin/private.h"
#include "api/message/validate.h"
#include "base/clock.h"
#include "domain/price/price_change.h"
#include "domain/price/price_csv.h"
#include "domain/price/public/price_public.h"

/* Each row of a list takes a few statements: thousands of them take longer than other changes. */
#define IMPORT_MAX_US INT64_C(600000000)

static void price_change_message(struct arena *arena, const struct price_put_row *row, Bursar__V1__PriceChange *message)
{
	static const Bursar__V1__ChangeKind kinds[] = {
		[PRICE_SAME] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_SAME,
		[PRICE_NEW] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_ADDED,
		[PRICE_MOVED] = BURSAR__V1__CHANGE_KIND__CHANGE_KIND_CHANGED,
	};

	message->kind = kinds[row->change];
	message->line = row->line;
	message->big_move = row->big;
	message->after = admin_price_message(arena, &row->price);
	if (row->change != PRICE_NEW || row->based)
		message->before = admin_price_message(arena, &row->before);
}

static void import_answer(struct call *call, const struct catalog_edit *edit)
{
	struct arena *arena = call_arena(call);
	Bursar__V1__ImportPricesResponse *answer = message_new(arena, ImportPricesResponse, import_prices_response);
	const struct prices_put *op = &edit->op.prices;

	answer->changes = message_list(arena, (size_t)op->count);
	for (int i = 0; i < op->count; i++) {
		Bursar__V1__PriceChange *change;

		if (op->public_list && op->row[i].change == PRICE_SAME) {
			answer->same_count++;
			continue;
		}
		change = message_new(arena, PriceChange, price_change);
		price_change_message(arena, &op->row[i], change);
		answer->changes[answer->n_changes++] = change;
	}
	price_skipped_message(arena, op, answer);
	answer->fingerprint = arena_printf(arena, "%016" PRIx64, op->fingerprint);
	answer->imported = op->job.generation != 0;
	call_reply_message(call, &answer->base);
}

ADMIN_EDIT_ANSWER(import_done, import_answer)

static const struct clearing {
	const char *name;
	price_parts bit;
} clearings[] = {
#define ROW(NAME, name, ...) {name, PRICE_GIVEN_RATE(METER_##NAME)},
	METERS(ROW)
#undef ROW
		{"context_tiers", PRICE_GIVEN_CONTEXT},
	{"modes", PRICE_GIVEN_MODES | PRICE_GIVEN_MODE_RATES},
	{"mode_rates", PRICE_GIVEN_MODE_RATES},
	{"regions", PRICE_GIVEN_REGIONS},
	{"hours", PRICE_GIVEN_HOURS},
	{"allowances", PRICE_GIVEN_ALLOWANCES},
};
enum { CLEARINGS = sizeof(clearings) / sizeof(clearings[0]) };

static bool clear_read(const Bursar__V1__ImportPricesRequest *request, price_parts *out, struct err *err)
{
	*out = 0;
	if (request->n_clear > 0 && !request->merge)
		return err_invalid(err, "clear", "is only for `merge`: without it, empty fields have no price anyway");
	for (size_t i = 0; i < request->n_clear; i++) {
		int k = 0;

		while (k < CLEARINGS && strcmp(clearings[k].name, request->clear[i]) != 0)
			k++;
		if (k == CLEARINGS) {
			err_invalid(err, "clear",
				"\"%.32s\" is not part of a price; use a meter's name, context_tiers, "
				"modes, mode_rates, regions, hours or allowances",
				request->clear[i]);
			return err_prefix(err, "[%zu]", i);
		}
		*out |= clearings[k].bit;
	}
	return true;
}

/* The parts that a merged price replaces: those it has, and those that are cleared. */
static price_parts given_of(const struct price *price, price_parts cleared)
{
	price_parts given = cleared;

	for (int meter = 0; meter < METER_COUNT; meter++)
		if (price->base.pico[meter] != PRICE_NONE)
			given |= PRICE_GIVEN_RATE(meter);
	if (!(given & PRICE_GIVEN_CONTEXT))
		given |= PRICE_MERGED_CONTEXT;
	else
		for (int meter = 0; meter < METER_COUNT; meter++)
			given |= PRICE_GIVEN_ABOVE(meter);
	given |= price->mode_rates ? PRICE_GIVEN_MODE_RATES : 0;
	given |= price->regions ? PRICE_GIVEN_REGIONS : 0;
	given |= price->hours ? PRICE_GIVEN_HOURS : 0;
	given |= price->allowances ? PRICE_GIVEN_ALLOWANCES : 0;
	return given & PRICE_GIVEN_MODES ? given : given | PRICE_MERGED_MODES;
}

static bool messages_read(
	const Bursar__V1__ImportPricesRequest *request, struct arena *arena, struct prices_put *op, struct err *err)
{
	price_parts cleared;

	price_rows_new(op, arena, (int)request->n_prices);
	if (!clear_read(request, &cleared, err))
		return false;
	for (int i = 0; i < op->count; i++) {
		struct price_put_row *row = &op->row[i];
		bool read = request->merge ? admin_price_part_read(request->prices[i], &row->price, err)
					   : admin_price_read(request->prices[i], &row->price, err);

		if (!read)
			return err_prefix(err, "prices[%d].", i);
		row->merged = request->merge;
		row->given = request->merge ? given_of(&row->price, cleared) : PRICE_GIVEN_ALL;
	}
	return true;
}

static bool csv_read(
	const Bursar__V1__ImportPricesRequest *request, struct arena *arena, struct prices_put *op, struct err *err)
{
	struct price_sheet sheet;

	if (!price_csv_parse(request->csv, strlen(request->csv), &sheet, err)) {
		/* The parser's field is a line of the csv; callers need the field of the request. */
		snprintf(err->field, sizeof(err->field), "csv");
		return false;
	}
	price_rows_take(op, arena, &sheet);
	price_sheet_release(&sheet);
	return true;
}

/* Sets the owner of the prices and the time from which they apply. */
static void rows_address(const Bursar__V1__ImportPricesRequest *request, struct prices_put *op)
{
	for (int i = 0; i < op->count; i++) {
		struct price *price = &op->row[i].price;

		if (request->tenant[0])
			memcpy(price->tenant, request->tenant, strlen(request->tenant) + 1);
		if (request->account[0])
			memcpy(price->account, request->account, strlen(request->account) + 1);
		if (!price->from_us)
			price->from_us = request->effective_from_us;
	}
}

/* Prefixes the error with the row, as the caller knows it. Always returns false. */
static bool row_wrong(const struct prices_put *op, int at, struct err *err)
{
	if (!op->row[at].line)
		return err_prefix(err, "prices[%d].", at);
	err_prefix(err, "line %d: ", op->row[at].line);
	snprintf(err->field, sizeof(err->field), "%s", op->public_list ? "json" : "csv");
	return false;
}

/* With `parts`, each price is checked later, once it has been merged into a whole one. */
static bool rows_check(const struct prices_put *op, bool parts, struct arena *arena, struct err *err)
{
	const struct price **prices = arena_zalloc(arena, (size_t)op->count + 1, sizeof(*prices));
	int first, second;

	for (int i = 0; i < op->count; i++) {
		prices[i] = &op->row[i].price;
		if (prices[i]->account[0] && !prices[i]->tenant[0])
			return err_invalid(err, "account", "needs the tenant that it belongs to");
		if (!parts && !price_check(prices[i], err))
			return row_wrong(op, i, err);
	}
	if (prices_overlap(prices, op->count, &first, &second)) {
		err_invalid(err, "model", "%.60s/%.60s overlaps with another row in time; give both rows dates",
			prices[second]->provider, prices[second]->model);
		return row_wrong(op, second, err);
	}
	return op->yes || !prices_look_per_token(prices, op->count) ||
	       err_set(err, ERR_PRECONDITION,
		       "all prices are below 0.0001 USD per 1M tokens, as if they were USD per token; if they are "
		       "correct, repeat the call with `yes` (bursar: --yes)");
}

/* Reads the prices, in whichever form they are. */
static bool request_rows(const Bursar__V1__ImportPricesRequest *request, int64_t now_us, struct arena *arena,
	struct prices_put *op, struct err *err)
{
	const bool csv = request->csv[0], list = request->json[0] || request->json_zlib.len;

	if (request->merge && (csv || list))
		return err_invalid(err, "merge",
			"is only for `prices`: columns missing from a csv keep their values anyway, and a json has whole prices");
	if ((request->n_prices > 0) + csv + (request->json[0] != '\0') + (request->json_zlib.len > 0) != 1)
		return err_invalid(err, "prices", "or csv or json or json_zlib must be given, and only one of them");
	if (list || (csv && litellm_csv_is(request->csv, strlen(request->csv))))
		return price_public_read(request, now_us, arena, op, err);
	return csv ? csv_read(request, arena, op, err) : messages_read(request, arena, op, err);
}

void admin_import_prices(struct call *call, void *ctx)
{
	struct arena *arena = call_arena(call);
	struct admin_edit *import = admin_edit_new(call, EDIT_PRICES);
	struct prices_put *op = &import->edit.op.prices;
	struct err err;
	const Bursar__V1__ImportPricesRequest *request =
		request_read(call, &bursar__v1__import_prices_request__descriptor, &err);
	bool ok = request != NULL;

	op->now_us = worker_now_us(ctx);
	op->yes = request && request->yes;
	ok = ok && request_rows(request, op->now_us, arena, op, &err);
	if (ok) {
		rows_address(request, op);
		ok = rows_check(op, request->merge, arena, &err);
	}
	if (!ok) {
		call_fail(call, &err);
		return;
	}
	op->dry_run = request->dry_run;
	op->expected = request->expected;
	op->job.deadline_us = clock_mono_us() + IMPORT_MAX_US;
	if (op->job.deadline_us > call_deadline_us(call))
		op->job.deadline_us = call_deadline_us(call);
	admin_edit_start(import, ctx, request->reason, import_done);
}

static void end_answer(struct call *call, const struct catalog_edit *edit)
{
	call_reply_message(call, &admin_price_message(call_arena(call), &edit->op.price_end.price)->base);
}

ADMIN_EDIT_ANSWER(end_done, end_answer)

void admin_end_price(struct call *call, void *ctx)
{
	struct admin_edit *end = admin_edit_new(call, EDIT_PRICE_END);
	struct price_end *op = &end->edit.op.price_end;
	const Bursar__V1__EndPriceRequest *request = request_take(call, &bursar__v1__end_price_request__descriptor);

	if (!request)
		return;
	memcpy(op->price.tenant, request->tenant, strlen(request->tenant) + 1);
	memcpy(op->price.account, request->account, strlen(request->account) + 1);
	memcpy(op->price.provider, request->provider, strlen(request->provider) + 1);
	memcpy(op->price.model, request->model, strlen(request->model) + 1);
	op->at_us = request->at_us ? request->at_us : worker_now_us(ctx);
	admin_edit_start(end, ctx, request->reason, end_done);
}
