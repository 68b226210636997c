"""The options of a client, checked."""
from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, TypedDict

from bursar._core.address import read_addresses
from bursar.answers import Limit
from bursar.errors import BursarError, invalid


@dataclasses.dataclass(frozen=True)
class Tls:
    """Paths of PEM files. `ca` may be "system"; `cert` and `key` are the client's own: both or neither."""

    ca: str = "system"
    cert: str = ""
    key: str = ""


@dataclasses.dataclass(frozen=True)
class Gather:
    """Checks, and records, that are made within `delay_ms` go to the server in one call, at most `items` of them."""

    delay_ms: float = 1
    items: int = 100


@dataclasses.dataclass(frozen=True)
class Share:
    """While no server answers, each user may make so many requests a minute in this process."""

    requests_per_minute: float


@dataclasses.dataclass(frozen=True)
class Spool:
    """Records that cannot be delivered wait in this folder, one file each. It may be shared by processes."""

    directory: str
    records: int = 10_000
    bytes: int = 64 << 20


LONGEST_MS = 15 * 60_000  # how long a reservation is extended at most, unless its check says otherwise: as long as a server holds it by default

Fail = Literal["closed", "open"] | Share
OnError = Callable[[Exception], object]
OnWarning = Callable[[Limit], object]


class OptionWords(TypedDict, total=False):
    """The options of Bursar(...), besides its address."""

    key: str | None
    tls: Tls | Mapping[str, str] | None
    timeout_ms: float
    attempt_ms: float
    attempts: int
    gather: Gather | Mapping[str, float] | bool
    fail: Fail | Mapping[str, Any]
    fail_after_ms: float | None
    orphan_ms: float
    spool: Spool | Mapping[str, Any] | str | None
    interface: str
    language: str
    tenant: str
    on_error: OnError | None
    on_warning: OnWarning | None


@dataclasses.dataclass(frozen=True)
class Options:
    """All options, with their defaults."""

    addresses: tuple[str, ...]
    key: str = ""
    tls: Tls | None = None
    timeout_ms: float = 10_000
    attempt_ms: float = 2_000
    attempts: int = 4
    gather: Gather | None = Gather()
    fail: Fail = "closed"
    fail_after_ms: float | None = None
    orphan_ms: float = 60_000
    spool: Spool | None = None
    interface: str = ""
    language: str = ""
    tenant: str = ""
    on_error: OnError | None = None
    on_warning: OnWarning | None = None

    def first_ttl_ms(self, longest_ms: float) -> float:
        """For how long a check asks to hold its reservation; 0 = the server's default."""
        return min(self.orphan_ms, longest_ms or LONGEST_MS) if self.orphan_ms else longest_ms

    @property
    def answer_ms(self) -> float:
        """How long a check waits for an answer before the fail policy decides."""
        if self.fail_after_ms is not None:
            return min(self.fail_after_ms, self.timeout_ms)
        return self.timeout_ms if self.fail == "closed" else min(2_000, self.timeout_ms)


def made(given: Mapping[str, Any], address: str | Iterable[str] | None) -> Options:
    """The options of Bursar(...), where several may be given as a mapping and a few come from the environment."""
    words = dict(given)
    for name, kind in (("tls", Tls), ("gather", Gather), ("spool", Spool), ("fail", Share)):
        if isinstance(words.get(name), Mapping):
            value = words[name]
            words[name] = kind(**(value.get("share", value) if kind is Share else value))
    if words.get("gather") is True:
        words["gather"] = Gather()
    elif words.get("gather") is False:
        words["gather"] = None
    if isinstance(words.get("spool"), (str, os.PathLike)):
        words["spool"] = Spool(os.fspath(words["spool"]))
    if words.get("key") is None:
        words["key"] = os.environ.get("BURSAR_KEY", "")
    options = Options(addresses=read_addresses(address), **words)
    _check(options)
    return options


def _check(options: Options) -> None:
    if any(not "!" <= letter <= "~" for letter in options.key):
        raise invalid("key", "is not an API key: pass the line that 'bursar key create' printed, beginning with bsk_")
    if options.fail not in ("closed", "open") and not isinstance(options.fail, Share):
        raise invalid("fail", "must be 'closed', 'open' or Share(requests_per_minute=...)")
    if isinstance(options.fail, Share) and options.fail.requests_per_minute <= 0:
        raise invalid("fail", "requests_per_minute must be above 0; to let nothing pass, use 'closed'")
    if options.gather and not (1 <= options.gather.items <= 1000 and options.gather.delay_ms >= 0):
        raise invalid("gather", "items must be 1 to 1000, and delay_ms 0 or more")
    if options.tls and bool(options.tls.cert) != bool(options.tls.key):
        raise invalid("tls", "cert and key must be given together")
    if options.orphan_ms and options.orphan_ms < 1_000:
        raise invalid("orphan_ms", "must be 0, or 1000 or more")
    for name in ("timeout_ms", "attempt_ms", "attempts"):
        if getattr(options, name) <= 0:
            raise invalid(name, "must be above 0")


def tell(options: Options, error: Exception) -> None:
    """Hands an error to the application, whose own errors stay there."""
    if options.on_error:
        try:
            options.on_error(error)
        except Exception:  # the application's callback must not break its calls
            pass


__all__ = ["BursarError", "Fail", "Gather", "OnError", "OnWarning", "Options", "Share", "Spool", "Tls", "made", "tell"]
