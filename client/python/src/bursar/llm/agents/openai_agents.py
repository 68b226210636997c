"""openai-agents: `Runner.run(agent, ..., run_config=RunConfig(model_provider=guard(bursar, user="alice")))`."""
from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator, Callable
from typing import Any

from agents import Model, ModelProvider, MultiProvider

from .._guard import Ask, Guard
from .._texts import number


class BursarModel(Model):
    """A model whose requests are checked and recorded."""

    def __init__(self, wrapped: Model, guard: Guard, name: str) -> None:
        self._wrapped, self._guard, self._name = wrapped, guard, name

    def __getattribute__(self, name: str) -> Any:
        """What Model has beside the two requests (retries, closing, cleaning up) is the wrapped model's."""
        if name in ("get_response", "stream_response", "_ask") or name in object.__getattribute__(self, "__dict__") or name.startswith("__"):
            return object.__getattribute__(self, name)
        return getattr(object.__getattribute__(self, "_wrapped"), name)

    def _ask(self, system_instructions: Any, items: Any, settings: Any, tools: Any) -> Ask:
        schemas = [schema for tool in tools or () if (schema := getattr(tool, "params_json_schema", None))]
        name = self._name or str(getattr(self._wrapped, "model", ""))
        body = {"instructions": system_instructions, "input": items, "tools": schemas}
        return Ask(name, number(getattr(settings, "max_tokens", None)), "openai-agents", body)

    async def get_response(self, system_instructions: Any, input: Any, model_settings: Any, tools: Any, *args: Any, **kwargs: Any) -> Any:
        ticket = await self._guard.aopen(self._ask(system_instructions, input, model_settings, tools))
        try:
            response = await self._wrapped.get_response(system_instructions, input, model_settings, tools, *args, **kwargs)
        except BaseException:
            await self._guard.asettle(ticket, ran=False)
            raise
        ticket.tell(response.usage)
        await self._guard.asettle(ticket)
        return response

    async def stream_response(self, system_instructions: Any, input: Any, model_settings: Any, tools: Any, *args: Any,
                              **kwargs: Any) -> AsyncIterator[Any]:
        ticket, ran = await self._guard.aopen(self._ask(system_instructions, input, model_settings, tools)), False
        if model_settings.include_usage is None:  # chats tell it only if they are asked to
            model_settings = dataclasses.replace(model_settings, include_usage=True)
        try:
            async for event in self._wrapped.stream_response(system_instructions, input, model_settings, tools, *args, **kwargs):
                ran = True
                answer: Any = getattr(event, "response", None)
                if getattr(answer, "usage", None) is not None:
                    ticket.told.clear()
                    ticket.tell({"model": answer.model, "usage": answer.usage.model_dump(mode="json")}, provider="openai")
                yield event
        finally:
            await self._guard.asettle(ticket, ran)


class BursarProvider(ModelProvider):
    """A provider of guarded models, for RunConfig(model_provider=...)."""

    def __init__(self, wrapped: ModelProvider, guard: Guard) -> None:
        self._wrapped, self._guard = wrapped, guard

    def get_model(self, model_name: str | None) -> Model:
        return BursarModel(self._wrapped.get_model(model_name), self._guard, model_name or "")

    async def aclose(self) -> None:
        await self._wrapped.aclose()


def guard(bursar: Any, wrapped: Model | ModelProvider | None = None, *, user: str | Callable[[], str | None] | None = None,
          **options: Any) -> Any:
    """A guarded provider, of the library's own models or of `wrapped`; given a Model, a guarded Model. `bursar` is a bursar.Bursar; options
    as for the SDKs' wrappers. Agents whose `model` is a Model object pass the provider by: guard that object."""
    made = Guard(bursar, user=user, **options)
    made.needs(blocking=False, what="openai-agents")
    return BursarModel(wrapped, made, "") if isinstance(wrapped, Model) else BursarProvider(wrapped or MultiProvider(), made)
