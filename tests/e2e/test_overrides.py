"""Overrides with an end: what counts until then, what counts afterwards, and that use is kept across both."""
import datetime
import json
import threading

import grpc

from bots import Bots, fails_with, unique
from harness import protos

UTC = datetime.timezone.utc
DAY_S = 86_400


def us(clock, seconds):
    return int((clock.now() + seconds) * 1e6)


def account(bots, user):
    return bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(user)), timeout=10)


def ends(bots, user):
    """{override's name: its end}"""
    return {limit.name: limit.until_us for limit in account(bots, user).overrides}


def amount(bots, user, limit):
    return bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, limit)].limit.amount


def override(bots, user, *limits, **fields):
    return bots.admin.OverrideLimits(
        bots.admin_pb.OverrideLimitsRequest(ref=bots.key(user), limits=limits, **fields), timeout=10)


def test_an_override_ends_and_the_tier_counts_again_with_what_was_used(moved, clock, until):
    user = moved.user_with(moved.calendar("day", "requests", 3), moved.bucket("hour", "requests", 3, period_us=3600 * 10**6))
    assert moved.check(user).allowed
    override(moved, user, moved.calendar("day", "requests", 10, until_us=us(clock, 600)),
             moved.bucket("hour", "requests", 10, period_us=3600 * 10**6, until_us=us(clock, 600)))
    assert [moved.check(user).allowed for _ in range(4)] == [True] * 4
    assert moved.used(user, "day") == 5
    assert moved.used(user, "hour") == 5
    clock.advance(601)
    until(lambda: not account(moved, user).overrides)
    denied = moved.check(user)
    assert {s.limit.name for s in denied.limits if s.failed} == {"day", "hour"}
    assert moved.used(user, "day") == 5 and amount(moved, user, "day") == 3
    assert 3 <= moved.used(user, "hour") <= 5


def test_overrides_of_different_ends_stand_side_by_side(moved, clock, until):
    user = moved.user_with(moved.calendar("a", "requests", 1), moved.calendar("b", "requests", 1))
    first, second = us(clock, 600), us(clock, 1200)
    override(moved, user, moved.calendar("a", "requests", 10, until_us=first))
    override(moved, user, moved.calendar("b", "requests", 10, until_us=second), moved.calendar("c", "requests", 10), merge=True)
    assert ends(moved, user) == {"a": first, "b": second, "c": 0}
    clock.advance(601)
    until(lambda: ends(moved, user) == {"b": second, "c": 0})
    assert (amount(moved, user, "a"), amount(moved, user, "b"), amount(moved, user, "c")) == (1, 10, 10)
    clock.advance(601)
    until(lambda: ends(moved, user) == {"c": 0})
    assert (amount(moved, user, "a"), amount(moved, user, "b"), amount(moved, user, "c")) == (1, 1, 10)


def test_an_override_that_ended_while_no_ledger_role_ran_ends_when_one_is_back(start_moved, clock, until):
    bots = start_moved(roles="serve,http")
    user = bots.user_with(bots.calendar("day", "requests", 1))
    override(bots, user, bots.calendar("day", "requests", 10, until_us=us(clock, 600)))
    assert [bots.check(user).allowed for _ in range(2)] == [True, True]
    clock.advance(601)
    assert account(bots, user).version == 2
    start_moved(roles="ledger,http")
    until(lambda: account(bots, user).version == 3)
    until(lambda: not account(bots, user).pending)
    assert amount(bots, user, "day") == 1
    assert not bots.check(user).allowed


def test_a_record_that_is_seeded_after_the_end_knows_the_override_no_more(start_moved, clock, stack):
    bots = start_moved(roles="serve,http")
    user = bots.user_with(bots.calendar("day", "requests", 1))
    override(bots, user, bots.calendar("day", "requests", 10, until_us=us(clock, 600)))
    clock.advance(601)
    stack.redis.flushall()
    assert [bots.check(user).allowed for _ in range(2)] == [True, False]
    assert account(bots, user).version == 2


def test_workers_that_know_the_override_and_others_agree_on_the_record(start_moved, clock, stack, until):
    bots = [start_moved(roles="serve,http", workers=2), start_moved(workers=2)]
    user = bots[0].user_with(bots[0].calendar("day", "requests", 5))
    override(bots[0], user, bots[0].calendar("day", "requests", 100, until_us=us(clock, 30)))
    for _ in range(3):
        assert bots[0].check(user).allowed and bots[1].check(user).allowed
    stop, errors, allowed = threading.Event(), [], []

    def caller(fleet):
        while not stop.is_set():
            try:
                allowed.append(fleet.check(user, timeout=30).allowed)
            except grpc.RpcError as error:
                errors.append(error.details())

    threads = [threading.Thread(target=caller, args=(fleet,)) for fleet in bots]
    clock.advance(31)
    for thread in threads:
        thread.start()
    until(lambda: not account(bots[1], user).overrides and not account(bots[1], user).pending)
    seen = len(allowed)
    until(lambda: len(allowed) > seen + 8)
    stop.set()
    for thread in threads:
        thread.join()
    assert not errors
    assert not any(allowed[seen + 4:])


