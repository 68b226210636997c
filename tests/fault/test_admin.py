"""A change reaches every worker: at once, and when its bursard is killed between PostgreSQL and Redis by the ledger role of another.

The network between the admin's bursard and Redis is frozen before the change, so that it commits in PostgreSQL and gets no further. The
ledger role looks for such changes every second; the tests wait for what is seen, not for so long."""
import contextlib
import signal

import grpc
import pytest

from harness import Bursard, Postgres, Proxy, Redis, protos, until
from harness.bursard import stop_all
from bots import Bots, unique


class House:
    """The admin's bursard behind a proxy, another that serves, and a ledger role that is started when it is wanted."""

    def __init__(self):
        self.redis, self.postgres = Redis(aof="always"), Postgres()
        self.database = self.postgres.database()
        self.proxy = Proxy(self.redis.socket)
        self.servers, self.fleets = [], []
        self.admins = self.server("serve,http", redis="redis://" + self.proxy.address, redis_timeout_ms=1000)
        self.others = self.server("serve,http")
        self.admin, self.other = self.bots(self.admins), self.bots(self.others)

    def server(self, roles, redis=None, **options):
        self.servers.append(Bursard(redis or self.redis, self.database, roles=roles, **options))
        return self.servers[-1]

    def bots(self, server):
        self.fleets.append(Bots(protos, server.grpc_addr))
        return self.fleets[-1]

    def user(self, tier="free"):
        """A user whom both bursards believe to know."""
        user = unique("user")
        self.admin.account(user, tier=tier)
        assert self.admin.check(user).tier == self.other.check(user).tier == tier
        return user

    @contextlib.contextmanager
    def killed_before_redis(self, call, committed):
        """Makes the call, and kills its bursard when PostgreSQL has the change and Redis has not."""
        self.proxy.freeze()
        answer = call()
        until(committed, "the change being committed")
        self.admins.kill()
        yield
        with pytest.raises(grpc.RpcError):
            answer.result(timeout=30)

    def close(self):
        for fleet in self.fleets:
            fleet.close()
        try:
            stop_all(self.servers, self.redis, self.postgres)
        finally:
            self.proxy.close()


@pytest.fixture
def house():
    with contextlib.closing(House()) as made:
        yield made


def set_tier(bots, user, tier="pro"):
    return bots.admin_pb.SetTierRequest(ref=bots.key(user), tier=tier)


def suspend(bots, user):
    return bots.admin_pb.SuspendRequest(ref=bots.key(user), reason="abuse")


def is_suspended(bots, user):
    answer = bots.check(user)
    return not answer.allowed and answer.reason == bots.types.REASON_SUSPENDED


def test_an_upgrade_and_a_suspension_are_obeyed_by_the_very_next_check_elsewhere(house):
    house.server("ledger,http")
    for _ in range(20):
        user = house.user()
        assert not house.admin.admin.SetTier(set_tier(house.admin, user), timeout=20).pending
        assert house.other.check(user).tier == "pro"
        assert not house.admin.admin.Suspend(suspend(house.admin, user), timeout=20).pending
        assert is_suspended(house.other, user)
        house.admin.admin.Unsuspend(house.admin.admin_pb.UnsuspendRequest(ref=house.admin.key(user)), timeout=20)
        assert house.other.check(user).allowed


def test_an_upgrade_reaches_all_when_its_bursard_is_killed_between_postgresql_and_redis(house):
    user = house.user()
    tier = lambda: house.database.value("select tier from accounts where id = %s", user)  # noqa: E731
    with house.killed_before_redis(lambda: house.admin.admin.SetTier.future(set_tier(house.admin, user), timeout=30), lambda: tier() == "pro"):
        assert house.other.check(user).tier == "free"  # Redis does not have it
        house.server("ledger,http")
        until(lambda: house.other.check(user).tier == "pro", "the upgrade being repeated")
        assert house.bots(house.server("serve,http")).check(user).tier == "pro"
    until(lambda: house.database.value("select count(*) from policy_changes") == 0, "its note being dropped")


def test_a_suspension_reaches_all_when_its_bursard_is_killed_between_postgresql_and_redis(house):
    user = house.user()
    suspended = lambda: house.database.value("select suspended from accounts where id = %s", user)  # noqa: E731
    with house.killed_before_redis(lambda: house.admin.admin.Suspend.future(suspend(house.admin, user), timeout=30), suspended):
        assert not is_suspended(house.other, user)
        house.server("ledger,http")
        until(lambda: is_suspended(house.other, user), "the suspension being repeated")
        assert is_suspended(house.bots(house.server("serve,http")), user)


