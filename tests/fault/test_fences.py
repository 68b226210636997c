"""Fences rise for ever: whatever Redis forgets, wherever its clock stands, whoever is promoted. A referee keeps the greatest."""
import contextlib

import grpc
import pytest

from harness import Bursard, Clock, Postgres, protos, until
from harness.bursard import stop_all
from bots import Bots
from fails_over import FailsOver

limiter_pb, admin_pb = protos.limiter_pb2, protos.admin_pb2
SECOND = 1_000_000


class World(FailsOver):
    """One pool that two bursards serve, each with a worker of its own, on a Redis that has no disk."""

    def __init__(self):
        self.clock, self.jobs, self.greatest = Clock(), 0, 0
        super().__init__(clock=self.clock)
        self.postgres = Postgres()
        self.database = self.postgres.database()
        self.servers = [Bursard(self.url, self.database, workers=1, redis_timeout_ms=2000,
                                roles=roles) for roles in ("serve,http,ledger", "serve,http")]
        self.fleets = [Bots(protos, server.grpc_addr, patient=True) for server in self.servers]
        self.fleets[0].tier("large", pool_priority=10, pool_concurrent=100)
        self.put(slots=100, lease_us=60 * SECOND)

    def put(self, **fields):
        self.fleets[0].admin.PutPool(admin_pb.PutPoolRequest(ref=admin_pb.PoolRef(), **fields), timeout=60)

    def resume(self):
        """The operator's word: no lease of before is alive."""
        self.fleets[0].admin.ResumePool(admin_pb.ResumePoolRequest(ref=admin_pb.PoolRef()), timeout=60)

    def asks(self, at, user=None):
        """A stream for a slot; its user is one whom nobody knows yet, if none is named."""
        self.jobs += 1
        if user is None:
            user = f"user-{self.jobs}"
            self.fleets[0].account(user, tier="large")
        check = limiter_pb.CheckRequest(user=user, request_id=f"job-{self.jobs}")
        return self.fleets[at].limiter.Acquire(limiter_pb.AcquireRequest(check=check), timeout=120)

    def queues(self):
        """A stream that waits for a slot; Redis may just have come back."""
        while True:
            stream = self.asks(1)
            try:
                assert next(stream).HasField("queued")
                return stream
            except grpc.RpcError as error:
                assert error.code() == grpc.StatusCode.UNAVAILABLE

    def granted(self, stream):
        """The next grant: the referee takes greater fences only."""
        for message in stream:
            if message.HasField("granted"):
                fence = message.granted.fence
                assert fence > self.greatest, f"{fence >> 32}.{fence & 0xffffffff} is granted after " \
                    f"{self.greatest >> 32}.{self.greatest & 0xffffffff}"
                self.greatest = fence
                return
        raise AssertionError("the stream has ended without a grant")

    def some_grants(self):
        for i in range(4):
            self.granted(self.asks(i % 2))

    def close(self):
        for fleet in self.fleets:
            fleet.close()
        stop_all(self.servers, self.redis, self.postgres)


@pytest.fixture
def world():
    with contextlib.closing(World()) as world:
        yield world


def flush(world):
    world.redis.client.flushall()


def flush_with_the_clock_behind(world):
    world.clock.advance(-600)
    world.redis.client.flushall()


def restart_empty(world):
    world.redis.restart()


def restart_empty_with_the_clock_behind(world):
    world.redis.kill()
    world.clock.advance(-600)
    world.redis.client.connection_pool.disconnect()
    world.redis.start()


def promote_without_the_last_writes(world, back_s=0):
    """The replica knows neither the newest grants nor that the primary was another process when it made them."""
    replica = world.replica()
    replica.client.replicaof("NO", "ONE")
    world.some_grants()
    world.clock.advance(-back_s)
    world.promote(replica)


def promote_with_the_clock_behind(world):
    promote_without_the_last_writes(world, 600)


def flush_after_a_clock_that_was_ahead(world):
    world.clock.advance(86400)
    world.redis.restart()
    world.queues()
    world.resume()
    world.some_grants()
    world.clock.advance(-86400)
    world.redis.client.flushall()


@pytest.mark.parametrize("forget", [flush, flush_with_the_clock_behind, restart_empty, restart_empty_with_the_clock_behind,
                                    promote_without_the_last_writes, promote_with_the_clock_behind,
                                    flush_after_a_clock_that_was_ahead], ids=lambda forget: forget.__name__)
def test_fences_rise_whatever_redis_forgets(world, forget):
    world.some_grants()
    for _ in range(2):
        forget(world)
        stream = world.queues()  # leases of before may live: the pool learns
        world.resume()
        world.granted(stream)
        world.some_grants()


def test_a_pool_that_prefers_to_go_on_does_so_with_greater_fences(world):
    world.put(slots=100, available=True)
    world.some_grants()
    for _ in range(3):
        world.redis.client.flushall()
        world.some_grants()


def test_nothing_is_granted_while_neither_redis_nor_postgresql_knows_what_was(world):
    """PostgreSQL alone can tell which fences are above all of before. When it is back, it needs nobody's help."""
    world.put(slots=100, available=True)
    world.granted(world.asks(0, "ann"))
    world.postgres.kill()
    world.granted(world.asks(0, "ann"))  # as long as Redis knows, PostgreSQL is not needed
    world.redis.client.delete(*world.redis.client.keys("b:{pool:*"))
    stream = world.asks(0, "ann")
    assert next(stream).HasField("queued")
    until(lambda: "a pool waits for an epoch from PostgreSQL" in world.servers[0].log(), "that being said")
    world.postgres.start()
    world.granted(stream)


def test_redis_that_was_put_back_to_before_is_found_out(world):
    """The same process with older data, as after two promotions that nobody noticed: the holders know better."""
    world.put(slots=100, lease_us=6 * SECOND, learn_margin_us=SECOND)
    world.some_grants()
    names = "cfg st req usr wait ready since age lease wk own gc".split()
    keys = ["b:{pool:default/agent-execution}:" + name for name in names]
    pipe = world.redis.client.pipeline()
    for key in keys:
        pipe.dump(key)
    before = pipe.execute()
    held = world.asks(0)
    world.granted(held)
    pipe.delete(*keys)
    for key, value in zip(keys, before):
        if value is not None:
            pipe.restore(key, 0, value)
    pipe.execute()
    with pytest.raises(grpc.RpcError) as lost:
        list(held)  # until the first renewal
    assert lost.value.code() == grpc.StatusCode.ABORTED
    world.granted(world.asks(1))
