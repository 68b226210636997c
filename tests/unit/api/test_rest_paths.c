/* The table of paths: every RPC has one, they lead to one RPC each, and the router finds it. */
#include <string.h>

#include "api/methods.h"
#include "api/rest/rest.h"
#include "api/rest/tree.h"
#include "lib/test.h"

static struct rest_match match;
static struct err err;

static const struct rest_row *find(const char *method, const char *path)
{
	memset(&match, 0xaa, sizeof(match));
	err = (struct err){0};
	return rest_find(method, path, strlen(path), &match, &err);
}

static const struct rpc_method *method_of(const struct rest_row *row)
{
	const struct rpc_method *const tables[] = {limiter_methods, admin_methods};

	for (size_t i = 0; i < 2; i++)
		for (const struct rpc_method *method = tables[i]; method->path; method++)
			if (strcmp(method->path, row->rpc) == 0)
				return method;
	return NULL;
}

static const ProtobufCFieldDescriptor *field_at(const ProtobufCMessageDescriptor *message, const char *path, size_t len)
{
	const ProtobufCFieldDescriptor *field = NULL;
	char copy[128], *rest = copy;

	assert_true(len < sizeof(copy));
	memcpy(copy, path, len);
	copy[len] = '\0';
	for (char *name; (name = strsep(&rest, ".")) != NULL; message = field->descriptor) {
		assert_non_null(message);
		field = protobuf_c_message_descriptor_get_field_by_name(message, name);
		if (!field) {
			fail_msg("%s has no field %s", message->name, path);
			return NULL;
		}
		if (field->type != PROTOBUF_C_TYPE_MESSAGE)
			break;
	}
	return field;
}

/* HTTP/1.1 has no place for a stream of requests. */
static void every_method_has_a_row(const struct rpc_method *methods)
{
	for (; methods->path; methods++) {
		size_t rows = methods->kind == RPC_STREAMS;

		for (size_t i = 0; i < rest_rows_count; i++)
			rows += strcmp(rest_rows[i].rpc, methods->path) == 0;
		if (!rows)
			fail_msg("server/api/rest/paths.def has no row for %s", methods->path);
	}
}

TEST(every_rpc_has_a_path)
{
	every_method_has_a_row(limiter_methods);
	every_method_has_a_row(admin_methods);
}

TEST(a_row_is_of_an_rpc_and_of_its_kind)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const struct rest_row *row = &rest_rows[i];
		const struct rpc_method *method = method_of(row);

		if (!method) {
			fail_msg("%s: no such RPC", row->rpc);
			return;
		}
		assert_int_equal(row->stream, method->kind == RPC_SERVER_STREAM);
		assert_non_null(rest_rpc(row)->input);
		assert_true(rest_verb_of(row->method) < REST_VERBS);
	}
}

TEST(variables_and_bodies_are_fields)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const struct rest_row *row = &rest_rows[i];
		const ProtobufCMessageDescriptor *request = rest_rpc(row)->input;
		size_t variables = 0;

		for (const char *at = strchr(row->path, '{'); at; at = strchr(at + 1, '{')) {
			const ProtobufCFieldDescriptor *field = field_at(request, at + 1, strcspn(at + 1, "}"));

			assert_int_not_equal(field->type, PROTOBUF_C_TYPE_MESSAGE);
			assert_int_not_equal(field->label, PROTOBUF_C_LABEL_REPEATED);
			variables++;
		}
		assert_true(variables <= REST_VARIABLES_MAX);
		if (row->body && strcmp(row->body, "*") != 0)
			assert_int_equal(
				field_at(request, row->body, strlen(row->body))->type, PROTOBUF_C_TYPE_MESSAGE);
		if (row->lift)
			assert_int_equal(
				field_at(request, row->lift, strlen(row->lift))->type, PROTOBUF_C_TYPE_MESSAGE);
	}
}

/* What reads has no body; what has a body does not read. DELETE has none either, because proxies drop it. */
TEST(methods_that_take_no_body_have_none)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		enum rest_verb verb = rest_verb_of(rest_rows[i].method);

		assert_int_equal(!rest_rows[i].body, verb == REST_GET || verb == REST_DELETE);
	}
}

/* The name of a variable for clients: behind the last dot. */
static void short_name(const char *word, size_t len, char out[64])
{
	const char *dot = memrchr(word, '.', len);
	size_t from = dot ? (size_t)(dot + 1 - word) : 1;

	assert_true(len - from < 64);
	memcpy(out, word + from, len - from - 1);
	out[len - from - 1] = '\0';
}

static void no_place_has_a_word_and_a_variable(const struct rest_node *node)
{
	const struct rest_node *child = node->child;

	for (; child; child = child->next) {
		if (child->word[0] == '{' && (child != node->child || child->next))
			fail_msg("both a word and a variable at %s", child->word);
		no_place_has_a_word_and_a_variable(child);
	}
}

