"""What a client has while it runs: its channels and what is under way on them. Belongs to one loop."""
from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from bursar._core.channels import Channels
from bursar._core.fail import Buckets
from bursar._core.gather import Gatherer, Method, leave, result
from bursar._core.ids import now_us
from bursar._core.keeper import Keeper
from bursar._core.options import Options, Share, tell
from bursar._core.outbox import Outbox
from bursar._core.retry import AGAIN, Caller
from bursar.answers import Check
from bursar.errors import BursarError
from bursar.v1 import limiter_pb2, types_pb2

T = TypeVar("T")


def _sent_again(request: limiter_pb2.CheckRequest) -> None:
    request.request_id_is_new = False


CHECK: Method[limiter_pb2.CheckRequest, limiter_pb2.CheckResponse] = Method(
    "/bursar.v1.Limiter/Check", "/bursar.v1.Limiter/CheckBatch", limiter_pb2.CheckResponse, limiter_pb2.CheckBatchRequest,
    limiter_pb2.CheckBatchResponse, _sent_again)
CANCEL = "/bursar.v1.Limiter/Cancel"


class Core:
    """Made at the first call."""

    def __init__(self, options: Options, buckets: Buckets | None) -> None:
        self._options, self._buckets = options, buckets
        self.loop = asyncio.get_running_loop()
        self.channels = Channels(options)
        self.caller = Caller(options, self.channels)
        self.checks = Gatherer(self.caller, CHECK, options.gather)
        self.outbox = Outbox(options, self.caller)
        self.keeper = Keeper(options, self.caller)
        self._tasks: set[asyncio.Task[Any]] = set()
        if options.spool:
            self.alone(self.outbox.begin())

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Runs to its end before the client closes."""
        task = self.loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def alone(self, work: Coroutine[Any, Any, Any]) -> None:
        """Runs something that nobody waits for."""
        self.start(work).add_done_callback(self._told)

    async def through(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs something to its end, also when who waits for it is cancelled."""
        task = self.start(work)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            task.add_done_callback(self._told)
            raise

    def _told(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            tell(self._options, error)

    async def check(self, request: limiter_pb2.CheckRequest) -> Check:
        began_us = now_us()
        failures: list[BursarError] = []
        try:
            answer = await (self._check_alone(request) if request.settle else self._check_gathered(request, failures))
        except BursarError as error:
            if error.code not in AGAIN or self.channels.closed:
                raise
            return self._decide(request, began_us, error)
        return Check.of(answer, request, retried=bool(failures))

    async def _check_alone(self, request: limiter_pb2.CheckRequest) -> limiter_pb2.CheckResponse:
        """A check that settles has no place in a batch."""
        return await self.caller.unary(CHECK.one, request, CHECK.answer, deadline=self.caller.deadline(self._options.answer_ms),
                                       on_failure=lambda _: _sent_again(request))

    async def _check_gathered(self, request: limiter_pb2.CheckRequest, failures: list[BursarError]) -> limiter_pb2.CheckResponse:
        own_id = request.request_id_is_new
        item = self.checks.add(request, self.caller.deadline(self._options.answer_ms), failures.append)

        def late(answer: limiter_pb2.CheckResponse | BursarError) -> None:
            if not isinstance(answer, BursarError):
                self.take_back(answer, request, own_id)
            elif answer.code == "DEADLINE_EXCEEDED":
                self.take_back(None, request, own_id)

        try:
            return await result(item)
        except asyncio.CancelledError:
            leave(item, late)
            raise
        except BursarError as error:
            if self._options.fail == "closed":  # else the request is recorded under its id, whatever the server did
                late(error)
            raise

    def take_back(self, answer: limiter_pb2.CheckResponse | None, request: limiter_pb2.CheckRequest, own_id: bool) -> None:
        """The caller has left: what the server holds, or may hold (no answer), goes back. What an id of the caller's own had before is
        somebody else's as well."""
        reservation = types_pb2.ReservationRef()
        if answer is None and own_id:
            reservation = types_pb2.ReservationRef(tenant=request.tenant, user=request.user, request_id=request.request_id)
        elif answer and answer.allowed and (own_id or not answer.repeat):
            reservation.handle = answer.reservation
        if reservation != types_pb2.ReservationRef() and not self.channels.closed:
            self.alone(self._cancel_if_held(limiter_pb2.CancelRequest(reservation=reservation)))

    async def _cancel_if_held(self, request: limiter_pb2.CancelRequest) -> None:
        try:
            await self.caller.unary(CANCEL, request, limiter_pb2.CancelResponse, deadline=self.caller.deadline(self._options.attempt_ms))
        except BursarError as error:
            if error.code not in AGAIN and error.code != "NOT_FOUND":
                raise  # without a server, the reservation ends by itself

    def _decide(self, request: limiter_pb2.CheckRequest, began_us: int, error: BursarError) -> Check:
        """No server has answered: the client's own policy."""
        wait_s = 0.0
        if self._options.fail == "closed":
            raise BursarError(str(error), code="UNAVAILABLE", reason=error.reason, retry_after_ms=error.retry_after_ms,
                              from_server=error.from_server) from None
        if isinstance(self._options.fail, Share) and self._buckets:
            wait_s = self._buckets.take(f"{request.tenant}\n{request.user}")
        denied = wait_s > 0
        return Check(allowed=not denied, user=request.user, tenant=request.tenant, request_id=request.request_id, reservation="",
                     started_at_us=began_us, degraded=True, retry_after_ms=int(wait_s * 1000) + 1 if denied else 0,
                     reason="request_rate" if denied else "", message="Please try again in a moment." if denied else "",
                     model=request.model, mode=request.mode, interface=request.interface, input_tokens=request.input_tokens,
                     max_output_tokens=request.max_output_tokens)

    async def cancel(self, request: limiter_pb2.CancelRequest) -> limiter_pb2.CancelResponse:
        return await self.caller.unary(CANCEL, request, limiter_pb2.CancelResponse)

    async def close(self) -> None:
        """Ends what was begun, then the channels. Without a server that takes two attempts' time."""
        ends = self.caller.deadline(2 * self._options.attempt_ms)
        await self.checks.drained(ends)
        while self._tasks and (left_s := ends - time.monotonic()) > 0:
            await asyncio.wait(set(self._tasks), timeout=left_s)
        for task in self._tasks:  # callbacks of the application that do not end
            task.cancel()
        await asyncio.gather(self.outbox.close(ends), self.keeper.close())
        await self.channels.close()
