/* Messages as JSON and back. */

#include <string.h>

#include "bursar/v1/admin.pb-c.h"
#include "bursar/v1/limiter.pb-c.h"
#include "cli/encoding/json.h"
#include "lib/test.h"

TEST(numbers_are_whole_and_enums_are_names)
{
	Bursar__V1__LimitStatus status = BURSAR__V1__LIMIT_STATUS__INIT, *list[] = {&status};
	Bursar__V1__CheckResponse answer = BURSAR__V1__CHECK_RESPONSE__INIT;
	struct buf out = {0};

	status.used = INT64_C(9007199254740993);
	answer.reason = BURSAR__V1__REASON__REASON_BUDGET;
	answer.quality = (Bursar__V1__Quality)77;
	answer.message = (char *)"5\" \xc3\xa9\n";
	answer.n_limits = 1;
	answer.limits = list;
	json_put_message(&out, &answer.base);
	assert_non_null(strstr(buf_str(&out), "\"allowed\": false"));
	assert_non_null(strstr(buf_str(&out), "\"reason\": \"REASON_BUDGET\""));
	assert_non_null(strstr(buf_str(&out), "\"quality\": 77"));
	assert_non_null(strstr(buf_str(&out), "\"used\": 9007199254740993"));
	assert_non_null(strstr(buf_str(&out), "\"message\": \"5\\\" \xc3\xa9\\n\""));
	assert_non_null(strstr(buf_str(&out), "\"headers\": []"));
	assert_null(strstr(buf_str(&out), "\"binding\"")); /* an absent message is left out */
	buf_release(&out);
}

TEST(what_is_written_is_read_back)
{
	const char *text = "{\"name\": \"pro\", \"limits\": [{\"name\": \"a\", \"dimension\": \"cost\", \"kind\": "
			   "\"LIMIT_KIND_CALENDAR\", \"amount\": 5000000000, \"window\": \"day\", \"shadow\": true}], "
			   "\"pool_priority\": 5, \"fail_policy\": null}";
	struct err err = {0};
	Bursar__V1__Tier *tier = (void *)json_new_message(text, strlen(text), &bursar__v1__tier__descriptor, &err),
			 *again;
	struct buf out = {0}, second = {0};

	assert_non_null(tier);
	assert_string_equal(tier->name, "pro");
	assert_int_equal(tier->n_limits, 1);
	assert_int_equal(tier->limits[0]->dimension, BURSAR__V1__DIMENSION__DIMENSION_COST);
	assert_int_equal(tier->limits[0]->window, BURSAR__V1__CALENDAR_WINDOW__CALENDAR_WINDOW_DAY);
	assert_int_equal(tier->limits[0]->amount, INT64_C(5000000000));
	assert_true(tier->limits[0]->shadow);
	json_put_message(&out, &tier->base);
	again = (void *)json_new_message(buf_str(&out), out.len, &bursar__v1__tier__descriptor, &err);
	assert_non_null(again);
	json_put_message(&second, &again->base);
	assert_string_equal(buf_str(&out), buf_str(&second));
	bursar__v1__tier__free_unpacked(tier, NULL);
	bursar__v1__tier__free_unpacked(again, NULL);
	buf_release(&out);
	buf_release(&second);
}

TEST(the_shortest_name_that_fits_is_meant)
{
	const char *text = "{\"dimension\": \"tokens\"}";
	struct err err = {0};
	Bursar__V1__Limit *limit = (void *)json_new_message(text, strlen(text), &bursar__v1__limit__descriptor, &err);

	assert_non_null(limit);
	assert_int_equal(limit->dimension, BURSAR__V1__DIMENSION__DIMENSION_TOKENS);
	bursar__v1__limit__free_unpacked(limit, NULL);
}

TEST(an_error_has_the_path)
{
	static const struct {
		const char *text, *field, *says;
	} rows[] = {
		{"{\"limits\": [{}, {\"amount\": 1.5}]}", "limits[1].amount", "whole number"},
		{"{\"limits\": [{\"dimension\": \"money\"}]}", "limits[0].dimension", "'money' is not a name"},
		{"{\"limits\": [{\"model\": 5}]}", "limits[0].model", "string"},
		{"{\"limits\": {}}", "limits", "list"},
		{"{\"limits\": [5]}", "limits[0]", "object"},
		{"{\"pool_priority\": 2147483648}", "pool_priority", "out of range"},
		{"{\"shipped\": 1}", "shipped", "true or false"},
		{"{\"nmae\": \"x\"}", "nmae", "not a field of Tier"},
		{"{\"name\": \"x\\u0000y\"}", "", "not valid JSON"},
		{"{\"name\": \"x\",\n}", "", "line 2"},
		{"[]", "", "object"},
		{"", "", "not valid JSON"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct err err = {0};

		assert_null(json_new_message(rows[i].text, strlen(rows[i].text), &bursar__v1__tier__descriptor, &err));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, rows[i].field);
		if (!strstr(err.text, rows[i].says))
			fail_msg("%s: says '%s', not '%s'", rows[i].text, err.text, rows[i].says);
	}
}
