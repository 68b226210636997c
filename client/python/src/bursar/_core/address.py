"""Where servers are: what people write, and what gRPC is given. client/addresses.json has the table that the clients of all languages keep to."""
from __future__ import annotations

import os
import re
from collections.abc import Iterable

from bursar.errors import invalid

DEFAULT_ADDRESS = "127.0.0.1:7420"
DEFAULT_PORT = ":7420"
_NAME = r"[^\s/:\[\]]+"
_HOST = re.compile(rf"(?:{_NAME}|\[(?=[^%\]]*:)[0-9A-Fa-f:.]+(?:%{_NAME})?\])(:[0-9]{{1,5}})?")


def read_addresses(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Of what was given, or else of BURSAR_ADDR; the default if that is empty."""
    text = given if given is not None else os.environ.get("BURSAR_ADDR") or DEFAULT_ADDRESS
    found = [_whole(one.strip()) for one in (text.split(",") if isinstance(text, str) else text)]
    if not found:
        raise invalid("address", "the list is empty")
    return tuple(dict.fromkeys(found))


def _whole(address: str) -> str:
    """With a port, if it is not a path."""
    if address.startswith("unix:") and address != "unix:":
        return address
    host = _HOST.fullmatch(address)
    if not host or (host[1] and not 0 < int(host[1][1:]) < 65536):
        hint = ": write it without http://" if "://" in address else ""
        raise invalid("address", f"'{address}' is not an address{hint}; it looks like {DEFAULT_ADDRESS} or unix:/run/bursar.sock")
    return address if host[1] else address + DEFAULT_PORT
