"""Tiers that are deleted: only those that nobody is on, nobody falls back to, and nobody is told to buy."""
import threading

import grpc

from bots import fails_with, unique

Code = grpc.StatusCode


def delete(bots, name, **fields):
    return bots.admin.DeleteTier(bots.admin_pb.DeleteTierRequest(tenant=bots.tenant, name=name, **fields), timeout=20)


def refused(bots, name):
    return fails_with(Code.FAILED_PRECONDITION, delete, bots, name).details()


def test_a_tier_in_use_is_refused_and_says_by_whom(bots):
    tier, user, other = unique("tier"), unique("user"), unique("user")
    bots.tier(tier, bots.bucket("rpm", "requests", 5))
    bots.account(user, tier=tier)
    bots.account(other, tier=tier)
    assert "2 accounts are on it" in refused(bots, tier)
    bots.account(other, tier="free")
    assert "1 account is on it;" in refused(bots, tier)
    pb = bots.admin_pb
    bots.admin.DeleteAccount(pb.DeleteAccountRequest(ref=bots.key(user)), timeout=20)
    assert "1 account is on it, 1 of them deleted" in refused(bots, tier)
    bots.account(user, tier="free")
    bots.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id="default", default_tier=tier)), timeout=20)
    assert "default tier" in refused(bots, tier)
    bots.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id="default", default_tier="free")), timeout=20)
    bots.tier("step", upgrade_to=tier)
    assert "is the upgrade of step" in refused(bots, tier)
    bots.tier("step")
    assert not delete(bots, tier, reason="gone").HasField("tier")
    fails_with(Code.NOT_FOUND, delete, bots, tier)
    fails_with(Code.NOT_FOUND, bots.admin.GetTier, pb.GetTierRequest(name=tier), timeout=20)
    fails_with(Code.INVALID_ARGUMENT, bots.account, user, tier=tier)
    log = bots.admin.ListAudit(pb.ListAuditRequest(action="tier.delete"), timeout=20).entries
    assert [(entry.target, entry.reason, entry.details) for entry in log] == [(tier, "gone", "null")] and '"rpm"' in log[0].before


def test_a_shipped_tier_that_was_changed_goes_back_also_under_its_accounts(bots):
    user = unique("user")
    bots.account(user, tier="pro")
    shipped = bots.admin.GetTier(bots.admin_pb.GetTierRequest(name="pro"), timeout=20)
    assert "a shipped tier" in refused(bots, "pro")
    bots.tier("pro", bots.bucket("none", "requests", 0))
    assert not bots.check(user).allowed
    assert delete(bots, "pro").tier == shipped
    assert bots.check(user).allowed


def test_an_account_put_on_a_tier_while_it_is_deleted_is_on_a_tier_that_exists(bots, stack):
    """The two transactions meet: whoever comes second sees what the first has done."""
    for _ in range(20):
        tier, user = unique("tier"), unique("user")
        bots.tier(tier)
        bots.account(user, tier="free")
        codes = {}

        def run(name, call, *args, codes=codes, **fields):
            try:
                call(*args, **fields)
                codes[name] = Code.OK
            except grpc.RpcError as error:
                codes[name] = error.code()

        threads = [threading.Thread(target=run, args=("delete", delete, bots, tier)),
                   threading.Thread(target=run, args=("put", bots.account, user), kwargs={"tier": tier})]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(codes.values(), key=str) in ([Code.FAILED_PRECONDITION, Code.OK], [Code.INVALID_ARGUMENT, Code.OK]), codes
    with stack.sql() as sql:
        sql.execute("SELECT count(*) FROM accounts WHERE tier <> '' AND tier NOT IN (SELECT name FROM tiers)")
        assert sql.fetchone() == (0,)


def test_the_command_says_what_counts_now(bots, bursar):
    bots.tier("pro", bots.bucket("rpm", "requests", 1))
    done = bursar("tier", "delete", "pro")
    assert done.returncode == 0 and "deleted tier pro; now in force:" in done.stdout and "(as shipped)" in done.stdout
    assert bursar("tier", "delete", "nothing").returncode == 4
    bots.tier("extra")
    assert bursar("tier", "delete", "extra").stdout == "deleted tier extra\n"


def test_accounts_that_are_deleted_are_put_on_another_tier_as_the_refusal_says(bots, bursar):
    tier, user = unique("tier"), unique("user")
    bots.tier(tier)
    bots.account(user, tier=tier)
    bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(user)), timeout=20)
    assert "then with --deleted" in refused(bots, tier)
    done = bursar("bulk", "set-tier", "free", "--tier", tier, "--deleted", "--yes")
    assert done.returncode == 0 and "1 changed" in done.stdout, done.stdout + done.stderr
    delete(bots, tier)
    assert bots.check(user).reason == bots.types.REASON_DELETED
