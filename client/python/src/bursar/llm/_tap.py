"""Listens to a response on its way to the app: the usage that its events tell, and the event that the app did not ask for."""
from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

from bursar.estimate import estimate_tokens

from ._guard import Guard, Ticket

_END_OF_EVENT = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_MOST_BODY = 8 << 20


def event_json(event: bytes) -> Any:
    """What an event of a text/event-stream says, or None."""
    data = b"\n".join(line[5:].removeprefix(b" ") for line in re.split(rb"\r\n|\n|\r", event) if line.startswith(b"data:"))
    try:
        return json.loads(data)
    except ValueError:
        return None


def tells_usage(said: Any) -> bool:
    if not isinstance(said, dict):
        return False
    places = [said, said.get("message"), said.get("response")]
    return any(isinstance(place, dict) and bool(place.get("usage") or place.get("usageMetadata")) for place in places)


class Tap:
    """Takes the bytes of a response and gives back those for the app. `keep_all`: the provider tells its usage in parts."""

    def __init__(self, events: bool, keep_all: bool = False, drop_usage: bool = False, delta: Callable[[Any], str] | None = None) -> None:
        self.usages: list[Any] = []
        self.ended = False
        self._events, self._keep_all, self._drop_usage, self._delta = events, keep_all, drop_usage, delta
        self._rest = b""
        self._unread: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        self._rest += data
        if not self._events:
            self._rest = self._rest[:_MOST_BODY]
            return data
        given, start = [], 0
        for end in _END_OF_EVENT.finditer(self._rest):
            event = self._rest[start:end.end()]
            start = end.end()
            if self._passes(event):
                given.append(event)
        self._rest = self._rest[start:]
        return b"".join(given)

    def flush(self) -> bytes:
        """The end of the response. An event without its blank line counts too."""
        rest, self._rest, self.ended = self._rest, b"", True
        if self._events:
            return rest if self._passes(rest) else b""
        try:
            said = json.loads(rest)
        except ValueError:
            return b""
        if tells_usage(said):
            self.usages = [said]
        return b""

    def _passes(self, event: bytes) -> bool:
        if b'"usage' not in event:
            if self._delta and b"delta" in event:
                self._unread.append(event)
            return True
        said = event_json(event)
        if not tells_usage(said):
            return True
        self.usages = [*self.usages, said] if self._keep_all else [said]
        return not (self._drop_usage and said.get("choices") == [])

    def cut_short(self) -> int:
        """Estimated tokens of the text that has been seen: what a stream that is left early has cost at least."""
        return estimate_tokens("".join(self._delta(event_json(event)) for event in self._unread)) if self._delta else 0


class Listener:
    """A tap on an httpx response. It is settled when its body has been read, or when it is closed before."""

    def __init__(self, guard: Guard, ticket: Ticket, tap: Tap, finished: Callable[[Tap], list[Any]]) -> None:
        self._guard, self._ticket, self._tap, self._finished = guard, ticket, tap, finished
        self._pulling = False

    def _tell(self) -> None:
        if not self._ticket.settled:
            for usage in self._finished(self._tap):
                self._ticket.tell(usage)

    def settle(self) -> None:
        self._tell()
        self._guard.settle(self._ticket)

    async def asettle(self) -> None:
        self._tell()
        await self._guard.asettle(self._ticket)

    def listen(self, response: Any) -> None:
        read, close = response.iter_bytes, response.close

        def iter_bytes(*args: Any, **kwargs: Any) -> Iterator[bytes]:
            if self._tap.ended:
                yield from read(*args, **kwargs)
                return
            source = read(*args, **kwargs)
            try:
                while (chunk := self._pull(source)) is not None:
                    if passed := self._tap.feed(chunk):
                        yield passed
                if rest := self._tap.flush():
                    yield rest
            finally:
                self.settle()

        def closed() -> None:
            close()
            if not self._pulling:  # else the reader is not at its end yet: httpx closes before it hands out the last bytes
                self.settle()

        response.iter_bytes, response.close = iter_bytes, closed

    def _pull(self, source: Iterator[bytes]) -> bytes | None:
        self._pulling = True
        try:
            return next(source, None)
        finally:
            self._pulling = False

    def alisten(self, response: Any) -> None:
        read, close = response.aiter_bytes, response.aclose

        async def aiter_bytes(*args: Any, **kwargs: Any) -> AsyncIterator[bytes]:
            source = read(*args, **kwargs)
            try:
                while not self._tap.ended:
                    chunk = await self._apull(source)
                    passed = self._tap.flush() if chunk is None else self._tap.feed(chunk)
                    if passed:
                        yield passed
                async for chunk in source:
                    yield chunk
            finally:
                await self.asettle()

        async def closed() -> None:
            await close()
            if not self._pulling:
                await self.asettle()

        response.aiter_bytes, response.aclose = aiter_bytes, closed

    async def _apull(self, source: AsyncIterator[bytes]) -> bytes | None:
        self._pulling = True
        try:
            return await anext(source, None)
        finally:
            self._pulling = False
