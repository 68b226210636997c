"""A tenant as one document: exported, applied, all of it or nothing."""
import json
import os
import pty
import re
import signal
import subprocess
import threading

import grpc
import pytest
import yaml

from harness import program, until
from bots import MINUTE_US, fails_with, unique

Code = grpc.StatusCode


NEXT_YEAR_US = 1_798_761_600 * 10**6  # 2027-01-01


def export(bots, tenant="default"):
    return bots.admin.Export(bots.admin_pb.ExportRequest(tenant=tenant), timeout=20)


def apply(bots, document, tenant="default", **fields):
    return bots.admin.Apply(bots.admin_pb.ApplyRequest(tenant=tenant, document=document, **fields), timeout=30)


def everything(stack):
    """What a document could change, and what says that something was changed."""
    with stack.sql() as sql:
        found = []
        for table in ("tenants", "tiers", "tier_limits", "pools", "pool_levels", "accounts", "account_limits", "texts", "model_aliases", "model_families", "audit_log"):
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
        fallback_model="openai/gpt-4o", language="de", cost_source=pb.COST_SOURCE_PROVIDER)), timeout=20)
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
    bots.admin.PutText(pb.PutTextRequest(text=pb.Text(code="wait", language="de", text="In {wait}.")), timeout=20)
    bots.admin.PutAlias(pb.PutAliasRequest(alias=pb.Alias(tenant="default", name="our-best", model="gpt-4o")), timeout=20)
    for pattern, model, from_us in ("gpt-6*", "gpt-4o", 0), ("gpt-6*", "gpt-5", NEXT_YEAR_US), ("house-*", "gpt-4o-mini", 0):
        bots.admin.PutFamily(pb.PutFamilyRequest(family=pb.Family(tenant="default", pattern=pattern, model=model, effective_from_us=from_us)), timeout=20)
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


def test_what_no_document_speaks_of_stays(bots):
    """Suspensions, grace and bypass; pools that are not named; a deleted account is there again when it is named."""
    pb = bots.admin_pb
    furnish(bots)
    red = bots.key("red", "TEAM")
    bots.admin.Suspend(pb.SuspendRequest(ref=red, reason="late"), timeout=20)
    bots.admin.DeleteAccount(pb.DeleteAccountRequest(ref=bots.key("acme", "ORG")), timeout=20)
    document = export(bots)
    assert "acme" not in [account.ref.id for account in document.accounts]
    next(account for account in document.accounts if account.ref.id == "red").tier = "pro"
    document.accounts.add(ref=bots.key("acme", "ORG"), tier="pro")
    del document.pools[:]
    assert len(apply(bots, document, prune=True).changes) == 2
    account = bots.admin.GetAccount(pb.GetAccountRequest(ref=red), timeout=20)
    assert account.suspended and account.suspended_reason == "late" and account.tier == "pro"
    assert not bots.admin.GetAccount(pb.GetAccountRequest(ref=bots.key("acme", "ORG")), timeout=20).deleted
    assert {pool.ref.name for pool in export(bots).pools} == {"agent-execution", "gpu"}


def test_a_limit_of_its_own_that_ends_is_part_of_the_document(bots, bursar):
    end = 4_000_000_000_123_456
    bots.account("red", kind="TEAM")
    bots.override("red", bots.bucket("", "requests", 7, until_us=end), kind="TEAM")
    assert yaml.safe_load(bursar("export").stdout)["teams"]["red"]["limits"] == ["requests=7/min,until=2096-10-02T07:06:40.123456Z"]
    assert not apply(bots, export(bots)).changes
    document = bots.admin_pb.TenantDocument(tiers=[bots.admin_pb.Tier(name="x", limits=[bots.bucket("", "requests", 7, until_us=end)])])
    error = fails_with(Code.INVALID_ARGUMENT, apply, bots, document)
    assert "document.tiers[0].limits[0].until_us" in error.details()


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


# -- the command line

@pytest.fixture
def fleet(bots, bursar, tmp_path):
    """The furnished tenant as a file."""
    furnish(bots)
    path = tmp_path / "fleet.yaml"
    path.write_text(bursar("export").stdout)
    return path


