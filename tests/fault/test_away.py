"""What is answered while a store is away, and what becomes of it afterwards."""
import contextlib

import grpc
import pytest

from harness import Bursard, Postgres, Redis, protos, until
from harness.bursard import stop_all
from bots import Bots, fails_with, unique


class Alone:
    """One bursard of one worker on a Redis and a PostgreSQL of its own."""

    def __init__(self):
        self.redis, self.postgres = Redis(aof="always"), Postgres()
        self.database = self.postgres.database()
        self.server = Bursard(self.redis, self.database, workers=1, redis_timeout_ms=300)
        self.bots = Bots(protos, self.server.grpc_addr)

    def close(self):
        self.bots.close()
        stop_all([self.server], self.redis, self.postgres)


@pytest.fixture
def alone():
    with contextlib.closing(Alone()) as made:
        yield made


def exact(bots, user):
    """Redis is back: the link has reconnected and answers."""
    def answered():
        try:
            return bots.status(user).quality == bots.types.QUALITY_EXACT
        except grpc.RpcError:
            return False

    until(answered, "Redis to answer again", timeout=30)


def test_without_redis_the_last_levels_bound_what_passes_and_it_enters_the_books_by_its_record(alone):
    bots = alone.bots
    user = bots.user_with(bots.calendar("requests", "requests", 5, "MONTH"), bots.calendar("tokens", "tokens", 10**6, "MONTH"),
                          bots.calendar("cost", "cost", 10**12, "MONTH"))
    answers = [bots.check(user, input_tokens=10, max_output_tokens=10) for _ in range(2)]
    assert all(a.allowed and a.quality == bots.types.QUALITY_EXACT for a in answers)
    alone.redis.kill()
    local = [bots.check(user, input_tokens=10, max_output_tokens=10) for _ in range(5)]
    assert [a.allowed for a in local] == [True] * 3 + [False] * 2
    assert all(a.quality == bots.types.QUALITY_LOCAL for a in local)
    assert local[3].reason == bots.types.REASON_QUOTA and local[0].reservation and not local[3].reservation
    fails_with(grpc.StatusCode.UNAVAILABLE, bots.record, local[0], input_tokens=4)
    fails_with(grpc.StatusCode.UNAVAILABLE, bots.status, user)
    alone.redis.start()
    exact(bots, user)
    for answer in answers + local[:3]:
        bots.record(answer, input_tokens=4)
    assert bots.used(user, "requests") == 5 and bots.used(user, "tokens") == 20
    proof = bots.drained()
    assert proof.equal and proof.ledger.requests == 5, proof


def test_the_tier_says_what_happens_without_redis(alone):
    bots = alone.bots
    users = {}
    for policy in ("OPEN", "CLOSED"):
        tier, users[policy] = unique("tier"), unique("user")
        bots.tier(tier, bots.calendar("requests", "requests", 1), fail_policy="FAIL_POLICY_" + policy)
        bots.account(users[policy], tier=tier)
        assert bots.check(users[policy]).allowed
    alone.redis.kill()
    answer = bots.check(users["OPEN"])
    assert answer.allowed and answer.quality == bots.types.QUALITY_BLIND
    fails_with(grpc.StatusCode.UNAVAILABLE, bots.check, users["CLOSED"])


def test_a_stranger_is_admitted_without_postgresql_and_known_when_it_is_back(alone):
    bots = alone.bots
    known, stranger = unique("user"), unique("user")
    bots.account(known, tier="pro")
    alone.postgres.kill()
    answer = bots.check(stranger, input_tokens=10, max_output_tokens=10, timeout=20)
    assert answer.allowed and answer.quality == bots.types.QUALITY_PROVISIONAL and answer.tier == "free"
    bots.record(answer, input_tokens=5)
    assert bots.check(known, input_tokens=1, max_output_tokens=1, timeout=20).tier in ("free", "pro")
    alone.postgres.start()
    until(lambda: bots.check(known, input_tokens=1, max_output_tokens=1).tier == "pro", "the account to be looked up",
          timeout=30)
    until(lambda: alone.database.value("select count(*) from ledger where user_id = %s", stranger) == 1,
          "the record to be in the ledger", timeout=30)
