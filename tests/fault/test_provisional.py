"""PostgreSQL restarts, hangs, is away: who is not in Redis is looked up, or the answer says that it is provisional. An EXACT answer is
never one about a stranger."""
import concurrent.futures
import contextlib
import datetime
import subprocess
import threading

import grpc
import pytest

from harness import Bursard, Postgres, Redis, protos, until
from harness.bursard import stop_all
from harness.paths import program
from bots import Bots, fails_with, unique

KINDS = ("suspended", "zero", "enterprise", "team", "closed", "spent")


class Pair:
    """Two bursards on one Redis and one PostgreSQL: accounts are made through `admin`; `bots` ask the other, which has never seen them."""

    def __init__(self):
        self.redis, self.postgres = Redis(), Postgres()
        self.database = self.postgres.database()
        self.servers = [Bursard(self.redis, self.database, workers=1, redis_timeout_ms=3000) for _ in range(2)]
        self.admin, self.bots = (Bots(protos, server.grpc_addr, patient=True) for server in self.servers)
        self.types = self.bots.types
        self.admin.tier("zero", self.bots.calendar("requests", "requests", 0))
        self.admin.tier("three", self.bots.calendar("requests", "requests", 3))
        self.admin.tier("closed", self.bots.calendar("requests", "requests", 100), fail_policy="FAIL_POLICY_CLOSED")

    def user(self, kind):
        """Somebody whom the default tier would let in; `answered` says what is right."""
        user, admin = unique(kind), self.admin
        if kind == "team":
            team = unique("team")
            admin.account(team, kind="TEAM")
            self.suspend(team, "TEAM")
            admin.account(user, team=team)
        elif kind == "spent":
            admin.account(user, tier="three")
            for _ in range(3):
                admin.record(admin.check(user, max_output_tokens=1), input_tokens=1)
            admin.drained()
        else:
            admin.account(user, tier={"suspended": "enterprise"}.get(kind, kind))
            if kind == "suspended":
                self.suspend(user)
        return user

    def suspend(self, account, kind="USER"):
        admin = self.admin
        admin.admin.Suspend(admin.admin_pb.SuspendRequest(ref=admin.key(account, kind)), timeout=10)

    def right(self, kind, answer):
        """Is that what is true of somebody of this kind?"""
        if kind in ("suspended", "team"):
            return not answer.allowed and answer.reason == self.types.REASON_SUSPENDED
        if kind in ("zero", "spent"):
            return not answer.allowed and answer.reason == self.types.REASON_QUOTA
        return answer.allowed and answer.tier == kind

    def exact(self, answer):
        assert answer.quality in (self.types.QUALITY_EXACT, self.types.QUALITY_PROVISIONAL), answer
        return answer.quality == self.types.QUALITY_EXACT

    def check(self, user, timeout=30, **fields):
        return self.bots.check(user, input_tokens=10, max_output_tokens=10, timeout=timeout, **fields)

    def warm(self):
        """All threads that look accounts up have a connection now."""
        self.together(lambda: self.check(unique("anybody")), 12)

    @staticmethod
    def together(call, times):
        with concurrent.futures.ThreadPoolExecutor(times) as pool:
            return [each.result() for each in [pool.submit(call) for _ in range(times)]]

    def close(self):
        self.admin.close()
        self.bots.close()
        stop_all(self.servers, self.redis, self.postgres)


@pytest.fixture(scope="module")
def shared_pair():
    with contextlib.closing(Pair()) as made:
        yield made


@pytest.fixture
def pair(shared_pair):
    """The module's; as it was made, and with PostgreSQL running."""
    yield shared_pair
    if not shared_pair.postgres.running():
        shared_pair.postgres.start()
    shared_pair.admin.drained()


def stop(pair, how):
    if how == "fast":
        pair.postgres.stop()
    else:
        pair.postgres.stop_immediately()


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_after_a_restart_of_postgresql_nobody_is_a_stranger(pair, how):
    for _ in range(2):
        users = {kind: pair.user(kind) for kind in KINDS}
        pair.warm()
        stop(pair, how)
        pair.postgres.start()
        pair.redis.client.flushall()
        for kind, user in users.items():
            answer = pair.check(user)
            assert pair.exact(answer) and pair.right(kind, answer), (kind, answer)


@pytest.mark.parametrize("how", ["fast", "immediate"])
def test_while_postgresql_restarts_no_exact_answer_is_about_a_stranger(pair, how):
    users = [(kind, pair.user(kind)) for kind in KINDS for _ in range(4)]
    pair.warm()
    pair.redis.client.flushall()
    waiting = list(users)
    going_down = threading.Event()

    def ask():
        while waiting:
            kind, user = waiting.pop()
            going_down.wait()
            answer = pair.check(user)
            if pair.exact(answer):
                assert pair.right(kind, answer), (kind, answer)

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        going_down.set()
        stop(pair, how)
        pair.postgres.start()
        for each in asking:
            each.result()
    for kind, user in users:
        known_at_last(pair, kind, user)


