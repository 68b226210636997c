"""What surrounds a request: the check before it, and the record or the cancel after it."""
from __future__ import annotations

import contextlib
import dataclasses
from types import TracebackType
from typing import TYPE_CHECKING, Any

from bursar.answers import Check, RecordResult
from bursar.errors import BursarError, Denied
from bursar.usage import Usage

if TYPE_CHECKING:
    from bursar._client import Bursar

ATTEMPTS = 32  # that the server lets one request have


class Job:
    """A request that may run."""

    def __init__(self, bursar: Bursar, check: Check) -> None:
        self._bursar = bursar
        self._lease = ""  # of a slot
        self._told: list[dict[str, Any]] = []
        self.check = check
        self.recorded: RecordResult | None = None  #: of the last record, once the block has ended

    def usage(self, provider_usage: object = None, *, provider: str = "", model: str = "", mode: str = "",
              usage: Usage | None = None, provider_cost_nano_usd: int | None = None) -> None:
        """Says what a call of a provider used: its response or usage object as it came, or the meters by name (`usage`).

        Each call of this method is one call of a provider: tell a stream's events as one list, and the rounds of an agent one
        by one. It is recorded when the block ends, whatever way it ends."""
        self._told.append({"provider_usage": provider_usage, "provider": provider, "model": model, "mode": mode, "usage": usage,
                           "provider_cost_nano_usd": provider_cost_nano_usd})
        check, words = self._place(len(self._told) - 1, last=False)
        with contextlib.suppress(BursarError, TypeError, ValueError):  # raised when it is recorded
            self._bursar._remember(check, words)

    @property
    def told(self) -> bool:
        """Whether any usage was told."""
        return bool(self._told)

    async def _settle(self, failed: bool) -> None:
        """Records what was told, the last with the end of the reservation. Nothing told: by the estimate, or cancelled if it failed."""
        if not self._told and failed:
            try:
                await self._bursar.cancel(self.check, lease=self._lease)
            except BursarError as error:  # what it holds comes back by itself; the block's own error is the one to be seen
                self._bursar._tell(error)
            return
        for number in range(max(len(self._told), 1)):
            check, words = self._place(number, last=number >= len(self._told) - 1)
            recorded = await self._bursar.record(check, **words)
            if check is self.check:
                self.recorded = recorded

    def _place(self, number: int, last: bool) -> tuple[Check, dict[str, Any]]:
        """A round's record: of which request, and its words."""
        words = self._told[number] if self._told else {}
        if last or number < ATTEMPTS - 1:
            lease = self._lease if last else ""
            return self.check, {"attempt": min(number, ATTEMPTS - 1), "keep_open": not last, "lease": lease, **words}
        return _further(self.check, number), words


def _further(check: Check, number: int) -> Check:
    """A request of its own, for the rounds that have no room among a request's attempts."""
    return dataclasses.replace(check, request_id=f"{check.request_id[:120]}.{number}", reservation="")


class Run:
    """`async with bursar.run(...) as job`: checks, and raises Denied; records what the job tells, or gives the reservation back."""

    def __init__(self, bursar: Bursar, words: dict[str, Any]) -> None:
        self._bursar, self._words = bursar, words
        self._job: Job | None = None

    async def __aenter__(self) -> Job:
        check = await self._bursar.check(**self._words)
        if not check.allowed:
            raise Denied(check)
        self._job = Job(self._bursar, check)
        return self._job

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._job:
            await self._bursar._finish(self._job._settle(failed=error is not None), heard=error is None)
