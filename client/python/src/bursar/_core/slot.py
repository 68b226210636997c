"""The stream under a slot. When it breaks, the next one finds the place or the lease again by the request id."""
from __future__ import annotations

import asyncio
import time
from typing import Any

import grpc

from bursar._core import trace
from bursar._core.core import Core
from bursar._core.retry import closed
from bursar.answers import Check
from bursar.errors import BursarError, Denied, LeaseLost, from_grpc
from bursar.pool import Draining, Event, Granted, Lost, Queued, Reconnecting
from bursar.v1 import limiter_pb2

ACQUIRE = "/bursar.v1.Limiter/Acquire"
# How much earlier than the store the holder gives up a lease that cannot be renewed.
MARGIN_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 2.0


class Stream:
    """Reads events in a task of its own, so that a lease ends in time also while nobody asks for events."""

    def __init__(self, core: Core, request: limiter_pb2.AcquireRequest, own_id: bool, patience_ms: float,
                 longest_ms: float | None) -> None:
        self._core, self._request, self._own_id = core, request, own_id
        self._patience_s = patience_ms / 1000
        self._longest_ms = longest_ms
        self._events: asyncio.Queue[Event | BaseException | None] = asyncio.Queue()
        self._check: Check | None = None
        self._fence = 0  # 0 = not granted
        self._lease_s = 0.0
        self._broken: float | None = None  # since when no server has answered
        self._pause_s = 0.0
        self._ended = False  # by itself
        self._taken = False  # the grant has reached the caller, who settles the reservation
        self._task = core.loop.create_task(self._run())

    async def next(self) -> Event | None:
        """The next event; None after the last."""
        if self._ended and self._events.empty():
            return None
        event = await self._events.get()
        if isinstance(event, BaseException):
            self._ended = True
            raise event
        self._ended = event is None
        if isinstance(event, Granted):
            self._taken = True
            self._core.keeper.keep(event.check, self._longest_ms)  # for the time between the end of the stream, and the record
        return event

    async def close(self) -> None:
        """Gives the slot or the place back: the server does that when the stream ends, or when none comes in its place. A slot's
        reservation stays open then, also if the grant is still on its way."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if not self._taken and (self._fence or not self._ended):
            self._taken = True
            self._core.take_back(self._check.raw if self._check else None, self._request.check, self._own_id)

    async def _run(self) -> None:
        try:
            while await self._connected():
                pass
            self._events.put_nowait(None)
        except LeaseLost as error:
            self._events.put_nowait(Lost(error))
            self._events.put_nowait(None)
        except asyncio.CancelledError:
            self._events.put_nowait(closed() if self._core.channels.closed else None)
            raise
        except Exception as error:  # given to whoever waits for the next event
            self._events.put_nowait(error)

    async def _connected(self) -> bool:
        """One connection, from its beginning to its end. False when nothing follows."""
        try:
            line = await self._core.caller.line(self._until())
        except BursarError as error:
            raise self._final(error) from None
        call = line.stream(ACQUIRE, limiter_pb2.AcquireResponse)(
            self._request, metadata=trace.metadata(self._core.caller.metadata))
        try:
            while True:
                async with asyncio.timeout(self._until() - time.monotonic() if self._broken is not None else None):
                    message = await call.read()
                if not isinstance(message, limiter_pb2.AcquireResponse):  # grpc.aio.EOF
                    return self._ended_by_server(await call.code(), await call.details())
                self._broken, self._pause_s, line.answered = None, 0.0, True
                self._on_message(message)
        except TimeoutError:
            raise self._final(BursarError("no server answers", code="UNAVAILABLE")) from None
        except grpc.aio.AioRpcError as failed:
            broken = self._core.caller.failure(line, from_grpc(failed))
        finally:
            call.cancel()
            self._core.channels.give_back(line)
        await self._pause(broken)
        return True

    def _ended_by_server(self, code: Any, details: str) -> bool:
        """A released slot ends so, and so does a denial."""
        if code is not grpc.StatusCode.OK:
            raise BursarError(details, code=code.name, from_server=True)
        return False

    def _on_message(self, message: limiter_pb2.AcquireResponse) -> None:
        if self._check is None and message.HasField("check"):
            self._check = Check.of(message.check, self._request.check)
        check = self._check or Check.of(message.check, self._request.check)
        kind = message.WhichOneof("event")
        if kind == "denied":
            raise Denied(check)
        if kind == "queued" and not self._fence:
            self._events.put_nowait(Queued.of(message.queued, check))
        elif kind == "granted":
            self._on_granted(message.granted, check)
        elif kind == "draining":
            self._events.put_nowait(Draining(message.draining.finish_by_us))

    def _on_granted(self, granted: limiter_pb2.Granted, check: Check) -> None:
        self._lease_s = granted.lease_us / 1e6
        if not self._fence:
            self._fence = granted.fence
            self._events.put_nowait(Granted(granted.lease, granted.fence, granted.waited_us // 1000, check, granted))
        elif self._fence != granted.fence:
            raise LeaseLost("the lease was lost meanwhile; this is another one")

    def _until(self) -> float:
        """When the place or the lease is over without a server."""
        survives_s = self._lease_s - MARGIN_S if self._fence else self._patience_s
        return (time.monotonic() if self._broken is None else self._broken) + survives_s

    async def _pause(self, error: BursarError) -> None:
        """Waits before the next connection, or raises when there is none."""
        if error.code not in ("UNAVAILABLE", "CANCELLED") or self._core.channels.closed:
            raise self._final(error)
        now = time.monotonic()
        self._broken = now if self._broken is None else self._broken
        self._pause_s = min(self._pause_s * 2 or FIRST_PAUSE_S, LONGEST_PAUSE_S)
        if max(self._pause_s, error.retry_after_ms / 1000) >= self._until() - now:
            raise self._final(error)
        self._events.put_nowait(Reconnecting(error))
        await asyncio.sleep(max(self._pause_s, error.retry_after_ms / 1000))

    def _final(self, error: BursarError) -> BursarError:
        if self._fence and error.code == "UNAVAILABLE":
            return LeaseLost("the lease is lost: no server renewed it in time")
        if self._fence and error.code == "ABORTED":
            return LeaseLost(str(error), error.reason or "LEASE_LOST")
        return error