TEST(no_two_rows_match_one_request)
{
	no_place_has_a_word_and_a_variable(rest_tree());
	for (size_t i = 0; i < rest_rows_count; i++)
		if (find(rest_rows[i].method, rest_rows[i].path) != &rest_rows[i])
			fail_msg("%s %s: another row hides it", rest_rows[i].method, rest_rows[i].path);
}

/* OpenAPI has one list of variables for all methods of a path. */
TEST(rows_of_one_path_call_its_variables_alike)
{
	for (size_t i = 0; i < rest_rows_count; i++) {
		const char *at = rest_rows[i].path, *end = at + strlen(at);
		const struct rest_node *node = rest_tree();
		struct rest_segment segment;

		while (rest_segment_next(&at, end, &segment)) {
			char own[64], shared[64];

			node = node->child;
			while (segment.text[0] != '{' &&
				(node->len != segment.len || memcmp(node->word, segment.text, segment.len) != 0))
				node = node->next;
			if (segment.text[0] != '{')
				continue;
			short_name(segment.text, segment.len, own);
			short_name(node->word, node->len, shared);
			assert_string_equal(own, shared);
		}
	}
}

TEST(a_path_leads_to_its_rpc)
{
	assert_string_equal(find("POST", "/v1/check")->rpc, "/bursar.v1.Limiter/Check");
	assert_string_equal(find("POST", "/v1/check/batch")->rpc, "/bursar.v1.Limiter/CheckBatch");
	assert_string_equal(find("PUT", "/v1/tiers/pro")->rpc, "/bursar.v1.Admin/PutTier");
	assert_int_equal(match.count, 1);
	assert_int_equal(match.variable[0].len, 3);
	assert_memory_equal(match.variable[0].text, "pro", 3);
}

TEST(an_encoded_slash_is_part_of_an_id)
{
	assert_string_equal(find("POST", "/v1/accounts/team/a%2Fb/suspend")->rpc, "/bursar.v1.Admin/Suspend");
	assert_int_equal(match.count, 2);
	assert_memory_equal(match.variable[1].text, "a%2Fb", 5);
	assert_int_equal(match.variable[1].len, 5);
}

TEST(an_id_may_contain_a_colon_or_be_a_word)
{
	assert_string_equal(find("GET", "/v1/accounts/model/claude-v1:suspend")->rpc, "/bursar.v1.Admin/GetAccount");
	assert_string_equal(find("GET", "/v1/accounts/user/suspend")->rpc, "/bursar.v1.Admin/GetAccount");
}

TEST(head_is_found_like_get)
{
	assert_string_equal(find("HEAD", "/v1/tiers/pro")->rpc, "/bursar.v1.Admin/GetTier");
	assert_null(find("HEAD", "/v1/check"));
}

TEST(another_method_says_which_there_are)
{
	assert_null(find("POST", "/v1/tiers/pro"));
	assert_int_equal(err.code, ERR_UNIMPLEMENTED);
	assert_string_equal(err.reason, "METHOD_NOT_ALLOWED");
	assert_string_equal(match.allow, "GET, HEAD, PUT, DELETE");
	assert_string_equal(err.text, "POST: this path does not have the method; it has GET, HEAD, PUT, DELETE");
	assert_null(find("BREW", "/v1/check"));
	assert_string_equal(match.allow, "POST");
}

TEST(a_path_that_does_not_exist_suggests_one)
{
	assert_null(find("GET", "/v1/acounts/user/alice"));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_string_equal(err.reason, "PATH_NOT_FOUND");
	assert_string_equal(err.name, "/v1/acounts/user/alice");
	assert_string_equal(match.allow, "");
	assert_string_equal(
		err.text, "/v1/acounts/user/alice: there is no such path; did you mean /v1/accounts/{kind}/{id}?");
	assert_null(find("GET", "/v1/tiers/"));
	assert_string_equal(err.text, "/v1/tiers/: there is no such path; did you mean /v1/tiers?");
	assert_null(find("GET", "/index.php"));
	assert_string_equal(err.text, "/index.php: there is no such path; /docs has them all");
}

TEST(what_is_no_path_is_not_found)
{
	static const char *const paths[] = {"", "/", "//", "/v1", "/v1/", "v1/check", "/v1//check", "/v1/check/",
		"/v1/pools//stats", "/v1/accounts/user/a/b", "/V1/check", "/v1/check?x", "/v1/\xff\xfe"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		assert_null(find("POST", paths[i]));
		assert_int_equal(err.code, ERR_NOT_FOUND);
	}
}

TEST(a_path_that_is_too_long_is_not_found)
{
	static char path[REST_PATH_MAX + 2] = "/v1/tiers/";

	memset(path + strlen(path), 'a', sizeof(path) - 1 - strlen(path));
	assert_null(rest_find("GET", path, REST_PATH_MAX + 1, &match, &err));
	assert_int_equal(err.code, ERR_NOT_FOUND);
	assert_non_null(rest_find("GET", path, REST_PATH_MAX, &match, &err));
}