def known_at_last(pair, kind, user):
    """The truth counts as soon as PostgreSQL is asked again; until then the answers say that they are provisional."""
    def told():
        answer = pair.check(user)
        if not pair.exact(answer):
            return False
        # What the user was let in for meanwhile counts, so that the minute's limit of the true tier may be reached by now.
        assert pair.right(kind, answer) or not answer.allowed and answer.tier == kind, (kind, answer)
        return True

    until(told, f"{user} to be looked up", timeout=60)


def test_a_lookup_that_is_answered_late_is_answered_right(pair):
    users = [(kind, pair.user(kind)) for kind in KINDS]
    pair.warm()
    pair.redis.client.flushall()
    pair.postgres.freeze()
    thaw = threading.Timer(1.0, pair.postgres.thaw)
    thaw.start()
    try:
        with concurrent.futures.ThreadPoolExecutor(len(users)) as pool:
            for (kind, _), answer in zip(users, pool.map(lambda one: pair.check(one[1]), users)):
                assert not pair.exact(answer) or pair.right(kind, answer), (kind, answer)
    finally:
        thaw.join()


def test_a_stranger_let_in_while_postgresql_hangs_is_provisional_until_it_is_asked_again(pair):
    users = {kind: pair.user(kind) for kind in KINDS if kind != "spent"}
    pair.redis.client.flushall()
    pair.postgres.freeze()
    try:
        for user in users.values():
            answer = pair.check(user)
            assert answer.allowed and answer.tier == "free" and not pair.exact(answer), answer
    finally:
        pair.postgres.thaw()
    for kind, user in users.items():
        known_at_last(pair, kind, user)


def test_every_answer_about_a_provisional_account_says_so(pair):
    bots, user = pair.bots, unique("user")
    pair.postgres.kill()
    try:
        first = pair.check(user, request_id="one")
        answers = [first, pair.check(user, request_id="one")] + [pair.check(user) for _ in range(3)]
        assert [answer.allowed for answer in answers] == [True] * 4 + [False] and answers[1].repeat
        answers.append(bots.status(user))
        answers.append(bots.limiter.Explain(bots.limiter_pb.ExplainRequest(check=bots.request(user)), timeout=30).response)
        answers.append(bots.record(first, input_tokens=1))
        assert {answer.quality for answer in answers} == {pair.types.QUALITY_PROVISIONAL}
        assert first.reservation and not answers[4].reservation
        text = subprocess.run([program("bursar"), "--addr", bots.address, "check", user], capture_output=True, text=True,
                              timeout=60, check=False).stdout
        assert "provisional: PostgreSQL did not answer" in text
        assert pair.servers[1].metric("checks_uncertain_total", certainty="provisional") >= 6
    finally:
        pair.postgres.start()

    def confirmed():
        return pair.exact(bots.status(user))

    until(confirmed, "the account to be looked up", timeout=60)
    assert not pair.check(user).allowed  # what was admitted meanwhile is counted


def test_what_a_stranger_used_is_on_the_counters_of_their_team_as_soon_as_the_ledger_has_it(pair):
    """By the ledger's writer: the reconciler would find it too, within some minutes and when nobody uses the team."""
    admin, team, known, stranger = pair.admin, unique("team"), unique("user"), unique("user")
    admin.account(team, kind="TEAM")
    admin.override(team, admin.calendar("day", "requests", 100), admin.calendar("hot", "tokens", 10**6, model="gpt-5.4"), kind="TEAM")
    for user in (known, stranger):
        admin.account(user, team=team)

    def used(limit):
        return admin.figures(known)[(admin.types.ACCOUNT_KIND_TEAM, limit)].used

    admin.record(admin.check(known, max_output_tokens=1), input_tokens=1)
    admin.drained()
    raised = [server.metric("reconcile_raised_total") for server in pair.servers]
    pair.postgres.kill()
    try:
        for model in ("gpt-5.4", "gpt-4o"):
            answer = pair.check(stranger, model=model)
            assert answer.allowed and not pair.exact(answer)
            pair.bots.record(answer, model=model, input_tokens=7, output_tokens=1)
        assert used("day") == 1
    finally:
        pair.postgres.start()
    until(lambda: used("day") == 3, "the stranger's requests to count on the team", timeout=60)
    assert used("hot") == 8
    until(lambda: pair.exact(pair.check(stranger)), "the stranger to be looked up", timeout=60)
    admin.drained()
    assert [server.metric("reconcile_raised_total") for server in pair.servers] == raised


