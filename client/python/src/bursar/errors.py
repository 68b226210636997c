"""What can go wrong."""
from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast

import grpc

from bursar import details_pb2

if TYPE_CHECKING:
    from bursar.answers import Check

CODES = {code.value[0]: code.name for code in grpc.StatusCode}
# Loops of agent frameworks look for these in the text of an exception, and then sleep for minutes.
_RETRIED = re.compile(r"429|rate[ _]limit|too many requests", re.IGNORECASE)
_JOINER = "\u2060"  # is not seen


class BursarError(RuntimeError):
    """A call failed. A denial is not a failure of `check`, which answers it; `run` and `slot` raise Denied."""

    def __init__(self, message: str, *, code: str, field: str = "", reason: str = "", retry_after_ms: int = 0,
                 from_server: bool = False) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.code = code  #: gRPC's name of it: "UNAVAILABLE"
        self.field = field  #: the field of the request that is wrong; "" when none is
        self.reason = reason  #: the cause, by a name that stays the same: "WAIT_MAX"; "" when there is none
        self.retry_after_ms = retry_after_ms  #: when the server suggests to try again; 0 when it does not say
        self.from_server = from_server  #: a server answered; False: none was reached, or it was silent


class Denied(BursarError):
    """A limit refused the request. `str()` is the sentence for the user, `check` has everything else."""

    def __init__(self, check: Check) -> None:
        text = check.message or f"Bursar denied the request ({check.reason or 'no reason given'})."
        super().__init__(_quiet(text), code="RESOURCE_EXHAUSTED", reason=check.reason.upper(), retry_after_ms=check.retry_after_ms,
                         from_server=True)
        self.check = check


class LeaseLost(BursarError):
    """The slot of a pool was lost while it was held: stop working, somebody else may have it."""

    def __init__(self, message: str, reason: str = "LEASE_LOST") -> None:
        super().__init__(message, code="ABORTED", reason=reason)


def _quiet(text: str) -> str:
    return _RETRIED.sub(lambda found: found[0][0] + _JOINER + found[0][1:], text)


def from_grpc(error: grpc.aio.AioRpcError) -> BursarError:
    """A status with its details as an exception."""
    code, text, field, reason, retry_after_ms, detailed = error.code().name, error.details() or "", "", "", 0, False
    for key, value in cast(Iterable[tuple[str, str | bytes]], error.trailing_metadata() or ()):
        if key == "grpc-retry-pushback-ms" and str(value).isdecimal():
            retry_after_ms = max(retry_after_ms, int(value))
        if key != "grpc-status-details-bin" or not isinstance(value, bytes):
            continue
        detailed = True
        for detail in details_pb2.Status.FromString(value).details:
            kind = detail.type_url.rpartition("/")[2]
            if kind == "google.rpc.RetryInfo":
                delay = details_pb2.RetryInfo.FromString(detail.value).retry_delay
                retry_after_ms = max(retry_after_ms, delay.seconds * 1000 + -(-delay.nanos // 1_000_000))
            elif kind == "google.rpc.ErrorInfo":
                reason = details_pb2.ErrorInfo.FromString(detail.value).reason
            elif kind == "google.rpc.BadRequest":
                violations = details_pb2.BadRequest.FromString(detail.value).field_violations
                if violations:
                    field, text = violations[0].field, violations[0].description or text
    # gRPC itself says these two, without details; Bursar's own have some.
    own = code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED")
    return BursarError(text, code=code, field=field, reason=reason, retry_after_ms=retry_after_ms, from_server=detailed or own)


def invalid(field: str, message: str) -> BursarError:
    """What was given is wrong, and no server was asked."""
    return BursarError(message, code="INVALID_ARGUMENT", field=field)
