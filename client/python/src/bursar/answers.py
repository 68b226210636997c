"""What the calls answer. `raw` has the message of the server, with every field."""
from __future__ import annotations

import dataclasses
from collections.abc import Iterable

from bursar.v1 import limiter_pb2, types_pb2

_KINDS = {number: name.removeprefix("ACCOUNT_KIND_").lower() for name, number in types_pb2.AccountKind.items()}
_DIMENSIONS = {number: name.removeprefix("DIMENSION_").lower() for name, number in types_pb2.Dimension.items()}
_LIMITS = {number: name.removeprefix("LIMIT_KIND_").lower() for name, number in types_pb2.LimitKind.items()}
_WINDOWS = {number: name.removeprefix("CALENDAR_WINDOW_").lower() for name, number in types_pb2.CalendarWindow.items()}
_REASONS = {number: name.removeprefix("REASON_").lower() for name, number in types_pb2.Reason.items()} | {0: ""}
_QUALITIES = {number: name.removeprefix("QUALITY_").lower() for name, number in types_pb2.Quality.items()}
_TELLS = {number: name.removeprefix("TELL_").lower() for name, number in limiter_pb2.Tell.items()} | {0: ""}
_STATES = {number: name.removeprefix("RESERVATION_STATE_").lower() for name, number in types_pb2.ReservationState.items()}
_WAITS = {number: name.removeprefix("WAIT_REASON_").lower() for name, number in types_pb2.WaitReason.items()} | {0: ""}