def test_what_export_writes_apply_reads_and_changes_nothing(bursar, fleet, stack, tmp_path):
    before = everything(stack)
    other = tmp_path / "fleet.json"
    other.write_text(bursar("export", "--json").stdout)
    assert yaml.safe_load(fleet.read_text()) == json.loads(other.read_text())
    for path in (fleet, other):
        done = bursar("apply", "-f", path, "--prune")
        assert done.returncode == 0 and "nothing to change" in done.stdout, done.stderr
    assert bursar("apply", "-f", "-", stdin=fleet.read_text()).returncode == 0
    assert everything(stack) == before
    document = yaml.safe_load(fleet.read_text())
    assert set(document) == {"tenant", "settings", "tiers", "pools", "teams", "orgs", "models", "budget", "texts", "aliases", "families"}
    assert document["families"] == {"gpt-6*": {"always": "openai/gpt-4o", "2027-01-01T00:00:00Z": "openai/gpt-5"}, "house-*": "openai/gpt-4o-mini"}
    assert document["tiers"]["team"]["limits"] == [
        "requests=60/min,burst=90,name=rpm", "cost=20.000000001/day",
        "tokens=5/week,name=quiet,interface=web,model=gpt-4o,warn=33,shadow,quiet", "concurrent=3", "tokens=7/1500us,name=odd"]
    assert document["pools"]["gpu"]["slots"] == "option" and document["pools"]["agent-execution"]["lease"] == "40s"
    assert document["teams"] == {"red": {"tier": "team", "org": "acme", "time_zone": "Europe/Berlin"}}
    assert document["budget"] == {"limits": ["cost=5000/month,name=budget"]}


def test_a_document_of_one_tenant_makes_another_like_it(bots, bursar, fleet):
    assert bursar("apply", "-f", fleet, "--tenant", "copy", "--yes").returncode == 0
    mine, other = yaml.safe_load(bursar("export").stdout), yaml.safe_load(bursar("export", "--tenant", "copy").stdout)
    assert other.pop("tenant") == "copy" and mine.pop("tenant") == "default" and mine == other


def test_what_would_change_is_shown_field_by_field_and_done_with_yes(bots, bursar, fleet, stack):
    text = fleet.read_text().replace("requests=60/min,burst=90,name=rpm", "requests=70/min,burst=90,name=rpm")
    text = text.replace("concurrent=3", "tokens=9/day").replace("slots: 3", "slots: 4").replace("org: acme", "org: other")
    text = text.replace("teams:\n", "teams:\n  blue: {tier: pro}\n")
    fleet.write_text(text)
    before = everything(stack)
    shown = bursar("apply", "-f", fleet)
    assert shown.returncode == 2 and "--yes" in shown.stderr
    assert shown.stdout.splitlines() == [
        "~ tier team", "    limits.rpm: requests=60/min,burst=90 -> requests=70/min,burst=90", "    limits.concurrent: concurrent=3 (removed)",
        "    limits.tokens_per_day: tokens=9/day", "~ pool agent-execution", "    slots: 3 -> 4",
        "+ team blue", "    tier: pro", "~ team red", "    org: acme -> other", "1 added, 3 changed, 0 removed"]
    dry = bursar("apply", "-f", fleet, "--dry-run", "--yes")
    assert dry.returncode == 0 and dry.stdout == shown.stdout and everything(stack) == before
    done = bursar("apply", "-f", fleet, "--yes", "--reason", "review 42")
    assert done.returncode == 0 and done.stdout == shown.stdout + "applied: 4 changes\n", done.stderr
    assert "nothing to change" in bursar("apply", "-f", fleet).stdout
    answer = json.loads(bursar("apply", "-f", fleet, "--json").stdout)
    assert answer["changes"] == [] and answer["applied"] is False
    log = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(), timeout=20).entries
    assert [entry.target for entry in log if entry.reason == "review 42"] == ["team/red", "team/blue", "agent-execution", "team"]


