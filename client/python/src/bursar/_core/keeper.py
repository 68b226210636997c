"""Reservations of requests that run. They are held for a short time, and extended while this process lives: those of a process that died
are free again soon, and not after the quarter of an hour that a request may take."""
from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable

from bursar._core.options import LONGEST_MS, Options
from bursar._core.retry import AGAIN, Caller
from bursar.answers import Check
from bursar.errors import BursarError
from bursar.v1 import limiter_pb2, types_pb2

RENEW = "/bursar.v1.Limiter/Renew"
SHORTEST_S = 1.0  # the API knows no shorter time: one that lasts until so much before its end is as long as it may be
# Further ones are extended once, as far as they may be: a program that never records must not cost more and more.
KEPT_MAX = 10_000
CONCURRENT = 32


@dataclasses.dataclass(eq=False, slots=True)
class Kept:
    handle: str
    began: float  # of time.monotonic()
    longest_s: float
    ttl_s: float  # how far it was extended the last time
    until: float  # and until when that lasts


class Keeper:
    """Belongs to one loop."""

    def __init__(self, options: Options, caller: Caller) -> None:
        self._caller = caller
        self._orphan_s = options.orphan_ms / 1000
        self._attempt_ms = options.attempt_ms
        self._kept: dict[str, Kept] = {}
        self._task: asyncio.Task[None] | None = None
        self._once: set[asyncio.Task[None]] = set()

    def keep(self, check: Check, longest_ms: float | None = None) -> None:
        """Of a check that was allowed just now. The reservation of a repeat is kept by the process whose check came first."""
        longest_s, now = (longest_ms or LONGEST_MS) / 1000, time.monotonic()
        if not check.reservation or (check.repeat and not check.retried) or not 0 < self._orphan_s < longest_s:
            return
        kept = Kept(check.reservation, now, longest_s, self._orphan_s, now + self._orphan_s)
        if len(self._kept) >= KEPT_MAX:
            task = asyncio.get_running_loop().create_task(self._extend(kept, longest_s))
            self._once.add(task)
            task.add_done_callback(self._once.discard)
            return
        self._kept[kept.handle] = kept
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._look())

    def drop(self, handle: str) -> None:
        """It was recorded, or given back."""
        self._kept.pop(handle, None)

    async def _look(self) -> None:
        def half(kept: Kept) -> float:
            """When half of the time has passed. The longer a request runs, the less often: half as long again each time."""
            now = time.monotonic()
            if kept.until - now > kept.ttl_s / 2:
                return 0
            return min(max(self._orphan_s, now - kept.began), kept.began + kept.longest_s - now)

        while self._kept:
            await asyncio.sleep(self._orphan_s / 4)
            await self._each(half)

    async def _each(self, ttl_s: Callable[[Kept], float]) -> None:
        """Extends those for which `ttl_s` is not 0."""
        if not self._caller.channels.any_up:
            return
        due = [(kept, ttl) for kept in self._kept.values() if (ttl := ttl_s(kept))]

        async def lane() -> None:
            while due:
                kept, ttl = due.pop()
                if kept.handle in self._kept:
                    await self._extend(kept, ttl)

        await asyncio.gather(*(lane() for _ in range(min(CONCURRENT, len(due)))))

    async def _extend(self, kept: Kept, ttl_s: float) -> None:
        now = time.monotonic()
        request = limiter_pb2.RenewRequest(reservation=types_pb2.ReservationRef(handle=kept.handle), reservation_ttl_us=int(ttl_s * 1e6))
        try:
            await self._caller.unary(RENEW, request, limiter_pb2.RenewResponse, deadline=self._caller.deadline(self._attempt_ms))
            kept.ttl_s, kept.until = ttl_s, now + ttl_s
            if kept.until >= kept.began + kept.longest_s - SHORTEST_S:
                self.drop(kept.handle)
        except BursarError as error:
            # It has ended, as another client has recorded it. While no server answers, it is tried again.
            if error.code not in AGAIN or time.monotonic() > kept.until:
                self.drop(kept.handle)

    async def close(self) -> None:
        """The client ends, and its process need not: what is open may be recorded by another one."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        now = time.monotonic()
        await self._each(lambda kept: kept.began + kept.longest_s - now)
        self._kept.clear()
