"""Google's ADK: `Agent(model=guard("gemini-2.5-flash", bursar, user="alice"), ...)`."""
from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

from google.adk.models import BaseLlm, LLMRegistry
from pydantic import PrivateAttr

from .._guard import Ask, Guard, NotGuarded
from .._texts import number


class BursarLlm(BaseLlm):
    """A model whose requests are checked and recorded. Of a FallbackModel, wrap the whole: a denial is meant for all its models."""

    wrapped: BaseLlm
    _guard: Guard = PrivateAttr()

    def __init__(self, wrapped: BaseLlm, guard: Guard) -> None:
        super().__init__(model=wrapped.model, wrapped=wrapped)
        self._guard = guard

    @property
    def capabilities(self) -> Any:
        return self.wrapped.capabilities

    def _ask(self, request: Any) -> Ask:
        config = request.config
        body = {"contents": request.contents, "systemInstruction": config.system_instruction, "tools": config.tools}
        return Ask(request.model or self.model, number(config.max_output_tokens), "google-adk", body)

    async def generate_content_async(self, llm_request: Any, stream: bool = False) -> AsyncGenerator[Any]:
        ticket, ran = await self._guard.aopen(self._ask(llm_request)), False
        try:
            async with aclosing(self.wrapped.generate_content_async(llm_request, stream)) as responses:
                async for response in responses:
                    ran = True
                    if response.usage_metadata is not None:
                        ticket.told.clear()
                        ticket.tell(_usage(response))
                    yield response
        finally:
            await self._guard.asettle(ticket, ran)

    def connect(self, llm_request: Any) -> Any:
        raise NotGuarded("live connections of ADK would spend money past Bursar")


def _usage(response: Any) -> dict[str, Any]:
    """Of a stream, each response says what has been used so far."""
    told = response.model_dump(mode="json", by_alias=True, exclude_none=True, include={"model_version", "usage_metadata"})
    return dict(told)


def guard(model: BaseLlm | str, bursar: Any, *, user: str | Callable[[], str | None] | None = None, **options: Any) -> BursarLlm:
    """The model, guarded by a bursar.Bursar. Names work as in Agent(); options as for the SDKs' wrappers."""
    made = Guard(bursar, user=user, **options)
    made.needs(blocking=False, what="ADK")
    return BursarLlm(LLMRegistry.new_llm(model) if isinstance(model, str) else model, made)
