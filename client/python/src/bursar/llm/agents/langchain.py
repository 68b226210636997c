"""LangChain and LangGraph: `graph.invoke(..., config={"callbacks": [guard(bursar, user="alice")]})`."""
from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

from .._guard import Ask, Guard, Ticket
from .._texts import number


class BursarHandler(BaseCallbackHandler):
    """Checks each call of a model before it is sent, and records it with the message's usage_metadata. In the config of an invocation it
    holds for everything below: tools, subgraphs, fallbacks. An asynchronous handler would not do: LangChain swallows what those raise when a
    chain is invoked synchronously, and sends the request."""

    raise_error = True

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._open: dict[Any, Ticket] = {}
        self._begun: set[Any] = set()
        self._lock = threading.Lock()

    def on_chat_model_start(self, serialized: Any, messages: Any, *, run_id: Any, **kwargs: Any) -> None:
        self._check(messages, run_id, kwargs)

    def on_llm_start(self, serialized: Any, prompts: Any, *, run_id: Any, **kwargs: Any) -> None:
        self._check(prompts, run_id, kwargs)

    def _check(self, messages: Any, run_id: Any, kwargs: dict[str, Any]) -> None:
        params = kwargs.get("invocation_params") or {}
        model = (kwargs.get("metadata") or {}).get("ls_model_name") or params.get("model") or params.get("model_name") or ""
        most = next((found for name in ("max_completion_tokens", "max_tokens", "max_output_tokens") if (found := number(params.get(name)))), 0)
        ticket = self._guard.open(Ask(str(model), most, "langchain", {"messages": messages, "tools": params.get("tools")}))
        with self._lock:
            self._open[run_id] = ticket

    def on_llm_end(self, response: Any, *, run_id: Any, **kwargs: Any) -> None:
        self._settle(response, run_id, ran=True)

    def on_llm_error(self, error: BaseException, *, run_id: Any, **kwargs: Any) -> None:
        """Also a stream that is left early, which has begun to answer."""
        with self._lock:
            ran = run_id in self._begun
        self._settle(kwargs.get("response"), run_id, ran)

    def on_llm_new_token(self, token: Any, *, run_id: Any, **kwargs: Any) -> None:
        with self._lock:
            self._begun.add(run_id)

    def _settle(self, response: Any, run_id: Any, ran: bool) -> None:
        with self._lock:
            ticket = self._open.pop(run_id, None)
            self._begun.discard(run_id)
        if ticket is None:
            return
        usages = [usage for message in _messages(response) if (usage := _usage(message)) is not None]
        if any(usage["usage_metadata"].get("total_cost") == 0 for usage in usages):
            ran = False  # from LangChain's own cache, which says so by this
        else:
            for usage in usages:
                ticket.tell(usage)
        self._guard.settle(ticket, ran)


def _messages(response: Any) -> list[Any]:
    return [one.message for row in getattr(response, "generations", None) or () for one in row if getattr(one, "message", None) is not None]


def _usage(message: Any) -> dict[str, Any] | None:
    usage = getattr(message, "usage_metadata", None)
    if not usage:
        return None
    about = getattr(message, "response_metadata", None) or {}
    model = about.get("model_name") or about.get("model")
    return {"model": model, "usage_metadata": dict(usage)} if model else {"usage_metadata": dict(usage)}


def guard(bursar: Any, *, user: str | Callable[[], str | None] | None = None, **options: Any) -> BursarHandler:
    """The handler, for `callbacks` of a config or of a model. `bursar` is a bursar.blocking.Bursar, for ainvoke() too: LangChain runs
    the handler in a thread then. Options as for the SDKs' wrappers."""
    made = Guard(bursar, user=user, **options)
    made.needs(blocking=True, what="LangChain")
    return BursarHandler(made)
