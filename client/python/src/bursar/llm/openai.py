"""OpenAI's SDK: `with_bursar(OpenAI(), bursar, user="alice")`."""
from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from ._guard import Ask, Guard
from ._routes import OPENAI_FREE, OPENAI_PAID, Routes
from ._stainless import Sdk, wrap
from ._tap import Tap
from ._texts import number

Client = TypeVar("Client")
SOCKETS = ("realtime", "realtime.translations", "beta.realtime", "responses", "beta.responses", "live", "live.sideband", "live.forks")
# Hosts that speak OpenAI's protocol and tell more than it: docs/usage.md says what is read of each.
HOSTS = {"openrouter.ai": "openrouter", "api.x.ai": "xai", "api.mistral.ai": "mistral", "api.perplexity.ai": "perplexity",
         "api.deepseek.com": "deepseek", "api.groq.com": "groq"}


def _ask(host: str) -> Callable[[str, Mapping[str, Any]], Ask]:
    def ask(provider: str, body: Mapping[str, Any]) -> Ask:
        most = number(body.get("max_completion_tokens")) or number(body.get("max_tokens")) or number(body.get("max_output_tokens"))
        return Ask(str(body.get("model") or ""), most * (number(body.get("n")) or 1), HOSTS.get(host, provider), body)
    return ask


def _stream(ask_usage: bool) -> Callable[[str, Mapping[str, Any]], tuple[Mapping[str, Any], Callable[[], Tap]]]:
    """A streamed chat tells its usage only if it is asked to: in a chunk of its own, without choices."""
    def stream(url: str, body: Mapping[str, Any]) -> tuple[Mapping[str, Any], Callable[[], Tap]]:
        wanted = body.get("stream_options") or {}
        drop = bool(ask_usage and body.get("stream") and not wanted.get("include_usage") and urlsplit(url).path.endswith("/completions"))
        sent = {**body, "stream_options": {**wanted, "include_usage": True}} if drop else body
        return sent, lambda: Tap(events=True, drop_usage=drop)
    return stream


def with_bursar(client: Client, bursar: Any, *, user: str | Callable[[], str | None] | None = None, max_retries: int = 0,
                allow: Iterable[str] = (), stream_usage: bool = True, **options: Any) -> Client:
    """Wraps an OpenAI, AsyncOpenAI, AzureOpenAI, ... in place and returns it. create(), parse() and stream() of chat completions and
    responses, embeddings, images and transcriptions are checked, run and recorded; what else would spend money raises NotGuarded,
    unless `allow` has the beginning of its path or the name of its resource.

    `max_retries` of the client becomes 0, for the SDK sleeps inside the call on a provider's 429, while the reservation is held. `model`:
    the name of the model, where the client knows only that of a deployment. `input_tokens(body)`, `tokenizer(text)`: in place of the estimate.
    `stream_usage=False`: for servers that do not know stream_options. Further options are fields of each check."""
    guard = Guard(bursar, user=user, **options)
    allowed = tuple(allow)
    sdk = Sdk(guard, Routes(OPENAI_PAID, OPENAI_FREE, allowed), ask=_ask(urlsplit(str(getattr(client, "base_url", ""))).hostname or ""),
              stream=_stream(stream_usage), usages=lambda tap: tap.usages)
    wrap(client, sdk, max_retries=max_retries, sockets=tuple(path for path in SOCKETS if path not in allowed))
    return client
