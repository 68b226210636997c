"""Google's SDK, google-genai: `with_bursar(genai.Client(), bursar, user="alice")`."""
from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from ._guard import Ask, Guard, NotGuarded, Ticket
from ._texts import number

Client = TypeVar("Client")
_PAID = re.compile(r"(?:.*/)?(?P<model>[^/:]+):(generateContent|streamGenerateContent|embedContent|batchEmbedContents|predict)")
_FREE = re.compile(r".*:(countTokens|computeTokens)|(.*/)?(files|upload/.*)(/.*)?|.*:cancel")
# Parts of the client that talk to Google by themselves.
_OTHERS = ("interactions", "agents", "triggers", "environments", "voices", "decisions")


class _Paths:
    def __init__(self, allow: Iterable[str]) -> None:
        self.allow = tuple(allow)

    def ask(self, method: str, path: str, body: Any) -> Ask | None:
        """The question to Bursar; None for a request that passes. Raises NotGuarded."""
        bare = path.partition("?")[0]
        if method.lower() in ("get", "head", "delete") or any(part in bare for part in self.allow) or _FREE.fullmatch(bare):
            return None
        found = _PAID.fullmatch(bare)
        if not found:
            raise NotGuarded(f"{method.upper()} {bare} would spend money past Bursar; allow=[{bare!r}] lets it pass")
        config = body.get("generationConfig") if isinstance(body, Mapping) else None
        config = config if isinstance(config, Mapping) else {}
        most = number(config.get("maxOutputTokens")) * (number(config.get("candidateCount")) or 1)
        return Ask(found["model"], most, "google", body)


def _usage(response: Any) -> Any:
    try:
        said = json.loads(response.body)
    except (TypeError, ValueError):
        return None
    return said if isinstance(said, dict) and said.get("usageMetadata") else None


def _tell(ticket: Ticket, response: Any) -> None:
    """Each chunk of a stream tells the usage so far: the last one counts."""
    if b"usageMetadata" in (response.body or "").encode() and (said := _usage(response)):
        ticket.told.clear()
        ticket.tell(said)


def _request(api: Any, guard: Guard, paths: _Paths) -> Callable[..., Any]:
    send = api.request

    def request(http_method: str, path: str, request_dict: Any, http_options: Any = None) -> Any:
        ask = paths.ask(http_method, path, request_dict)
        if ask is None:
            return send(http_method, path, request_dict, http_options)
        ticket = guard.open(ask)
        try:
            response = send(http_method, path, request_dict, http_options)
        except BaseException:
            guard.settle(ticket, ran=False)
            raise
        _tell(ticket, response)
        guard.settle(ticket)
        return response

    return request


def _streamed(api: Any, guard: Guard, paths: _Paths) -> Callable[..., Any]:
    send = api.request_streamed

    def request_streamed(http_method: str, path: str, request_dict: Any, http_options: Any = None) -> Iterator[Any]:
        ask = paths.ask(http_method, path, request_dict)
        if ask is None:
            yield from send(http_method, path, request_dict, http_options)
            return
        ticket, ran = guard.open(ask), False
        try:
            for chunk in send(http_method, path, request_dict, http_options):
                ran = True
                _tell(ticket, chunk)
                yield chunk
        finally:
            guard.settle(ticket, ran)

    return request_streamed


def _arequest(api: Any, guard: Guard, paths: _Paths) -> Callable[..., Any]:
    send = api.async_request

    async def async_request(http_method: str, path: str, request_dict: Any, http_options: Any = None) -> Any:
        ask = paths.ask(http_method, path, request_dict)
        if ask is None:
            return await send(http_method, path, request_dict, http_options)
        ticket = await guard.aopen(ask)
        try:
            response = await send(http_method, path, request_dict, http_options)
        except BaseException:
            await guard.asettle(ticket, ran=False)
            raise
        _tell(ticket, response)
        await guard.asettle(ticket)
        return response

    return async_request


def _astreamed(api: Any, guard: Guard, paths: _Paths) -> Callable[..., Any]:
    send = api.async_request_streamed

    async def chunks(source: Any, ticket: Ticket) -> AsyncIterator[Any]:
        try:
            async for chunk in source:
                _tell(ticket, chunk)
                yield chunk
        finally:
            await guard.asettle(ticket)

    async def async_request_streamed(http_method: str, path: str, request_dict: Any, http_options: Any = None) -> Any:
        ask = paths.ask(http_method, path, request_dict)
        if ask is None:
            return await send(http_method, path, request_dict, http_options)
        ticket = await guard.aopen(ask)
        try:
            source = await send(http_method, path, request_dict, http_options)
        except BaseException:
            await guard.asettle(ticket, ran=False)
            raise
        return chunks(source, ticket)

    return async_request_streamed


class _Refused:
    """In place of a part of the client that no wrapper knows."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        raise NotGuarded(f"{self._name}.{name} would spend money past Bursar; allow=[{self._name!r}] lets it pass")


def with_bursar(client: Client, bursar: Any, *, user: str | Callable[[], str | None] | None = None, allow: Iterable[str] = (),
                **options: Any) -> Client:
    """Wraps a genai.Client in place and returns it: the client itself with a bursar.blocking.Bursar, `client.aio` with a Bursar; the other
    half then raises. generate_content (each of its rounds, when it calls functions by itself), its streams, embeddings and images are
    checked, run and recorded; videos, batches, caches, live connections and interactions raise NotGuarded unless `allow` names them.

    The SDK does not repeat a request by itself. `input_tokens(body)`, `tokenizer(text)`: in place of the estimate. Further options are fields of each check."""
    guard, paths = Guard(bursar, user=user, **options), _Paths(allow)
    api = client._api_client  # type: ignore[attr-defined]
    if getattr(api, "_bursar", None) is not None:
        raise TypeError("the client is wrapped already")
    api._bursar = guard
    refuse = _Refused("client" if not guard.blocking else "client.aio")
    if guard.blocking:
        api.request, api.request_streamed = _request(api, guard, paths), _streamed(api, guard, paths)
        api.async_request = api.async_request_streamed = lambda *_, **__: refuse.models
    else:
        api.async_request, api.async_request_streamed = _arequest(api, guard, paths), _astreamed(api, guard, paths)
        api.request = api.request_streamed = lambda *_, **__: refuse.models
    _refuse(client, paths.allow)
    return client


def _refuse(client: Any, allow: tuple[str, ...]) -> None:
    for half in (client, client.aio):
        for name in _OTHERS:
            if name not in allow and hasattr(half, f"_{name}"):
                setattr(half, f"_{name}", _Refused(name))
    if "live" not in allow:
        client.aio._live = _Refused("live")
