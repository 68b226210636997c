"""A stack that survives kill -9: Redis with AOF always, PostgreSQL of its own, a bursard that serves and one that writes."""
import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))

from harness import Bursard, Postgres, Redis, protos  # noqa: E402
from harness.bursard import stop_all  # noqa: E402
from bots import Bots  # noqa: E402


class DurableStack:
    def __init__(self):
        self.postgres = Postgres(settings={"fsync": "on"})
        self.database = self.postgres.database()
        self.sql = self.database.sql
        self.redis_server = Redis(aof="always")
        self.server = Bursard(self.redis_server, self.database, roles="serve,http", redis_timeout_ms=1000)
        self.writer = Bursard(self.redis_server, self.database, roles="ledger,http", redis_timeout_ms=1000)
        self.fleets = []

    def bots(self, tenant):
        fleet = Bots(protos, self.server.grpc_addr, tenant, patient=True)
        self.fleets.append(fleet)
        return fleet

    @property
    def redis(self):
        return self.redis_server.client

    def kill_server(self):
        self.server.kill()
        self.server.start()

    def kill_writer(self):
        self.writer.kill()
        self.writer.start()

    def kill_redis(self):
        self.redis_server.restart()

    def kill_postgres(self):
        self.postgres.restart()

    def close(self):
        for fleet in self.fleets:
            fleet.close()
        stop_all([self.server, self.writer], self.redis_server, self.postgres)


@pytest.fixture
def durable_stack():
    with contextlib.closing(DurableStack()) as stack:
        yield stack
