"""Slots of a pool: a fair queue in front of what only so many may do at once."""
from __future__ import annotations

import asyncio
import dataclasses
import inspect
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Unpack

from bursar._core import trace
from bursar._core.requests import CheckWords, check_request
from bursar._core.run import Job
from bursar.answers import Check, ms_up, wait_reason
from bursar.errors import BursarError, Denied, LeaseLost
from bursar.v1 import limiter_pb2

if TYPE_CHECKING:
    from bursar._client import Bursar
    from bursar._core.slot import Stream


@dataclasses.dataclass(frozen=True, slots=True)
class Ahead:
    """Who is before a request in the queue, at one priority."""

    priority: int
    waiting: int
    running: int


@dataclasses.dataclass(frozen=True, slots=True)
class Queued:
    """A place in the queue."""

    type: ClassVar[Literal["queued"]] = "queued"
    position: int  #: 1 = next
    eta_ms: int
    waited_ms: int
    reason: str  #: own_cap, level_share, paused, ...
    wait_until_us: int
    ahead: list[Ahead]
    check: Check
    raw: limiter_pb2.Queued

    @classmethod
    def of(cls, raw: limiter_pb2.Queued, check: Check) -> Queued:
        return cls(position=raw.position, eta_ms=ms_up(raw.eta_us), waited_ms=raw.waited_us // 1000, reason=wait_reason(raw.reason),
                   wait_until_us=raw.wait_until_us, ahead=[Ahead(one.priority, one.waiting, one.running) for one in raw.ahead],
                   check=check, raw=raw)


@dataclasses.dataclass(frozen=True, slots=True)
class Granted:
    """The slot is there."""

    type: ClassVar[Literal["granted"]] = "granted"
    lease: str
    fence: int  #: greater than that of every earlier lease of the pool
    waited_ms: int
    check: Check
    raw: limiter_pb2.Granted


@dataclasses.dataclass(frozen=True, slots=True)
class Draining:
    """The pool shrinks or pauses: please finish by then. Nobody is killed."""

    type: ClassVar[Literal["draining"]] = "draining"
    finish_by_us: int


@dataclasses.dataclass(frozen=True, slots=True)
class Reconnecting:
    """The connection is lost and will be made again. The place or the lease is not lost yet."""

    type: ClassVar[Literal["reconnecting"]] = "reconnecting"
    error: BursarError


@dataclasses.dataclass(frozen=True, slots=True)
class Lost:
    """The lease is lost: stop working. It is the last event."""

    type: ClassVar[Literal["lost"]] = "lost"
    error: LeaseLost


Event = Queued | Granted | Draining | Reconnecting | Lost


class Acquire:
    """The events of a request for a slot. The slot or the place is given back when the `async with` statement ends; without one,
    when the loop is left."""

    def __init__(self, bursar: Bursar, request: limiter_pb2.AcquireRequest, own_id: bool, patience_ms: float,
                 longest_ms: float | None = None) -> None:
        self._bursar, self._request, self._own_id, self._patience_ms = bursar, request, own_id, patience_ms
        self._longest_ms = longest_ms  # of the reservation
        self._stream: Stream | None = None
        self._entered = False

    def __aiter__(self) -> AsyncIterator[Event]:
        return self._events()

    async def _events(self) -> AsyncIterator[Event]:
        stream = self._open()
        try:
            while event := await stream.next():
                yield event
        finally:
            if not self._entered:
                await self.aclose()

    def _open(self) -> Stream:
        from bursar._core.slot import Stream
        if self._stream is None:
            self._stream = Stream(self._bursar._core(), self._request, self._own_id, self._patience_ms, self._longest_ms)
        return self._stream

    async def aclose(self) -> None:
        if self._stream:
            await self._stream.close()

    async def __aenter__(self) -> Acquire:
        self._entered = True
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.aclose()


@dataclasses.dataclass
class Callbacks:
    """What the application wants to be told. Functions, or coroutine functions, which then run beside the queue."""

    on_queued: Callable[[Queued], Any] | None = None
    on_draining: Callable[[Draining], Any] | None = None
    on_reconnecting: Callable[[Reconnecting], Any] | None = None
    on_lost: Callable[[Lost], Any] | None = None


class Slot(Job):
    """A slot that is held."""

    def __init__(self, bursar: Bursar, granted: Granted) -> None:
        super().__init__(bursar, granted.check)
        self._lease = granted.lease
        self.granted = granted
        self.lost = asyncio.Event()  #: set when the lease is lost
        self.draining: Draining | None = None  #: once the pool has asked to finish

    @property
    def fence(self) -> int:
        """For what the slot protects: it refuses whoever comes with a smaller one."""
        return self.granted.fence


