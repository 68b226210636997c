"""Which requests of an SDK cost money, by their paths: those that a wrapper guards, those that are free, and the rest, which it refuses."""
from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from ._guard import NotGuarded

# method post, put or patch; a path ends with a guarded one, whatever comes before it (base URLs of Azure, of proxies).
OPENAI_PAID = {
    "/chat/completions": "openai", "/responses": "openai", "/responses/compact": "openai", "/completions": "openai", "/embeddings": "openai",
    "/images/generations": "openai-images", "/images/edits": "openai-images", "/audio/transcriptions": "openai",
}
OPENAI_FREE = re.compile(r"/(files|uploads|moderations|conversations|organization|projects|webhook_endpoints|skills)(/.*)?|/responses/input_tokens"
                         r"|/chat/completions/[^/]+|.*/cancel")
ANTHROPIC_PAID = {"/v1/messages": "anthropic", "/v1/complete": "anthropic"}
ANTHROPIC_FREE = re.compile(r"/v1/(messages/count_tokens|(files|organizations|skills|user_profiles|compliance)(/.*)?)|.*/cancel")


class Routes:
    """The paths of one SDK. `allow`: further ones that pass unguarded, as the beginnings of paths."""

    def __init__(self, paid: dict[str, str], free: re.Pattern[str], allow: Iterable[str]) -> None:
        self._paid, self._free, self._allow = paid, free, tuple(allow)

    def provider(self, method: str, url: str) -> str | None:
        """The provider's name of a request that is to be guarded, None for one that passes. Raises NotGuarded."""
        path = urlsplit(url).path.rstrip("/")
        if method.lower() in ("get", "head", "options", "delete") or (self._allow and path.startswith(self._allow)):
            return None
        for ending, provider in self._paid.items():
            if path.endswith(ending):
                return provider
        if self._free.fullmatch(path):
            return None
        raise NotGuarded(f"{method.upper()} {path} would spend money past Bursar; allow=[{path!r}] lets it pass")
