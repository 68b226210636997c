/* Which addresses are those of public hosts, and which URLs an alert may go to. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include "base/net/destination.h"
#include "base/text/entries.h"
#include "lib/test.h"

static void is(const char *address, const char *what)
{
	struct network parsed;

	assert_true(address_parse(address, &parsed));
	if (what)
		assert_string_equal(address_special(&parsed), what);
	else
		assert_null(address_special(&parsed));
}

TEST(an_address_that_is_not_public_is_named)
{
	static const struct {
		const char *address, *what;
	} cases[] = {{"0.0.0.0", "unspecified"}, {"0.1.2.3", "unspecified"}, {"10.0.0.1", "private"},
		{"10.255.255.255", "private"}, {"100.64.0.1", "shared (carrier-grade NAT)"},
		{"100.127.255.255", "shared (carrier-grade NAT)"}, {"127.0.0.1", "loopback"},
		{"127.255.0.9", "loopback"}, {"169.254.169.254", "link-local"}, {"172.16.0.1", "private"},
		{"172.31.255.255", "private"}, {"192.0.0.170", "reserved"}, {"192.0.2.1", "documentation"},
		{"192.168.1.1", "private"}, {"198.18.0.1", "benchmarking"}, {"198.19.255.255", "benchmarking"},
		{"198.51.100.7", "documentation"}, {"203.0.113.7", "documentation"}, {"224.0.0.1", "multicast"},
		{"239.255.255.255", "multicast"}, {"240.0.0.1", "reserved"}, {"255.255.255.255", "broadcast"},
		{"::", "unspecified"}, {"::1", "loopback"}, {"::2", "reserved"}, {"::127.0.0.1", "reserved"},
		{"fc00::1", "private"}, {"fd12:3456::1", "private"}, {"fe80::1", "link-local"},
		{"febf::1", "link-local"}, {"fec0::1", "private"}, {"ff02::1", "multicast"},
		{"2001:db8::1", "documentation"}, {"3fff::1", "documentation"}, {"2001:2::1", "benchmarking"},
		{"2001:20::1", "reserved"}, {"100::1", "reserved"}, {"4000::1", "reserved"}, {"8000::1", "reserved"}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is(cases[i].address, cases[i].what);
}

TEST(a_public_address_is_not_special)
{
	static const char *const cases[] = {"1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0",
		"126.255.255.255", "128.0.0.1", "169.253.255.255", "172.15.255.255", "172.32.0.0", "192.0.1.1",
		"192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255",
		"2606:4700:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		is(cases[i], NULL);
}

TEST(an_ipv4_address_inside_an_ipv6_one_decides)
{
	is("::ffff:10.0.0.1", "private");
	is("::ffff:1.1.1.1", NULL);
	is("64:ff9b::7f00:1", "loopback");
	is("64:ff9b::1.1.1.1", NULL);
	is("2002:a9fe:a9fe::1", "link-local");
	is("2002:101:101::1", NULL);
	/* Teredo: the client's address is inverted; 80ff:fffe is 127.0.0.1. */
	is("2001:0:4136:e378:8000:63bf:80ff:fffe", "loopback");
	is("2001:0:4136:e378:8000:63bf:fefe:fefe", NULL);
	is("64:ff9b:1::1", "reserved");
}

TEST(a_mapped_address_of_a_socket_is_ipv4)
{
	struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
	struct sockaddr other = {.sa_family = AF_UNIX};
	struct network address;

	inet_pton(AF_INET6, "::ffff:10.1.2.3", &mapped.sin6_addr);
	assert_true(address_of_socket((struct sockaddr *)&mapped, &address));
	assert_null(destination_refused(&address, false, "10.1.0.0/16"));
	assert_string_equal(destination_refused(&address, false, "10.2.0.0/16"), "private");
	assert_false(address_of_socket(&other, &address));
}

static void refused(const char *url, const char *text)
{
	struct err err = {0};

	assert_false(url_check(url, "target", &err));
	assert_string_equal(err.field, "target");
	if (!strstr(err.text, text))
		fail_msg("%s: %s", url, err.text);
}

