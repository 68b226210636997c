"""A tenant as one document: exported, applied, all of it or nothing."""
import grpc

from bots import MINUTE_US, fails_with, unique

Code = grpc.StatusCode


def export(bots, tenant="default"):
    return bots.admin.Export(bots.admin_pb.ExportRequest(tenant=tenant), timeout=20)


def apply(bots, document, tenant="default", **fields):
    return bots.admin.Apply(bots.admin_pb.ApplyRequest(tenant=tenant, document=document, **fields), timeout=30)


def everything(stack):
    """What a document could change, and what says that something was changed."""
    with stack.sql() as sql:
        found = []
        for table in ("tenants", "tiers", "tier_limits", "pools", "pool_levels", "accounts", "account_limits", "policy_changes", "audit_log"):
            sql.execute(f"SELECT t::text FROM {table} t ORDER BY 1")
            found.append(sql.fetchall())
        return found


def furnish(bots):
    """A tenant with some of everything in it."""
    pb, types = bots.admin_pb, bots.types
    bots.tier("team", bots.bucket("rpm", "requests", 60, burst=90), bots.calendar("", "cost", 20_000_000_001, "DAY"),
              bots.calendar("quiet", "tokens", 5, "WEEK", notify_off=True, shadow=True, warn_percent=33, interface="web", model="gpt-4o"),
              bots.level("", 3), bots.bucket("odd", "tokens", 7, period_us=1500),
              pool_priority=7, pool_concurrent=4, default_output_tokens=1234, fail_policy=pb.FAIL_POLICY_CLOSED, upgrade_to="enterprise")
    bots.tier("pro", bots.bucket("", "requests", 30))
    bots.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(
        id="default", default_tier="team", unknown_users=pb.UNKNOWN_USERS_REFUSE, unknown_model=pb.UNKNOWN_MODEL_FALLBACK,
        fallback_model="openai/gpt-4o", language="de")), timeout=20)
    bots.admin.PutPool(pb.PutPoolRequest(slots=3, queue_limit=77, user_queue_limit=5, lease_us=40_000_000, levels=[
        pb.PoolLevel(priority=5, weight=9), pb.PoolLevel(priority=50, queue_limit=4)]), timeout=20)
    bots.admin.PutPool(pb.PutPoolRequest(ref=pb.PoolRef(name="gpu"), slots_from_option=True), timeout=20)
    bots.account("red", kind="TEAM", tier="team", org="acme", time_zone="Europe/Berlin")
    bots.account("acme", kind="ORG", tier="enterprise")
    bots.account("gpt-4o", kind="MODEL")
    bots.account("default", kind="TENANT")
    bots.override("gpt-4o", bots.bucket("ceiling", "tokens", 1_000_000), kind="MODEL")
    bots.override("default", bots.calendar("budget", "cost", 5_000_000_000_000, "MONTH"), kind="TENANT")
    bots.account("blank", kind="TEAM")
    bots.account(unique("user"), tier="pro", team="red")
    return types


def test_an_export_applied_is_no_change(bots, stack):
    furnish(bots)
    before = everything(stack)
    document = export(bots)
    assert {tier.name for tier in document.tiers} >= {"team", "pro", "free", "enterprise"}
    assert {account.ref.id for account in document.accounts} == {"red", "acme", "gpt-4o", "default"}
    for prune in (False, True):
        answer = apply(bots, document, prune=prune)
        assert not answer.changes and not answer.applied
    assert everything(stack) == before


