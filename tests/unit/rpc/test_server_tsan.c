/* Starting a server, and what it refuses. */

#include <stdio.h>
#include <string.h>

#include "lib/test.h"
#include "rpc/listen/address.h"
#include "served.h"

SERVED(a_taken_port_is_an_error_with_a_sentence)
{
	char listen[32];
	struct err err;

	snprintf(listen, sizeof(listen), "127.0.0.1:%d", rpc_server_port(served.server));
	assert_null(served_start(2, listen, &err));
	assert_int_equal(err.code, ERR_UNAVAILABLE);
	assert_non_null(strstr(err.text, listen));
}

TEST(a_method_twice_in_the_tables_is_an_error)
{
	static const struct rpc_method *const tables[] = {served_methods, served_methods, NULL};
	struct rpc_options options = {.listen = "127.0.0.1:0", .workers = 1, .max_message_bytes = 99, .tables = tables};
	struct err err;

	assert_null(rpc_server_start(&options, &err));
	assert_string_equal(err.text, "the method /t.T/Count is registered twice");
}

TEST(loopback_addresses_are_known)
{
	static const char *const loopback[] = {"127.0.0.1:1", "127.9.9.9:1", "[::1]:1", "localhost:1", "unix:/tmp/x"};
	static const char *const others[] = {
		"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.0.0.1.evil.example:1", "128.0.0.1:1", ":1", "1"};

	for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
		if (!rpc_address_is_loopback(loopback[i]))
			fail_msg("%s is not known as loopback", loopback[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (rpc_address_is_loopback(others[i]))
			fail_msg("%s is taken for loopback", others[i]);
}
