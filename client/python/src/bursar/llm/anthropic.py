"""Anthropic's SDK: `with_bursar(Anthropic(), bursar, user="alice")`."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from ._guard import Ask, Guard
from ._routes import ANTHROPIC_FREE, ANTHROPIC_PAID, Routes
from ._stainless import Sdk, wrap
from ._tap import Tap
from ._texts import number

Client = TypeVar("Client")


def _ask(provider: str, body: Mapping[str, Any]) -> Ask:
    return Ask(str(body.get("model") or ""), number(body.get("max_tokens")), provider, body)


def _delta(event: Any) -> str:
    """The text of an event content_block_delta."""
    delta = event.get("delta") if isinstance(event, dict) else None
    return "".join(str(delta.get(name) or "") for name in ("text", "thinking", "partial_json")) if isinstance(delta, dict) else ""


def _usages(tap: Tap) -> list[Any]:
    """The usage of a stream is in its first event and in the last but one. One that is left before that has told its input only: the
    output is then estimated by what was seen of it, so that leaving early is not free."""
    usages = list(tap.usages)
    if usages and not tap.ended and not any(said.get("type") == "message_delta" for said in usages):
        usages.append({"usage": {"output_tokens": tap.cut_short()}})
    return usages


def with_bursar(client: Client, bursar: Any, *, user: str | Callable[[], str | None] | None = None, max_retries: int = 0,
                allow: Iterable[str] = (), **options: Any) -> Client:
    """Wraps an Anthropic or AsyncAnthropic in place and returns it. messages.create(), parse() and stream() (beta's too) are checked, run
    and recorded; what else would spend money (batches, agents, ...) raises NotGuarded, unless `allow` has the beginning of its path.

    `max_retries` of the client becomes 0: the SDK sleeps for as long as a 429 says, an hour if need be, while the reservation is held.
    `input_tokens(body)`, `tokenizer(text)`: in place of the estimate. Further options are fields of each check."""
    guard = Guard(bursar, user=user, **options)
    sdk = Sdk(guard, Routes(ANTHROPIC_PAID, ANTHROPIC_FREE, allow), ask=_ask,
              stream=lambda url, body: (body, lambda: Tap(events=True, keep_all=True, delta=_delta)), usages=_usages)
    wrap(client, sdk, max_retries=max_retries)
    return client