class Holding:
    """`async with pool.slot(...) as slot`: waits for the slot, gives it back at the end. If the lease is lost meanwhile, the block is
    cancelled, and the statement raises LeaseLost."""

    def __init__(self, acquire: Acquire, bursar: Bursar, callbacks: Callbacks, cancel_on_lost: bool) -> None:
        self._acquire, self._bursar, self._callbacks = acquire, bursar, callbacks
        self._cancel_on_lost = cancel_on_lost
        self._slot: Slot | None = None
        self._holder: asyncio.Task[Any] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._loss: LeaseLost | None = None
        self._cancelled = False
        self._told: dict[str, Event] = {}  # the newest event of a kind that its callback has not seen
        self._teller: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Slot:
        self._holder = asyncio.current_task()
        stream = self._acquire._open()
        try:
            with trace.span("bursar.acquire") as attributes:
                attributes["pool"] = self._acquire._request.pool
                while True:
                    event = await stream.next()
                    if isinstance(event, Granted):
                        break
                    if event is None:
                        raise BursarError("the server ended the stream without a slot", code="INTERNAL", from_server=True)
                    self._tell(event)
                attributes["waited_ms"] = event.waited_ms
        except BaseException:
            await self._close()
            raise
        self._told.pop("queued", None)
        self._slot = Slot(self._bursar, event)
        self._bursar._warn(event.check.notify)
        self._watch = asyncio.get_running_loop().create_task(self._watched(stream, self._slot))
        return self._slot

    async def _watched(self, stream: Stream, slot: Slot) -> None:
        while event := await stream.next():
            if isinstance(event, Draining):
                slot.draining = event
            self._tell(event)
            if isinstance(event, Lost):
                self._loss = event.error
                slot.lost.set()
                if self._cancel_on_lost and self._holder:
                    self._cancelled = True
                    self._holder.cancel()

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        slot = self._slot
        if slot is None:
            return
        if self._watch:
            self._watch.cancel()
        ours = self._cancelled and isinstance(error, asyncio.CancelledError)
        if self._cancelled and self._holder and self._holder.uncancel() > 0:
            ours = False  # somebody else has cancelled the task as well
        if self._loss:
            slot._lease = ""
        await self._bursar._finish(self._ended(slot, failed=error is not None), heard=error is None)
        if self._loss and (ours or error is None):
            raise self._loss from None

    async def _ended(self, slot: Slot, failed: bool) -> None:
        try:
            await slot._settle(failed)
        finally:
            await self._close()

    async def _close(self) -> None:
        await self._bursar._core().through(self._acquire.aclose())

    def _tell(self, event: Event) -> None:
        if getattr(self._callbacks, "on_" + event.type, None) is None:
            return
        self._told[event.type] = event
        if self._teller is None or self._teller.done():
            self._teller = self._bursar._core().start(self._tells())

    async def _tells(self) -> None:
        """One callback at a time. What it has missed meanwhile is not told, except the newest."""
        while self._told:
            event = self._told.pop(next(iter(self._told)))
            try:
                made = getattr(self._callbacks, "on_" + event.type)(event)
                if inspect.isawaitable(made):
                    await made
            except Exception as error:  # the application's own
                self._bursar._tell(error)


class Pool:
    """A pool by its name."""

    def __init__(self, bursar: Bursar, name: str) -> None:
        self._bursar, self.name = bursar, name

    def slot(self, *, user: str, on_queued: Callable[[Queued], Any] | None = None, on_draining: Callable[[Draining], Any] | None = None,
             on_reconnecting: Callable[[Reconnecting], Any] | None = None, on_lost: Callable[[Lost], Any] | None = None,
             cancel_on_lost: bool = True, seats: int = 1, max_wait_ms: int = 0, patience_ms: float = 10_000,
             **words: Unpack[CheckWords]) -> Holding:
        """`async with pool.slot(user=...) as slot:` waits for a slot and holds it while the block runs. A limit that refuses raises
        Denied; a queue that has no room, or took too long, raises BursarError RESOURCE_EXHAUSTED with `retry_after_ms`. What was used
        is told and settled as with `run`.

        `patience_ms` is how long a place in the queue looks for a server that answers."""
        return Holding(self.acquire(user=user, seats=seats, max_wait_ms=max_wait_ms, patience_ms=patience_ms, **words), self._bursar,
                       Callbacks(on_queued, on_draining, on_reconnecting, on_lost), cancel_on_lost)

    def acquire(self, *, user: str, seats: int = 1, max_wait_ms: int = 0, patience_ms: float = 10_000,
                **words: Unpack[CheckWords]) -> Acquire:
        """`async for event in pool.acquire(user=...)`: every event by itself, for programs that `slot` does not suit. The slot is held
        until the loop is left (or the end of `async with pool.acquire(...) as events`); record and cancel are then the caller's."""
        check = check_request(self._bursar.options, user, words)
        own_id = check.request_id_is_new
        check.request_id_is_new = False  # a stream that breaks is made again with the same message
        request = limiter_pb2.AcquireRequest(check=check, pool=self.name, seats=seats, max_wait_us=max_wait_ms * 1000)
        return Acquire(self._bursar, request, own_id, patience_ms, words.get("reservation_ttl_ms"))


__all__ = ["Acquire", "Ahead", "Check", "Denied", "Draining", "Event", "Granted", "Lost", "Pool", "Queued", "Reconnecting", "Slot"]
