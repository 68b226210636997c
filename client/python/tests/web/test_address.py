"""Whose address a request without a user has."""
import pytest

from bursar.web.address import Proxies, parse, user_of


@pytest.mark.parametrize("text, address", [
    ("1.2.3.4", "1.2.3.4"), (" 1.2.3.4:5678 ", "1.2.3.4"), ("::ffff:1.2.3.4", "1.2.3.4"), ("[2001:db8::1]:443", "2001:db8::1"),
    ("fe80::1%eth0", "fe80::1"), ("unknown", None), ("", None), ("1.2.3", None), ("_hidden", None), ("1.2.3.4.5:6", None),
])
def test_an_address_is_read_in_any_form(text, address):
    assert (str(parse(text)) if parse(text) else None) == address


@pytest.mark.parametrize("trusted, peer, forwarded, found", [
    ([], "9.9.9.9", ["1.1.1.1"], "9.9.9.9"),
    ([], "127.0.0.1", ["1.1.1.1"], "127.0.0.1"),
    (["loopback"], "127.0.0.1", ["6.6.6.6, 1.1.1.1"], "1.1.1.1"),
    (["loopback"], "::1", ["6.6.6.6", "1.1.1.1"], "1.1.1.1"),
    (["loopback", "10.0.0.0/8"], "127.0.0.1", ["6.6.6.6, 1.1.1.1, 10.0.0.7"], "1.1.1.1"),
    (["uniquelocal"], "192.168.0.1", ["172.16.0.9"], "172.16.0.9"),
    (["10.0.0.1"], "10.0.0.1", ["1.1.1.1, garbage"], "10.0.0.1"),
    (["loopback"], "127.0.0.1", [], "127.0.0.1"),
    (["unix"], None, ["1.1.1.1"], "1.1.1.1"),
    (["loopback"], None, ["1.1.1.1"], None),
    (["2001:db8::/32"], "2001:db8::1", ["2001:db9::5"], "2001:db9::5"),
])
def test_the_right_most_address_that_is_no_trusted_proxys_counts(trusted, peer, forwarded, found):
    assert str(Proxies(trusted).client(peer, forwarded)) == str(found)


def test_a_network_of_ipv6_is_one_user():
    assert user_of(parse("1.2.3.4")) == "ip:1.2.3.4"
    assert user_of(parse("2001:db8:0:1:aaaa::1")) == user_of(parse("2001:db8:0:1::2")) == "ip:2001:db8:0:1::/64"
    assert user_of(parse("2001:db8::1")) == "ip:2001:db8:0:0::/64"


def test_a_name_that_is_no_proxy_is_refused():
    with pytest.raises(ValueError, match="'lookback' is not an address"):
        Proxies(["lookback"])