def test_each_kind_of_change_is_shown_and_made(bots, stack):
    furnish(bots)
    pb = bots.admin_pb
    document = export(bots)
    tiers = {tier.name: tier for tier in document.tiers}
    tiers["team"].limits[0].amount = 61
    tiers["pro"].upgrade_to = "team"
    del tiers["free"].limits[:]
    document.tiers.add(name="fresh", limits=[bots.bucket("", "requests", 1)])
    document.tenant.default_tier = "fresh"
    document.pools[0].slots = 4
    document.pools.add(ref=pb.PoolRef(name="new"), slots=2)
    accounts = {account.ref.id: account for account in document.accounts}
    accounts["red"].tier = "fresh"
    accounts["acme"].overrides.append(bots.bucket("own", "requests", 9))
    document.accounts.add(ref=bots.key("blue", "TEAM"), tier="pro", org="acme")
    before = everything(stack)
    dry = apply(bots, document, dry_run=True)
    assert everything(stack) == before
    done = apply(bots, document, expected=dry.fingerprint, reason="spring")
    assert done.applied and not done.pending and done.changes == dry.changes
    kinds = [change.kind for change in done.changes]
    assert kinds.count(pb.CHANGE_KIND_ADDED) == 3 and kinds.count(pb.CHANGE_KIND_CHANGED) == 7 and len(kinds) == 10
    team = next(change for change in done.changes if change.after.tiers and change.after.tiers[0].name == "team")
    assert [side.tiers[0].limits[0].amount for side in (team.before, team.after)] == [60, 61]
    assert not apply(bots, export(bots), prune=True).changes
    assert not apply(bots, document).changes
    log = bots.admin.ListAudit(pb.ListAuditRequest(), timeout=20).entries[:10]
    assert {entry.reason for entry in log} == {"spring"}
    assert sorted(entry.target for entry in log) == sorted([
        "team", "pro", "free", "fresh", "default", "agent-execution", "new", "team/red", "org/acme", "team/blue"])
    assert '"amount": 60' in next(entry.before for entry in log if entry.target == "team")


def test_prune_takes_away_what_is_not_named_and_is_the_tenants_own(bots):
    furnish(bots)
    pb = bots.admin_pb
    document = export(bots)
    keep = [tier for tier in document.tiers if tier.name not in ("pro",)]
    del document.tiers[:]
    document.tiers.extend(keep)
    del document.accounts[:]
    document.accounts.add(ref=bots.key("acme", "ORG"), tier="enterprise")
    assert not apply(bots, document).changes
    done = apply(bots, document, prune=True)
    removed = [change.before for change in done.changes if change.kind == pb.CHANGE_KIND_REMOVED]
    assert len(removed) == len(done.changes) == 4
    assert [part.tiers[0].name for part in removed if part.tiers] == ["pro"]
    assert bots.admin.GetTier(pb.GetTierRequest(name="pro"), timeout=20).shipped
    assert not bots.admin.GetAccount(pb.GetAccountRequest(ref=bots.key("gpt-4o", "MODEL")), timeout=20).overrides
    fails = pb.TenantDocument(tiers=[tier for tier in keep if tier.name != "team"], tenant=document.tenant, accounts=document.accounts)
    assert "default tier" in fails_with(Code.FAILED_PRECONDITION, apply, bots, fails, prune=True).details()


def test_a_change_is_in_force_when_it_is_answered(bots):
    user, tier = unique("user"), unique("tier")
    bots.tier(tier, bots.bucket("rpm", "requests", 100))
    bots.account("red", kind="TEAM")
    bots.account(user, tier=tier, team="red")
    assert bots.check(user).allowed
    pb = bots.admin_pb
    apply(bots, pb.TenantDocument(accounts=[pb.Account(ref=bots.key("red", "TEAM"), overrides=[bots.bucket("none", "requests", 0)])]))
    denied = bots.check(user)
    assert not denied.allowed and denied.binding.limit.name == "none"
    apply(bots, pb.TenantDocument(accounts=[pb.Account(ref=bots.key("red", "TEAM"))],
                                  tiers=[pb.Tier(name=tier, limits=[bots.bucket("rpm", "requests", 0, period_us=MINUTE_US)])]))
    denied = bots.check(user)
    assert not denied.allowed and denied.binding.limit.name == "rpm"
