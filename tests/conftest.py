"""Makes the package `harness` and its fixtures known to every test below."""
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# A shell's background jobs ignore SIGINT, and what nohup runs ignores SIGHUP; so would all programs under test. A handler is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)

from harness import paths  # noqa: E402
from harness.fixtures import *  # noqa: E402,F401,F403


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    paths.preset = paths.preset_of(item.path)


def pytest_exception_interact(call):
    """One sentence where nothing is built, instead of an error a test."""
    if call.excinfo.errisinstance(paths.NotBuilt):
        pytest.exit(str(call.excinfo.value), returncode=4)
