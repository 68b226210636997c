/* What of an HTTP request becomes which field of an RPC's request. */
#include <string.h>

#include "api/json/json_message.h"
#include "lib/test.h"
#include "rest_rows.h"

static struct arena arena;
static struct rest_match match;
static struct err err;
static ProtobufCMessage *message;

static int clean(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}
#define REST(name) TEST_WITH(name, NULL, clean)

/* target: path and query. */
static bool ask(const char *method, const char *target, const char *body)
{
	size_t len = strcspn(target, "?");
	const struct rest_row *row;

	err = (struct err){0};
	row = rest_find(method, target, len, &match, &err);
	assert_non_null(row);
	message = message_new(rest_rpc(row)->input, &arena);
	return rest_request(
		row, &match, target[len] ? target + len + 1 : NULL, body, strlen(body), message, &arena, &err);
}

/* The request that it is equal to, as JSON. */
static void is(const char *method, const char *target, const char *body, const char *expected)
{
	struct buf got = {0}, want = {0};
	ProtobufCMessage *other;

	if (!ask(method, target, body))
		fail_msg("%s %s: %s", method, target, err.text);
	other = message_new(message->descriptor, &arena);
	assert_true(json_read_message(expected, strlen(expected), other, &arena, &err));
	json_write_message(message, &got);
	json_write_message(other, &want);
	assert_string_equal(buf_str(&got), buf_str(&want));
	buf_release(&got);
	buf_release(&want);
}

static void refused(const char *method, const char *target, const char *body, const char *field, const char *text)
{
	if (ask(method, target, body))
		fail_msg("%s %s is accepted", method, target);
	assert_int_equal(err.code, ERR_INVALID);
	assert_string_equal(err.field, field);
	assert_string_equal(err.text, text);
}

REST(a_body_is_the_request)
{
	is("POST", "/v1/check", "{\"user\": \"alice\", \"inputTokens\": \"12\"}",
		"{\"user\": \"alice\", \"input_tokens\": 12}");
	is("POST", "/v1/check?deny_status=403&headers=draft", "{\"user\": \"a\"}", "{\"user\": \"a\"}");
}

REST(a_variable_is_a_field)
{
	is("GET", "/v1/accounts/team/a%2Fb", "", "{\"ref\": {\"kind\": \"TEAM\", \"id\": \"a/b\"}}");
	is("GET", "/v1/accounts/user/%D1%8F+%2B:%7b", "", "{\"ref\": {\"kind\": \"USER\", \"id\": \"я++:{\"}}");
	is("DELETE", "/v1/keys/7", "", "{\"id\": 7}");
	is("GET", "/v1/requests/alice/req%201", "",
		"{\"reservation\": {\"user\": \"alice\", \"request_id\": \"req 1\"}}");
}

REST(a_body_may_be_one_field)
{
	is("PUT", "/v1/tiers/pro?reason=a+reason&tenant=acme", "{\"pool_priority\": 3}",
		"{\"tier\": {\"tenant\": \"acme\", \"name\": \"pro\", \"pool_priority\": 3}, \"reason\": \"a reason\"}");
	refused("PUT", "/v1/tiers/pro", "{\"limits\": [{\"amount\": true}]}", "tier.limits[0].amount",
		"tier.limits[0].amount: must be a whole number, not true");
}

REST(a_body_may_repeat_the_path_but_not_contradict_it)
{
	is("PUT", "/v1/tiers/pro", "{\"name\": \"pro\"}", "{\"tier\": {\"name\": \"pro\"}}");
	refused("PUT", "/v1/tiers/pro", "{\"name\": \"free\"}", "tier.name",
		"tier.name: the body has another value than the address");
	is("PUT", "/v1/accounts/user/al/tier", "{\"ref\": {\"kind\": 1, \"id\": \"al\"}, \"tier\": \"pro\"}",
		"{\"ref\": {\"kind\": \"USER\", \"id\": \"al\"}, \"tier\": \"pro\"}");
	refused("PUT", "/v1/accounts/user/al/tier", "{\"ref\": {\"kind\": \"TEAM\"}, \"tier\": \"pro\"}", "ref.kind",
		"ref.kind: the body has another value than the address");
	refused("POST", "/v1/keys/7/rotate", "{\"id\": 8}", "id", "id: the body has another value than the address");
	refused("PATCH", "/v1/pools/gpu?tenant=a", "{\"ref\": {\"tenant\": \"b\"}}", "tenant",
		"tenant: the body has another value than the address");
}

REST(parameters_are_fields)
{
	is("GET", "/v1/accounts?tier=free&page_token=a%26b&pageSize=5&count_only", "",
		"{\"tier\": \"free\", \"page_token\": \"a&b\", \"page_size\": 5, \"count_only\": true}");
	is("GET", "/v1/accounts?state=suspended&filter.team=red&kind=team&&", "",
		"{\"filter\": {\"state\": \"SUSPENDED\", \"team\": \"red\"}, \"kind\": \"TEAM\"}");
	is("GET", "/v1/reports/lines?kind=tenant&id=acme&by=day&by=user", "",
		"{\"ref\": {\"kind\": \"TENANT\", \"id\": \"acme\"}, \"by\": [\"DAY\", \"USER\"]}");
	is("GET", "/v1/accounts/user/alice?tenant=acme", "",
		"{\"ref\": {\"tenant\": \"acme\", \"kind\": \"USER\", \"id\": \"alice\"}}");
	is("GET", "/v1/status?user=alice", "", "{\"user\": \"alice\"}");
	is("GET", "/v1/audit?from_us=2026-11-30T00:00:00Z", "", "{\"from_us\": 1795996800000000}");
}