def test_families_are_changed_one_beginning_at_a_time_and_pruned(bots, bursar, fleet, stack):
    text = fleet.read_text().replace("always: openai/gpt-4o", "always: openai/gpt-4o-mini\n    2028-02-01: gpt-5")
    head, rest = text.split("  house-*: openai/gpt-4o-mini\n")
    fleet.write_text(head + rest)
    lines = ["~ family gpt-6*", "    model: gpt-4o -> gpt-4o-mini", "+ family gpt-6* from 2028-02-01T00:00:00Z", "    provider: openai", "    model: gpt-5"]
    assert bursar("apply", "-f", fleet, "--dry-run").stdout.splitlines() == [*lines, "1 added, 1 changed, 0 removed"]
    done = bursar("apply", "-f", fleet, "--yes", "--prune", "--reason", "review 43")
    assert done.stdout.splitlines()[:-1] == ["- family house-*", *lines, "1 added, 1 changed, 1 removed"], done.stderr
    with stack.sql() as sql:
        sql.execute("SELECT pattern, from_us / 1000000, model FROM model_families WHERE tenant = 'default' ORDER BY 1, 2")
        assert sql.fetchall() == [("gpt-6*", 0, "gpt-4o-mini"), ("gpt-6*", 1_798_761_600, "gpt-5"), ("gpt-6*", 1_832_976_000, "gpt-5")]
        sql.execute("SELECT action, target FROM audit_log WHERE reason = 'review 43' ORDER BY id")
        assert sql.fetchall() == [("family.delete", "house-*"), ("family.put", "gpt-6*"), ("family.put", "gpt-6*")]
    assert "nothing to change" in bursar("apply", "-f", fleet, "--prune").stdout


BROKEN = {
    "no YAML": (lambda t: t + "\n  - [", r"not valid YAML"),
    "a bad limit in the last tier": (lambda t: t.replace("requests=30/min", "requests=30/fortnight"), r":\d+:\d+: tiers.pro.limits\[0\]: period 'fortnight'"),
    "a limit that the server refuses": (lambda t: t.replace("tokens=7/1500us", "tokens=7/10us"), r":\d+:\d+: tiers.team.limits\[4\]: "),
    "an unknown default tier": (lambda t: t.replace("default_tier: team", "default_tier: gold"), r":\d+:\d+: settings.default_tier: there is no tier gold"),
    "an upgrade to an unknown tier": (lambda t: t.replace("upgrade_to: enterprise", "upgrade_to: gold"), r":\d+:\d+: tiers.\w+.upgrade_to: there is no tier gold"),
    "a fallback without a price": (lambda t: t.replace("fallback_model: openai/gpt-4o", "fallback_model: gpt-9"), r":\d+:\d+: settings.fallback_model: no price is known .* similar names are"),
    "an account on an unknown tier": (lambda t: t.replace("tier: enterprise", "tier: gold"), r":\d+:\d+: orgs.acme.tier: there is no tier gold"),
    "an org of an org": (lambda t: t.replace("orgs:\n  acme:\n", "orgs:\n  acme:\n    org: x\n"), r"orgs.acme.org: .*teams only"),
    "a key twice": (lambda t: t.replace("  pro:\n", "  team: {}\n  pro:\n"), r":\d+:\d+: team is given twice; first in line|twice"),
    "a key that is almost one": (lambda t: t.replace("default_tier:", "defualt_tier:"), r"settings: 'defualt_tier' is not known here; did you mean 'default_tier'"),
    "a section that is almost one": (lambda t: t.replace("teams:", "team:"), r"'team' is not known here; did you mean 'teams'"),
    "a number that is none": (lambda t: t.replace("pool_priority: 7", "pool_priority: high"), r"tiers.team.pool_priority: must be a whole number"),
    "a number that is too much": (lambda t: t.replace("pool_priority: 7", "pool_priority: 101"), r"tiers.team.pool_priority: 101 is not between"),
    "a word that is none": (lambda t: t.replace("fail_policy: closed", "fail_policy: shut"), r"fail_policy: must be one of local, open, closed"),
    "a list where a map belongs": (lambda t: t.replace("tiers:\n", "tiers: []\nold:\n"), r"tiers: must be a map"),
    "a pool without slots": (lambda t: t.replace("    slots: option\n", ""), r"pools.gpu: slots is missing"),
    "a truth that is none": (lambda t: t.replace("    slots: option\n", "    slots: option\n    paused: maybe\n"), r"paused: must be true or false"),
    "a family of a model without a price": (lambda t: t.replace("house-*: openai/gpt-4o-mini", "house-*: gpt-9"), r":\d+:\d+: families.house-\*: no price is known"),
    "a family without a *": (lambda t: t.replace("house-*:", "house:"), r":\d+:\d+: families.house: must be the beginning"),
    "a family that is there twice": (lambda t: t.replace("  house-*:", "  HOUSE-*: gpt-4o\n  house-*:"), r":\d+:\d+: families.house-\*: house-\* is listed twice"),
    "a family from no time": (lambda t: t.replace("always: openai", "sometimes: openai"), r":\d+:\d+: families.gpt-6\*.sometimes: must be a time or always"),
    "an alias": (lambda t: t.replace("tiers:\n", "tiers: &a\n").replace("orgs:\n", "orgs: *a\nx:\n"), r"anchors"),
    "a tag": (lambda t: t.replace("tenant: default", "tenant: !!str default"), r"tags"),
    "two documents": (lambda t: t + "---\ntenant: default\n", r"a second document"),
    "nothing": (lambda t: "", r"document is missing"),
    "too deep": (lambda t: "tiers: " + "{a: " * 40 + "}" * 40, r"nested too deeply"),
    "too large": (lambda t: t + "#" * (1 << 20), r"the maximum is 1048576"),
    "no text": (lambda t: t.encode() + b"\xff\xfe\xfd", r"UTF-8|not valid YAML"),
    "no tenant": (lambda t: t.replace("tenant: default\n", ""), r"names no tenant"),
    "a zone that is none": (lambda t: t.replace("Europe/Berlin", "Europe/Bonn"), r"teams.red.time_zone: "),
}


