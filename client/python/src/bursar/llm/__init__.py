"""Wrappers of LLM clients and agent frameworks: a check before each request, a record after it. Nothing here imports a framework until it
is handed one: `with_bursar(client, bursar, user="alice")`."""
from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any, TypeVar

from ._guard import NotGuarded, using

__all__ = ["NotGuarded", "using", "with_bursar"]

Client = TypeVar("Client")


def with_bursar(client: Client, bursar: Any, **options: Any) -> Client:
    """Wraps a client of OpenAI's, Anthropic's or Google's SDK, a LiteLLM Router, or the module litellm itself, in place, and returns it.
    The modules bursar.llm.openai, .anthropic, .google and .litellm describe the options of each."""
    packages = _packages(client)
    wrap: Callable[..., Client]
    if "openai" in packages:
        from .openai import with_bursar as of_openai
        wrap = of_openai
    elif "anthropic" in packages:
        from .anthropic import with_bursar as of_anthropic
        wrap = of_anthropic
    elif "google.genai" in packages:
        from .google import with_bursar as of_google
        wrap = of_google
    elif "litellm" in packages:
        from .litellm import with_bursar as of_litellm
        wrap = of_litellm
    else:
        raise TypeError(f"no wrapper for {type(client).__module__}.{type(client).__qualname__}")
    return wrap(client, bursar, **options)


def _packages(client: Any) -> set[str]:
    """Where the client, or a class that it is derived from, is defined; of a module its own name."""
    modules = [client.__name__] if isinstance(client, ModuleType) else [one.__module__ for one in type(client).__mro__]
    return {name.partition(".")[0] for name in modules} | {".".join(name.split(".")[:2]) for name in modules}
