/* Free allowances: as text, in which period a time is, how many are given away, and what that is worth; figures worked by hand. */
#include <string.h>

#include "base/units.h"
#include "domain/limit/limit.h"
#include "domain/price/price_allowance.h"
#include "domain/price/price_change.h"
#include "domain/price/price_text.h"
#include "domain/time/date.h"
#include "lib/test.h"

static struct price price_of(const char *rates, const char *allowances)
{
	struct price price = {.provider = "p", .model = "m"};
	struct err err = {0};

	rates_clear(&price.base);
	if (!rates_parse(rates, "rates", &price.base, &err) ||
		!allowances_parse(allowances, "allowances", &price, &err) || !price_check(&price, &err))
		fail_msg("%s", err.text);
	return price;
}

static void refused(const char *text, const char *why)
{
	struct price price = {.provider = "p", .model = "m"};
	struct err err = {0};

	rates_clear(&price.base);
	price.base.pico[METER_INPUT] = 0;
	assert_false(allowances_parse(text, "allowances", &price, &err) && price_check(&price, &err));
	assert_string_equal(err.text, why);
}

TEST(an_allowance_is_written_as_it_is_read)
{
	static const char text[] = "grounded_prompts=1500/day,zone=America/Los_Angeles,shared=gemini-flash "
				   "web_searches=5000/month calls=7/week,shared=x";
	struct price price = price_of("input=1", text);
	struct buf out = {0};

	allowances_format(&price, &out);
	assert_string_equal(buf_str(&out), text);
	buf_release(&out);
	assert_string_equal(price_of("input=1", "calls=1/day,zone=UTC").allowance[0].zone, "");
	assert_string_equal(allowance_pool(&price, &price.allowance[0]), "gemini-flash");
	assert_string_equal(allowance_pool(&price, &price.allowance[1]), "m");
}

TEST(what_is_no_allowance_is_refused)
{
#define WRITE \
	"is not an allowance; write web_searches=1000/day or web_searches=1000/day,zone=America/Los_Angeles,shared=name"
	refused("calls=5", "allowances: \"calls=5\" " WRITE);
	refused("calls=5/hour", "allowances: \"calls=5/hour\" " WRITE);
	refused("calls=-5/day", "allowances: \"calls=-5/day\" " WRITE);
	refused("call=5/day", "allowances: \"call=5/day\" " WRITE);
	refused("calls=5/day,shared=", "allowances: \"calls=5/day,shared=\" " WRITE);
	refused("calls=5/day,shared=a,shared=b", "allowances: \"calls=5/day,shared=a,shared=b\" " WRITE);
	refused(",", "allowances: \",\" " WRITE);
	refused("calls=0/day", "allowances[0]: covers 0; the amount must be from 1 to 9007199254740991");
	refused("calls=1/day calls=2/day", "allowances[1]: calls is listed twice");
	refused("calls=1/day,shared=A", "allowances[0]: \"A\" is not a valid name; use a-z 0-9 . _ -");
	refused("calls=1/day input=1/day output=1/day pages=1/day reasoning=1/day",
		"allowances: has more than 4 entries");
}

TEST(allowances_are_the_same_in_any_order)
{
	struct price a = price_of("input=1", "calls=1/day web_searches=2/month,shared=x");
	struct price b = price_of("input=1", "web_searches=2/month,shared=x calls=1/day");

	assert_true(price_costs_same(&a, &b));
	b.allowance[0].amount++;
	assert_false(price_costs_same(&a, &b));
}

TEST(a_list_without_the_column_leaves_them_as_they_are)
{
	struct price before = price_of("input=1", "calls=1/day"), price = price_of("input=2", "");
	struct err err;

	assert_true(price_fill(&price, PRICE_GIVEN_ALL & ~PRICE_GIVEN_ALLOWANCES, &before, &err));
	assert_int_equal(price.allowances, 1);
	assert_int_equal(price.base.pico[METER_INPUT], 2000000);
	price = price_of("input=2", "");
	assert_true(price_fill(&price, PRICE_GIVEN_ALL, &before, &err));
	assert_int_equal(price.allowances, 0);
}

/* The start of a day of 2027, and a time of it. */
static int64_t at(int month, int day, int hour, int minute)
{
	return (date_days(2027, month, day) * 1440 + hour * 60 + minute) * MINUTE_US;
}

TEST(a_day_begins_where_the_zone_says)
{
	struct price price =
		price_of("input=1", "calls=1/day,zone=America/Los_Angeles pages=1/day web_searches=1/month");
	const struct price_allowance *pacific = &price.allowance[0], *utc = &price.allowance[1],
				     *month = &price.allowance[2];

	/* 8 hours behind in winter; the clocks go forward on 14 March at 02:00, so that the next day begins at 07:00 UTC. */
	assert_int_equal(allowance_starts_us(pacific, at(3, 14, 7, 59)), at(3, 13, 8, 0));
	assert_int_equal(allowance_starts_us(pacific, at(3, 14, 8, 0)), at(3, 14, 8, 0));
	assert_int_equal(allowance_starts_us(pacific, at(3, 15, 6, 59)), at(3, 14, 8, 0));
	assert_int_equal(allowance_starts_us(pacific, at(3, 15, 7, 0)), at(3, 15, 7, 0));
	assert_int_equal(allowance_starts_us(utc, at(3, 14, 7, 59)), at(3, 14, 0, 0));
	assert_int_equal(allowance_starts_us(month, at(3, 14, 7, 59)), at(3, 1, 0, 0));
}

