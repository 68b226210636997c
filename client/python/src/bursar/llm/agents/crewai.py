"""CrewAI: `Agent(llm=guard(LLM(model="gpt-4o"), bursar, user="alice"), ...)`."""
from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from typing import Any, TypeVar

from crewai.hooks import HookAborted
from crewai.llms.base_llm import BaseLLM

from bursar import errors

from .._guard import Ask, Guard, Ticket
from .._texts import number

Llm = TypeVar("Llm", bound=BaseLLM)
# Of the call that runs: CrewAI tells what it used by a method of the model.
_ticket: contextvars.ContextVar[Ticket | None] = contextvars.ContextVar("bursar_crewai", default=None)


class Denied(errors.Denied, HookAborted):
    """A denial as CrewAI's own hooks deny: it ends the run. Any other exception is tried again by the agent, and goes on without what it
    was for in memories and summaries; one whose code is RESOURCE_EXHAUSTED, as a denial's is, is slept on as well."""

    source = "bursar"


class _Guarded:
    """The two ways to call a model, in place of its own."""

    def __init__(self, llm: Any, guard: Guard) -> None:
        self._llm, self._guard, self._call, self._acall, self._track = llm, guard, llm.call, llm.acall, llm._track_token_usage_internal

    def _ask(self, messages: Any, tools: Any) -> Ask:
        body = {"messages": messages if isinstance(messages, list) else [{"role": "user", "content": messages}], "tools": tools}
        return Ask(self._llm.model, number(self._llm._effective_max_tokens()), "crewai", body)

    def _open(self, messages: Any, tools: Any) -> Ticket:
        try:
            return self._guard.open(self._ask(messages, tools))
        except errors.Denied as denied:
            raise Denied(denied.check) from None

    def call(self, messages: Any, tools: Any = None, *args: Any, **kwargs: Any) -> Any:
        ticket, ran = self._open(messages, tools), False
        token = _ticket.set(ticket)
        try:
            answer = self._call(messages, tools, *args, **kwargs)
            ran = True
            return answer
        finally:
            _ticket.reset(token)
            self._guard.settle(ticket, ran)

    async def acall(self, messages: Any, tools: Any = None, *args: Any, **kwargs: Any) -> Any:
        ticket, ran = await asyncio.to_thread(self._open, messages, tools), False
        token = _ticket.set(ticket)
        try:
            answer = await self._acall(messages, tools, *args, **kwargs)
            ran = True
            return answer
        finally:
            _ticket.reset(token)
            await asyncio.to_thread(self._guard.settle, ticket, ran)

    def track(self, usage: Any) -> None:
        """What one response used, in CrewAI's form of the provider's object."""
        ticket = _ticket.get()
        if ticket is not None and usage:
            told = usage.model_dump(mode="json", exclude_none=True) if hasattr(usage, "model_dump") else dict(usage)
            ticket.tell({"model": self._llm.model, "usage": told})
        self._track(usage)


def guard(llm: Llm, bursar: Any, *, user: str | Callable[[], str | None] | None = None, **options: Any) -> Llm:
    """Guards a model in place, and returns it. `bursar` is a bursar.blocking.Bursar, for akickoff() too: a crew calls its models in threads.
    One call is one check, with all that CrewAI does to have it answered. Options as for the SDKs' wrappers."""
    made = Guard(bursar, user=user, **options)
    made.needs(blocking=True, what="CrewAI")
    guarded = _Guarded(llm, made)
    # Not fields, so they are set past pydantic. A copy of the model has them, too.
    for name, method in {"call": guarded.call, "acall": guarded.acall, "_track_token_usage_internal": guarded.track}.items():
        object.__setattr__(llm, name, method)
    return llm
