"""A call through all its attempts, under the same request id."""
from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import grpc
from google.protobuf.message import Message

from bursar._core import trace
from bursar._core.channels import Channels, Line
from bursar._core.options import Options
from bursar.errors import BursarError, from_grpc

Answer = TypeVar("Answer", bound=Message)

AGAIN = frozenset({"UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED"})
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 1.0
# A server knows its own changes at once, and those of others within a second.
ADMIN = "/bursar.v1.Admin/"
# A lost answer to one of these cannot be asked for again: each attempt makes another one.
ONCE = frozenset({"CreateKey", "RotateKey", "CreateLogin", "RedeemLogin", "CreateSession"})


class Attempts:
    """How often and when a call is made again. One object a call."""

    def __init__(self, options: Options, deadline: float, most: int = 0) -> None:
        self.deadline = deadline  # of time.monotonic()
        self.made = 0
        self._most = most or options.attempts
        self._attempt_s = options.attempt_ms / 1000

    def timeout_s(self) -> float:
        return max(min(self._attempt_s, self.deadline - time.monotonic()), 0.001)

    async def pause(self, error: BursarError) -> None:
        """Waits before the next attempt, or raises the error when there is none."""
        if error.code not in AGAIN or self.made >= self._most:
            raise error
        most_s = min(FIRST_PAUSE_S * 2 ** (self.made - 1), LONGEST_PAUSE_S)
        wait_s = max(random.uniform(0, most_s), error.retry_after_ms / 1000)
        if wait_s >= self.deadline - time.monotonic():
            raise error
        await asyncio.sleep(wait_s)


class Caller:
    """Makes calls on the channels of a client."""

    def __init__(self, options: Options, channels: Channels) -> None:
        self._options = options
        self.channels = channels
        self.metadata: tuple[tuple[str, str], ...] = (("authorization", f"Bearer {options.key}"),) if options.key else ()

    def deadline(self, timeout_ms: float | None = None) -> float:
        return time.monotonic() + (self._options.timeout_ms if timeout_ms is None else timeout_ms) / 1000

    def attempts(self, deadline: float, most: int = 0) -> Attempts:
        return Attempts(self._options, deadline, most)

    async def line(self, deadline: float, last: BursarError | None = None, other_than: str = "",
                   first: bool = False) -> Line:
        """A channel to a server that is there; waits for one until the deadline. Give it back."""
        while True:
            if self.channels.closed:
                raise closed()
            line = self.channels.take(other_than, first)
            if line:
                return line
            try:
                async with asyncio.timeout(deadline - time.monotonic()):
                    await self.channels.some_up()
            except TimeoutError:
                raise last or BursarError("no server answers", code="UNAVAILABLE") from None

    async def attempt(self, line: Line, method: str, request: Message, answer: type[Answer], timeout_s: float) -> Answer:
        """One attempt; gives the channel back."""
        try:
            call = line.unary(method, answer)(request, timeout=timeout_s, metadata=trace.metadata(self.metadata))
            made: Answer = await call
            line.answered = True
            return made
        except grpc.aio.AioRpcError as error:
            raise self.failure(line, from_grpc(error), waited_ms=timeout_s * 1000) from None
        except grpc.aio.UsageError:
            raise closed() from None
        finally:
            self.channels.give_back(line)

    def failure(self, line: Line, error: BursarError, waited_ms: float = 0) -> BursarError:
        """Leaves a server out that is gone, silent or about to stop. One that had less than an attempt's time is not silent."""
        gone = error.code == "UNAVAILABLE" and not error.from_server
        silent = error.code == "DEADLINE_EXCEEDED" and not error.from_server and waited_ms >= self._options.attempt_ms
        if gone or silent or error.reason == "DRAINING":
            self.channels.failed(line)
        return error

    async def unary(self, method: str, request: Message, answer: type[Answer], *, deadline: float = 0,
                    on_failure: Callable[[BursarError], None] | None = None) -> Answer:
        """The answer, after as many attempts as it takes. `on_failure` is called before an attempt is made again."""
        deadline = deadline or self.deadline()
        attempts = self.attempts(deadline, 1 if method.rpartition("/")[2] in ONCE else 0)
        error, address = None, ""
        while True:
            line = await self.line(deadline, error, address, first=method.startswith(ADMIN))
            address = line.address
            attempts.made += 1
            try:
                return await self.attempt(line, method, request, answer, attempts.timeout_s())
            except BursarError as failure:
                error = failure
            if on_failure:
                on_failure(error)
            await attempts.pause(error)

    async def stream(self, method: str, request: Message, answer: type[Answer]) -> AsyncIterator[Answer]:
        """The messages of a stream. It has no deadline, and one that breaks is not made again."""
        line = await self.line(self.deadline(), first=method.startswith(ADMIN))
        call = line.stream(method, answer)(request, metadata=trace.metadata(self.metadata))
        try:
            async for message in call:
                yield message
        except grpc.aio.AioRpcError as error:
            raise self.failure(line, from_grpc(error)) from None
        finally:
            call.cancel()
            self.channels.give_back(line)


def closed() -> BursarError:
    return BursarError("the client was closed", code="CANCELLED")
