"""A pool under kill -9, SIGSTOP, lost messages and fail-over: a referee that counts fences sees no slot given twice."""
import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import pathlib

import pytest

from harness import Bursard, Postgres, protos, until
from harness.bursard import stop_all
from bots import Bots
from fails_over import FailsOver
from referee import Referee


SLOTS, PROCESSES, THREADS = 6, 8, 25
SEED = int(os.environ.get("BURSAR_SEED", "7"))
BLOWS = int(os.environ.get("BURSAR_POOL_BLOWS", "14"))
SECOND = 1_000_000
CALLERS = pathlib.Path(__file__).with_name("pool_callers.py")


class Callers:
    """Processes of callers; one that was killed is followed by another."""

    def __init__(self, referee, addresses):
        self.referee, self.addresses, self.serial, self.running = referee, addresses, 0, []

    def start(self):
        self.serial += 1
        argv = [sys.executable, str(CALLERS), self.referee.path, str(self.serial), str(THREADS), *self.addresses]
        # Each of its calls fails at once while its server is away: gRPC then looks after the new connection only so often.
        env = {**os.environ, "GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS": "100"}
        self.running.append(subprocess.Popen(argv, env=env, stdin=subprocess.DEVNULL, start_new_session=True))

    def kill(self, process):
        self.running.remove(process)
        process.kill()
        process.wait()

    def stop(self):
        for process in list(self.running):
            self.kill(process)


class World(FailsOver):
    def __init__(self):
        super().__init__(aof="always")
        self.postgres = Postgres()
        self.database = self.postgres.database()
        self.servers = [self.bursard() for _ in range(3)]
        self.fleet = Bots(protos, self.servers[0].grpc_addr)
        for name, priority, cap in (("small", 1, 1), ("middle", 5, 3), ("large", 10, 6)):
            self.fleet.tier(name, pool_priority=priority, pool_concurrent=cap)
        for i in range(60):
            self.fleet.account(f"user-{i}", tier=("small", "middle", "large")[i % 3])
        self.put(slots=SLOTS, lease_us=6 * SECOND, learn_margin_us=SECOND)
        self.referee = Referee()
        self.callers = Callers(self.referee, [server.grpc_addr for server in self.servers])

    def bursard(self):
        return Bursard(self.url, self.database, workers=1, redis_timeout_ms=1000, max_concurrent_agents=SLOTS)

    def put(self, **fields):
        admin_pb = protos.admin_pb2
        self.fleet.admin.PutPool(admin_pb.PutPoolRequest(ref=admin_pb.PoolRef(), **fields), timeout=30)

    def stats(self):
        admin_pb = protos.admin_pb2
        return self.fleet.admin.GetPoolStats(admin_pb.GetPoolStatsRequest(ref=admin_pb.PoolRef(), rows=20), timeout=30)

    def goes_on(self, jobs=40):
        """So many more jobs run; whatever has happened, the pool lives."""
        goal = self.referee.jobs() + jobs
        until(lambda: self.referee.jobs() >= goal, f"{jobs} more jobs", timeout=90)

    def close(self):
        self.callers.stop()
        self.fleet.close()
        stop_all(self.servers, self.redis, self.postgres)


@pytest.fixture
def world():
    with contextlib.closing(World()) as world:
        yield world


def kill_a_server(world, chance):
    server = chance.choice(world.servers)
    server.kill()
    world.goes_on(10)
    server.start()


def stop_a_server(world, chance):
    """Long enough that its waiters are parked; then it finds out."""
    server = chance.choice(world.servers)
    server.signal(signal.SIGSTOP)
    world.goes_on(10)
    server.signal(signal.SIGCONT)


def kill_callers(world, chance):
    world.callers.kill(chance.choice(world.callers.running))
    world.callers.start()


def stop_callers(world, chance):
    process = chance.choice(world.callers.running)
    process.send_signal(signal.SIGSTOP)
    world.goes_on(10)
    process.send_signal(signal.SIGCONT)


def lose_messages(world, _):
    """Grants are published into the void until the workers have subscribed again."""
    for _ in range(5):
        world.redis.client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        world.goes_on(5)


def kill_redis(world, _):
    world.redis.restart()


def promote_a_replica(world, _):
    """Its last writes never reached it: slots are held that it knows nothing of."""
    replica = world.replica()
    world.goes_on(10)
    replica.client.replicaof("NO", "ONE")
    world.goes_on(10)
    world.promote(replica)


BLOW = [kill_a_server, stop_a_server, kill_callers, stop_callers, lose_messages, kill_redis, promote_a_replica]


def test_no_slot_is_given_twice_whatever_dies(world):
    chance = random.Random(SEED)
    for _ in range(PROCESSES):
        world.callers.start()
    world.goes_on()
    blows = [BLOW[i % len(BLOW)] for i in range(BLOWS)]
    chance.shuffle(blows)
    for blow in blows:
        blow(world, chance)
        world.goes_on()
    world.callers.stop()
    world.referee.check(SLOTS)
    until(lambda: world.stats().running == 0, "all slots being free", timeout=60)


def test_a_slot_granted_to_a_stopped_worker_goes_on(world):
    """The grant was made for a worker that never acknowledged it: after `ack` it is somebody else's."""
    limiter_pb = protos.limiter_pb2
    here, there = (Bots(protos, server.grpc_addr) for server in world.servers[:2])
    world.put(slots=1)

    def acquire(fleet, user, request_id):
        check = limiter_pb.CheckRequest(user=user, request_id=request_id)
        return fleet.limiter.Acquire(limiter_pb.AcquireRequest(check=check))

    first = acquire(here, "user-2", "first")
    assert next(first).HasField("granted")
    second = acquire(there, "user-5", "second")
    assert next(second).HasField("queued")
    third = acquire(here, "user-8", "third")
    assert next(third).HasField("queued")
    world.servers[1].signal(signal.SIGSTOP)
    stopped = time.monotonic()
    first.cancel()
    until(lambda: next(third).HasField("granted"), "the third being granted", timeout=30)
    took = time.monotonic() - stopped
    print(f"a slot lost to a stopped worker was back after {took:.1f} s")
    assert took < 6 + 4  # ack and a tick; the rest is for a machine that does other things
    world.servers[1].signal(signal.SIGCONT)
    for stream in (second, third):
        stream.cancel()
    here.close()
    there.close()
