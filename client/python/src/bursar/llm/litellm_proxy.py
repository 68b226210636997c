"""The callback for LiteLLM's proxy, which denies before the proxy's Router and records what it logs. In a module beside the proxy's config:

    from bursar import Bursar
    from bursar.llm.litellm_proxy import BursarLogger
    handler = BursarLogger(lambda: Bursar("127.0.0.1:7420"))

and in the config itself `litellm_settings: {callbacks: [that_module.handler]}`."""
from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from litellm.integrations.custom_logger import CustomLogger

from bursar.errors import BursarError
from bursar.web.headers import of_check, of_unavailable

from ._guard import Ask, Guard, Ticket
from ._texts import number
from .litellm import usage_of

_MOST_OPEN = 100_000


def _user(auth: Any, data: Any) -> str | None:
    """Whose limits count: the end user that the request names, else the user of the key, else the key."""
    named = getattr(auth, "end_user_id", None) or data.get("user") or getattr(auth, "user_id", None)
    key = getattr(auth, "key_alias", None) or getattr(auth, "token", None)
    return str(named) if named else f"key:{key}" if key else None


def _nano_usd(cost: Any) -> int | None:
    """LiteLLM's own price of a request. It says 0 also where it knows no price."""
    return round(Decimal(str(cost)) * 1_000_000_000) if isinstance(cost, float) and cost > 0 else None


class BursarLogger(CustomLogger):
    """`connect` makes the client, at the first request, because it belongs to the loop that the proxy serves on. `user(auth, data)` is whose
    limits count, of the key's UserAPIKeyAuth and the request. Further options are fields of each check.

    A denial is HTTP 429 with the headers of the check; no deployment is cooled down for it. What LiteLLM says that a request cost is
    recorded beside Bursar's own price. A stream that its client leaves is recorded with what LiteLLM has counted so far."""

    def __init__(self, connect: Callable[[], Any], *, user: Callable[[Any, Any], str | None] = _user, **options: Any) -> None:
        super().__init__()
        self._connect, self._user, self._options = connect, user, options
        self._guard: Guard | None = None
        self._open: OrderedDict[str, Ticket] = OrderedDict()

    def _guarded(self) -> Guard:
        if self._guard is None:
            self._guard = Guard(self._connect(), **self._options)
            self._guard.needs(blocking=False, what="LiteLLM's proxy")
        return self._guard

    async def async_pre_call_hook(self, user_api_key_dict: Any, cache: Any, data: Any, call_type: Any) -> None:
        from fastapi import HTTPException

        user, guard = self._user(user_api_key_dict, data), self._guarded()
        most = next((found for name in ("max_completion_tokens", "max_tokens", "max_output_tokens") if (found := number(data.get(name)))), 0)
        ask = Ask(str(data.get("model") or ""), most * (number(data.get("n")) or 1), "litellm", data)
        try:
            check = await guard.bursar.check(**guard.fields(ask, user or "anonymous"))
        except BursarError as error:
            if error.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                raise
            raise HTTPException(503, {"error": "The service is not available at the moment."}, headers=of_unavailable(error)) from error
        if not check.allowed:
            raise HTTPException(429, {"error": check.message}, headers=of_check(check))
        self._open[str(data.get("litellm_call_id"))] = Ticket(check, ask.provider)
        while len(self._open) > _MOST_OPEN:
            self._open.popitem(last=False)  # its reservation expires

    async def async_log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:
        ticket = self._open.pop(str(kwargs.get("litellm_call_id")), None)
        if ticket:
            if (usage := usage_of(response_obj)) is not None:
                ticket.tell(usage)
            ticket.cost_nano_usd = _nano_usd(kwargs.get("response_cost"))
            await self._guarded().asettle(ticket)

    async def async_post_call_failure_hook(self, request_data: Any, original_exception: Exception, user_api_key_dict: Any,
                                           traceback_str: str | None = None) -> None:
        """The request has failed for good, after the Router's retries and fallbacks."""
        ticket = self._open.pop(str(request_data.get("litellm_call_id")), None)
        if ticket:
            await self._guarded().asettle(ticket, ran=False)
