"""LiteLLM: `with_bursar(Router(...), bursar, user="alice")` denies before the Router, which would otherwise take a denial for a broken
deployment and cool it down for everybody. `with_bursar(litellm, ...)` guards the module's functions, for the frameworks that call them
(smolagents; dspy with engine="litellm"). bursar.llm.litellm_proxy has the callback for LiteLLM's proxy."""
from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any, TypeVar

from ._guard import Ask, Guard, NotGuarded, Ticket, already_guarded, guarded
from ._texts import number

Target = TypeVar("Target")
# What is guarded; each also as a coroutine function, with an "a" in front.
PAID = ("completion", "text_completion", "embedding", "responses", "image_generation", "transcription", "rerank")
ASYNC_ONLY = ("anthropic_messages",)
# What spends money and is not guarded.
REFUSED = ("speech", "aspeech", "video_generation", "avideo_generation", "create_batch", "acreate_batch", "ocr", "aocr", "generate_content",
           "agenerate_content", "generate_content_stream", "agenerate_content_stream", "batch_completion", "abatch_completion",
           "batch_completion_models", "abatch_completion_one_model_multiple_requests", "abatch_completion_fastest_response",
           "create_fine_tuning_job", "acreate_fine_tuning_job", "arun_thread", "run_thread", "anthropic_messages", "image_edit", "aimage_edit",
           "image_variation", "aimage_variation")


def usage_of(answer: Any) -> Any:
    """The part of an answer, or of a chunk, that says what was used, with the model; None if nothing does."""
    inner = getattr(answer, "response", None) or answer
    usage = inner.get("usage") if isinstance(inner, Mapping) else getattr(inner, "usage", None)
    if not usage:
        return None
    plain = usage.model_dump(mode="json", exclude_none=True) if hasattr(usage, "model_dump") else dict(usage)
    model = inner.get("model") if isinstance(inner, Mapping) else getattr(inner, "model", None)
    return {"model": model, "usage": plain} if model else {"usage": plain}


class _Function:
    """One of LiteLLM's functions, guarded."""

    def __init__(self, guard: Guard, name: str, send: Callable[..., Any], resolve: Callable[[str], str], stream_usage: bool) -> None:
        self.guard, self.name, self.send, self._resolve, self._stream_usage = guard, name, send, resolve, stream_usage

    def prepare(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Ask, dict[str, Any], bool]:
        """The question to Bursar, the arguments for LiteLLM, and whether the chunk with the usage was not asked for by the app."""
        body = {**dict(zip(_positions(self.send), args, strict=False)), **kwargs}
        most = next((found for name in ("max_completion_tokens", "max_tokens", "max_output_tokens") if (found := number(body.get(name)))), 0)
        ask = Ask(self._resolve(str(body.get("model") or "")), most * (number(body.get("n")) or 1), "litellm", body)
        wanted = body.get("stream_options") or {}
        drop = bool(self._stream_usage and body.get("stream") and not wanted.get("include_usage") and self.name.endswith("completion"))
        return ask, {**kwargs, "stream_options": {**wanted, "include_usage": True}} if drop else kwargs, drop

    def call(self, *args: Any, **kwargs: Any) -> Any:
        if already_guarded():
            return self.send(*args, **kwargs)
        ask, kwargs, drop = self.prepare(args, kwargs)
        ticket = self.guard.open(ask)
        try:
            with guarded():
                answer = self.send(*args, **kwargs)
        except BaseException:
            self.guard.settle(ticket, ran=False)
            raise
        if _streams(answer):
            return Stream(answer, self.guard, ticket, drop)
        _tell(ticket, answer)
        self.guard.settle(ticket)
        return answer

    async def acall(self, *args: Any, **kwargs: Any) -> Any:
        if already_guarded():
            return await self.send(*args, **kwargs)
        ask, kwargs, drop = self.prepare(args, kwargs)
        ticket = await self.guard.aopen(ask)
        try:
            with guarded():
                answer = await self.send(*args, **kwargs)
        except BaseException:
            await self.guard.asettle(ticket, ran=False)
            raise
        if _streams(answer):
            return AsyncStream(answer, self.guard, ticket, drop)
        _tell(ticket, answer)
        await self.guard.asettle(ticket)
        return answer


