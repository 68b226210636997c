/* Prices in a PostgreSQL of the test's own. */
#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "pg_bench.h"
#include "pg_server.h"

static struct price example_price(int64_t from_us, int64_t input)
{
	struct price price = {.provider = "acme", .model = "m", .tenant = "t", .from_us = from_us};

	for (int meter = 0; meter < METER_COUNT; meter++)
		price.base.pico[meter] = PRICE_NONE;
	price.base.pico[METER_INPUT] = input;
	price.modes = 1;
	price.mode[0].num = 1;
	price.mode[0].den = 2;
	snprintf(price.mode[0].name, sizeof(price.mode[0].name), "batch");
	return price;
}

ON_BENCH(a_price_takes_over_from_its_date_on)
{
	struct price_put op = {.job = JOB, .price = example_price(0, 1000)};
	struct price_list list = {.job = JOB, .tenant = "t", .provider = "acme", .model_prefix = "", .limit = 10};

	RUN_OK(price_put, &op);
	op.price = example_price(5000, 2000);
	RUN_OK(price_put, &op);
	op.price = example_price(3000, 1500);
	RUN_OK(price_put, &op);
	assert_int_equal(op.price.to_us, 5000);
	op.price = example_price(3000, 1501);
	RUN_OK(price_put, &op);
	assert_string_equal(pg_server_ask(bench.db,
				    "SELECT string_agg(concat_ws('-', from_us, to_us, input), ' ' ORDER BY from_us) "
				    "FROM model_prices WHERE tenant = 't'"),
		"0-3000-1000 3000-5000-1501 5000-0-2000");
	RUN_OK(price_list, &list);
	assert_int_equal(list.count, 3);
	assert_int_equal(list.rows[0].mode[0].den, 2);
	list.at_us = 4000;
	RUN_OK(price_list, &list);
	assert_int_equal(list.count, 1);
	assert_int_equal(list.rows[0].base.pico[METER_INPUT], 1501);
}

ON_BENCH(a_big_move_of_a_price_wants_a_second_word)
{
	struct price_put op = {.job = JOB, .price = example_price(0, 1000)};

	RUN_OK(price_put, &op);
	op.price = example_price(5000, 10001);
	RUN(price_put, &op);
	assert_false(op.job.ok);
	assert_int_equal(op.job.err.code, ERR_PRECONDITION);
	assert_non_null(strstr(op.job.err.text, "from 0.001 to 0.010001"));
	op.yes = true;
	RUN_OK(price_put, &op);
}

TEST_GROUP(pg_bench_start, NULL);
