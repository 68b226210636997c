"""Middleware for ASGI applications (FastAPI, Starlette, ...): `app.add_middleware(BursarMiddleware, bursar=bursar, user=...)`."""
from __future__ import annotations

import asyncio
import contextlib
import inspect
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from bursar._core.run import Job
from bursar.answers import Check
from bursar.errors import BursarError

from .address import Proxies, user_of
from .headers import UNAVAILABLE, Headers, Reset, denial, of_check, of_unavailable

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]


class HttpRequest:
    """What the functions of the middleware get of a request: all but its body."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.path: str = scope["path"]

    def header(self, name: str) -> str:
        """The value of a header; those of several are joined."""
        return ", ".join(self.headers(name))

    def headers(self, name: str) -> list[str]:
        wanted = name.lower().encode("latin-1")
        return [value.decode("latin-1") for key, value in self.scope["headers"] if key.lower() == wanted]

    @property
    def state(self) -> dict[str, Any]:
        """What Starlette has as request.state: where middlewares for authentication put the user."""
        state: dict[str, Any] = self.scope.setdefault("state", {})
        return state


class BursarMiddleware:
    """Checks each HTTP request, answers 429 when a limit denies it, and records it when its response has ended: what the handler has told
    `request.state.bursar`, a bursar.Job. WebSockets and lifespan events pass through.

    user(request)        whose limits count: the id of who has signed in; None or "": the client's address, as "ip:ADDRESS"
    model                the model that the route will call, or a function of the request
    estimate(request)    what the request will use: {"input_tokens": ..., "max_output_tokens": ...}
    skip(request)        True: not limited
    deny(request, check) the body of a denial, for json.dumps(); default: {"error": {"message", "type", "code"}}
    request_id(request)  an id under which the same request may come again without counting twice
    trusted_proxies      whose X-Forwarded-For is believed: addresses, blocks, "loopback", "linklocal", "uniquelocal", "unix"
    headers, reset       which headers tell of limits: both, draft, legacy, none; X-RateLimit-Reset in seconds, or as an epoch

    The functions may be asynchronous. Further options are fields of each check."""

    def __init__(self, app: App, *, bursar: Any, user: Callable[[HttpRequest], Any] | None = None,
                 model: str | Callable[[HttpRequest], Any] = "", estimate: Callable[[HttpRequest], Any] | None = None,
                 skip: Callable[[HttpRequest], Any] | None = None, deny: Callable[[HttpRequest, Check], Any] | None = None,
                 request_id: Callable[[HttpRequest], Any] | None = None, trusted_proxies: Iterable[str] = (), headers: Headers = "both",
                 reset: Reset = "seconds", interface: str = "web", **fields: Any) -> None:
        if not inspect.iscoroutinefunction(bursar.check):
            raise TypeError("BursarMiddleware needs a bursar.Bursar")
        self.app, self._bursar = app, bursar
        self._user, self._model, self._estimate, self._skip, self._deny, self._request_id = user, model, estimate, skip, deny, request_id
        self._proxies, self._headers, self._reset = Proxies(trusted_proxies), headers, reset
        self._fields = {"interface": interface, "headers": headers != "none", **fields}
        self._settling: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, self._until_settled(receive), send)
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request = HttpRequest(scope)
        if self._skip and await _value(self._skip(request)):
            return await self.app(scope, receive, send)
        try:
            check = await self._bursar.check(**await self._question(request))
        except BursarError as error:
            if error.code not in ("UNAVAILABLE", "DEADLINE_EXCEEDED"):
                raise
            return await _answer(send, 503, of_unavailable(error), UNAVAILABLE)
        if not check.allowed:
            body = await _value(self._deny(request, check)) if self._deny else denial(check)
            return await _answer(send, 429, of_check(check, self._headers, self._reset), body)
        await self._run(_Response(Job(self._bursar, check), of_check(check, self._headers, self._reset), send), scope, receive)

    async def _question(self, request: HttpRequest) -> dict[str, Any]:
        fields = {**self._fields, **((await _value(self._estimate(request)) or {}) if self._estimate else {})}
        user = await _value(self._user(request)) if self._user else None
        if not user:
            peer = request.scope.get("client")
            address = self._proxies.client(peer[0] if peer else None, request.headers("x-forwarded-for"))
            if address is None:
                raise ValueError("user(request) gave no user, and the client's address is not known: set `user`, or `trusted_proxies` "
                                 "behind a proxy")
            user = user_of(address)
        model = await _value(self._model(request)) if callable(self._model) else self._model
        if self._request_id and (own := await _value(self._request_id(request))):
            fields["request_id"] = own
        return {**fields, "user": str(user), "model": model or ""}

    async def _run(self, response: _Response, scope: Scope, receive: Receive) -> None:
        scope.setdefault("state", {})["bursar"] = response.job
        failed = False
        try:
            await self.app(scope, receive, response.send)
        except Exception:
            failed = not response.begun  # a stream that has begun raises where its client leaves: what it used so far is paid
            raise
        finally:
            task = asyncio.ensure_future(self._settle(response, failed or response.status >= 500))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)

    async def _settle(self, response: _Response, failed: bool) -> None:
        """Runs after the response. What goes wrong has reached `on_error` of Bursar."""
        if not failed and response.status >= 400 and not response.job.told:
            response.job.usage(usage={})  # the caller's mistake counts as a request, but has used no tokens
        with contextlib.suppress(Exception):
            await response.job._settle(failed)

    def _until_settled(self, receive: Receive) -> Receive:
        """The application hears of the shutdown, at which it closes Bursar, when all responses are recorded."""
        async def receive_later() -> Message:
            message = await receive()
            while message["type"] == "lifespan.shutdown" and self._settling:
                await asyncio.wait(self._settling)
            return message
        return receive_later


class _Response:
    """Sees the response on its way, and adds the headers."""

    def __init__(self, job: Job, headers: dict[str, str], send: Send) -> None:
        self.job, self.status = job, 0
        self._headers, self._send = _encoded(headers), send

    @property
    def begun(self) -> bool:
        return self.status != 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = {bytes(name).lower() for name, _ in message.get("headers", ())}
            added = [header for header in self._headers if header[0] not in own]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await self._send(message)


def _encoded(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


async def _answer(send: Send, status: int, headers: dict[str, str], body: Any) -> None:
    text = json.dumps(body, ensure_ascii=False).encode()
    about = {"content-type": "application/json", "content-length": str(len(text))}
    await send({"type": "http.response.start", "status": status, "headers": _encoded({**headers, **about})})
    await send({"type": "http.response.body", "body": text})


async def _value(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