def test_a_broken_document_changes_nothing_and_says_where(bursar, fleet, stack):
    text = fleet.read_text()
    before, exported = everything(stack), bursar("export").stdout
    wrong = []
    for name, (spoil, why) in BROKEN.items():
        spoiled = spoil(text)
        assert spoiled != text, name
        fleet.write_bytes(spoiled if isinstance(spoiled, bytes) else spoiled.encode())
        done = bursar("apply", "-f", fleet, "--prune", "--yes")
        if done.returncode not in (2, 4) or not re.search(why, done.stderr) or str(fleet) not in done.stderr:
            wrong.append(f"{name}: {done.returncode}: {done.stdout}{done.stderr}")
    assert not wrong, "\n".join(wrong)
    assert everything(stack) == before and bursar("export").stdout == exported


def test_prune_of_a_tier_in_use_changes_nothing(bursar, fleet, stack):
    document = yaml.safe_load(fleet.read_text())
    del document["tiers"]["team"]
    document["settings"]["default_tier"] = "free"
    document["tiers"]["fresh"] = {"limits": ["requests=1/min"]}
    fleet.write_text(yaml.safe_dump(document))
    before = everything(stack)
    done = bursar("apply", "-f", fleet, "--prune", "--yes")
    assert done.returncode == 4 and "tier team: 1 account is on it" in done.stderr, done.stderr
    assert everything(stack) == before


def test_a_change_by_somebody_else_between_the_showing_and_the_yes_refuses(bots, stack):
    furnish(bots)
    document = export(bots)
    next(tier for tier in document.tiers if tier.name == "pro").limits[0].amount = 31
    seen = apply(bots, document, dry_run=True)
    bots.tier("pro", bots.bucket("", "requests", 32))
    before = everything(stack)
    error = fails_with(Code.FAILED_PRECONDITION, apply, bots, document, expected=seen.fingerprint)
    assert "changed meanwhile" in error.details() and everything(stack) == before
    again = apply(bots, document, dry_run=True)
    bots.account("elsewhere", kind="TEAM", tier="pro")  # what the document does not speak of is no matter
    assert apply(bots, document, expected=again.fingerprint).applied


