"""Whose request it is when nobody has signed in: the address of the client, as far as it can be trusted."""
from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_NAMED = {
    "loopback": ("127.0.0.0/8", "::1/128"),
    "linklocal": ("169.254.0.0/16", "fe80::/10"),
    "uniquelocal": ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"),
}
_BRACKETED = re.compile(r"\[([^\]]+)\](?::\d+)?")
_WITH_PORT = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d+")


class Proxies:
    """The proxies whose X-Forwarded-For is believed: addresses, blocks, "loopback", "linklocal", "uniquelocal", and "unix" for those on a
    socket without addresses."""

    def __init__(self, trusted: Iterable[str]) -> None:
        names = [trusted] if isinstance(trusted, str) else list(trusted)
        self._unix = "unix" in names
        self._networks: list[Network] = []
        for name in names:
            if name == "unix":
                continue
            for block in _NAMED.get(name, (name,)):
                try:
                    self._networks.append(ipaddress.ip_network(block, strict=False))
                except ValueError:
                    raise ValueError(f"trusted_proxies: {name!r} is not an address, a block such as 10.0.0.0/8, loopback, linklocal, "
                                     "uniquelocal or unix") from None

    def _trusts(self, address: Address | None) -> bool:
        if address is None:
            return self._unix
        return any(address.version == network.version and address in network for network in self._networks)

    def client(self, peer: str | None, forwarded: Sequence[str]) -> Address | None:
        """The address that the outermost trusted proxy saw: from the right, the first that is not a trusted proxy's. Whatever a client writes
        into the header itself is further left; what cannot be read was not written by a proxy that is to be trusted."""
        found = parse(peer) if peer else None
        hops = [hop for value in forwarded for hop in value.split(",")]
        while hops and self._trusts(found):
            hop = parse(hops.pop())
            if hop is None:
                break
            found = hop
        return found


def parse(text: str) -> Address | None:
    """An address, without its port, brackets and zone. An IPv4 address that is written as IPv6 is the IPv4 address."""
    text = text.strip()
    found = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        address = ipaddress.ip_address((found[1] if found else text).partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def user_of(address: Address) -> str:
    """The user id of an address. IPv6 by /64, because a household has so many."""
    if address.version == 4:
        return f"ip:{address}"
    groups = [int(group, 16) for group in address.exploded.split(":")[:4]]
    return "ip:" + ":".join(f"{group:x}" for group in groups) + "::/64"
