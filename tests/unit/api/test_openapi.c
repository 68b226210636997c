/* The OpenAPI document: every row is an operation with an example and a description. */
#include <jansson.h>
#include <string.h>

#include "api/openapi/openapi.h"
#include "api/openapi/private.h"
#include "lib/test.h"

static json_t *document(void)
{
	struct buf text = {0};
	json_t *root;

	rest_openapi(&text);
	root = json_loads(buf_str(&text), JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(root);
	buf_release(&text);
	return root;
}

static json_t *at(json_t *value, const char *key)
{
	json_t *member = json_object_get(value, key);

	if (!member)
		fail_msg("there is no %s", key);
	return member;
}

TEST(every_operation_says_what_it_does)
{
	json_t *root = document(), *item, *operation;
	const char *path, *method;
	size_t count = 0;

	json_object_foreach(at(root, "paths"), path, item) json_object_foreach(item, method, operation)
	{
		at(operation, "operationId");
		if (!json_object_get(operation, "description"))
			fail_msg("%s %s: the RPC has no comment in proto/", method, path);
		count++;
	}
	assert_int_equal(count, rest_rows_count + REST_OTHERS);
	json_decref(root);
}
