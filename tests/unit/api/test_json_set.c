/* Fields of messages from plain text, by their paths. */
#include <string.h>

#include "api/json/json_message.h"
#include "bursar/v1/admin.pb-c.h"
#include "lib/test.h"

static struct arena arena;
static struct err err;

static int give_back(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

#define SETS(name) TEST_WITH(name, NULL, give_back)

static bool set(ProtobufCMessage *message, const char *path, const char *text)
{
	err = (struct err){0};
	return json_set_field(message, path, text, strlen(text), &arena, &err);
}

SETS(fields_are_set_and_parts_are_made)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;

	assert_true(set(&request.base, "filter.tier", "gold \"1\""));
	assert_true(set(&request.base, "filter.hasOverrides", "true"));
	assert_true(set(&request.base, "filter.state", "suspended"));
	assert_true(set(&request.base, "filter.created_since_us", "1764547200000000"));
	assert_true(set(&request.base, "filter.updatedSinceUs", "2025-12-01T01:00:00.25+01:00"));
	assert_true(set(&request.base, "pageSize", "20"));
	assert_true(set(&request.base, "kind", "2"));
	assert_true(set(&request.base, "count_only", "false"));
	assert_string_equal(request.filter->tier, "gold \"1\"");
	assert_true(request.filter->has_overrides);
	assert_int_equal(request.filter->state, BURSAR__V1__ACCOUNT_STATE__ACCOUNT_STATE_SUSPENDED);
	assert_int_equal(request.filter->created_since_us, INT64_C(1764547200000000));
	assert_int_equal(request.filter->updated_since_us, INT64_C(1764547200250000));
	assert_int_equal(request.page_size, 20);
	assert_int_equal(request.kind, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TEAM);
	assert_false(request.count_only);
}

SETS(each_text_is_one_more_item_of_a_list)
{
	Bursar__V1__ChangeAccountsRequest request = BURSAR__V1__CHANGE_ACCOUNTS_REQUEST__INIT;
	Bursar__V1__GetReportRequest report = BURSAR__V1__GET_REPORT_REQUEST__INIT;

	for (int i = 0; i < 100; i++)
		assert_true(set(&request.base, "ids", arena_printf(&arena, "u%d", i)));
	assert_int_equal(request.n_ids, 100);
	for (int i = 0; i < 100; i++)
		assert_string_equal(request.ids[i], arena_printf(&arena, "u%d", i));
	assert_true(set(&report.base, "by", "day"));
	assert_true(set(&report.base, "by", "REPORT_KEY_USER"));
	assert_int_equal(report.n_by, 2);
	assert_int_equal(report.by[0], BURSAR__V1__REPORT_KEY__REPORT_KEY_DAY);
	assert_int_equal(report.by[1], BURSAR__V1__REPORT_KEY__REPORT_KEY_USER);
}

SETS(a_body_is_merged_into_what_the_path_has_set)
{
	static const char body[] = "{\"ref\":{\"kind\":\"team\"},\"tier\":\"gold\"}";
	Bursar__V1__SetTierRequest request = BURSAR__V1__SET_TIER_REQUEST__INIT;

	assert_true(set(&request.base, "ref.id", "core"));
	assert_true(json_read_message(body, strlen(body), &request.base, &arena, &err));
	assert_string_equal(request.ref->id, "core");
	assert_int_equal(request.ref->kind, BURSAR__V1__ACCOUNT_KIND__ACCOUNT_KIND_TEAM);
	assert_string_equal(request.tier, "gold");
}

SETS(a_list_of_the_body_follows_the_items_that_are_there)
{
	static const char body[] = "{\"ids\":[\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\",\"j\"]}";
	Bursar__V1__ChangeAccountsRequest request = BURSAR__V1__CHANGE_ACCOUNTS_REQUEST__INIT;

	assert_true(set(&request.base, "ids", "a"));
	assert_true(json_read_message(body, strlen(body), &request.base, &arena, &err));
	assert_true(set(&request.base, "ids", "k"));
	assert_int_equal(request.n_ids, 11);
	for (size_t i = 0; i < request.n_ids; i++)
		assert_string_equal(request.ids[i], ((char[]){(char)('a' + i), '\0'}));
}

SETS(members_of_oneofs_are_chosen)
{
	Bursar__V1__PutPoolRequest request = BURSAR__V1__PUT_POOL_REQUEST__INIT;

	assert_true(set(&request.base, "slots", "0"));
	assert_int_equal(request.slots_given_case, BURSAR__V1__PUT_POOL_REQUEST__SLOTS_GIVEN_SLOTS);
	assert_int_equal(request.paused_given_case, BURSAR__V1__PUT_POOL_REQUEST__PAUSED_GIVEN__NOT_SET);
}

SETS(what_cannot_be_set_is_refused_with_its_path)
{
	static const struct {
		const char *path, *text, *field, *sentence;
	} rows[] = {
		{"filtr.tier", "x", "filtr", "no such field of ListAccountsRequest; did you mean 'filter'?"},
		{"filter.teir", "x", "filter.teir", "no such field of AccountFilter; did you mean 'tier'?"},
		{"filter", "x", "filter", "is an object, which needs a body"},
		{"tenant.id", "x", "tenant", "has no fields of its own"},
		{"filter.", "x", "filter.\"\"", "no such field of AccountFilter"},
		{"pageSize", "ten", "page_size", "must be a whole number, not \"ten\""},
		{"pageSize", "", "page_size", "must be a whole number, not \"\""},
		{"count_only", "yes", "count_only", "must be true or false, not \"yes\""},
		{"filter.state", "actve", "filter.state",
			"'actve' is not a name of AccountState; did you mean 'active'?"},
		{"filter.created_since_us", "yesterday", "filter.created_since_us",
			"must be microseconds since 1970, or a time such as 2026-11-23T17:00:00Z, not \"yesterday\""},
		{"tenant", "a\xff", "tenant", "is not valid UTF-8"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;

		assert_false(set(&request.base, rows[i].path, rows[i].text));
		assert_int_equal(err.code, ERR_INVALID);
		assert_string_equal(err.field, rows[i].field);
		assert_string_equal(err.text, arena_printf(&arena, "%s: %s", rows[i].field, rows[i].sentence));
	}
}

SETS(a_text_with_a_nul_is_refused)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;

	assert_false(json_set_field(&request.base, "tenant", "a\0b", 3, &arena, &err));
	assert_string_equal(err.text, "tenant: contains a NUL character");
}

SETS(a_text_or_a_body_without_bytes_needs_no_address)
{
	Bursar__V1__ListAccountsRequest request = BURSAR__V1__LIST_ACCOUNTS_REQUEST__INIT;

	assert_true(json_set_field(&request.base, "tenant", NULL, 0, &arena, &err));
	assert_string_equal(request.tenant, "");
	assert_false(json_read_message(NULL, 0, &request.base, &arena, &err));
	assert_string_equal(err.text, "line 1, column 1: not valid JSON: a value is missing");
}
