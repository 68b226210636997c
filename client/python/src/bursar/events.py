"""What happened to users: they are at 80%, were upgraded, are suspended."""
from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypedDict

from bursar._core.options import Options
from bursar._core.retry import AGAIN, FIRST_PAUSE_S, LONGEST_PAUSE_S
from bursar.errors import BursarError, invalid
from bursar.v1 import alerts_pb2, types_pb2

if TYPE_CHECKING:
    from bursar._client import Bursar
    from bursar._core.core import Core

_EVENTS = "/bursar.v1.Limiter/Events"
_SILENCE_S = 45.0  # a server says every 15 s that there is nothing new
_KINDS = {number: name.removeprefix("ALERT_KIND_").lower() for name, number in alerts_pb2.AlertKind.items()}
_SEVERITIES = {number: name.removeprefix("ALERT_SEVERITY_").lower() for name, number in alerts_pb2.AlertSeverity.items()}
_ACCOUNTS = {number: name.removeprefix("ACCOUNT_KIND_").lower() for name, number in types_pb2.AccountKind.items()} | {0: ""}


@dataclasses.dataclass(frozen=True, slots=True)
class AlertEvent:
    """Something that happened to an account."""

    cursor: int  #: keep it when the event has been dealt with: `after` continues behind it
    kind: str  #: threshold, projected, anomaly, denial, suspended, tier
    severity: str  #: info, warning, critical
    user: str  #: whom it concerns; "" when it is another account
    account_kind: str  #: user, team, org, model, tenant; "" when it concerns none
    account: str  #: its id; "" for shared accounts, unless the key may see names
    text: str  #: a sentence for people
    at_us: int
    limit: str  #: of a threshold: the limit, the threshold in percent, and what was used of how much
    percent: int
    used: int
    amount: int
    resets_at_us: int  #: when the limit's window ends; 0 = there is none
    before: str  #: of another tier: the former one
    after: str  #: and the new one
    lifted: bool  #: the suspension was lifted
    raw: alerts_pb2.AlertEvent

    @classmethod
    def of(cls, raw: alerts_pb2.AlertEvent) -> AlertEvent:
        kind = _ACCOUNTS.get(raw.account_kind, "")
        return cls(cursor=raw.cursor, kind=_KINDS.get(raw.kind, ""), severity=_SEVERITIES.get(raw.severity, ""),
                   user=raw.account if kind == "user" else "", account_kind=kind, account=raw.account, text=raw.text, at_us=raw.at_us,
                   limit=raw.limit, percent=raw.percent, used=raw.used, amount=raw.amount, resets_at_us=raw.window_end_us,
                   before=raw.before, after=raw.after, lifted=raw.lifted, raw=raw)


class EventWords(TypedDict, total=False):
    """Which events, and from where on."""

    after: int  #: the cursor of the last event that was dealt with; without it: from now on
    from_start: bool  #: without `after`: from the oldest event that the server keeps
    kinds: Iterable[str]  #: default: threshold, projected, denial, suspended, tier
    user: str  #: only this user's
    tenant: str
    language: str  #: of the texts
    on_reconnecting: Callable[[BursarError], Any]  #: the stream is lost, and will be opened again


class Events:
    """`async for event in bursar.events():` An event counts as dealt with when the next one is asked for; a stream that breaks is
    opened again behind it. The loop ends when the client is closed."""

    def __init__(self, bursar: Bursar, options: Options, words: EventWords) -> None:
        self._bursar, self._on_reconnecting = bursar, words.get("on_reconnecting")
        self._request = alerts_pb2.EventsRequest(
            after=words.get("after", 0), from_start=words.get("from_start", False), user=words.get("user", ""),
            tenant=words.get("tenant") or options.tenant, language=words.get("language") or options.language,
            kinds=[_kind(one) for one in words.get("kinds", ())])
        self._reading: AsyncGenerator[AlertEvent, None] | None = None

    @property
    def cursor(self) -> int:
        """Behind the last event that has been dealt with; 0 before the first message of a server."""
        return self._request.after

    def __aiter__(self) -> AsyncIterator[AlertEvent]:
        return self

    async def __anext__(self) -> AlertEvent:
        self._reading = self._reading or self._read(self._bursar._core())
        return await anext(self._reading)

    async def aclose(self) -> None:
        if self._reading:
            await self._reading.aclose()

    async def __aenter__(self) -> Events:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()

    async def _read(self, core: Core) -> AsyncGenerator[AlertEvent, None]:
        failures = 0
        while not core.channels.closed:
            lost = BursarError("the server ended the stream", code="UNAVAILABLE")
            try:
                async with contextlib.aclosing(self._messages(core)) as messages:
                    async for message in messages:
                        failures = 0
                        if message.HasField("event"):
                            yield AlertEvent.of(message.event)
                        self._request.after = message.cursor
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if core.channels.closed and task and not task.cancelling():  # gRPC cancels the calls of a channel that is closed
                    return
                raise
            except BursarError as error:
                if core.channels.closed:
                    return
                if error.code not in AGAIN and error.code != "RESOURCE_EXHAUSTED":  # too many streams at that server
                    raise
                lost = error
            if self._on_reconnecting:
                self._on_reconnecting(lost)
            most_s = min(FIRST_PAUSE_S * 2**failures, LONGEST_PAUSE_S)
            failures += 1
            await asyncio.sleep(max(random.uniform(0, most_s), lost.retry_after_ms / 1000))

    async def _messages(self, core: Core) -> AsyncGenerator[alerts_pb2.EventsResponse, None]:
        """Those of one stream. One that is silent for too long is given up."""
        stream = core.caller.stream(_EVENTS, self._request, alerts_pb2.EventsResponse)
        try:
            while True:
                async with asyncio.timeout(_SILENCE_S):
                    message = await anext(stream, None)
                if message is None:
                    return
                yield message
        except TimeoutError:
            raise BursarError("the server has been silent for too long", code="UNAVAILABLE") from None
        finally:
            await stream.aclose()  # type: ignore[attr-defined]


def _kind(name: str) -> Any:
    try:
        return alerts_pb2.AlertKind.Value(f"ALERT_KIND_{name.upper()}")
    except ValueError:
        raise invalid("kinds", f"'{name}' is not a kind of event, such as threshold or tier") from None