def test_a_tiers_edit_reaches_all_when_its_bursard_is_killed_at_its_commit(house):
    pb, tier = house.admin.admin_pb, unique("tier")
    house.admin.tier(tier, house.admin.calendar("requests", "requests", 1000))
    user = unique("user")
    house.admin.account(user, tier=tier)

    def limit(bots):
        return bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, "requests")].limit.amount

    assert house.other.check(user).allowed and limit(house.other) == 1000
    edited = pb.PutTierRequest(tier=pb.Tier(name=tier, limits=[house.admin.calendar("requests", "requests", 2)]))
    amount = lambda: house.database.value("select amount from tier_limits where tier = %s", tier)  # noqa: E731
    house.proxy.freeze()
    answer = house.admin.admin.PutTier.future(edited, timeout=30)
    until(lambda: amount() == 2, "the edit being committed")
    house.admins.kill()
    with contextlib.suppress(grpc.RpcError):  # it may have been answered: a tier's edit waits for no Redis
        answer.result(timeout=30)
    until(lambda: limit(house.other) == 2, "the edit being seen")
    fresh = house.bots(house.server("serve,http"))
    assert limit(fresh) == 2 and fresh.check(user).allowed and not house.other.check(user).allowed


def test_an_erased_user_leaves_redis_when_his_bursard_is_killed_between_postgresql_and_redis(house):
    user = unique("zoe")
    house.admin.account(user)
    house.admin.admin.DeleteAccount(house.admin.admin_pb.DeleteAccountRequest(ref=house.admin.key(user)), timeout=20)
    names = lambda: [key for key in house.redis.client.scan_iter(count=1000) if user.encode() in key]  # noqa: E731
    waits = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    held = house.database.connect()
    held.autocommit = False
    held.cursor().execute("select from accounts where id = %s for update", (user,))
    erasing = house.admin.admin.EraseAccount.future(house.admin.admin_pb.EraseAccountRequest(ref=house.admin.key(user)), timeout=60)
    until(lambda: house.database.value(waits) == 1, "the transaction waiting, behind the first look into Redis")
    assert not names() and not house.other.check(user).allowed and names()  # the check has brought the record back

    def committed():
        held.close()
        return house.database.value("select count(*) from accounts where id = %s", user) == 0

    with house.killed_before_redis(lambda: erasing, committed):
        assert names() and house.database.value("select count(*) from policy_changes where account = %s", user) == 1
        house.server("ledger,http")
        until(lambda: not names(), "the record being dropped")
        until(lambda: house.database.value("select count(*) from policy_changes") == 0, "the note being dropped with it")


def test_a_change_without_redis_is_answered_as_pending_and_in_force_when_redis_is_back(house):
    user = house.user()
    house.proxy.freeze()
    assert house.admin.admin.SetTier(set_tier(house.admin, user), timeout=30).pending
    filtered = house.other.admin_pb.ListAccountsRequest(filter=house.other.admin_pb.AccountFilter(state="ACCOUNT_STATE_PENDING"))
    assert [account.ref.id for account in house.other.admin.ListAccounts(filtered, timeout=20).accounts] == [user]
    change = house.admin.admin_pb.AccountChange(action="ACCOUNT_ACTION_SUSPEND")
    told = list(house.admin.admin.ChangeAccounts(house.admin.admin_pb.ChangeAccountsRequest(ids=[user], change=change), timeout=30))[-1]
    assert (told.changed, told.pending) == (1, 1)
    house.proxy.thaw()
    house.server("ledger,http")
    until(lambda: is_suspended(house.other, user), "both changes being repeated")
    until(lambda: not house.other.admin.ListAccounts(filtered, timeout=20).accounts, "nothing being pending")
    assert is_suspended(house.admin, user)


def test_a_zone_that_is_put_without_redis_keeps_the_windows_of_whoever_may_have_used_them(house):
    served, late = unique("served"), unique("late")
    assert house.other.check(served).allowed  # no row in PostgreSQL: only Redis knows of it
    house.proxy.freeze()
    for user in (served, late):
        answer = house.admin.account(user, time_zone="Pacific/Kiritimati")
        assert answer.pending and len(answer.kept_windows) == 3
    house.proxy.thaw()
    until(lambda: not house.admin.account(unique("new"), time_zone="Pacific/Kiritimati").kept_windows, "Redis being asked again")


def test_a_repeated_bulk_change_brings_to_redis_what_the_killed_one_had_only_committed(house):
    users = [house.user() for _ in range(5)]
    change = house.admin.admin_pb.AccountChange(action="ACCOUNT_ACTION_SUSPEND")
    wanted = house.admin.admin_pb.ChangeAccountsRequest(ids=users, change=change)
    house.proxy.freeze()
    answer = house.admin.admin.ChangeAccounts(wanted, timeout=30)
    until(lambda: house.database.value("select count(*) from accounts where suspended") == 5, "the chunk being committed")
    house.admins.kill()
    with pytest.raises(grpc.RpcError):
        list(answer)
    assert not any(is_suspended(house.other, user) for user in users)
    told = list(house.other.admin.ChangeAccounts(wanted, timeout=30))[-1]
    assert (told.changed, told.already) == (0, 5) and all(is_suspended(house.other, user) for user in users)


def test_a_bursard_that_was_paused_obeys_a_suspension_at_once(house):
    user = house.user()
    house.others.signal(signal.SIGSTOP)
    try:
        assert not house.admin.admin.Suspend(suspend(house.admin, user), timeout=20).pending
    finally:
        house.others.signal(signal.SIGCONT)
    assert is_suspended(house.other, user)
