/* What a re-rating says of the request before it, as bytes; and the line of a bill that a request is on. */
#include "domain/record/entry.h"

#include <string.h>

#include "base/text/pack.h"
#include "domain/limit/name.h"

/* The bits before what only some have; a release that does not know a bit refuses the rest of the bytes. */
enum { RERATE_VERSION = 1, UNPRICED = 1, AGAIN = 2, COMPARED = 4, ALLOWED = 8 };

static const char *first_of(const char *a, const char *b, const char *c)
{
	return *a ? a : *b ? b : c;
}

struct bill_key usage_bill_key(const struct entry_usage *usage, const char *checked, char folded[ID_MAX + 1])
{
	const char *served = first_of(usage->model, checked, "");

	if (!(usage->flags & FLAG_OTHER_MODEL) || !served[0] || strlen(served) > ID_MAX)
		return (struct bill_key){
			.provider = usage->provider, .model = first_of(usage->price_model, usage->model, checked)};
	model_fold(served, folded);
	return (struct bill_key){.provider = "", .model = folded};
}

void entry_rerate_pack(const struct entry_rerate *rerate, struct buf *out)
{
	bool allowed = rerate->allowance_before_nano || rerate->allowance_nano;

	buf_put_u8(out, RERATE_VERSION);
	buf_put_u8(out, (uint8_t)((rerate->unpriced ? UNPRICED : 0) | (rerate->again ? AGAIN : 0) |
				  (rerate->compared ? COMPARED : 0) | (allowed ? ALLOWED : 0)));
	text_put(out, rerate->provider);
	text_put(out, rerate->model);
	buf_put_i64(out, rerate->corrected);
	buf_put_i64(out, rerate->provider_cost_nano);
	buf_put_i64(out, rerate->list_cost_nano);
	amounts_put(out, &rerate->moved);
	meters_pack(&rerate->meters, 0, out);
	if (allowed) {
		buf_put_i64(out, rerate->allowance_before_nano);
		buf_put_i64(out, rerate->allowance_nano);
	}
}

bool entry_rerate_unpack(const char *data, size_t len, struct arena *arena, struct entry_rerate *out)
{
	struct cut cut = cut_of((const uint8_t *)data, len);
	uint8_t flags;

	if (cut_u8(&cut) != RERATE_VERSION)
		return false;
	flags = cut_u8(&cut);
	out->unpriced = flags & UNPRICED;
	out->again = flags & AGAIN;
	out->compared = flags & COMPARED;
	out->provider = text_cut(&cut, arena);
	out->model = text_cut(&cut, arena);
	out->corrected = cut_i64(&cut);
	out->provider_cost_nano = cut_i64(&cut);
	out->list_cost_nano = cut_i64(&cut);
	amounts_cut(&cut, &out->moved);
	out->meters = (struct meters){0};
	meters_cut(&cut, 0, &out->meters);
	out->allowance_before_nano = flags & ALLOWED ? cut_i64(&cut) : 0;
	out->allowance_nano = flags & ALLOWED ? cut_i64(&cut) : 0;
	return !cut.bad && !cut.left && meters_check(&out->meters, "usage", NULL);
}