class Terminal:
    """The command at a terminal: it shows, and asks."""

    def __init__(self, bursard, *args):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([program("bursar"), *map(str, args)], stdin=slave, stdout=slave, stderr=slave, close_fds=True,
                                        env={"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr, "TERM": "xterm"})
        os.close(slave)
        self.text = ""

    def read_to(self, word):
        while word not in self.text:
            try:
                self.text += os.read(self.master, 4096).decode()
            except OSError:
                break
        assert word in self.text, self.text

    def end(self, answer=None):
        if answer is not None:
            os.write(self.master, answer.encode())
            self.read_to("change")
        code = self.process.wait(60)
        os.close(self.master)
        return code


def test_at_a_terminal_it_asks_and_a_client_that_is_killed_changes_nothing(bots, bursard, fleet, stack):
    fleet.write_text(fleet.read_text().replace("requests=30/min", "requests=31/min"))
    before = everything(stack)
    killed = Terminal(bursard, "apply", "-f", fleet)
    killed.read_to("Apply 1 change? [y/N]")
    assert "\x1b[33m~ tier pro" in killed.text
    killed.process.send_signal(signal.SIGKILL)
    killed.end()
    no = Terminal(bursard, "apply", "-f", fleet)
    no.read_to("[y/N]")
    assert no.end("n\n") == 0 and everything(stack) == before
    yes = Terminal(bursard, "apply", "-f", fleet)
    yes.read_to("[y/N]")
    os.write(yes.master, b"y\n")
    yes.read_to("applied: 1 change")
    assert yes.end() == 0
    assert bots.admin.GetTier(bots.admin_pb.GetTierRequest(name="pro"), timeout=20).limits[0].amount == 31


@pytest.mark.parametrize("table", ["tiers", "tier_limits", "tenants", "pools", "pool_levels", "account_limits", "policy_changes", "audit_log"])
def test_a_server_killed_in_the_middle_has_done_nothing(bots, bursard, stack, table):
    """Stopped at its first write to each table in turn, with what it wrote before that in the open transaction."""
    furnish(bots)
    document = export(bots)
    for tier in document.tiers:
        tier.default_output_tokens += 1
    document.tenant.language = "ru"
    document.pools[0].slots += 1
    for account in document.accounts:
        account.overrides.append(bots.bucket("more", "requests", 7))
    before = everything(stack)
    with stack.sql() as lock:
        lock.execute("BEGIN")
        lock.execute(f"LOCK TABLE {table} IN SHARE MODE")
        call = threading.Thread(target=lambda: fails_with(Code.UNAVAILABLE, apply, bots, document))
        call.start()

        def waits():
            with stack.sql() as sql:
                sql.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                return sql.fetchone()[0] > 0

        until(waits, "the transaction waiting for the table", timeout=30)
        bursard.kill()
        call.join(60)
        lock.execute("ROLLBACK")
    bursard.start()
    assert everything(stack) == before
    again = bots.at(bursard.grpc_addr)
    assert apply(again, document).applied and not apply(again, document).changes
    again.close()


def test_a_tier_edit_reaches_another_server_within_a_second(two_fleets):
    first, second = two_fleets
    user = first.user_with(first.bucket("rpm", "requests", 100))
    assert second.check(user).allowed
    tier = first.admin.GetAccount(first.admin_pb.GetAccountRequest(ref=first.key(user)), timeout=20).tier
    apply(first, first.admin_pb.TenantDocument(tiers=[first.admin_pb.Tier(name=tier, limits=[first.bucket("none", "requests", 0)])]))
    until(lambda: not second.check(user).allowed, "the other server knowing the tier", timeout=1)


def test_what_the_store_does_not_take_is_committed_and_repeated(bots, stack, bursard):
    user = unique("user")
    bots.account("red", kind="TEAM")
    bots.account(user, team="red")
    assert bots.check(user).allowed
    document = bots.admin_pb.TenantDocument(accounts=[
        bots.admin_pb.Account(ref=bots.key("red", "TEAM"), overrides=[bots.bucket("none", "requests", 0)])])
    stack.redis_server.signal(signal.SIGSTOP)
    try:
        done = apply(bots, document)
    finally:
        stack.redis_server.signal(signal.SIGCONT)
    assert done.applied and done.pending
    until(lambda: not bots.check(user).allowed, "the change being repeated", timeout=30)
    assert not apply(bots, document).changes
