"""Gathers checks, or records, into one call. Each keeps its own answer, error, deadline and cancellation."""
from __future__ import annotations

import asyncio
import contextvars
import dataclasses
import time
from collections.abc import Awaitable, Callable
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from bursar._core.ahead import Flight
from bursar._core.options import Gather
from bursar._core.retry import AGAIN, Caller
from bursar.errors import CODES, BursarError

# A server takes 1 MiB unless it is configured otherwise.
MESSAGE_BYTES = 3 << 18
Request = TypeVar("Request", bound=Message)
Answer = TypeVar("Answer", bound=Message)


@dataclasses.dataclass(frozen=True)
class Method(Generic[Request, Answer]):
    """How one is asked, and how many."""

    one: str
    many: str
    answer: type[Answer]
    batch: type[Any]
    batch_answer: type[Any]
    sent_again: Callable[[Request], None] = lambda request: None  # before a request is sent a second time


@dataclasses.dataclass(eq=False, slots=True)
class Item(Generic[Request, Answer]):
    """One request, and the future of its answer, which is cancelled when nobody wants it any more."""

    request: Request
    deadline: float
    done: asyncio.Future[Answer]
    context: contextvars.Context  # of its caller: a batch is sent in that of its first
    on_failure: Callable[[BursarError], None] | None = None
    batch: Batch | None = None  # once it is sent
    left: bool = False  # the caller has gone; what the current attempt answers is still wanted

    def fail(self, error: BursarError) -> None:
        if not self.done.done():
            self.done.set_exception(error)

    def drop(self) -> None:
        """Nobody wants the answer: the call ends when that is true of all that it asks."""
        self.done.cancel()
        if self.batch and self.batch.task and all(item.done.done() for item in self.batch.items):
            self.batch.task.cancel()


@dataclasses.dataclass(eq=False, slots=True)
class Batch:
    """Items that are asked together."""

    items: list[Item[Any, Any]]
    task: asyncio.Task[None] | None = None
    asking: bool = False  # an attempt is under way
    flight: Flight | None = None  # on disk


