"""Records on their way: gathered, put into the spool when no server answers, delivered from there when one does."""
from __future__ import annotations

import asyncio
import functools
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from bursar._core.ahead import Ahead, Flight
from bursar._core.gather import MESSAGE_BYTES, Batch, Gatherer, Method, result
from bursar._core.options import Options, tell
from bursar._core.retry import AGAIN, Caller
from bursar._core.spool import Folder, Memory, without_lease
from bursar.errors import CODES, BursarError
from bursar.v1 import limiter_pb2

RECORD: Method[limiter_pb2.RecordRequest, limiter_pb2.RecordResponse] = Method(
    "/bursar.v1.Limiter/Record", "/bursar.v1.Limiter/RecordBatch", limiter_pb2.RecordResponse, limiter_pb2.RecordBatchRequest,
    limiter_pb2.RecordBatchResponse)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
AT_ONCE = 100  # records that are delivered in one call
# What a repeat does not change. Anything else may be a key that expired or a server in trouble: the record goes on waiting.
FOR_GOOD = frozenset({"INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE", "ALREADY_EXISTS", "UNIMPLEMENTED"})
T = TypeVar("T")


def _identity(record: limiter_pb2.RecordRequest) -> str:
    """The same for a record and for what was remembered of it."""
    of = record.reservation
    return f"{of.handle or f'{of.user} {of.request_id}'} {record.attempt}"


