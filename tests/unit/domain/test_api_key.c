/* Roles, lists and networks. */
#include <stdio.h>
#include <string.h>

#include "domain/api_key.h"
#include "lib/test.h"

TEST(every_role_has_its_name)
{
	assert_string_equal(role_name(ROLE_USER), "user");
	assert_string_equal(role_name(ROLE_OPERATOR), "operator");
	assert_string_equal(role_name((enum role)6), "nobody");
	assert_string_equal(role_name((enum role) - 1), "nobody");
}

TEST(a_list_has_whole_lines_only)
{
	assert_true(key_list_has("", "web", 3));
	assert_true(key_list_has("telegram\nweb", "web", 3));
	assert_true(key_list_has("telegram\nweb", "telegram", 8));
	assert_false(key_list_has("telegram\nweb", "we", 2));
	assert_false(key_list_has("telegram\nweb", "webs", 4));
	assert_false(key_list_has("telegram\nweb", "", 0));
}

TEST(failures_of_one_network_of_ipv6_are_counted_together)
{
	static const char *const same[][2] = {{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9"}, {"fe80::1", "fe80::2"}};
	static const char *const other[][2] = {{"2001:db8:1:2::1", "2001:db8:1:3::1"}, {"10.0.0.1", "10.0.0.2"},
		{"::ffff:10.0.0.1", "::ffff:10.0.0.2"}, {"unix:/run/a", "unix:/run/b"}};
	char a[ADDRESS_MAX], b[ADDRESS_MAX], longest[200];

	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		address_crowd(same[i][0], a);
		address_crowd(same[i][1], b);
		assert_string_equal(a, b);
	}
	for (size_t i = 0; i < sizeof(other) / sizeof(other[0]); i++) {
		address_crowd(other[i][0], a);
		address_crowd(other[i][1], b);
		assert_string_not_equal(a, b);
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	address_crowd(longest, a);
	assert_int_equal(strlen(a), ADDRESS_MAX - 1);
}

TEST(networks_are_distinguished_from_other_texts)
{
	static const char *const right[] = {
		"10.0.0.0/8", "0.0.0.0/0", "192.0.2.7", "2001:db8::/32", "::1", "::/0", "10.0.0.0/32"};
	static const char *const wrong[] = {"", "ten", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8x",
		"::/129", "10.0.0", "10.0.0.0/ 8", "2001:db8::/32/1",
		"1111111111111111111111111111111111111111111111111111111111111111111111"};
	struct err err;

	for (size_t i = 0; i < sizeof(right) / sizeof(*right); i++)
		if (!network_check(right[i], "addresses", &err))
			fail_msg("%s: %s", right[i], err.text);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		if (network_check(wrong[i], "addresses", &err))
			fail_msg("%s is taken for a network", wrong[i]);
		assert_string_equal(err.field, "addresses");
	}
}

TEST(an_address_is_in_a_network_by_its_first_bits)
{
	assert_true(networks_have("", "anything"));
	assert_true(networks_have("10.0.0.0/8\n192.0.2.0/25", "10.255.0.1"));
	assert_true(networks_have("10.0.0.0/8\n192.0.2.0/25", "192.0.2.127"));
	assert_false(networks_have("10.0.0.0/8\n192.0.2.0/25", "192.0.2.128"));
	assert_false(networks_have("10.0.0.0/8", "11.0.0.1"));
	assert_true(networks_have("192.0.2.7", "192.0.2.7"));
	assert_false(networks_have("192.0.2.7", "192.0.2.6"));
	assert_true(networks_have("2001:db8::/33", "2001:db8:7fff::1"));
	assert_false(networks_have("2001:db8::/33", "2001:db8:8000::1"));
	assert_true(networks_have("0.0.0.0/0", "203.0.113.1"));
	/* Neither kind of address matches the other, and a text that is not an address is in no network. */
	assert_false(networks_have("0.0.0.0/0", "::1"));
	assert_false(networks_have("::/0", "203.0.113.1"));
	assert_false(networks_have("0.0.0.0/0", "unix:"));
	assert_false(networks_have("nonsense", "10.0.0.1"));
}

TEST(interfaces_of_a_key_are_the_same_in_any_spelling)
{
	char lines[] = " Telegram\nWEB \n  d i \n", one[] = "Api", none[] = "";

	interface_lines_fold(lines);
	assert_string_equal(lines, "telegram\nweb\nd i\n");
	interface_lines_fold(one);
	assert_string_equal(one, "api");
	interface_lines_fold(none);
	assert_string_equal(none, "");
}
