"""A clock that tests move: `Redis(clock=clock)` sees it, and so do `Bursard(clock=clock)` and `Postgres(clock=clock)`.

It runs as the real one does, at a distance, unless it is stopped. Durations (CLOCK_MONOTONIC) stay real, so timeouts and event loops keep working."""
import datetime
import functools
import os
import pathlib
import struct
import subprocess
import time

from .process import temp_dir


@functools.lru_cache(maxsize=None)
def _shim():
    library = os.path.join(temp_dir("clock"), "clock_shim.so")
    source = pathlib.Path(__file__).with_name("clock_shim.c")
    subprocess.run(["cc", "-O2", "-Wall", "-shared", "-fPIC", "-o", library, str(source)], check=True)
    return library


def _micros(when):
    if when.tzinfo is None:
        raise ValueError("when: has no time zone")
    return round(when.timestamp() * 1e6)


class Clock:
    def __init__(self):
        self._path = os.path.join(temp_dir("clock"), "offset")
        self._file = open(self._path, "w+b", buffering=0)  # processes map it: it lives as long as the clock
        self._offset_us = 0
        self._stopped_us = 0  # 0: it runs
        self._write()

    def _write(self):
        os.pwrite(self._file.fileno(), struct.pack("qq", self._offset_us, self._stopped_us), 0)

    def now(self):
        """Seconds since 1970, on this clock."""
        return self._stopped_us / 1e6 if self._stopped_us else time.time() + self._offset_us / 1e6

    def advance(self, seconds):
        """Forward, or back when negative. In effect when this returns."""
        self._offset_us += round(seconds * 1e6)
        if self._stopped_us:
            self._stopped_us += round(seconds * 1e6)
        self._write()

    def set(self, when):
        """`when`: an aware datetime."""
        self._offset_us = _micros(when) - round(time.time() * 1e6)
        self._stopped_us = 0
        self._write()

    def stop_at(self, when):
        """As set, but there it stands still; advance moves it."""
        self._stopped_us = _micros(when)
        self._write()

    def today(self):
        return datetime.datetime.fromtimestamp(self.now(), datetime.timezone.utc).date()

    def env(self):
        return {"LD_PRELOAD": _shim(), "BURSAR_TEST_CLOCK": self._path}
