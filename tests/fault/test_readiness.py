"""Whether a bursard is ready is found out by itself: behind a balancer nobody calls one that is not."""
import signal
import threading

import grpc
import pytest

from harness import Bursard, Postgres, Proxy, Redis, protos, until
from grpc.health.v1 import health_pb2, health_pb2_grpc

SERVICES = ("", "bursar.v1.Limiter", "bursar.v1.Admin")


class Balancer:
    """Watches each service of a bursard as a load balancer does, and calls nothing else."""

    def __init__(self, server):
        self.server, self.seen = server, {name: [] for name in SERVICES}
        self.channel = server.channel()
        self.streams = []
        for name in SERVICES:
            stream = health_pb2_grpc.HealthStub(self.channel).Watch(health_pb2.HealthCheckRequest(service=name))
            self.streams.append(stream)
            threading.Thread(target=self._read, args=(name, stream), daemon=True).start()

    def _read(self, name, stream):
        try:
            for answer in stream:
                self.seen[name].append(health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status))
        except grpc.RpcError:
            pass

    def check(self, name):
        answer = health_pb2_grpc.HealthStub(self.channel).Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
        return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)

    def agree(self, ready):
        """/readyz, Check and Watch come to say the same, of all services."""
        word = "SERVING" if ready else "NOT_SERVING"
        until(lambda: self.server.http("/readyz")[0] == (200 if ready else 503) and all(self.check(name) == word for name in SERVICES)
              and all(seen and seen[-1] == word for seen in self.seen.values()), f"all probes to say {word}", timeout=20, alive=self.server)

    def close(self):
        for stream in self.streams:
            stream.cancel()
        self.channel.close()


@pytest.fixture
def stores():
    redis, postgres = Redis(), Postgres()
    yield redis, postgres
    redis.kill()
    postgres.stop()


def watched(redis, postgres, **options):
    server = Bursard(redis, postgres.database(), workers=2, redis_timeout_ms=500, **options)
    balancer = Balancer(server)
    balancer.agree(True)
    return server, balancer


@pytest.mark.parametrize("roles", ["serve,http", "serve,ledger,http"])
def test_a_redis_that_hangs_and_comes_back_is_found_without_any_caller(stores, roles):
    redis, postgres = stores
    server, balancer = watched(redis, postgres, roles=roles)
    for _ in range(2):
        redis.popen.send_signal(signal.SIGSTOP)
        balancer.agree(False)
        redis.popen.send_signal(signal.SIGCONT)
        balancer.agree(True)
    assert balancer.seen[""] == ["SERVING", "NOT_SERVING"] * 2 + ["SERVING"]
    balancer.close()
    server.stop()


def test_a_redis_that_lets_writes_wait_is_not_ready(stores):
    redis, postgres = stores
    server, balancer = watched(redis, postgres)
    redis.client.execute_command("CLIENT", "PAUSE", 3000, "WRITE")
    balancer.agree(False)
    balancer.agree(True)
    balancer.close()
    server.stop()


def test_a_redis_that_hangs_under_load_is_ready_again_although_the_callers_have_left(stores):
    from bots import Bots
    redis, postgres = stores
    server, balancer = watched(redis, postgres)
    bots = Bots(protos, server.grpc_addr)
    redis.popen.send_signal(signal.SIGSTOP)
    calls = [bots.limiter.Check.future(bots.request(f"user-{i}"), timeout=20) for i in range(64)]
    until(lambda: all(call.done() for call in calls), "the calls to be answered")
    balancer.agree(False)
    redis.popen.send_signal(signal.SIGCONT)
    balancer.agree(True)
    bots.close()
    balancer.close()
    server.stop()


def test_a_redis_that_was_killed_and_one_that_cannot_be_reached_are_found_again(stores):
    redis, postgres = stores
    proxy = Proxy(redis.socket)
    server, balancer = watched(f"redis://{proxy.address}", postgres)
    redis.restart()
    balancer.agree(True)
    proxy.freeze()
    balancer.agree(False)
    proxy.thaw()
    balancer.agree(True)
    balancer.close()
    server.stop()
    proxy.close()


def test_a_postgresql_that_is_away_is_said_by_both_probes(stores):
    redis, postgres = stores
    server, balancer = watched(redis, postgres)
    postgres.kill()
    balancer.agree(False)
    postgres.start()
    balancer.agree(True)
    balancer.close()
    server.stop()
