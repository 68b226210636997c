/* Public price lists, as ImportPrices takes and answers them. */
#include "api/admin/price_public.h"

#include <stdio.h>
#include <string.h>

#include "base/text/deflate.h"
#include "base/utf8.h"
#include "domain/price/public/price_public.h"

void price_rows_new(struct prices_put *op, struct arena *arena, int count)
{
	op->count = count;
	op->row = arena_zalloc(arena, (size_t)count + 1, sizeof(*op->row));
}

void price_rows_take(struct prices_put *op, struct arena *arena, const struct price_sheet *sheet)
{
	price_rows_new(op, arena, sheet->count);
	for (int i = 0; i < op->count; i++) {
		op->row[i].price = sheet->prices[i];
		op->row[i].given = sheet->given;
		op->row[i].line = sheet->lines[i];
	}
}

/* `field`: of the request, which has the list. */
static bool list_read(const char *text, size_t len, const char *field, int64_t now_us, struct arena *arena,
	struct prices_put *op, struct err *err)
{
	struct price_public list;
	int kept;

	if (!price_public_parse(text, len, now_us, &list, err)) {
		snprintf(err->field, sizeof(err->field), "%s", field);
		return false;
	}
	price_rows_take(op, arena, &list.sheet);
	kept = list.skipped_count < PRICE_SKIPPED_MAX ? list.skipped_count : PRICE_SKIPPED_MAX;
	op->public_list = true;
	op->skipped_count = list.skipped_count;
	if (kept) {
		struct price_skipped *skipped = arena_alloc(arena, (size_t)kept * sizeof(*skipped));

		memcpy(skipped, list.skipped, (size_t)kept * sizeof(*skipped));
		op->skipped = skipped;
	}
	price_public_release(&list);
	return true;
}

bool price_public_read(const Bursar__V1__ImportPricesRequest *request, int64_t now_us, struct arena *arena,
	struct prices_put *op, struct err *err)
{
	const ProtobufCBinaryData *zlib = &request->json_zlib;
	struct buf text = {0};
	bool ok;

	if (request->csv[0])
		return list_read(request->csv, strlen(request->csv), "csv", now_us, arena, op, err);
	if (request->json[0])
		return list_read(request->json, strlen(request->json), "json", now_us, arena, op, err);
	ok = inflate_text(zlib->data, zlib->len, PRICE_CSV_BYTES_MAX, "json_zlib", &text, err) &&
	     list_read(buf_str(&text), text.len, "json", now_us, arena, op, err);
	buf_release(&text);
	return ok;
}

void price_skipped_message(struct arena *arena, const struct prices_put *op, Bursar__V1__ImportPricesResponse *answer)
{
	int kept = op->skipped_count < PRICE_SKIPPED_MAX ? op->skipped_count : PRICE_SKIPPED_MAX;

	answer->skipped_count = op->skipped_count;
	answer->skipped = message_list(arena, (size_t)kept);
	for (int i = 0; i < kept; i++) {
		Bursar__V1__PriceSkipped *row = message_new(arena, PriceSkipped, price_skipped);

		row->provider = arena_printf(arena, "%s", op->skipped[i].provider);
		row->model = arena_printf(arena, "%s", op->skipped[i].model);
		row->field = arena_printf(arena, "%s", op->skipped[i].field);
		row->why = arena_printf(arena, "%s", op->skipped[i].why);
		row->line = op->skipped[i].line;
		answer->skipped[answer->n_skipped++] = row;
	}
}