TEST(a_url_is_read_strictly)
{
	struct err err;
	char host[URL_HOST_MAX];

	refused("", "https://");
	refused("ftp://example.org/", "https://");
	refused("https:/example.org/", "https://");
	refused("https://", "no host");
	refused("https:///path", "no host");
	refused("https://user@example.org/", "user or a password");
	refused("https://user:pass@10.0.0.1/", "user or a password");
	refused("https://example.org@10.0.0.1/", "user or a password");
	refused("https://example.org\\@10.0.0.1/", "cannot have");
	refused("https://example.org/#@10.0.0.1", "cannot have");
	refused("https://exa mple.org/", "cannot have");
	refused("https://example.org/\r\nHost: x", "cannot have");
	refused("https://пример.рф/", "cannot have");
	refused("https://ex%41mple.org/", "cannot be read");
	refused("https://example.org:0/", "cannot be read");
	refused("https://example.org:65536/", "cannot be read");
	refused("https://example.org:80:90/", "cannot be read");
	refused("https://[::1/", "no host");
	refused("https://[fe80::1%25eth0]/", "no host");
	refused("https://[::1]x/", "cannot be read");
	assert_true(url_check("HTTPS://Example.org:8443/a?b=c@d", "target", &err));
	url_host("HTTPS://Example.org:8443/a?b=c@d", host);
	assert_string_equal(host, "Example.org");
	assert_true(url_check("http://[2001:db8::1]:80/", "target", &err));
	url_host("http://[2001:db8::1]:80/", host);
	assert_string_equal(host, "2001:db8::1");
}

static void goes(const char *url, const char *allow)
{
	struct err err = {0};

	assert_true(url_check(url, "target", &err));
	if (!destination_check(url, allow, "target", &err))
		fail_msg("%s: %s", url, err.text);
}

static void does_not_go(const char *url, const char *allow, const char *text)
{
	struct err err = {0};

	assert_true(url_check(url, "target", &err));
	assert_false(destination_check(url, allow, "target", &err));
	assert_string_equal(err.field, "target");
	if (!strstr(err.text, text))
		fail_msg("%s: %s", url, err.text);
}

TEST(an_address_in_a_url_is_judged_however_it_is_written)
{
	goes("https://hooks.example.org/", "");
	goes("https://1.1.1.1/", "");
	does_not_go("https://127.0.0.1/", "", "loopback");
	does_not_go("https://127.1/", "", "loopback");
	does_not_go("https://2130706433/", "", "loopback");
	does_not_go("https://0x7f000001/", "", "loopback");
	does_not_go("https://0177.0.0.1/", "", "loopback");
	does_not_go("https://[::ffff:127.0.0.1]/", "", "loopback");
	does_not_go("https://[::1]:8443/", "", "loopback");
	does_not_go("https://localhost/", "", "loopback");
	does_not_go("https://a.LOCALHOST./", "", "loopback");
	does_not_go("https://169.254.169.254/latest/meta-data", "10.0.0.0/8", "link-local");
	goes("https://10.2.3.4/", "192.168.0.0/16, 10.2.0.0/16");
	goes("https://localhost/", "127.0.0.0/8");
}

TEST(http_without_tls_is_for_allowed_networks)
{
	does_not_go("http://hooks.example.org/", "", "must begin with https://");
	does_not_go("http://1.1.1.1/", "10.0.0.0/8", "must begin with https://");
	goes("http://10.2.3.4/", "10.0.0.0/8");
	goes("http://hooks.internal/", "10.0.0.0/8"); /* its addresses are judged at connect */
	does_not_go("http://127.0.0.1/", "10.0.0.0/8", "loopback");
}

TEST(a_list_is_taken_apart)
{
	const char *list = " a ,, b c,", *entry;
	size_t len;

	assert_true(entries_next(&list, ",", &entry, &len));
	assert_int_equal(len, 1);
	assert_memory_equal(entry, "a", 1);
	assert_true(entries_next(&list, ",", &entry, &len));
	assert_int_equal(len, 3);
	assert_memory_equal(entry, "b c", 3);
	assert_false(entries_next(&list, ",", &entry, &len));
	assert_false(entries_next(&list, ",", &entry, &len));
}