def test_several_ledger_roles_end_an_override_once_and_the_audit_log_says_who(start_moved, clock, until):
    bots = start_moved()
    start_moved(), start_moved()
    user = bots.user_with(bots.calendar("day", "requests", 1))
    override(bots, user, bots.calendar("day", "requests", 10, until_us=us(clock, 60)))
    clock.advance(61)
    until(lambda: not account(bots, user).overrides)
    assert account(bots, user).version == 3
    last = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(target="user/" + user, page_size=1), timeout=10).entries[0]
    assert (last.actor, last.action, last.reason) == ("bursard", "account.change", "an override ended")
    assert '"until_us"' in last.before and '"limits": null' in last.details


def test_many_overrides_that_end_at_once_all_end(moved, clock, until):
    tier = unique("tier")
    moved.tier(tier, moved.calendar("day", "requests", 1))
    users = [unique("user") for _ in range(150)]
    for user in users:
        moved.account(user, tier=tier)
        override(moved, user, moved.calendar("day", "requests", 10, until_us=us(clock, 3600)))
    clock.advance(3601)
    until(lambda: not any(a.overrides for a in moved.admin.ListAccounts(
        moved.admin_pb.ListAccountsRequest(tier=tier, page_size=1000), timeout=10).accounts))


def test_an_end_in_the_past_and_a_tier_with_an_end_are_refused(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 1))
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, override, moved, user,
                       moved.calendar("day", "requests", 2, until_us=us(clock, -5)))
    assert error.details().startswith("limits[0].until_us: is in the past")
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, moved.tier, unique("tier"),
                       moved.calendar("day", "requests", 2, until_us=us(clock, 3600)))
    assert error.details().startswith("tier.limits[0].until_us: is for account overrides only")


def test_grace_ends_by_itself(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 1))
    moved.admin.SetGrace(moved.admin_pb.SetGraceRequest(ref=moved.key(user), until_us=us(clock, 600)), timeout=10)
    assert [moved.check(user).allowed for _ in range(3)] == [True, True, False]
    assert account(moved, user).grace_until_us > 0
    clock.advance(601)
    denied = moved.check(user)
    assert not denied.allowed and denied.binding.effective_amount == 1


def test_the_command_line_gives_an_override_an_end_and_shows_it(bursar):
    shown = bursar("account", "override", "alice", "requests=600/min", "--until", "2099-12-05T10:00", "--create")
    assert shown.returncode == 0, shown.stderr
    assert "requests=600/min until 2099-12-05T10:00:00+00:00 (in " in shown.stdout
    assert bursar("account", "override", "alice", "tokens=1M/day", "--for", "7d", "--merge").returncode == 0
    assert "2, one until 20" in bursar("account", "list").stdout
    overrides = json.loads(bursar("account", "get", "alice", "--json").stdout)["overrides"]
    assert sorted(limit["name"] for limit in overrides if limit["until_us"]) == ["requests_per_minute", "tokens_per_day"]
    past = bursar("account", "override", "alice", "requests=600/min", "--until", "-1h", "--merge")
    assert past.returncode != 0 and "is in the past" in past.stderr
    assert bursar("account", "override", "alice", "requests=1/min", "--until", "+1h", "--for", "1h").returncode == 2
    assert bursar("account", "override", "alice", "--clear", "--for", "1h").returncode == 2


def days(bots, prefix, count):
    return [bots.calendar(f"{prefix}{n}", "requests", 1000 + n) for n in range(count)]


def test_no_change_leaves_an_account_with_more_limits_than_have_room(bots):
    """Each of its checks would be refused. 32 are the most, with those of the tier; of one name the account's own counts."""
    tenant = Bots(protos, bots.address, unique("full"))
    small, large, user, anybody = unique("small"), unique("large"), unique("user"), unique("anybody")

    def default_tier(name):
        tenant.admin.PutTenant(tenant.admin_pb.PutTenantRequest(
            tenant=tenant.admin_pb.Tenant(id=tenant.tenant, default_tier=name)), timeout=10)

    tenant.tier(small, *days(tenant, "t", 2))
    tenant.tier(large, *days(tenant, "t", 5))
    default_tier(small)
    tenant.account(user, tier=small)
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, tenant.override, user, *days(tenant, "o", 31))
    assert error.details() == f"limits: {user} would have 33 including those of tier {small}; at most 32 are allowed"
    tenant.override(user, *days(tenant, "o", 29), *days(tenant, "t", 1))
    tenant.override(anybody, *days(tenant, "o", 28))
    shipped = unique("shipped")
    tenant.tier("free", *days(tenant, "t", 1))
    tenant.account(shipped, tier="free")
    tenant.override(shipped, *days(tenant, "o", 30))
    for field, who, change in (("limits", user, lambda: tenant.account(user, tier=large)),
                               ("tier.limits", user, lambda: tenant.tier(small, *days(tenant, "t", 4))),
                               ("tenant.default_tier", anybody, lambda: default_tier(large)),
                               ("name", shipped, lambda: tenant.admin.DeleteTier(tenant.admin_pb.DeleteTierRequest(tenant=tenant.tenant, name="free")))):
        error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, change)
        assert error.details().startswith(f"{field}: {who} would have 3"), error.details()
    assert tenant.check(user).allowed and tenant.check(anybody).allowed
    tenant.close()