@contextlib.contextmanager
def without_redis(pair):
    """A bursard that starts while Redis is away, and has reached PostgreSQL once."""
    somebody = pair.user("suspended")
    pair.redis.kill()
    server = Bursard(pair.redis, pair.database, workers=1, roles="serve,http", wait=False)
    bots = Bots(protos, server.grpc_addr, patient=True)

    def looks_up():
        try:
            return not bots.check(somebody, timeout=30).allowed
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE, error
            return False

    try:
        until(looks_up, "the catalog to be loaded, and accounts to be looked up", timeout=60, alive=server)
        yield bots
    finally:
        bots.close()
        pair.redis.start()
        server.stop()


def local(pair, bots, users):
    for kind, user in users.items():
        if kind == "closed":
            fails_with(grpc.StatusCode.UNAVAILABLE, bots.check, user, timeout=30)
            continue
        answer = bots.check(user, timeout=30)
        assert answer.quality == pair.types.QUALITY_LOCAL and pair.right(kind, answer), (kind, answer)
    answer = bots.check(unique("anybody"), timeout=30)
    assert answer.allowed and answer.quality == pair.types.QUALITY_LOCAL and answer.tier == "free"


def test_without_redis_somebody_who_is_not_remembered_is_looked_up_first(pair):
    users = {kind: pair.user(kind) for kind in KINDS}
    with without_redis(pair) as fresh:
        local(pair, fresh, users)  # has just started
        local(pair, pair.bots, users)  # has been up, and has never seen them


def test_without_redis_and_postgresql_the_default_tier_decides_locally(pair):
    user, team = pair.user("enterprise"), unique("team")
    pair.admin.account(team, kind="TEAM")
    pair.admin.override(team, pair.admin.calendar("team", "requests", 100), kind="TEAM")
    pair.admin.account(user, team=team)
    with without_redis(pair) as fresh:
        pair.postgres.kill()
        answer = fresh.check(user, timeout=30)
        assert answer.allowed and answer.quality == pair.types.QUALITY_LOCAL and answer.tier == "free"
        pair.postgres.start()
    for bots in (pair.admin, pair.bots):  # by now it is known whose team it is
        until(lambda bots=bots: pair.exact(bots.status(user)), "Redis and PostgreSQL being asked", timeout=60)
    pair.bots.record(answer, input_tokens=1)
    assert pair.bots.figures(user)[pair.types.ACCOUNT_KIND_TEAM, "team"].used == 1


ZONES = ["UTC", "Asia/Tokyo", "America/New_York", "Pacific/Pago_Pago", "Pacific/Kiritimati", "Australia/Lord_Howe", "America/St_Johns"]


def test_use_on_provisional_records_stays_in_the_windows_of_the_account(clock):
    """A stranger turns out to live in some zone: what was let through meanwhile counts there, also after a loss of Redis data, and the
    day ends at that zone's midnight."""
    clock.set(datetime.datetime(2027, 3, 10, 9, 30, tzinfo=datetime.timezone.utc))
    redis, postgres = Redis(clock=clock), Postgres()
    database = postgres.database()
    servers = [Bursard(redis, database, workers=1, clock=clock) for _ in range(2)]
    here, there = (Bots(protos, server.grpc_addr, patient=True) for server in servers)
    users = {zone: here.user_with(here.calendar("day", "requests", 3), here.calendar("month", "requests", 100, "MONTH"), time_zone=zone)
             for zone in ZONES}
    for user in users.values():
        here.record(here.check(user), input_tokens=1)
    here.drained()
    redis.client.flushall()
    postgres.kill()
    running = {}
    for zone, user in users.items():
        there.record(there.check(user, timeout=30), input_tokens=1)
        running[zone] = there.check(user, timeout=30)
        assert running[zone].quality == here.types.QUALITY_PROVISIONAL
    postgres.start()

    def used():
        return {zone: (here.used(user, "day"), there.used(user, "month")) for zone, user in users.items()}

    until(lambda: used() == {zone: (2, 2) for zone in ZONES}, "PostgreSQL being asked", timeout=60)
    for zone, answer in running.items():
        again = here.check(users[zone], request_id=answer.request_id)
        assert again.allowed and again.repeat and again.quality == here.types.QUALITY_PROVISIONAL  # as it was decided
        here.record(answer, input_tokens=1)
    assert used() == {zone: (3, 3) for zone in ZONES}
    assert not any(bots.check(user).allowed for bots in (here, there) for user in users.values())
    here.drained()
    ends = {zone: here.figures(user)[here.types.ACCOUNT_KIND_USER, "day"].resets_at_us for zone, user in users.items()}
    for zone, end_us in sorted(ends.items(), key=lambda pair: pair[1]):
        clock.set(datetime.datetime.fromtimestamp(end_us / 1e6 + 1, datetime.timezone.utc))
        assert there.used(users[zone], "day") == 0 and there.used(users[zone], "month") == 3, zone
    redis.client.flushall()
    assert {zone: months for zone, (_, months) in used().items()} == {zone: 3 for zone in ZONES}
    for bots in (here, there):
        bots.close()
    for server in servers:
        server.stop()
    redis.kill()
    postgres.stop()
