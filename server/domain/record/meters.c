/* What a provider may bill of a request. */
#include "domain/record/entry.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text/pack.h"

const struct meter_row meter_rows[METER_COUNT] = {
#define ROW(NAME, name, field, unit, side, parent) {name, #field, UNIT_##unit, side, METER_##parent},
	METERS(ROW)
#undef ROW
};
const struct meter_unit_row meter_unit_rows[] = {
#define ROW(NAME, noun, per, fees) {noun, per, fees},
	METER_UNITS(ROW)
#undef ROW
};

const char *meter_name(enum meter meter)
{
	return meter < METER_COUNT ? meter_rows[meter].name : NULL;
}

int meter_find(const char *name)
{
	for (int i = 0; i < METER_COUNT; i++)
		if (strcmp(meter_rows[i].name, name) == 0)
			return i;
	return -1;
}

#define ROW(NAME, name, field, unit, side, ...) +(side == SIDE_INPUT ? meters->count[METER_##NAME] : 0)
int64_t tokens_input(const struct meters *meters)
{
	return METERS(ROW);
}
#undef ROW

#define ROW(NAME, name, field, unit, side, ...) +(side == SIDE_OUTPUT ? meters->count[METER_##NAME] : 0)
int64_t tokens_output(const struct meters *meters)
{
	return METERS(ROW);
}
#undef ROW

#define ROW(NAME, name, field, unit, side, ...) +(side == SIDE_NONE)
_Static_assert(METERS(ROW) == COUNTED_COUNT, "dimensions.h: each meter that is not tokens has a row in COUNTED_METERS");
#undef ROW

static const enum meter counted_meters[COUNTED_COUNT] = {
#define ROW(NAME) [COUNTED_##NAME] = METER_##NAME,
	COUNTED_METERS(ROW)
#undef ROW
};

enum meter counted_meter(enum counted counted)
{
	return counted_meters[counted];
}

const int64_t *meters_counted(const struct meters *meters, struct arena *arena)
{
	int64_t any = 0, *counted;

	for (int i = 0; i < COUNTED_COUNT; i++)
		any |= meters->count[counted_meters[i]];
	if (!any)
		return NULL;
	counted = arena_alloc(arena, COUNTED_COUNT * sizeof(*counted));
	for (int i = 0; i < COUNTED_COUNT; i++)
		counted[i] = meters->count[counted_meters[i]];
	return counted;
}

const int64_t *counted_plus(const int64_t *to, const int64_t *from, struct arena *arena)
{
	int64_t *sum;

	if (!to || !from)
		return to ? to : from;
	sum = arena_alloc(arena, COUNTED_COUNT * sizeof(*sum));
	for (int i = 0; i < COUNTED_COUNT; i++)
		sum[i] = to[i] + from[i];
	return sum;
}

bool meters_rare(const struct meters *meters)
{
	int64_t any = 0;

	for (int i = METER_KEPT_COUNT; i < METER_COUNT; i++)
		any |= meters->count[i];
	return any != 0;
}

void meters_json(const struct meters *meters, struct buf *out)
{
	const char *mark = "{";

	for (int i = METER_KEPT_COUNT; i < METER_COUNT; i++) {
		if (!meters->count[i])
			continue;
		buf_putf(out, "%s\"%s\":%" PRId64, mark, meter_rows[i].name, meters->count[i]);
		mark = ",";
	}
	buf_put_str(out, mark[0] == '{' ? "{}" : "}");
}

void counted_json(const int64_t counted[COUNTED_COUNT], struct buf *out)
{
	struct meters meters = {0};

	for (int i = 0; i < COUNTED_COUNT; i++)
		meters.count[counted_meters[i]] = counted[i];
	meters_json(&meters, out);
}

void meters_pack(const struct meters *meters, int first, struct buf *out)
{
	int count = 0;

	for (int i = first; i < METER_COUNT; i++)
		count += meters->count[i] != 0;
	buf_put_u8(out, (uint8_t)count);
	for (int i = first; i < METER_COUNT; i++) {
		if (!meters->count[i])
			continue;
		buf_put_u8(out, (uint8_t)i);
		buf_put_i64(out, meters->count[i]);
	}
}

void meters_cut(struct cut *cut, int first, struct meters *out)
{
	int last = first - 1;

	for (int left = cut_u8(cut); left > 0 && !cut->bad; left--) {
		int meter = cut_u8(cut);

		if (meter <= last || meter >= METER_COUNT) {
			cut->bad = true;
			return;
		}
		last = meter;
		out->count[meter] = cut_i64(cut);
		if (!out->count[meter])
			cut->bad = true;
	}
}

static bool check_between(bool negative, const struct meters *meters, const char *field, struct err *err)
{
	int64_t sum = 0;

	for (int i = 0; i < METER_COUNT; i++) {
		int64_t count = meters->count[i];
		bool tokens = meter_rows[i].side != SIDE_NONE;
		int64_t most = tokens ? COUNT_MAX : METER_OTHER_MAX, least = negative ? -most : 0;
		char path[96];

		if (count == 0) /* nearly all of them */
			continue;
		if (count < least || count > most) {
			snprintf(path, sizeof(path), "%s.%s", field, meter_rows[i].field);
			return err_invalid(
				err, path, "%" PRId64 " is not between %" PRId64 " and %" PRId64, count, least, most);
		}
		if (tokens)
			sum += count < 0 ? -count : count;
	}
	if (sum > COUNT_MAX)
		return err_invalid(
			err, field, "%" PRId64 " tokens in total; at most %" PRId64 " are allowed", sum, COUNT_MAX);
	return true;
}

bool meters_check(const struct meters *meters, const char *field, struct err *err)
{
	return check_between(false, meters, field, err);
}

bool meters_check_signed(const struct meters *meters, const char *field, struct err *err)
{
	return check_between(true, meters, field, err);
}
