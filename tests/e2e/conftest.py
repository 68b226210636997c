"""Fixtures in the words of the tests: a stack (Redis, PostgreSQL, bursards) and a fleet of bots that calls it."""
import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from harness import protos, until as wait_until  # noqa: E402
from bots import Bots  # noqa: E402


class Stack:
    """The stores of a test, and what it may do to them."""

    def __init__(self, redis, postgres):
        self.redis_server, self.postgres = redis, postgres

    @property
    def redis(self):
        return self.redis_server.client

    @contextlib.contextmanager
    def sql(self):
        connection = self.postgres.connect()
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


@pytest.fixture
def stack(redis, postgres):
    return Stack(redis, postgres)


@pytest.fixture
def bots(bursard):
    fleet = Bots(protos, bursard.grpc_addr)
    yield fleet
    fleet.close()


@pytest.fixture
def two_fleets(start_bursard):
    """Two bursards of two workers each on the same stores, and a fleet at each."""
    fleets = [Bots(protos, start_bursard(workers=2).grpc_addr) for _ in range(2)]
    yield fleets
    for fleet in fleets:
        fleet.close()


@pytest.fixture
def until():
    return lambda condition: wait_until(condition, "the condition of the test", timeout=30)