class Gatherer(Generic[Request, Answer]):
    """While no call is on its way, what one turn of the loop asks goes at once; while one is, what comes is collected."""

    def __init__(self, caller: Caller, method: Method[Request, Answer], gather: Gather | None,
                 write_ahead: Callable[[Batch], Awaitable[None]] | None = None) -> None:
        self._caller, self._method, self._write_ahead = caller, method, write_ahead
        self._items = gather.items if gather else 1
        self._delay_s = gather.delay_ms / 1000 if gather else 0
        self._waiting: list[Item[Request, Answer]] = []
        self._bytes = 0  # of what waits
        self._timer: asyncio.Handle | None = None
        self._batches: set[asyncio.Task[None]] = set()

    def add(self, request: Request, deadline: float, on_failure: Callable[[BursarError], None] | None = None) -> Item[Request, Answer]:
        loop, size = asyncio.get_running_loop(), request.ByteSize()
        if self._bytes + size > MESSAGE_BYTES:
            self.flush()
        self._bytes += size
        item = Item(request, deadline, loop.create_future(), contextvars.copy_context(), on_failure)
        self._waiting.append(item)
        if len(self._waiting) >= self._items:
            self.flush()
        elif self._timer is None:
            self._timer = loop.call_later(self._delay_s, self.flush) if self._batches else loop.call_soon(self.flush)
        return item

    def flush(self) -> None:
        """Sends what waits."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        items = [item for item in self._waiting if not item.done.done()]
        self._waiting, self._bytes = [], 0
        if items:
            batch = Batch(items)
            for item in items:
                item.batch = batch
            batch.task = asyncio.get_running_loop().create_task(self._send(batch), context=items[0].context)
            self._batches.add(batch.task)
            batch.task.add_done_callback(self._sent)

    async def drained(self, deadline: float) -> None:
        """Sends what waits, and waits for the answers to everything; what has none by the deadline is cancelled."""
        self.flush()
        while self._batches and (left_s := deadline - time.monotonic()) > 0:
            await asyncio.wait(self._batches, timeout=left_s)
        for task in self._batches:
            task.cancel()
        if self._batches:
            await asyncio.wait(self._batches)

    def _sent(self, task: asyncio.Task[None]) -> None:
        self._batches.discard(task)
        if self._waiting and not self._batches:
            self.flush()

    async def _send(self, batch: Batch) -> None:
        try:
            if self._write_ahead:
                await self._write_ahead(batch)
            await self._attempts(batch)
        except asyncio.CancelledError:
            failure = BursarError("the client was closed", code="CANCELLED")
        except BursarError as error:
            failure = error
        except Exception as error:  # of this library or of gRPC: the callers must not wait for ever
            failure = BursarError(f"{type(error).__name__}: {error}", code="INTERNAL")
        else:
            return
        for item in batch.items:
            item.fail(failure)

    async def _attempts(self, batch: Batch) -> None:
        """Asks until every item has an answer or is out of attempts; each is asked again only if itself has failed."""
        items: list[Item[Request, Answer]] = batch.items
        attempts = self._caller.attempts(max(item.deadline for item in items))
        error, address = None, ""
        while items:
            line = await self._caller.line(attempts.deadline, error, address)
            items = [item for item in items if not item.done.done()]  # some have left meanwhile
            if not items:
                self._caller.channels.give_back(line)
                return
            address = line.address
            attempts.made += 1
            batch.asking = True
            try:
                items, error = self._answered(items, await self._ask(line, items, attempts.timeout_s()))
            except BursarError as failure:
                error = failure
            finally:
                batch.asking = False
            for item in items:
                if item.left and error:
                    item.fail(error)
            items = [item for item in items if not item.done.done()]
            if items and error:
                for item in items:
                    if item.on_failure:
                        item.on_failure(error)
                await attempts.pause(error)
                items = [item for item in items if not item.done.done()]
                for item in items:
                    self._method.sent_again(item.request)

    async def _ask(self, line: Any, items: list[Item[Request, Answer]], timeout_s: float) -> list[Any]:
        """The answers: messages, or errors of one item."""
        method = self._method
        if len(items) == 1:
            return [await self._caller.attempt(line, method.one, items[0].request, method.answer, timeout_s)]
        batch = method.batch(items=[item.request for item in items])
        answer = await self._caller.attempt(line, method.many, batch, method.batch_answer, timeout_s)
        return [one.response if one.HasField("response") else one.error for one in answer.items]

    def _answered(self, items: list[Item[Request, Answer]], answers: list[Any]) -> tuple[list[Item[Request, Answer]], BursarError | None]:
        """Hands the answers out; returns the items that are to be asked again, and why."""
        again, why = [], None
        for item, answer in zip(items, answers):
            if item.done.done():
                continue
            if isinstance(answer, self._method.answer):
                item.done.set_result(answer)
                continue
            error = BursarError(answer.message, code=CODES.get(answer.code, "UNKNOWN"), field=answer.field, from_server=True)
            if error.code in AGAIN:
                again.append(item)
                why = error
            else:
                item.fail(error)
        for item in items[len(answers):]:
            item.fail(BursarError("the answer to the batch has no such item", code="INTERNAL", from_server=True))
        return again, why


async def result(item: Item[Request, Answer]) -> Answer:
    """The item's own answer. It is there by the item's deadline, as that of its batch is the same but for the delay of gathering.
    Whoever is cancelled leaves the item."""
    return await asyncio.shield(item.done)


def leave(item: Item[Request, Answer], on_late: Callable[[Answer | BursarError], None] | None = None) -> None:
    """Nobody waits any more. What the attempt under way answers is given to `on_late`; there is no other."""
    def late(done: asyncio.Future[Answer]) -> None:
        if on_late and not done.cancelled():
            error = done.exception()
            on_late(error if isinstance(error, BursarError) else done.result())

    if item.done.done():  # in the same turn of the loop
        late(item.done)
    elif item.batch and item.batch.asking and on_late:
        item.left = True
        item.done.add_done_callback(late)
    else:
        item.drop()