TEST(what_is_left_is_given)
{
	assert_int_equal(allowance_give(1500, 0, 0, 3), 3);
	assert_int_equal(allowance_give(1500, 1498, 0, 3), 2);
	assert_int_equal(allowance_give(1500, 1500, 0, 3), 0);
	/* A repeat: what it has is its own. */
	assert_int_equal(allowance_give(1500, 1500, 2, 3), 2);
	assert_int_equal(allowance_give(1500, 1499, 2, 3), 3);
	/* It has used less after all. */
	assert_int_equal(allowance_give(1500, 1500, 2, 1), 1);
	/* The amount was lowered to 1,000: 500 too much are taken back from those that are asked. */
	assert_int_equal(allowance_give(1000, 1500, 400, 400), 0);
	assert_int_equal(allowance_give(1000, 1100, 400, 400), 300);
	assert_int_equal(allowance_give(INT64_C(9007199254740991), INT64_C(9007199254740991), 0, 5), 0);
}

/* Whatever is repeated in whatever order: never more than there is, and all of it if it is wanted. */
TEST(repeats_in_any_order_give_away_what_there_is)
{
	enum { REQUESTS = 40, AMOUNT = 100 };
	int64_t had[REQUESTS] = {0}, used = 0, sum = 0;
	unsigned seed = 1;

	for (int round = 0; round < 5000; round++) {
		int i = (int)((seed = seed * 1103515245u + 12345u) >> 16) % REQUESTS;
		int64_t give = allowance_give(AMOUNT, used, had[i], 1 + i % 7);

		used += give - had[i];
		had[i] = give;
		assert_true(used <= AMOUNT && give >= 0 && give <= 1 + i % 7);
	}
	for (int i = 0; i < REQUESTS; i++)
		sum += had[i];
	assert_int_equal(sum, AMOUNT);
	assert_int_equal(used, AMOUNT);
}

static int64_t worth(
	const struct price *price, const struct meters *meters, const struct meters *covered, const char *mode)
{
	return price_worth(price, meters, covered, (struct purchase){.mode = mode});
}

TEST(free_calls_are_worth_their_fee_and_free_tokens_what_they_cost_in_their_tier)
{
	struct price price = price_of("input=2 output=12 grounded_prompts=35", "grounded_prompts=1500/day");
	struct meters used = {.count = {[METER_INPUT] = 300, [METER_OUTPUT] = 10, [METER_GROUNDED_PROMPTS] = 3}};
	struct meters covered = {.count = {[METER_GROUNDED_PROMPTS] = 2}};
	struct cost cost;

	assert_int_equal(worth(&price, &used, &covered, ""), 70000000);
	price_charge(&price, &used, (struct purchase){.mode = ""}, &cost);
	assert_int_equal(cost.nano, 600000 + 120000 + 105000000);
	assert_int_equal(cost.flags, FLAG_ALLOWANCE);
	/* Above 200 tokens of input: 4 and 20. The free ones count towards the threshold, so 250 free leave 50 at 4. */
	price.context_tiers = 1;
	price.context[0].above_tokens = 200;
	rates_clear(&price.context[0].rates);
	price.context[0].rates.pico[METER_INPUT] = 4000000;
	covered = (struct meters){.count = {[METER_INPUT] = 250}};
	assert_int_equal(worth(&price, &used, &covered, ""), 250 * 4000);
}

TEST(the_rest_is_rounded_up_once)
{
	/* 0.003625 USD per million: 8 tokens are 29,000 pico, exactly 29 nano; 3 left are 10,875, which is 11. */
	struct price price = price_of("input=0.003625", "input=5/day");
	struct meters used = {.count = {[METER_INPUT] = 8}}, covered = {.count = {[METER_INPUT] = 5}};

	assert_int_equal(worth(&price, &used, &covered, ""), 29 - 11);
	assert_int_equal(worth(&price, &used, &used, ""), 29);
	assert_int_equal(worth(&price, &used, &(struct meters){0}, ""), 0);
}

TEST(a_price_without_an_allowance_for_what_was_used_is_not_flagged)
{
	struct price price = price_of("input=2 web_searches=10", "web_searches=5/day");
	struct meters used = {.count = {[METER_INPUT] = 300}};
	struct cost cost;

	price_charge(&price, &used, (struct purchase){.mode = ""}, &cost);
	assert_int_equal(cost.flags, 0);
}