REST(a_tenant_beside_a_body)
{
	is("POST", "/v1/accounts/user/alice/suspend?tenant=acme", "",
		"{\"ref\": {\"tenant\": \"acme\", \"kind\": \"USER\", \"id\": \"alice\"}}");
	refused("POST", "/v1/accounts/user/alice/suspend?reason=x", "", "reason", "reason: belongs into the body");
}

REST(an_unknown_parameter_suggests_one)
{
	refused("GET", "/v1/accounts?teir=free", "", "teir",
		"teir: there is no such query parameter; did you mean tier?");
	assert_string_equal(err.reason, "PARAMETER_NOT_FOUND");
	assert_string_equal(err.name, "teir");
	refused("GET", "/v1/accounts?completely_else=1", "", "completely_else",
		"completely_else: GET /v1/accounts has no such query parameter");
	refused("POST", "/v1/record?user=alice", "{}", "user", "user: POST /v1/record has no such query parameter");
	refused("GET", "/v1/reservations/h?reservation.user=al", "", "reservation.user",
		"reservation.user: GET /v1/reservations/{handle} has no such query parameter");
}

REST(what_the_path_gives_is_no_parameter)
{
	assert_false(ask("GET", "/v1/accounts/user/alice?id=bob", ""));
	assert_string_equal(err.field, "id");
}

REST(a_parameter_is_given_once)
{
	refused("GET", "/v1/accounts?tier=a&tier=b", "", "tier", "tier: is given twice");
	refused("GET", "/v1/accounts?page_token=a&pageToken=b", "", "page_token", "page_token: is given twice");
}

REST(a_parameter_that_is_wrong_is_named)
{
	assert_false(ask("GET", "/v1/accounts?page_size=many", ""));
	assert_string_equal(err.field, "page_size");
	assert_false(ask("GET", "/v1/accounts?state=sleepy", ""));
	assert_string_equal(err.field, "state");
	assert_memory_equal(err.text, "state: ", 7);
	assert_false(ask("GET", "/v1/accounts/robot/alice", ""));
	assert_string_equal(err.field, "ref.kind");
}

REST(encoding_is_checked)
{
	refused("GET", "/v1/tiers/a%2", "", "name", "name: has a % that is not followed by two hex digits");
	refused("GET", "/v1/tiers/%zz", "", "name", "name: has a % that is not followed by two hex digits");
	refused("GET", "/v1/tiers/%ff", "", "name", "name: is not valid UTF-8");
	refused("GET", "/v1/tiers/a%00b", "", "name", "name: contains a NUL character");
	refused("GET", "/v1/status?user=%", "", "user", "user: has a % that is not followed by two hex digits");
	refused("GET", "/v1/status?us%er=a", "", "query", "query: has a % that is not followed by two hex digits");
}

REST(a_body_is_where_one_belongs)
{
	refused("GET", "/v1/tiers/pro", "{}", "body", "body: GET /v1/tiers/{name} takes none");
	refused("PUT", "/v1/tiers/pro", "", "body", "body: is missing: PUT /v1/tiers/{name} needs a JSON object");
	refused("PUT", "/v1/accounts/user/a/limits", "", "body",
		"body: is missing: PUT /v1/accounts/{kind}/{id}/limits needs a JSON object");
	assert_false(ask("PUT", "/v1/tiers/pro", "[]"));
	assert_int_equal(err.code, ERR_INVALID);
}

REST(a_query_is_bounded)
{
	static char target[REST_QUERY_MAX + 64] = "/v1/status?user=";

	memset(target + strlen(target), 'a', REST_QUERY_MAX);
	refused("GET", target, "", "query", "query: is longer than 16384 bytes");
}

REST(what_the_server_reads_itself)
{
	const struct rest_row *check = rest_find("POST", "/v1/check", 9, &match, &err);
	char value[8];

	assert_true(rest_extra_value(check, "headers=draft&deny_status=403", "deny_status", value, sizeof(value)));
	assert_string_equal(value, "403");
	assert_false(rest_extra_value(check, "headers=draft", "deny_status", value, sizeof(value)));
	assert_true(rest_extra_value(check, "a=b&limit_headers=draft", "headers", value, sizeof(value)));
	assert_string_equal(value, "draft");
	assert_false(rest_extra_value(check, NULL, "deny_status", value, sizeof(value)));
	assert_false(ask("POST", "/v1/check?deny_status=500", "{\"user\": \"a\"}"));
	assert_string_equal(err.text, "deny_status: is none of 429, 403");
}