def ms_up(us: int) -> int:
    """Rounded up, so that nobody comes back too early."""
    return -(-us // 1000)


@dataclasses.dataclass(slots=True)
class Limit:
    """A limit of an account and its state right after the decision."""

    name: str
    account_kind: str  #: user, team, org, model, tenant
    account_id: str  #: "" for shared accounts, unless the key may see names
    dimension: str  #: requests, tokens, cost, ...
    kind: str  #: bucket, calendar, level
    window: str  #: of a calendar limit: day, week, month
    amount: int
    effective_amount: int  #: including grace; of a bucket its burst
    used: int
    remaining: int
    used_percent: int
    requested: int
    resets_at_us: int
    retry_after_ms: int
    failed: bool  #: it denied the request
    permanent: bool  #: waiting does not help
    warning: bool  #: use has reached the warn percentage
    notify: bool  #: the first warning in this window: tell the user now
    raw: types_pb2.LimitStatus

    @classmethod
    def of(cls, raw: types_pb2.LimitStatus) -> Limit:
        limit = raw.limit
        return cls(name=limit.name, account_kind=_KINDS.get(raw.account_kind, ""), account_id=raw.account_id,
                   dimension=_DIMENSIONS.get(limit.dimension, ""), kind=_LIMITS.get(limit.kind, ""),
                   window=_WINDOWS.get(limit.window, "") if limit.window else "", amount=limit.amount,
                   effective_amount=raw.effective_amount, used=raw.used, remaining=raw.remaining, used_percent=raw.used_percent,
                   requested=raw.requested, resets_at_us=raw.resets_at_us, retry_after_ms=ms_up(raw.retry_after_us),
                   failed=raw.failed, permanent=raw.permanent, warning=raw.warning, notify=raw.notify, raw=raw)


@dataclasses.dataclass(slots=True)
class Check:
    """The answer to a check. A denial is an answer: `allowed` is False, and `message` is the sentence for the user."""

    allowed: bool
    user: str
    tenant: str  #: "" = the key's
    request_id: str
    reservation: str  #: the handle of what is held; "" when denied, and when no server answered
    started_at_us: int
    message: str = ""
    retry_after_ms: int = 0  #: 0 when waiting does not help
    permanent: bool = False
    reason: str = ""  #: request_rate, quota, budget, ...; "" = allowed
    tell: str = ""  #: with `tell_place`, of a denial: now, not_again; of all processes, one is answered now. "": nobody knows
    tier: str = ""
    quality: str = "none"  #: exact, local, blind, provisional, remembered; "none": no server answered, and the fail policy decided
    headers: dict[str, str] = dataclasses.field(default_factory=dict)  #: for the application's own HTTP answer
    limits: list[Limit] = dataclasses.field(default_factory=list)
    binding: Limit | None = None  #: the limit that denied and recovers last
    notify: list[Limit] = dataclasses.field(default_factory=list)  #: warnings that the user is to see now
    held_tokens: int = 0
    held_cost_nano_usd: int = 0
    unpriced: bool = False
    repeat: bool = False
    retried: bool = False  #: asked again after a failure: a `repeat` is then perhaps this call's own
    degraded: bool = False  #: not decided on the true state of all accounts
    model: str = ""  #: as checked
    mode: str = ""
    interface: str = ""
    input_tokens: int = 0  #: as estimated by the caller
    max_output_tokens: int = 0
    raw: limiter_pb2.CheckResponse = dataclasses.field(default_factory=limiter_pb2.CheckResponse)

    @classmethod
    def of(cls, raw: limiter_pb2.CheckResponse, request: limiter_pb2.CheckRequest, retried: bool = False) -> Check:
        limits = [Limit.of(one) for one in raw.limits]
        quality = _QUALITIES.get(raw.quality, "")
        return cls(allowed=raw.allowed, user=request.user, tenant=request.tenant, request_id=raw.request_id or request.request_id,
                   reservation=raw.reservation, started_at_us=raw.started_at_us, message=raw.message,
                   retry_after_ms=ms_up(raw.retry_after_us), permanent=raw.permanent, reason=_REASONS.get(raw.reason, ""),
                   tell=_TELLS.get(raw.tell, ""), tier=raw.tier, quality=quality, headers={one.name: one.value for one in raw.headers}, limits=limits,
                   binding=Limit.of(raw.binding) if raw.HasField("binding") else None,
                   notify=[one for one in limits if one.notify], held_tokens=raw.held_tokens,
                   held_cost_nano_usd=raw.held_cost_nano_usd, unpriced=raw.unpriced, repeat=raw.repeat, retried=retried,
                   degraded=quality in ("local", "blind", "provisional"), model=request.model, mode=request.mode,
                   interface=request.interface, input_tokens=request.input_tokens, max_output_tokens=request.max_output_tokens, raw=raw)


@dataclasses.dataclass(slots=True)
class RecordResult:
    """What a record was charged. `queued`: no server was there, and the record waits to be delivered."""

    request_id: str = ""
    cost_nano_usd: int = 0
    tokens: int = 0
    model: str = ""  #: whose price was used
    notify: list[Limit] = dataclasses.field(default_factory=list)  #: warnings that the user is to see now
    limits: list[Limit] = dataclasses.field(default_factory=list)
    queued: bool = False
    repeat: bool = False
    late: bool = False
    estimated: bool = False  #: charged as the check estimated
    unpriced: bool = False
    released: bool = False  #: the slot of the pool is free
    usage_problem: str = ""
    state: str = ""
    raw: limiter_pb2.RecordResponse = dataclasses.field(default_factory=limiter_pb2.RecordResponse)

    @classmethod
    def of(cls, raw: limiter_pb2.RecordResponse) -> RecordResult:
        limits = [Limit.of(one) for one in raw.limits]
        return cls(request_id=raw.request_id, cost_nano_usd=raw.cost.cost_nano_usd, tokens=raw.tokens, model=raw.cost.model,
                   notify=[one for one in limits if one.notify], limits=limits, repeat=raw.repeat, late=raw.late,
                   estimated=raw.estimated, unpriced=raw.cost.unpriced, released=raw.released, usage_problem=raw.usage_problem,
                   state=_STATES.get(raw.state, ""), raw=raw)


@dataclasses.dataclass(slots=True)
class Status:
    """The state of a user's accounts."""

    tier: str
    suspended: bool
    limits: list[Limit]  #: of all the accounts, the user's first
    now_us: int
    raw: limiter_pb2.GetStatusResponse

    @classmethod
    def of(cls, raw: limiter_pb2.GetStatusResponse) -> Status:
        user = raw.accounts[0] if raw.accounts else limiter_pb2.AccountStatus()
        return cls(tier=user.tier, suspended=user.suspended, limits=_all_limits(raw.accounts), now_us=raw.now_us, raw=raw)


@dataclasses.dataclass(slots=True)
class Explanation:
    """What a check would answer, and why."""

    check: Check
    steps: list[str]
    limits: list[Limit]
    raw: limiter_pb2.ExplainResponse

    @classmethod
    def of(cls, raw: limiter_pb2.ExplainResponse, request: limiter_pb2.CheckRequest) -> Explanation:
        return cls(check=Check.of(raw.response, request), steps=list(raw.steps), limits=_all_limits(raw.accounts), raw=raw)


def _all_limits(accounts: Iterable[limiter_pb2.AccountStatus]) -> list[Limit]:
    return [Limit.of(one) for account in accounts for one in account.limits]


def wait_reason(number: int) -> str:
    return _WAITS.get(number, "")
