"""The client for asyncio."""
from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from types import TracebackType
from typing import Any, TypeVar, Unpack

from google.protobuf.message import Message

from bursar._core import options as _options
from bursar._core import trace as _trace
from bursar import usage as usages
from bursar._core.core import Core
from bursar._core.fail import Buckets
from bursar._core.ids import new_id
from bursar._core.options import Fail, Gather, OnError, OnWarning, Share, Spool, Tls
from bursar._core.requests import CheckWords, check_request, record_request, reservation
from bursar._core.run import Run
from bursar.answers import Check, Explanation, Limit, RecordResult, Status
from bursar.errors import BursarError
from bursar.events import Events, EventWords
from bursar.pool import Pool
from bursar.services import Admin, Limiter
from bursar.v1 import admin_pb2, limiter_pb2, types_pb2

T = TypeVar("T")
_Answer = TypeVar("_Answer", bound=Message)


class Bursar:
    """A client of Bursar. It connects at the first call; `close()` it, or use it with `async with`.

    address         "host", "host:port", "[IPv6]:port" or "unix:/path", or several, in a list or with commas; default: BURSAR_ADDR,
                    else 127.0.0.1; the default port is 7420
    key             an API key; default: BURSAR_KEY
    tls             Tls(ca=..., cert=..., key=...)
    timeout_ms      of a call with all its attempts; attempt_ms: of one of them; attempts: how many
    gather          Gather(delay_ms=1, items=100): how calls are gathered; False: each goes alone
    fail            what a check answers when no server does: "closed" raises, "open" lets pass, Share(requests_per_minute=5)
                    lets each user have so many in this process
    fail_after_ms   after how long; default: 2,000, and with "closed" timeout_ms
    orphan_ms       how long what a request holds stays held after this process has died: reservations are extended while it lives.
                    0: they are not, and each lasts for 15 minutes, or as long as its check says
    spool           Spool(directory) or a path: where records wait that cannot be delivered, and those that are on their way;
                    default: in memory, 1,000 of them
    interface, language, tenant   of every check that does not say otherwise
    on_error(error), on_warning(limit)   are told what no caller waits for, and warnings that users are to see"""

    def __init__(self, address: str | Iterable[str] | None = None, *, key: str | None = None, tls: Tls | Mapping[str, str] | None = None,
                 timeout_ms: float = 10_000, attempt_ms: float = 2_000, attempts: int = 4,
                 gather: Gather | Mapping[str, float] | bool = True, fail: Fail | Mapping[str, Any] = "closed",
                 fail_after_ms: float | None = None, orphan_ms: float = 60_000, spool: Spool | Mapping[str, Any] | str | None = None, interface: str = "",
                 language: str = "", tenant: str = "", on_error: OnError | None = None, on_warning: OnWarning | None = None) -> None:
        self.options = _options.made({
            "key": key, "tls": tls, "timeout_ms": timeout_ms, "attempt_ms": attempt_ms, "attempts": attempts, "gather": gather,
            "fail": fail, "fail_after_ms": fail_after_ms, "orphan_ms": orphan_ms, "spool": spool, "interface": interface, "language": language,
            "tenant": tenant, "on_error": on_error, "on_warning": on_warning}, address)
        share = self.options.fail
        self._buckets = Buckets(share.requests_per_minute) if isinstance(share, Share) else None
        self._running: Core | None = None
        self._closed = False
        self.limiter = Limiter(self)  #: the RPCs of bursar.v1.Limiter as they are
        self.admin = Admin(self)  #: the RPCs of bursar.v1.Admin: `await bursar.admin.put_tier(tier=Tier(...))`

    async def check(self, *, user: str, **words: Unpack[CheckWords]) -> Check:
        """May this request run? A denial is an answer too."""
        request = check_request(self.options, user, words)
        with _trace.span("bursar.check") as attributes:
            check = await self._core().check(request)
            if not request.settle:
                self._core().keeper.keep(check, words.get("reservation_ttl_ms"))
            attributes.update(_about(check))
        self._warn(check.notify)
        return check

    async def record(self, check: Check | str | None = None, *, user: str = "", request_id: str = "", started_at_us: int = 0,
                     tenant: str = "", usage: usages.Usage | None = None, provider_usage: object = None, provider: str = "",
                     model: str = "", mode: str = "", interface: str = "", attempt: int = 0, keep_open: bool = False,
                     provider_cost_nano_usd: int | None = None, language: str = "", lease: str = "") -> RecordResult:
        """Reports what a request used, as `usage` (meters by name) or as `provider_usage` (the provider's own response or usage
        object); neither: it is charged as estimated. The request is a check or its handle, or given by user, request_id and
        started_at_us. It is recorded even if the caller is cancelled meanwhile."""
        record = record_request(
            self.options, check, user=user, request_id=request_id, started_at_us=started_at_us, tenant=tenant, usage=usage,
            provider_usage=provider_usage, provider=provider, model=model, mode=mode, interface=interface, attempt=attempt,
            keep_open=keep_open, provider_cost_nano_usd=provider_cost_nano_usd, language=language, lease=lease)
        if not keep_open:
            self._core().keeper.drop(record.reservation.handle)
        with _trace.span("bursar.record") as attributes:
            answer = await self._core().through(self._core().outbox.send(record))
            attributes["queued"] = answer is None
        if answer is None:
            return RecordResult(request_id=check.request_id if isinstance(check, Check) else record.reservation.request_id, queued=True)
        recorded = RecordResult.of(answer)
        self._warn(recorded.notify)
        return recorded

    async def cancel(self, check: Check | str | None = None, *, user: str = "", request_id: str = "", started_at_us: int = 0,
                     tenant: str = "", lease: str = "") -> None:
        """Gives a reservation back: the request did not run. That of a check which holds nothing any more is fine."""
        if lease:
            request = limiter_pb2.CancelRequest(lease=lease)
        elif isinstance(check, Check) and not check.reservation:
            return  # nothing is held
        else:
            request = limiter_pb2.CancelRequest(reservation=reservation(self.options, check, user, request_id, started_at_us, tenant))
        self._core().keeper.drop(check.reservation if isinstance(check, Check) else request.reservation.handle)
        try:
            await self._core().through(self._core().cancel(request))
        except BursarError as error:
            if check is None or error.code != "NOT_FOUND":
                raise

    def run(self, *, user: str, **words: Unpack[CheckWords]) -> Run:
        """`async with bursar.run(user=...) as job:` runs the block if the request may run, else raises Denied. The block tells what
        it used with `job.usage(response)`; if it tells nothing, it is charged as estimated. If it raises before it has told
        anything, the reservation is given back."""
        return Run(self, {"user": user, **words})

    def pool(self, name: str = "agent-execution") -> Pool:
        """A pool of slots, in whose queue requests wait."""
        return Pool(self, name)

    def events(self, **words: Unpack[EventWords]) -> Events:
        """`async for event in bursar.events():` tells what happened to users: they are at 80%, were upgraded, are suspended. A stream
        that breaks is opened again, behind the last event that has been dealt with."""
        return Events(self, self.options, words)

    async def status(self, *, user: str, model: str = "", tenant: str = "", language: str = "", costs: bool = False) -> Status:
        """The state of a user's accounts. Changes nothing."""
        return Status.of(await self.limiter.get_status(
            user=user, model=model, tenant=tenant or self.options.tenant, language=language or self.options.language, costs=costs))

    async def explain(self, *, user: str, **words: Unpack[CheckWords]) -> Explanation:
        """What a check would answer, and why. Changes nothing."""
        request = check_request(self.options, user, words)
        request.request_id_is_new = False
        if not words.get("request_id"):
            request.request_id = ""
        return Explanation.of(await self.limiter.explain(check=request), request)

    async def estimate_cost(self, *, model: str, usage: usages.Usage | None = None, provider_usage: object = None, provider: str = "",
                            user: str = "", mode: str = "", tenant: str = "", at_us: int = 0) -> types_pb2.CostBreakdown:
        """What a use would cost. Changes nothing."""
        request = limiter_pb2.EstimateCostRequest(tenant=tenant or self.options.tenant, user=user, model=model, mode=mode, at_us=at_us)
        if usage is not None:
            request.usage.CopyFrom(usages.tokens(usage))
        if provider_usage is not None:
            request.provider_usage.provider = provider
            request.provider_usage.json = usages.as_json(provider_usage)
        return (await self.limiter.estimate_cost(request)).cost

    async def unary(self, method: str, request: Message, answer: type[_Answer]) -> _Answer:
        """Any RPC of bursar.v1 by its path, with attempts; `limiter` and `admin` have them by name."""
        return await self._core().caller.unary(method, _identified(request), answer)

    def stream(self, method: str, request: Message, answer: type[_Answer]) -> AsyncIterator[_Answer]:
        """Any streaming RPC of bursar.v1 by its path."""
        return self._core().caller.stream(method, request, answer)

    async def close(self) -> None:
        """Ends what was begun, tries once to deliver the records that wait, and closes the connections."""
        self._closed = True
        if self._running and self._running.loop is asyncio.get_running_loop():
            core, self._running = self._running, None
            await core.close()

    async def __aenter__(self) -> Bursar:
        self._core()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    def _core(self) -> Core:
        """What runs on this loop. A client of a loop that has ended begins again on the next one."""
        loop = asyncio.get_running_loop()
        if self._running and self._running.loop is loop:
            return self._running
        if self._closed:
            raise BursarError("the client was closed", code="CANCELLED")
        if self._running and not self._running.loop.is_closed():
            raise BursarError("the client is used by another event loop: make one for each", code="FAILED_PRECONDITION")
        self._running = Core(self.options, self._buckets)
        return self._running

    async def _finish(self, work: Coroutine[Any, Any, T], heard: bool) -> None:
        """Lets work end even if the caller is cancelled. Not `heard`: its error goes to on_error, as the block has one of its own."""
        try:
            await self._core().through(work)
        except BursarError as error:
            if heard:
                raise
            self._tell(error)

    def _remember(self, check: Check, words: dict[str, Any]) -> None:
        """Keeps on disk what a job has used, should the process die before that is recorded. For any thread."""
        if self._running and self.options.spool:
            self._running.outbox.remember(record_request(self.options, check, **words))

    def _warn(self, limits: list[Limit]) -> None:
        for limit in limits:
            if self.options.on_warning:
                try:
                    self.options.on_warning(limit)
                except Exception as error:  # the application's own
                    self._tell(error)

    def _tell(self, error: Exception) -> None:
        _options.tell(self.options, error)


def _identified(request: Message) -> Message:
    """With an id where a repeat would otherwise do its work twice."""
    if isinstance(request, admin_pb2.ResetRequest) and not request.request_id:
        request.request_id = new_id()
    elif isinstance(request, admin_pb2.AdjustLedgerRequest) and not request.adjustment_id:
        request.adjustment_id = new_id()
    elif isinstance(request, limiter_pb2.CheckRequest) and not request.request_id:
        request.request_id = new_id()
    return request


def _about(check: Check) -> dict[str, str | bool | int]:
    """What a span may say: nothing that names a user."""
    return {"allowed": check.allowed, "reason": check.reason, "tier": check.tier, "quality": check.quality}