class Outbox:
    """Belongs to one loop."""

    def __init__(self, options: Options, caller: Caller) -> None:
        self._options, self._caller = options, caller
        spool = options.spool
        self._spool = Folder(spool.directory, spool.records, spool.bytes) if spool else Memory()
        # The application's threads may all be busy with calls of an LLM, and records do not wait for them.
        self._disk = ThreadPoolExecutor(1, "bursar-spool")
        self._ahead = Ahead(self._spool, self._disk, functools.partial(tell, options)) if isinstance(self._spool, Folder) else None
        self.gatherer = Gatherer(caller, RECORD, options.gather, self._write_ahead if self._ahead else None)
        self._remembered: dict[str, Flight] = {}
        self._busy: set[str] = set()  # in the spool, and just being delivered by its caller
        self._delivery: asyncio.Task[None] | None = None
        self._at_once = AT_ONCE
        self._more = False  # has come since the delivery has looked
        self._closing = False

    async def begin(self) -> None:
        """Delivers what an earlier process left."""
        if isinstance(self._spool, Folder):
            for name, error in await self._do(self._spool.take_up):
                what = f"{name}: {error}" if error else f"{name} has no records, and was put aside"
                tell(self._options, BursarError(what, code="UNAVAILABLE" if error else "DATA_LOSS"))
        if await self._do(self._spool.count):
            self.deliver()

    async def _write_ahead(self, batch: Batch) -> None:
        def begun(flight: Flight) -> None:
            batch.flight = flight

        if self._ahead:
            await self._ahead.begin([item.request for item in batch.items], begun)

            for item in batch.items:
                self._forget(item.request)

    def remember(self, record: limiter_pb2.RecordRequest) -> None:
        """A record that will be made later, of use that is known now: on disk, where there is a folder. For any thread."""
        self._forget(record)
        if self._ahead:
            self._remembered[_identity(record)] = self._ahead.note(record)

    def _forget(self, record: limiter_pb2.RecordRequest) -> None:
        """It is made: it is on disk by itself, or has arrived."""
        if self._remembered and (flight := self._remembered.pop(_identity(record), None)):
            flight.leave()

    async def send(self, record: limiter_pb2.RecordRequest) -> limiter_pb2.RecordResponse | None:
        """The answer; None when the record waits in the spool. It is there from the first attempt that fails, so that it outlives
        the process."""
        saving: list[asyncio.Task[str]] = []

        def save(error: BursarError) -> None:
            if not saving and error.code not in FOR_GOOD:
                saving.append(asyncio.get_running_loop().create_task(self._save(record)))

        item = self.gatherer.add(record, self._caller.deadline(min(self._options.timeout_ms, 2 * self._options.attempt_ms)), save)
        try:
            answer = await result(item)
        except BursarError as error:
            save(error)
            name = await self._saved(saving)
            if not name or error.code in FOR_GOOD:
                await self._delivered(name)
                raise
            self._busy.discard(name)
            self.deliver()
            return None
        finally:
            self._forget(record)
            if item.batch and item.batch.flight:
                item.batch.flight.leave()
        if saving:
            await self._delivered(await self._saved(saving))
        return answer

    async def _saved(self, saving: list[asyncio.Task[str]]) -> str:
        """The name of the copy; "" when there is none, which `on_error` was told."""
        try:
            return await saving[0] if saving else ""
        except BursarError:
            return ""

    async def _delivered(self, name: str) -> None:
        if name:
            self._busy.discard(name)
            await self._do(self._spool.remove, [name])

    async def _save(self, record: limiter_pb2.RecordRequest) -> str:
        try:
            name = await self._do(self._spool.put, without_lease(record))
        except (BursarError, OSError) as error:
            failure = error if isinstance(error, BursarError) else BursarError(
                f"the record could not be written: {error}", code="RESOURCE_EXHAUSTED", reason="SPOOL_FULL")
            tell(self._options, failure)
            raise failure from None
        self._busy.add(name)
        return name

    def deliver(self) -> None:
        """Begins to deliver, or has what is under way look once more."""
        self._more = True
        if not self._closing and (self._delivery is None or self._delivery.done()):
            self._delivery = asyncio.get_running_loop().create_task(self._deliver())

    async def _deliver(self) -> None:
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                self._more = False
                left = await self._deliver_some()
                pause_s = FIRST_PAUSE_S
                if not left and not self._more:
                    return
            except (BursarError, OSError) as error:
                if not (isinstance(error, BursarError) and error.code in AGAIN):
                    tell(self._options, error)
                await asyncio.sleep(pause_s * random.uniform(0.5, 1))
                pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
                await self._caller.channels.some_up()

    async def _deliver_some(self) -> bool:
        """One call's worth of records; whether there is more."""
        taken = await self._do(self._spool.take, self._busy, self._at_once, MESSAGE_BYTES)
        for name in taken.bad:
            tell(self._options, BursarError(f"{name} is not a record, and was put aside", code="DATA_LOSS"))
        if not taken.records:
            return taken.more
        batch = limiter_pb2.RecordBatchRequest(items=[record for _, record in taken.records])
        try:
            answer = await self._caller.unary(RECORD.many, batch, limiter_pb2.RecordBatchResponse)
        except BursarError as error:
            if error.code not in FOR_GOOD and error.code != "RESOURCE_EXHAUSTED":
                raise
            if len(taken.records) > 1:  # one of them spoils the call: one by one, it is found
                self._at_once = 1
                return True
            if error.code not in FOR_GOOD:
                raise
            await self._refused(taken.records[0][0], error)
            return True
        self._at_once = AT_ONCE
        await self._answered([name for name, _ in taken.records], list(answer.items))
        return taken.more

    async def _answered(self, names: list[str], items: list[limiter_pb2.RecordItem]) -> None:
        done, waits = [], None
        for name, one in zip(names, items):
            if one.HasField("response"):
                done.append(name)
                continue
            error = BursarError(one.error.message, code=CODES.get(one.error.code, "UNKNOWN"), field=one.error.field, from_server=True)
            if error.code in FOR_GOOD:
                await self._refused(name, error)
            else:
                waits = error
        await self._do(self._spool.remove, done)
        if waits:
            raise waits

    async def _refused(self, name: str, error: BursarError) -> None:
        await self._do(self._spool.refuse, name)
        tell(self._options, error)

    async def close(self, deadline: float) -> None:
        """Sends what was gathered, and tries once to deliver what waits."""
        self._closing = True
        await self.gatherer.drained(deadline)
        if self._delivery and not self._delivery.done():
            self._delivery.cancel()
            await asyncio.wait([self._delivery])
        try:
            async with asyncio.timeout(self._options.attempt_ms / 1000):
                while await self._deliver_some():
                    pass
        except (BursarError, OSError, TimeoutError):
            pass  # they wait on disk; a client without a folder was told that its records end with it
        if isinstance(self._spool, Memory) and (left := self._spool.count()):
            tell(self._options, BursarError(f"{left} records were not delivered", code="DATA_LOSS"))
        if self._ahead:
            await self._do(lambda: None)  # what was begun before is done

    async def _do(self, work: Callable[..., T], *words: Any) -> T:
        """Something with the spool: a folder in its thread, as the disk may be slow."""
        if isinstance(self._spool, Memory):
            return work(*words)
        return await asyncio.get_running_loop().run_in_executor(self._disk, work, *words)
