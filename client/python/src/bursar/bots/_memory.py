"""What a bot remembers of the latest updates and users. Bounded: the oldest is forgotten first."""
from __future__ import annotations

import collections
import time
from collections.abc import Callable

MOST = 10_000
OWED = -1.0


class Seen:
    """Which updates came already."""

    def __init__(self, most: int = MOST) -> None:
        self._keys: collections.OrderedDict[str, None] = collections.OrderedDict()
        self._most = most

    def first(self, key: str) -> bool:
        """True for the first time only."""
        if key in self._keys:
            self._keys.move_to_end(key)
            return False
        self._keys[key] = None
        if len(self._keys) > self._most:
            self._keys.popitem(last=False)
        return True


class CoolDowns:
    """Who was told something, and until when it is not said again."""

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._until: collections.OrderedDict[str, float] = collections.OrderedDict()
        self._most = most
        self._clock = clock

    def begin(self, whom: str, ms: int, before: bool | None = None) -> bool:
        """True when they are to be told now; then not again for so long. `before`: whether they were told, by somebody who knows better."""
        now = self._clock()
        until = self._until.get(whom, 0.0)
        if until != OWED and (until > now if before is None else before):
            return False
        self._until[whom] = now + ms / 1000
        self._until.move_to_end(whom)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return True

    def owe(self, whom: str) -> None:
        """It could not be said after all: it is next time, whoever was told before."""
        if whom in self._until:
            self._until[whom] = OWED
