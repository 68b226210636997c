"""The headers and the body of a denial, and of a service that cannot decide."""
from __future__ import annotations

import time
from typing import Any, Literal

from bursar.answers import Check
from bursar.errors import BursarError

#: Which headers tell of limits: the IETF draft's, X-RateLimit-*, both, or neither. Retry-After and its kind are on every denial.
Headers = Literal["both", "draft", "legacy", "none"]
#: Of X-RateLimit-Reset: seconds from now, or since 1970, as some limiters send it.
Reset = Literal["seconds", "epoch"]

UNAVAILABLE = {"error": {"message": "The service is not available at the moment. Please try again.", "type": "server_error",
                         "code": "unavailable"}}
_MOST = 2_147_483  # longer timers in JavaScript fire at once


def of_check(check: Check, choice: Headers = "both", reset: Reset = "seconds") -> dict[str, str]:
    """Names in lower case."""
    found = {}
    for name, value in ((name.lower(), value) for name, value in check.headers.items()):
        legacy = name.startswith("x-ratelimit-")
        if (legacy and choice not in ("both", "legacy")) or (name in ("ratelimit", "ratelimit-policy") and choice not in ("both", "draft")):
            continue
        epoch = reset == "epoch" and name == "x-ratelimit-reset"
        found[name] = str(int(time.time()) + int(value)) if epoch else value
    if not check.allowed and check.retry_after_ms > 0:
        found.setdefault("retry-after", _seconds(check.retry_after_ms))
    return found


def of_unavailable(error: BursarError) -> dict[str, str]:
    return {"retry-after": _seconds(error.retry_after_ms)}


def denial(check: Check) -> dict[str, Any]:
    return {"error": {"message": check.message, "type": "rate_limit_error", "code": check.reason}}


def _seconds(milliseconds: int) -> str:
    return str(min(_MOST, max(1, -(-milliseconds // 1000))))
