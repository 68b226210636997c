/* What libbursar and the command line take for an address: the table that the clients of all languages keep to. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "c/bursar.h"
#include "lib/source.h"
#include "lib/test.h"

static json_t *table_load(void)
{
	json_error_t error;
	json_t *table = json_load_file(source_path("client/addresses.json"), 0, &error);

	if (!table)
		fail_msg("addresses.json:%d: %s", error.line, error.text);
	return table;
}

/* "a:1,b:2" */
static void join(json_t *servers, char *joined)
{
	json_t *server;
	size_t i;

	joined[0] = '\0';
	json_array_foreach(servers, i, server)
	{
		strcat(joined, i ? "," : "");
		strcat(joined, json_string_value(server));
	}
}

TEST(what_the_table_accepts_is_connected_to_as_it_says)
{
	json_t *table = table_load(), *row;
	size_t i;

	assert_true(json_array_size(json_object_get(table, "accepted")) > 10);
	json_array_foreach(json_object_get(table, "accepted"), i, row)
	{
		char expected[256];
		struct bursar_error error = {0};
		char *whole = bursar_addresses(json_string_value(json_object_get(row, "given")), &error);

		if (!whole)
			fail_msg("%s", error.message);
		join(json_object_get(row, "servers"), expected);
		assert_string_equal(whole, expected);
		free(whole);
	}
	json_decref(table);
}

TEST(what_the_table_refuses_is_refused)
{
	json_t *table = table_load(), *given;
	size_t i;

	assert_true(json_array_size(json_object_get(table, "refused")) > 20);
	json_array_foreach(json_object_get(table, "refused"), i, given)
	{
		struct bursar_error error = {0};

		if (bursar_addresses(json_string_value(given), &error))
			fail_msg("'%s' was taken", json_string_value(given));
		assert_int_equal(error.code, BURSAR_INVALID_ARGUMENT);
		assert_string_equal(error.field, "address");
	}
	json_decref(table);
}

TEST(one_wrong_address_of_several_is_named)
{
	struct bursar_error error;

	assert_null(bursar_addresses("127.0.0.1:7420,http://localhost", &error));
	assert_non_null(strstr(error.message, "'http://localhost' is not an address: write it without http://"));
}

TEST(so_many_addresses_that_nobody_has_them_are_refused)
{
	char many[65 * 2] = "";
	struct bursar_error error;
	char *whole;

	for (int i = 0; i < 63; i++)
		strcat(many, "a,");
	strcat(many, "a");
	whole = bursar_addresses(many, &error);
	assert_non_null(whole);
	free(whole);
	strcpy(many + 127, ",a");
	assert_null(bursar_addresses(many, &error));
	assert_non_null(strstr(error.message, "more than 64 addresses"));
}
