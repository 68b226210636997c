"""What every wrapper of an LLM client does with a request: check, let it run, settle."""
from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import inspect
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from bursar.errors import BursarError, Denied
from bursar.estimate import estimate_request, estimate_tokens

from ._texts import plain

# What using() says, for the wrapped calls below it.
_scope: contextvars.ContextVar[Mapping[str, Any]] = contextvars.ContextVar("bursar_llm", default={})
# Set while a guarded call runs, for wrappers that call one another (a router and its completion functions): one check a request.
_inside: contextvars.ContextVar[bool] = contextvars.ContextVar("bursar_llm_inside", default=False)


class NotGuarded(RuntimeError):
    """The call would spend money past Bursar: no wrapper knows how to check and record it. Name it in `allow` to let it pass."""


@contextlib.contextmanager
def using(**fields: Any) -> Iterator[None]:
    """The checks of wrapped calls within this block have these fields: `with using(user="alice", request_id=...)`. Blocks nest."""
    token = _scope.set({**_scope.get(), **fields})
    try:
        yield
    finally:
        _scope.reset(token)


@contextlib.contextmanager
def guarded() -> Iterator[None]:
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def already_guarded() -> bool:
    return _inside.get()


@dataclass(frozen=True)
class Ask:
    """One request, as its wrapper has read it."""

    model: str
    max_output_tokens: int
    provider: str
    body: Any  # as it is sent; of a framework its objects, in a mapping like a body: messages, instructions, tools


@dataclass
class Ticket:
    """A request that may run, until it is settled."""

    check: Any
    provider: str
    told: list[Any] = field(default_factory=list)
    cost_nano_usd: int | None = None  # what the provider charges, if that is known from elsewhere than its usage
    settled: bool = False

    def tell(self, usage: Any, provider: str | None = None) -> None:
        """Usage as the provider gave it. Of several, all are recorded: the server knows how they add up."""
        if not self.settled:
            self.told.append(usage)
            self.provider = self.provider if provider is None else provider

    def ending(self, ran: bool) -> tuple[str, dict[str, Any]] | None:
        """The call that settles: the name of a method of Bursar, and its arguments. A request that ran and told nothing is charged
        as the check estimated: an empty usage says so."""
        if self.settled:
            return None
        self.settled = True
        if not self.told and not ran:
            return "cancel", {}
        usage = self.told[0] if len(self.told) == 1 else list(self.told) or {}
        return "record", {"provider": self.provider, "provider_usage": usage, "provider_cost_nano_usd": self.cost_nano_usd}


class Guard:
    """The options of a wrapper, and its two ways to ask: open() and settle() with bursar.blocking.Bursar, aopen() and asettle() with Bursar."""

    def __init__(self, bursar: Any, *, user: str | Callable[[], str | None] | None = None, model: str | None = None,
                 provider: str | None = None, input_tokens: Callable[[Any], int] | None = None,
                 tokenizer: Callable[[str], int] = estimate_tokens, **fields: Any) -> None:
        self.bursar = bursar
        self.blocking = not inspect.iscoroutinefunction(bursar.check)
        self.provider = provider
        self._user, self._model, self._input_tokens, self._tokenizer, self._fields = user, model, input_tokens, tokenizer, fields
        self._settling: set[asyncio.Task[None]] = set()

    def needs(self, *, blocking: bool, what: str) -> None:
        if self.blocking != blocking:
            wants = "bursar.blocking.Bursar" if blocking else "bursar.Bursar"
            raise TypeError(f"{what} needs a {wants}")

    def fields(self, ask: Ask, user: str | None = None) -> dict[str, Any]:
        scope = {**self._fields, **_scope.get()}
        user = scope.pop("user", None) or user or (self._user() if callable(self._user) else self._user)
        if not user:
            raise ValueError("no user: give user= to the wrapper (a name, or a function that returns one), or call within using(user=...)")
        tokens = self._input_tokens(ask.body) if self._input_tokens else estimate_request(plain(ask.body), self._tokenizer)
        return {"model": self._model or ask.model, "input_tokens": tokens, "max_output_tokens": ask.max_output_tokens, **scope, "user": user}

    def _ticket(self, check: Any, ask: Ask) -> Ticket:
        if not check.allowed:
            raise Denied(check)
        return Ticket(check, self.provider if self.provider is not None else ask.provider)

    def open(self, ask: Ask) -> Ticket:
        return self._ticket(self.bursar.check(**self.fields(ask)), ask)

    async def aopen(self, ask: Ask) -> Ticket:
        return self._ticket(await self.bursar.check(**self.fields(ask)), ask)

    def settle(self, ticket: Ticket, ran: bool = True) -> None:
        """Never raises: the answer is paid and belongs to the app. What cannot be recorded has reached `on_error` of Bursar."""
        ending = ticket.ending(ran)
        if ending:
            call = functools.partial(getattr(self.bursar, ending[0]), ticket.check, **ending[1])
            try:
                call()
            except BursarError as error:
                if error.code == "FAILED_PRECONDITION":  # a stream that nobody holds was collected on Bursar's own thread
                    threading.Thread(target=call).start()
            except Exception:  # pylint: disable=broad-exception-caught
                pass

    async def asettle(self, ticket: Ticket, ran: bool = True) -> None:
        """As settle(). Goes on when the caller is cancelled meanwhile."""
        ending = ticket.ending(ran)
        if ending:
            task = asyncio.ensure_future(self._call(*ending, ticket.check))
            self._settling.add(task)
            task.add_done_callback(self._settling.discard)
            await asyncio.shield(task)

    def drop(self, ticket: Ticket) -> None:
        """Settles what nobody can await: a stream that was left alone. Nothing is done where no loop runs; the reservation expires then."""
        if not ticket.settled:
            with contextlib.suppress(RuntimeError):
                task = asyncio.get_running_loop().create_task(self.asettle(ticket))
                self._settling.add(task)
                task.add_done_callback(self._settling.discard)

    async def _call(self, name: str, arguments: dict[str, Any], check: Any) -> None:
        with contextlib.suppress(Exception):
            await getattr(self.bursar, name)(check, **arguments)
