"""The client for programs without asyncio: the same methods, which wait. It runs the asyncio one on a thread of its own.

    from bursar.blocking import Bursar

    with Bursar("127.0.0.1:7420") as bursar:
        with bursar.run(user="ann", model="gpt-5") as job:
            job.usage(openai.chat.completions.create(...))

Any number of threads may use one client. A process that forks makes its first call after the fork: gRPC does not survive one.
"""
from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from types import TracebackType
from typing import Any, Generic, TypeVar, Unpack

from google.protobuf.message import Message

from bursar import _client
from bursar import usage as usages
from bursar._core.options import OptionWords
from bursar._core.requests import CheckWords
from bursar._core.run import Job
from bursar.answers import Check, Explanation, RecordResult, Status
from bursar.errors import BursarError
from bursar.events import AlertEvent, EventWords
from bursar.pool import Draining, Event, Lost, Queued, Reconnecting, Slot
from bursar.services import BlockingAdmin, BlockingLimiter
from bursar.v1 import types_pb2

T = TypeVar("T")
_Answer = TypeVar("_Answer", bound=Message)


class _Loop:
    """A loop on a thread, begun at the first call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pid = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What the work returns. An exception of the waiting thread, such as KeyboardInterrupt, cancels it."""
        try:
            loop = self._begun()
        except BaseException:
            work.close()
            raise
        if threading.current_thread() is self._thread:
            work.close()
            raise BursarError("a callback may not wait for a call of the same client", code="FAILED_PRECONDITION")
        future = asyncio.run_coroutine_threadsafe(work, loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def end(self) -> None:
        with self._lock:
            loop, thread, self._loop, self._thread = self._loop, self._thread, None, None
        if loop and thread and self._pid == os.getpid():
            loop.call_soon_threadsafe(loop.stop)
            thread.join()

    def begun(self) -> bool:
        return self._loop is not None and self._pid == os.getpid()

    def _begun(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            with self._lock:
                if self._loop is None:
                    loop = asyncio.new_event_loop()
                    self._thread = threading.Thread(target=self._serve, args=(loop,), name="bursar", daemon=True)
                    self._thread.start()
                    self._loop, self._pid = loop, os.getpid()
        if self._pid != os.getpid():
            raise BursarError("the process has forked since the client's first call: make the client, or its first call, after the fork",
                              code="FAILED_PRECONDITION")
        return self._loop

    @staticmethod
    def _serve(loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        loop.run_forever()
        for task in (left := asyncio.all_tasks(loop)):
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


class _Waited(Generic[T]):
    """`with` for a statement that is `async with`."""

    def __init__(self, loop: _Loop, inner: Callable[[], Any]) -> None:
        self._loop, self._make = loop, inner
        self._inner: Any = None

    def __enter__(self) -> T:
        self._inner = self._make()
        entered: T = self._loop.run(self._inner.__aenter__())
        return entered

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._loop.run(self._inner.__aexit__(kind, error, trace))


class Events:
    """The events of a request for a slot. The slot or the place is given back when the `with` statement ends; without one, when the
    loop is left."""

    def __init__(self, loop: _Loop, inner: Any) -> None:
        self._loop, self._inner = loop, inner
        self._entered = False
        self._events: AsyncIterator[Event] | None = None

    def __iter__(self) -> Iterator[Event]:
        events = self._events = self._events or aiter(self._inner)
        try:
            while True:
                try:
                    yield self._loop.run(_next(events))
                except StopAsyncIteration:
                    return
        finally:
            if not self._entered:
                self.close()

    def close(self) -> None:
        self._loop.run(self._inner.aclose())

    def __enter__(self) -> Events:
        self._entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


async def _next(events: AsyncIterator[T]) -> T:
    return await anext(events)


class Pool:
    """A pool by its name."""

    def __init__(self, bursar: Bursar, name: str) -> None:
        self._bursar, self.name = bursar, name

    def slot(self, *, user: str, on_queued: Callable[[Queued], Any] | None = None, on_draining: Callable[[Draining], Any] | None = None,
             on_reconnecting: Callable[[Reconnecting], Any] | None = None, on_lost: Callable[[Lost], Any] | None = None,
             seats: int = 1, max_wait_ms: int = 0, patience_ms: float = 10_000, **words: Unpack[CheckWords]) -> _Waited[Slot]:
        """`with pool.slot(user=...) as slot:` waits for a slot and holds it while the block runs. Callbacks run on another thread.
        A lost lease cannot interrupt the block: look at `slot.lost.is_set()`; the statement raises LeaseLost at its end."""
        pool = self._bursar._inner.pool(self.name)
        return _Waited(self._bursar._loop, lambda: pool.slot(
            user=user, on_queued=on_queued, on_draining=on_draining, on_reconnecting=on_reconnecting, on_lost=on_lost,
            cancel_on_lost=False, seats=seats, max_wait_ms=max_wait_ms, patience_ms=patience_ms, **words))

    def acquire(self, *, user: str, seats: int = 1, max_wait_ms: int = 0, patience_ms: float = 10_000,
                **words: Unpack[CheckWords]) -> Events:
        """`with pool.acquire(user=...) as events: for event in events:` has every event by itself."""
        return Events(self._bursar._loop, self._bursar._inner.pool(self.name).acquire(
            user=user, seats=seats, max_wait_ms=max_wait_ms, patience_ms=patience_ms, **words))


class Bursar:
    """As `bursar.Bursar`, whose options it takes."""

    def __init__(self, address: str | Iterable[str] | None = None, **options: Unpack[OptionWords]) -> None:
        self._inner = _client.Bursar(address, **options)
        self._loop = _Loop()
        self.options = self._inner.options
        self.limiter = BlockingLimiter(self)  #: the RPCs of bursar.v1.Limiter as they are
        self.admin = BlockingAdmin(self)  #: the RPCs of bursar.v1.Admin

    def check(self, *, user: str, **words: Unpack[CheckWords]) -> Check:
        """May this request run? A denial is an answer too."""
        return self._loop.run(self._inner.check(user=user, **words))

    def record(self, check: Check | str | None = None, *, user: str = "", request_id: str = "", started_at_us: int = 0,
               tenant: str = "", usage: usages.Usage | None = None, provider_usage: object = None, provider: str = "",
               model: str = "", mode: str = "", interface: str = "", attempt: int = 0, keep_open: bool = False,
               provider_cost_nano_usd: int | None = None, language: str = "", lease: str = "") -> RecordResult:
        """Reports what a request used."""
        return self._loop.run(self._inner.record(
            check, user=user, request_id=request_id, started_at_us=started_at_us, tenant=tenant, usage=usage,
            provider_usage=provider_usage, provider=provider, model=model, mode=mode, interface=interface, attempt=attempt,
            keep_open=keep_open, provider_cost_nano_usd=provider_cost_nano_usd, language=language, lease=lease))

    def cancel(self, check: Check | str | None = None, *, user: str = "", request_id: str = "", started_at_us: int = 0,
               tenant: str = "", lease: str = "") -> None:
        """Gives a reservation back: the request did not run."""
        self._loop.run(self._inner.cancel(check, user=user, request_id=request_id, started_at_us=started_at_us, tenant=tenant, lease=lease))

    def run(self, *, user: str, **words: Unpack[CheckWords]) -> _Waited[Job]:
        """`with bursar.run(user=...) as job:` runs the block if the request may run, else raises Denied."""
        return _Waited(self._loop, lambda: self._inner.run(user=user, **words))

    def pool(self, name: str = "agent-execution") -> Pool:
        """A pool of slots, in whose queue requests wait."""
        return Pool(self, name)

    def events(self, **words: Unpack[EventWords]) -> Iterator[AlertEvent]:
        """`for event in bursar.events():` tells what happened to users. `close` of the client, from another thread, ends the loop."""
        events = self._inner.events(**words)
        try:
            while True:
                try:
                    yield self._loop.run(_next(events))
                except StopAsyncIteration:
                    return
        finally:
            if self._loop.begun():
                self._loop.run(events.aclose())

    def status(self, *, user: str, model: str = "", tenant: str = "", language: str = "", costs: bool = False) -> Status:
        """The state of a user's accounts. Changes nothing."""
        return self._loop.run(self._inner.status(user=user, model=model, tenant=tenant, language=language, costs=costs))

    def explain(self, *, user: str, **words: Unpack[CheckWords]) -> Explanation:
        """What a check would answer, and why. Changes nothing."""
        return self._loop.run(self._inner.explain(user=user, **words))

    def estimate_cost(self, *, model: str, usage: usages.Usage | None = None, provider_usage: object = None, provider: str = "",
                      user: str = "", mode: str = "", tenant: str = "", at_us: int = 0) -> types_pb2.CostBreakdown:
        """What a use would cost. Changes nothing."""
        return self._loop.run(self._inner.estimate_cost(model=model, usage=usage, provider_usage=provider_usage, provider=provider,
                                                        user=user, mode=mode, tenant=tenant, at_us=at_us))

    def unary(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        """Any RPC of bursar.v1 by its path."""
        return self._loop.run(self._inner.unary(method, request, answer))

    def stream(self, method: str, request: Message, answer: type[_Answer]) -> Iterator[_Answer]:
        """Any streaming RPC of bursar.v1 by its path."""
        async def opened() -> AsyncIterator[_Answer]:
            return self._inner.stream(method, request, answer)

        messages = self._loop.run(opened())
        try:
            while True:
                try:
                    yield self._loop.run(_next(messages))
                except StopAsyncIteration:
                    return
        finally:
            self._loop.run(messages.aclose())  # type: ignore[attr-defined]

    def close(self) -> None:
        """Ends what was begun, tries once to deliver the records that wait, and closes the connections."""
        if self._loop.begun():
            self._loop.run(self._inner.close())
        self._loop.end()

    def __enter__(self) -> Bursar:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()
