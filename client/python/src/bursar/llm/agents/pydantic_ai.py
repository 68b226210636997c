"""pydantic-ai: `Agent(guard(model, bursar, user="alice"))`."""
from __future__ import annotations

import dataclasses
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any

from pydantic_ai.models import Model
from pydantic_ai.models.wrapper import WrapperModel

from .._guard import Ask, Guard, NotGuarded
from .._texts import number


class BursarModel(WrapperModel):
    """A model whose requests are checked and recorded. In a FallbackModel, wrap the whole: a denial is meant for all its models."""

    def __init__(self, wrapped: Model | str, guard: Guard) -> None:
        super().__init__(wrapped)
        self._guard = guard

    def _ask(self, messages: list[Any], settings: Any) -> Ask:
        return Ask(self.wrapped.model_name, number((settings or {}).get("max_tokens")), "pydantic-ai", {"messages": messages})

    async def request(self, messages: Any, model_settings: Any, model_request_parameters: Any) -> Any:
        ticket = await self._guard.aopen(self._ask(messages, model_settings))
        try:
            response = await super().request(messages, model_settings, model_request_parameters)
        except BaseException:
            await self._guard.asettle(ticket, ran=False)
            raise
        ticket.tell(_usage(response))
        await self._guard.asettle(ticket)
        return response

    @asynccontextmanager
    async def request_stream(self, messages: Any, model_settings: Any, model_request_parameters: Any,
                             run_context: Any = None) -> AsyncGenerator[Any]:
        ticket, stream = await self._guard.aopen(self._ask(messages, model_settings)), None
        try:
            async with super().request_stream(messages, model_settings, model_request_parameters, run_context) as stream:
                yield stream
        finally:
            if stream is not None:
                ticket.tell(_usage(stream))
            await self._guard.asettle(ticket, ran=stream is not None)

    async def batch_create(self, requests: Any) -> Any:
        raise NotGuarded("batches of pydantic-ai would spend money past Bursar")

    async def compact_messages(self, request_context: Any, *, instructions: str | None = None) -> Any:
        raise NotGuarded("compact_messages of pydantic-ai would spend money past Bursar")


def _usage(answer: Any) -> dict[str, Any]:
    """The usage of one request as the framework has it, and the model that served it. What a stream that is left early has told so far may be
    nothing: the server then charges its estimate."""
    usage = answer.usage() if callable(answer.usage) else answer.usage
    told = {"usage": {name: value for name, value in dataclasses.asdict(usage).items() if value is not None}}
    return {"model": answer.model_name, **told} if answer.model_name else told


def guard(model: Model | str, bursar: Any, *, user: str | Callable[[], str | None] | None = None, **options: Any) -> BursarModel:
    """The model, guarded by a bursar.Bursar. `model="gpt-4o"`-like names work as in Agent(); options as for the SDKs' wrappers."""
    made = Guard(bursar, user=user, **options)
    made.needs(blocking=False, what="pydantic-ai")
    return BursarModel(model, made)