def _positions(function: Callable[..., Any]) -> list[str]:
    """The names of the first arguments, which are often given without."""
    names = [name for name, one in inspect.signature(function).parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    return names if names else ["model", "messages"]


def _streams(answer: Any) -> bool:
    return not hasattr(answer, "model_dump") and not isinstance(answer, Mapping) and (hasattr(answer, "__anext__") or hasattr(answer, "__next__"))


def _tell(ticket: Ticket, answer: Any) -> None:
    if (usage := usage_of(answer)) is not None:
        ticket.told.clear()
        ticket.tell(usage)


def _bare(chunk: Any) -> bool:
    """A chunk that has nothing but usage."""
    choices = getattr(chunk, "choices", None)
    if choices is None or usage_of(chunk) is None:
        return False
    return all(not choice.finish_reason and not any(dict(choice.delta).get(name) for name in ("content", "tool_calls", "function_call"))
               for choice in choices)


class _Wrapped:
    def __init__(self, stream: Any, guard: Guard, ticket: Ticket, drop: bool) -> None:
        self._stream, self._guard, self._ticket, self._drop = stream, guard, ticket, drop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class Stream(_Wrapped):
    """LiteLLM's stream. It is recorded at its end, when it is closed, and when it is dropped."""

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            with guarded():
                while _heard(chunk := next(self._stream), self._ticket) and self._drop:
                    pass
        except BaseException:
            self._guard.settle(self._ticket)
            raise
        return chunk

    def close(self) -> None:
        if hasattr(self._stream, "close"):
            self._stream.close()
        self._guard.settle(self._ticket)

    def __del__(self) -> None:
        self._guard.settle(self._ticket)


class AsyncStream(_Wrapped):
    """The same for `async for`."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        try:
            with guarded():
                while _heard(chunk := await anext(self._stream), self._ticket) and self._drop:
                    pass
        except BaseException:
            await self._guard.asettle(self._ticket)
            raise
        return chunk

    async def aclose(self) -> None:
        if hasattr(self._stream, "aclose"):
            await self._stream.aclose()
        await self._guard.asettle(self._ticket)

    def __del__(self) -> None:
        self._guard.drop(self._ticket)


def _heard(chunk: Any, ticket: Ticket) -> bool:
    """Notes what a chunk tells. True for one that has nothing but usage."""
    bare = _bare(chunk)
    _tell(ticket, chunk)
    return bare


def _resolver(target: Any) -> Callable[[str], str]:
    """A Router's models have names of the app's own: a price is found by that of the first deployment."""
    listed = getattr(target, "get_model_list", None)

    def resolve(model: str) -> str:
        deployments = (listed(model_name=model) if callable(listed) else None) or []
        return str(deployments[0]["litellm_params"]["model"]) if deployments else model
    return resolve


def with_bursar(target: Target, bursar: Any, *, user: str | Callable[[], str | None] | None = None, stream_usage: bool = True,
                allow: tuple[str, ...] = (), **options: Any) -> Target:
    """Guards the functions of a Router, or of the module litellm, in place, and returns it: the coroutine functions with a bursar.Bursar,
    the others with a bursar.blocking.Bursar. The other half raises NotGuarded until it is guarded as well, by a second call; so do the
    functions that spend money and are not known, unless `allow` has their names. `model`, `input_tokens(body)` and further options as for
    the SDKs' wrappers.

    One call is one check, with all the Router's retries and fallbacks. The denial is a RuntimeError that never reaches the Router."""
    guard, resolve = Guard(bursar, user=user, **options), _resolver(target)
    own = [name if guard.blocking else f"a{name}" for name in PAID] + ([] if guard.blocking else list(ASYNC_ONLY))
    other = [f"a{name}" if guard.blocking else name for name in PAID]
    done: set[str] = target.__dict__.setdefault("_bursar_guards", set())
    if done.intersection(own):
        raise TypeError("guarded already")
    for name in own:
        if (send := getattr(target, name, None)) is not None:
            send = getattr(send, "bursar_original", send)
            function = _Function(guard, name, send, resolve, stream_usage)
            setattr(target, name, function.call if guard.blocking else function.acall)
            done.add(name)
    for name in (*other, *REFUSED):
        if name not in done and name not in allow and getattr(target, name, None) is not None:
            setattr(target, name, _refusal(name, getattr(target, name)))
    return target


def _refusal(name: str, send: Callable[..., Any]) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        if already_guarded():
            return send(*args, **kwargs)
        raise NotGuarded(f"{name}() would spend money past Bursar; allow=({name!r},) lets it pass, a second with_bursar() guards the other half")
    refuse.bursar_original = send  # type: ignore[attr-defined]
    return refuse
