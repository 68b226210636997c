"""What the SDKs of OpenAI and Anthropic have in common: every call goes through one method of the client, outside its own retries."""
from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from ._guard import Ask, Guard, NotGuarded, Ticket
from ._routes import Routes
from ._tap import Listener, Tap, tells_usage


class Sdk:
    """How one of them is wrapped. `stream(body)`: the body that is sent and the tap for its answer; `usages(tap)`: what a tap tells."""

    def __init__(self, guard: Guard, routes: Routes, *, ask: Callable[[str, Mapping[str, Any]], Ask],
                 stream: Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Any], Callable[[], Tap]]],
                 usages: Callable[[Tap], list[Any]]) -> None:
        self.guard, self.routes, self.ask, self.stream, self.usages = guard, routes, ask, stream, usages


class _Call:
    """One request on its way through a wrapped client."""

    def __init__(self, sdk: Sdk, options: Any) -> None:
        self.sdk = sdk
        self.provider = sdk.routes.provider(options.method, options.url)
        self.options = options
        self.ticket: Ticket | None = None
        if self.provider is not None:
            self._prepare()

    def _prepare(self) -> None:
        """The SDK gets options of its own: with the question for usage, and a parser that hears of the usage before one that may refuse
        the answer, which is paid all the same."""
        body = {**_mapping(self.options.json_data), **_mapping(getattr(self.options, "extra_json", None))}
        sent, self.tap = self.sdk.stream(self.options.url, body)
        self.ask = self.sdk.ask(self.provider or "", body)
        self.options = copy.copy(self.options)
        if sent is not body:
            self.options.json_data = sent
        parser = getattr(self.options, "post_parser", None)

        def parse(answer: Any) -> Any:
            self._hear(answer)
            return parser(answer) if callable(parser) else answer

        self.options.post_parser = parse

    def _hear(self, answer: Any) -> None:
        if self.ticket and not self.ticket.told and getattr(answer, "usage", None) is not None:
            self.ticket.tell(answer)

    def listener(self, answer: Any) -> tuple[Any, Listener] | None:
        """The response that is still to be read, and who listens to it; None when all is there."""
        assert self.ticket
        response = getattr(answer, "http_response", None) or getattr(answer, "response", None)
        if response is None or not hasattr(response, "is_closed"):
            return None
        if response.is_closed:
            self._read(response)
            return None
        tap = self.tap()
        if "text/event-stream" not in response.headers.get("content-type", ""):
            tap = Tap(events=False)
        return response, Listener(self.sdk.guard, self.ticket, tap, self.sdk.usages)

    def _read(self, response: Any) -> None:
        """A raw answer that is complete."""
        if self.ticket and not self.ticket.told:
            try:
                said = response.json()
            except Exception:  # pylint: disable=broad-exception-caught; not JSON, or not there: nothing is told
                return
            if tells_usage(said):
                self.ticket.tell(said)


def _mapping(body: Any) -> Mapping[str, Any]:
    return body if isinstance(body, Mapping) else {}


def _request(client: Any, sdk: Sdk) -> Callable[..., Any]:
    send = client.request

    def request(cast_to: Any, options: Any, **kwargs: Any) -> Any:
        call = _Call(sdk, options)
        if call.provider is None:
            return send(cast_to, options, **kwargs)
        call.ticket = sdk.guard.open(call.ask)
        try:
            answer = send(cast_to, call.options, **kwargs)
            rest = call.listener(answer)
        except BaseException:
            sdk.guard.settle(call.ticket, ran=False)
            raise
        if rest:
            rest[1].listen(rest[0])
        else:
            sdk.guard.settle(call.ticket)
        return answer

    return request


def _arequest(client: Any, sdk: Sdk) -> Callable[..., Any]:
    send = client.request

    async def request(cast_to: Any, options: Any, **kwargs: Any) -> Any:
        call = _Call(sdk, options)
        if call.provider is None:
            return await send(cast_to, options, **kwargs)
        call.ticket = await sdk.guard.aopen(call.ask)
        try:
            answer = await send(cast_to, call.options, **kwargs)
            rest = call.listener(answer)
        except BaseException:
            await sdk.guard.asettle(call.ticket, ran=False)
            raise
        if rest:
            rest[1].alisten(rest[0])
        else:
            await sdk.guard.asettle(call.ticket)
        return answer

    return request


def wrap(client: Any, sdk: Sdk, *, max_retries: int, sockets: tuple[str, ...] = ()) -> None:
    """Replaces the client's request(), and copy() so that its copies are wrapped too. `sockets`: resources whose connect() passes it by."""
    if getattr(client, "_bursar", None) is not None:
        raise TypeError("the client is wrapped already")
    asynchronous = inspect.iscoroutinefunction(client.request)
    sdk.guard.needs(blocking=not asynchronous, what=type(client).__name__)
    client._bursar = sdk.guard
    client.request = (_arequest if asynchronous else _request)(client, sdk)
    client.max_retries = max_retries
    make = client.copy

    def again(**kwargs: Any) -> Any:
        made = make(**kwargs)
        wrap(made, sdk, max_retries=kwargs.get("max_retries", made.max_retries), sockets=sockets)
        return made

    client.copy = client.with_options = again
    for path in sockets:
        _refuse_connect(client, path)


def _refuse_connect(client: Any, path: str) -> None:
    resource = client
    for name in path.split("."):
        resource = getattr(resource, name, None)
    if resource is not None and hasattr(resource, "connect"):
        def connect(*_: Any, **__: Any) -> Any:
            raise NotGuarded(f"{path}.connect() would spend money past Bursar; allow=[{path!r}] lets it pass")
        resource.connect = connect
