"""Fixtures of the package's tests: a real Bursar, of the build that BURSAR_BUILD names or build/dev."""
import argparse
import asyncio
import os
import pathlib
import signal
import sys

# gRPC's handlers of fork would run in the processes that tests start before they become servers, and sometimes crash there.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"

# A shell's background jobs ignore SIGINT, and so would the programs that tests interrupt. A handler is not inherited.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

import pytest
import pytest_asyncio

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "clients")]

from harness import paths  # noqa: E402
from harness.fixtures import ends_in_time, tmp_path  # noqa: E402,F401
from serve import Served  # noqa: E402

from bursar import Bursar  # noqa: E402


def served(bursards=1, **options):
    return Served(argparse.Namespace(clock=False, bursards=bursards, options=[f"{name}={value}" for name, value in options.items()]))


def pytest_exception_interact(call):
    """One sentence where nothing is built, instead of an error a test."""
    if call.excinfo.errisinstance(paths.NotBuilt):
        pytest.exit(str(call.excinfo.value), returncode=4)


@pytest.fixture(scope="session")
def fleet():
    """Two bursards for the session. Tests that stop one ask for `own`."""
    one = served(bursards=2)
    yield one
    one.end()


@pytest.fixture
def start_own():
    """start_own(bursards=1, **options): a Bursar of the test's own."""
    started = []

    def start(bursards=1, **options):
        started.append(served(bursards, **options))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def own(start_own):
    return start_own()


def addresses(of):
    return of.ready()["grpc"]


class Told(list):
    """An on_error that keeps what it was told."""

    def __call__(self, error):
        self.append(error)


@pytest.fixture
def errors():
    """What on_error was told; a test that expects anything empties it."""
    told = Told()
    yield told
    assert not told, told


@pytest_asyncio.fixture
async def bursar(fleet, errors):
    # One server: another one knows a new tier or pool only within a second.
    async with Bursar(addresses(fleet)[0], on_error=errors) as client:
        yield client


async def until(condition, what="the condition of the test", seconds=60):
    """Waits until condition(), or what it awaits, is true, and returns that."""
    async with asyncio.timeout(seconds):
        while True:
            answer = condition()
            answer = await answer if asyncio.iscoroutine(answer) else answer
            if answer:
                return answer
            await asyncio.sleep(0.01)
    raise TimeoutError(what)
