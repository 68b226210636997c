"""What a bot remembers of the latest updates and users. Bounded: the oldest is forgotten first."""
from __future__ import annotations

import collections
import time
from collections.abc import Callable

MOST = 10_000


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

    def begin(self, whom: str, ms: int) -> bool:
        """True when they may be told now; then not again for so long."""
        now = self._clock()
        if self._until.get(whom, 0) > now:
            return False
        self._until[whom] = now + ms / 1000
        self._until.move_to_end(whom)
        if len(self._until) > self._most:
            self._until.popitem(last=False)
        return True

    def forget(self, whom: str) -> None:
        """It could not be said after all."""
        self._until.pop(whom, None)
