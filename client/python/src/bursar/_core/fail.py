"""What decides while no server answers."""
from __future__ import annotations

import collections
import time

USERS = 10_000  # of whom a bucket is kept


class Buckets:
    """A bucket for each user: so many requests a minute, and as many at once."""

    def __init__(self, per_minute: float) -> None:
        self._per_minute = per_minute
        self._full: collections.OrderedDict[str, tuple[float, float]] = collections.OrderedDict()  # user: content, when

    def take(self, user: str, now: float | None = None) -> float:
        """Takes one; 0, or the seconds until there is one."""
        now = time.monotonic() if now is None else now
        most = max(self._per_minute, 1)
        content, then = self._full.pop(user, (most, now))
        content = min(most, content + (now - then) * self._per_minute / 60)
        wait_s = 0.0 if content >= 1 else (1 - content) * 60 / self._per_minute
        self._full[user] = (content if wait_s else content - 1, now)
        if len(self._full) > USERS:
            self._full.popitem(last=False)
        return wait_s
