/*
 * Which tokens are part of which (domain/usage/resolve.h). Providers disagree with each other, and with themselves: reasoning may be
 * part of the output or beside it. The provider's total decides; where nothing adds up, the larger reading counts, and it is flagged.
 */
#include "domain/usage/resolve.h"

#include "domain/usage/path.h"

enum { IN, OUT, SIDES };

struct scales {
	int64_t amount[PLACES][METER_COUNT];
	int64_t whole[SIDES];
	int64_t sum[PLACES][SIDES]; /* of amount, tokens only */
	int64_t total; /* 0: not told */
	bool inconsistent;
};

/* One way to read the object. */
struct way {
	bool inside[SIDES]; /* INSIDE is part of the whole */
	bool floats_in; /* FLOATING is part of the whole of the output */
	bool maybe; /* the total has MAYBE */
};

static int side_of(enum meter meter)
{
	return meter_rows[meter].side == SIDE_OUTPUT ? OUT : IN;
}

static bool is_token(enum meter meter)
{
	return meter_rows[meter].side != SIDE_NONE;
}

int64_t usage_tokens(const struct meters *meters)
{
	int64_t sum = 0;

	for (int i = 0; i < METER_COUNT; i++)
		if (is_token((enum meter)i))
			sum = capped_sum(sum, meters->count[i]);
	return sum;
}

/* Takes at most `value` of a meter from wherever it was counted. */
static void overlap(struct scales *scales, enum meter meter, int64_t value)
{
	for (int place = 0; place < PLACES && value > 0; place++) {
		int64_t taken = scales->amount[place][meter] < value ? scales->amount[place][meter] : value;

		scales->amount[place][meter] -= taken;
		value -= taken;
	}
}

static void rest(struct scales *scales, const struct usage_rule *rule, int64_t value)
{
	int64_t *amount = &scales->amount[rule->place][rule->meter];

	if (value <= *amount)
		return;
	scales->inconsistent |= *amount > 0;
	*amount = value;
}

static void weigh(struct scales *scales, const struct usage_format *format, const struct usage_told *told)
{
	for (int i = 0; i < USAGE_RULES_MAX && format->rule[i].kind != RULE_END; i++) {
		const struct usage_rule *rule = &format->rule[i];
		int64_t value = told->value[i];
		int64_t *amount = &scales->amount[rule->place][rule->meter];

		if (!told->told[i])
			continue;
		if (rule->kind == RULE_WHOLE)
			scales->whole[side_of(rule->meter)] = capped_sum(scales->whole[side_of(rule->meter)], value);
		else if (rule->kind == RULE_TOTAL)
			scales->total = value;
		else if (rule->kind == RULE_OVERLAP)
			overlap(scales, rule->meter, value);
		else if (rule->kind == RULE_REST)
			rest(scales, rule, value);
		else if (rule->kind == RULE_DOUBT)
			scales->inconsistent |= value > 0;
		else if (rule->kind != RULE_KNOWN)
			*amount = capped_sum(*amount, value);
	}
	for (int place = 0; place < PLACES; place++)
		for (int i = 0; i < METER_COUNT; i++)
			if (is_token((enum meter)i))
				scales->sum[place][side_of((enum meter)i)] = capped_sum(
					scales->sum[place][side_of((enum meter)i)], scales->amount[place][i]);
}

/* What is in the whole of a side, and is a meter of its own. */
static int64_t parts(const struct scales *scales, const struct way *way, int side)
{
	int64_t sum = way->inside[side] ? scales->sum[INSIDE][side] : 0;

	if (way->floats_in)
		sum = capped_sum(sum, capped_sum(scales->sum[FLOATING][side], scales->sum[FLOATING_OUT][side]));
	return sum;
}

static bool possible(const struct scales *scales, const struct way *way)
{
	return parts(scales, way, IN) <= scales->whole[IN] && parts(scales, way, OUT) <= scales->whole[OUT];
}

/* All tokens that the provider's total has, if it is to be read this way. */
static int64_t total_of(const struct scales *scales, const struct way *way)
{
	int64_t sum = 0;

	for (int side = 0; side < SIDES; side++) {
		sum = capped_sum(sum, scales->whole[side] - parts(scales, way, side));
		for (int place = 0; place < APART; place++)
			if (place != MAYBE || way->maybe)
				sum = capped_sum(sum, scales->sum[place][side]);
	}
	return sum;
}

static bool floats_usually_in(const struct scales *scales)
{
	return scales->sum[FLOATING_OUT][IN] == 0 && scales->sum[FLOATING_OUT][OUT] == 0;
}

/* The ways, from the usual one to the least likely. */
static struct way way_of(const struct scales *scales, int i)
{
	bool beside_in = i & 4, beside_out = i & 8;

	return (struct way){.inside = {!beside_in, !beside_out},
		.floats_in = floats_usually_in(scales) != ((i & 2) != 0),
		.maybe = (i & 1) == 0};
}
enum { WAYS = 16, WAYS_USUAL = 4 };

/* The first way that adds up; else the first possible one. */
static struct way choose(struct scales *scales)
{
	int first = -1;

	for (int i = 0; i < WAYS; i++) {
		struct way way = way_of(scales, i);

		if (!possible(scales, &way))
			continue;
		if (scales->total && total_of(scales, &way) == scales->total)
			return way;
		if (first < 0)
			first = i;
	}
	/* Where nothing is inside anything, everything is possible: there is a first one. What floats needs no witness. */
	scales->inconsistent |= scales->total || first >= WAYS_USUAL;
	return way_of(scales, first);
}

void usage_resolve(const struct usage_format *format, const struct usage_told *told, struct usage_sum *out)
{
	struct scales scales = {0};
	struct way way;
	int64_t missing;

	*out = (struct usage_sum){0};
	weigh(&scales, format, told);
	way = choose(&scales);
	for (int place = 0; place < PLACES; place++)
		for (int i = 0; i < METER_COUNT; i++)
			out->meters.count[i] = capped_sum(out->meters.count[i], scales.amount[place][i]);
	out->meters.count[METER_INPUT] =
		capped_sum(out->meters.count[METER_INPUT], scales.whole[IN] - parts(&scales, &way, IN));
	out->meters.count[format->plain_output] =
		capped_sum(out->meters.count[format->plain_output], scales.whole[OUT] - parts(&scales, &way, OUT));
	missing = scales.total - total_of(&scales, &way);
	if (missing > 0) /* of which nobody says what they are: output, which costs most */
		out->meters.count[METER_OUTPUT] = capped_sum(out->meters.count[METER_OUTPUT], missing);
	out->inconsistent = scales.inconsistent;
	out->total_known = scales.total > 0;
	out->total = scales.total;
	for (int side = 0; side < SIDES; side++) {
		out->total = capped_sum(out->total, scales.sum[APART][side]);
		if (!way.maybe)
			out->total = capped_sum(out->total, scales.sum[MAYBE][side]);
	}
	out->tokens = usage_tokens(&out->meters);
}
