"""What is on its way to a server, on disk until it has arrived: a process that is killed in the middle of a call loses nothing.

The records of a call share a file, which has the bytes of the call itself.
"""
from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from bursar._core.ids import now_us
from bursar._core.spool import Folder
from bursar.v1 import limiter_pb2

# Most calls are answered by then; a file that outlives the machine as well costs the disk a hundred times as much.
SYNC_AFTER_S = 0.1


class Flight:
    """One file, of so many records. `leave` may be called from any thread, but by one at a time."""

    def __init__(self, records: int, end: Callable[[], None]) -> None:
        self._left, self._end = records, end

    def leave(self) -> None:
        """One of its records has arrived, or is kept elsewhere."""
        self._left -= 1
        if self._left == 0:
            self._end()


class Ahead:
    """Writes in the spool's thread; what that raises is told."""

    def __init__(self, folder: Folder, disk: Executor, told: Callable[[Exception], None]) -> None:
        self._folder, self._disk, self._told = folder, disk, told
        self._writer = secrets.token_hex(4)  # process ids are the same in every container
        self._numbers = itertools.count()

    async def begin(self, records: Sequence[limiter_pb2.RecordRequest], begun: Callable[[Flight], None]) -> None:
        """They survive the end of the process once this returns, and that of the machine when they are not answered soon."""
        name, written = self._write(records, sync=False)
        timer = asyncio.get_running_loop().call_later(SYNC_AFTER_S, self._do, self._folder.sync_file, name)

        def end() -> None:
            timer.cancel()
            self._do(self._folder.remove_batch, name)

        begun(Flight(len(records), end))
        await asyncio.wrap_future(written)

    def note(self, record: limiter_pb2.RecordRequest) -> Flight:
        """The same of a record that is made later. Does not wait for the disk; for any thread."""
        name, _ = self._write([record], sync=True)

        def end() -> None:
            self._do(self._folder.remove_batch, name)

        return Flight(1, end)

    def _write(self, records: Sequence[limiter_pb2.RecordRequest], sync: bool) -> tuple[str, Future[None]]:
        name = f"{now_us():016}-{self._writer}-{next(self._numbers)}.batch"
        data = limiter_pb2.RecordBatchRequest(items=records).SerializeToString()
        return name, self._do(self._folder.write_batch, name, data, sync)

    def _do(self, work: Callable[..., None], *words: object) -> Future[None]:
        def done() -> None:
            try:
                work(*words)
            except OSError as error:  # the disk's: the call goes on without
                self._told(error)

        return self._disk.submit(done)
