"""Requests made from the words of the methods."""
from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from bursar import usage as usages
from bursar._core.ids import new_id, now_us
from bursar._core.options import Options
from bursar.answers import Check
from bursar.errors import invalid
from bursar.v1 import limiter_pb2, types_pb2


class CheckWords(TypedDict, total=False):
    """What a check may say, besides the user."""

    model: str  #: no cost is held without it
    input_tokens: int  #: estimated; all meters of input together
    max_output_tokens: int  #: the most that the model may answer; 0 = the tier's default
    cached_input_tokens: int  #: of the input tokens, those that the provider will probably read from its cache
    mode: str  #: standard, batch, flex, priority
    language: str  #: of the sentence for the user
    interface: str  #: telegram, discord, web, ...
    tenant: str
    request_id: str  #: made if it is not given; give one that a repeat of the same work has again
    expected: Mapping[str, int]  #: {"web_searches": 3}: of meters that are not tokens
    reservation_ttl_ms: int  #: how long the reservation lasts without a record: 15 min, and less if this process dies (`orphan_ms`)
    verbose: bool  #: every limit in the answer
    headers: bool  #: headers also when it is allowed
    tell_place: str  #: where a denial would be told, e.g. the id of a chat: asks whether to tell it (`Check.tell`)
    tell_again_ms: int  #: and after which time again: once the request could pass, after a minute to an hour; or 1,000 to a day
    settle: bool  #: records at once what was estimated: for callers that never record


def check_request(options: Options, user: str, words: CheckWords) -> limiter_pb2.CheckRequest:
    fields: dict[str, Any] = dict(words)
    expected = fields.pop("expected", None)
    ttl_ms = fields.pop("reservation_ttl_ms", 0)
    again_ms = fields.pop("tell_again_ms", 0)
    for name in ("interface", "language", "tenant"):
        fields[name] = fields.get(name) or getattr(options, name)
    request_id = fields.get("request_id") or ""
    fields["request_id"] = request_id or new_id()
    try:
        request = limiter_pb2.CheckRequest(user=user, request_id_is_new=not request_id,
                                           reservation_ttl_us=int(options.first_ttl_ms(ttl_ms) * 1000),
                                           tell_again_us=int(again_ms * 1000), **fields)
    except (TypeError, ValueError) as error:
        raise invalid("", str(error)) from None
    for meter, amount in (expected or {}).items():
        request.expected.add(dimension=_dimension(meter), amount=amount)
    return request


def _dimension(meter: str) -> Any:
    try:
        return types_pb2.Dimension.Value(f"DIMENSION_{meter.upper()}")
    except ValueError:
        raise invalid("expected", f"'{meter}' is not a meter, such as web_searches or output_images") from None


def reservation(options: Options, check: Check | str | None, user: str, request_id: str, started_at_us: int,
                tenant: str) -> types_pb2.ReservationRef:
    """By its handle, or by who asked and when."""
    if isinstance(check, str):
        return types_pb2.ReservationRef(handle=check)
    if check and check.reservation:
        return types_pb2.ReservationRef(handle=check.reservation)
    if check:
        user, request_id, started_at_us, tenant = check.user, check.request_id, check.started_at_us, check.tenant
    if not user:
        raise invalid("user", "must be given, or the check")
    return types_pb2.ReservationRef(tenant=tenant or options.tenant, user=user, request_id=request_id or new_id(),
                                    started_at_us=started_at_us or now_us())


def record_request(options: Options, check: Check | str | None, *, user: str = "", request_id: str = "", started_at_us: int = 0,
                   tenant: str = "", usage: usages.Usage | None = None, provider_usage: object = None, provider: str = "",
                   model: str = "", mode: str = "", interface: str = "", attempt: int = 0, keep_open: bool = False,
                   provider_cost_nano_usd: int | None = None, language: str = "", lease: str = "") -> limiter_pb2.RecordRequest:
    checked = check if isinstance(check, Check) and not check.reservation else None  # the server does not know it
    record = limiter_pb2.RecordRequest(
        reservation=reservation(options, check, user, request_id, started_at_us, tenant),
        model=model or (checked.model if checked else ""), mode=mode or (checked.mode if checked else ""),
        interface=interface or (checked.interface if checked else ("" if check else options.interface)),
        attempt=attempt, keep_open=keep_open, language=language or options.language, lease=lease)
    record_use(record, check, usage, provider_usage, provider)
    if provider_cost_nano_usd is not None:
        record.provider_cost.nano_usd = provider_cost_nano_usd
    return record


def record_use(record: limiter_pb2.RecordRequest, check: Check | str | None, usage: usages.Usage | None, provider_usage: object,
               provider: str) -> None:
    """What was used: in meters, as the provider says it, or (neither told) what was estimated."""
    if usage is not None:
        record.usage.CopyFrom(usages.tokens(usage))
    elif provider_usage is not None:
        record.provider_usage.provider = provider
        record.provider_usage.json = usages.as_json(provider_usage)
    elif isinstance(check, Check) and not check.reservation:
        # The server has never seen the request: the estimate is only known here.
        record.usage.input_tokens = check.input_tokens
        record.usage.output_tokens = check.max_output_tokens
    else:
        record.provider_usage.json = "{}"
