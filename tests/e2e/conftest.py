"""Fixtures in the words of the tests: a stack (Redis, PostgreSQL, bursards), a fleet of bots that calls it, and its command line."""
import contextlib
import datetime
import functools
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import protos, run_bursar, until as wait_until  # noqa: E402
from harness.browser import Browser  # noqa: E402
from bots import Bots  # noqa: E402
from dashboard_desk import Desk  # noqa: E402


class Stack:
    """The stores of a test, and what it may do to them."""

    def __init__(self, redis, postgres):
        self.redis_server, self.postgres, self.sql = redis, postgres, postgres.sql

    @property
    def redis(self):
        return self.redis_server.client


@pytest.fixture
def stack(redis, postgres):
    return Stack(redis, postgres)


@pytest.fixture
def fleet_at(start_bursard):
    """fleet_at(address): a fleet of bots that calls there until the test ends, and its servers after it."""
    with contextlib.ExitStack() as closed:
        yield lambda address: closed.enter_context(contextlib.closing(Bots(protos, address)))


@pytest.fixture
def bots(bursard, fleet_at):
    return fleet_at(bursard.grpc_addr)


@pytest.fixture
def two_fleets(start_bursard, fleet_at):
    """Two bursards of two workers each on the same stores, and a fleet at each."""
    return [fleet_at(start_bursard(workers=2).grpc_addr) for _ in range(2)]


@pytest.fixture
def start_moved(clock, start_bursard, fleet_at):
    """start_moved(**options): a fleet at one more bursard, in a time of the test's choice."""
    clock.set(datetime.datetime(2027, 3, 10, 12, 0, tzinfo=datetime.timezone.utc))
    return lambda **options: fleet_at(start_bursard(clock=clock, **options).grpc_addr)


@pytest.fixture
def moved(start_moved):
    return start_moved()


@pytest.fixture
def bursar(bursard):
    """bursar("check", "alice") runs the command line: the finished process. Options of run_bursar follow by name."""
    return functools.partial(run_bursar, bursard.grpc_addr)


@pytest.fixture
def until():
    return lambda condition: wait_until(condition, "the condition of the test", timeout=30)


@pytest.fixture(scope="module")
def chromium():
    browser = Browser()
    yield browser
    browser.stop()


@pytest.fixture
def desk(chromium, bursard, bots):
    yield Desk(chromium, bursard, bots)
    assert not chromium.end_windows()
