"""A clock that tests move: `Redis(clock=clock)` sees it, and so does `Bursard(clock=clock)`.

It runs as the real one does, at a distance. Durations (CLOCK_MONOTONIC) stay real, so timeouts and event loops keep working."""
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


class Clock:
    def __init__(self):
        self._path = os.path.join(temp_dir("clock"), "offset")
        self._file = open(self._path, "w+b", buffering=0)  # processes map it: it lives as long as the clock
        self._offset_us = 0
        self._write()

    def _write(self):
        os.pwrite(self._file.fileno(), struct.pack("q", self._offset_us), 0)

    def now(self):
        """Seconds since 1970, on this clock."""
        return time.time() + self._offset_us / 1e6

    def advance(self, seconds):
        """Forward, or back when negative. In effect when this returns."""
        self._offset_us += round(seconds * 1e6)
        self._write()

    def set(self, when):
        """`when`: an aware datetime."""
        if when.tzinfo is None:
            raise ValueError("when: has no time zone")
        self._offset_us = round((when.timestamp() - time.time()) * 1e6)
        self._write()

    def today(self):
        return datetime.datetime.fromtimestamp(self.now(), datetime.timezone.utc).date()

    def env(self):
        return {"LD_PRELOAD": _shim(), "BURSAR_TEST_CLOCK": self._path}
