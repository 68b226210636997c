"""bursar bulk: one change for many accounts, shown first, interrupted and repeated."""
import functools
import json
import os
import signal
import subprocess

import grpc
import pytest

from harness import program, until
from bots import fails_with, unique


@pytest.fixture
def bursar(bursar):
    return functools.partial(bursar, "bulk", timeout=240)


def put(bots, count, tier="free"):
    prefix = unique("batch") + "-"
    ids = [f"{prefix}{i:04}" for i in range(count)]
    for user in ids:
        bots.admin.PutAccount(bots.admin_pb.PutAccountRequest(ref=bots.key(user), tier=tier), timeout=20)
    return prefix, ids


def tiers(bots, prefix):
    found, token = {}, ""
    while True:
        page = bots.admin.ListAccounts(bots.admin_pb.ListAccountsRequest(id_prefix=prefix, page_size=1000, page_token=token), timeout=20)
        found.update({account.ref.id: account.tier for account in page.accounts})
        token = page.next_page_token
        if not token:
            return found


def test_what_would_change_is_shown_and_changed_only_with_yes(bots, bursar):
    prefix, ids = put(bots, 30)
    shown = bursar("set-tier", "pro", "--prefix", prefix)
    assert shown.returncode == 2 and "30 would change" in shown.stdout and "and 10 more" in shown.stdout and "--yes" in shown.stderr
    dry = bursar("set-tier", "pro", "--prefix", prefix, "--dry-run", "--yes")
    assert dry.returncode == 0 and set(tiers(bots, prefix).values()) == {"free"}
    done = bursar("set-tier", "pro", "--prefix", prefix, "--yes", "--reason", "spring")
    assert done.returncode == 0 and "30 changed, 0 needed no change, 0 failed" in done.stdout
    assert tiers(bots, prefix) == {user: "pro" for user in ids}
    again = json.loads(bursar("set-tier", "pro", "--prefix", prefix, "--yes", "--json").stdout)
    assert again == {"matched": 30, "already": 30, "to_change": 0, "changed": 0, "failed": 0, "pending": 0}
    entries = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(target="user/" + ids[0]), timeout=20).entries
    assert [entry.reason for entry in entries] == ["spring", ""]


def test_a_file_names_accounts_in_its_first_column(bots, bursar, tmp_path):
    _, ids = put(bots, 5)
    path = tmp_path / "leavers.csv"
    path.write_text("user,why\n" + "".join(f"{user},left\n" for user in ids[:3]) + "\n")
    assert "3 changed" in bursar("suspend", "--file", path, "--yes").stdout
    assert not bots.check(ids[0]).allowed and bots.check(ids[4]).allowed
    assert "3 changed" in bursar("unsuspend", "--file", path, "--yes").stdout
    mistyped = bursar("delete", "--file", "-", "--yes", stdin=f"{ids[3]}\r\n{ids[4]}\r\nnobody-{ids[0]}\r\n")
    assert mistyped.returncode == 4 and "1 of 3 ids are unknown" in mistyped.stderr and "nothing was changed" in mistyped.stderr
    assert bots.check(ids[3]).allowed
    assert "2 changed" in bursar("delete", "--file", "-", "--yes", stdin=f"{ids[3]}\r\n{ids[4]}\r\n").stdout
    assert not bots.check(ids[4]).allowed and bots.check(ids[0]).allowed


@pytest.mark.parametrize("args, why", [
    (("set-tier", "pro"), "say which accounts"), (("set-tier", "--tier", "free"), "TIER is missing"), (("suspend", "pro", "--tier", "free"), "only set-tier"),
    (("promote", "--tier", "free"), "not one of"), (("suspend", "--file", "/nowhere"), "/nowhere"), (("suspend", "--all", "--tier", "free"), "exclude each other"),
    (("grace", "--all"), "give one of --for"), (("bypass", "--all"), "bypass on, or bypass off"), (("override", "--all"), "--clear"),
    (("override", "nonsense", "--all"), "nonsense")])
def test_what_was_typed_wrong_is_said_and_changes_nothing(bursar, args, why):
    done = bursar(*args, "--yes")
    assert done.returncode == 2 and why in done.stderr


def test_a_tier_that_is_not_there_fails_before_anything_is_changed(bots, bursar):
    prefix, _ = put(bots, 3)
    done = bursar("set-tier", "gold", "--prefix", prefix, "--yes")
    assert done.returncode == 4 and "gold" in done.stderr and "0 changed" in done.stdout


def test_a_file_is_csv_with_its_column_named_in_the_first_row(bots, bursar, tmp_path):
    _, ids = put(bots, 3)
    odd = unique('says "hi", ')
    bots.account(odd)
    path = tmp_path / "users.csv"
    quoted = odd.replace('"', '""')
    path.write_text(f'name,User,why\n"Ann, A.",{ids[0]},"left, gone"\nBen,"{quoted}",\nAnn,{ids[0]},again\n')
    assert "2 changed, 0 needed" in bursar("suspend", "--file", path, "--yes").stdout
    assert not bots.check(odd).allowed and not bots.check(ids[0]).allowed and bots.check(ids[1]).allowed
    path.write_text("name,user\nno more columns\n")
    wrong = bursar("suspend", "--file", path, "--yes")
    assert wrong.returncode == 2 and "line 2" in wrong.stderr
    path.write_text("")
    nobody = bursar("suspend", "--file", path, "--yes")
    assert nobody.returncode == 2 and "is empty" in nobody.stderr and bots.check(ids[1]).allowed
    path.write_text("name,email\nAnn,ann@example.org\n")
    unnamed = bursar("suspend", "--file", path, "--yes", "--create")
    assert unnamed.returncode == 2 and "no column is called user or id; the columns are name, email" in unnamed.stderr


def test_ids_that_nobody_knows_make_accounts_only_where_that_is_meant(bots, bursar, tmp_path):
    _, ids = put(bots, 2)
    used, stranger = unique("used"), unique("stranger")
    bots.record(bots.check(used), input_tokens=1)
    bots.drained()
    path = tmp_path / "users.csv"
    path.write_text("\n".join(["id", ids[0], used, stranger]) + "\n")

    def known(user):
        return bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(user)), timeout=20).known

    for shown in (bursar("suspend", "--file", path), bursar("suspend", "--file", path, "--yes")):
        assert shown.returncode == 4 and stranger in shown.stderr and used not in shown.stderr and "--create" in shown.stderr, shown
    assert not known(stranger) and bots.check(ids[0]).allowed
    counts = json.loads(bursar("suspend", "--file", path, "--dry-run", "--json").stdout)
    assert (counts["to_change"], counts["failed"]) == (2, 1)
    assert "3 changed" in bursar("suspend", "--file", path, "--yes", "--create").stdout
    assert known(stranger) and not bots.check(used).allowed and not bots.check(ids[0]).allowed
    told = change(bots, {"action": "ACCOUNT_ACTION_DELETE"}, ids=[ids[1], unique("stranger")], known_only=True)[-1]
    assert (told.matched, told.changed, told.failed, told.unknown) == (2, 1, 1, 1)


def test_each_change_is_that_of_one_account(bots, bursar):
    prefix, ids = put(bots, 3)

    def account(user=ids[0]):
        return bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(user)), timeout=20)

    assert "3 changed" in bursar("grace", "--for", "2h", "--percent", 50, "--prefix", prefix, "--yes").stdout
    assert account().grace_percent == 50 and account().grace_until_us > 0
    assert "3 changed" in bursar("grace", "--off", "--state", "grace", "--yes").stdout and account().grace_until_us == 0
    assert "3 changed" in bursar("bypass", "on", "--prefix", prefix, "--yes").stdout and account().bypass
    assert "3 changed" in bursar("bypass", "off", "--state", "bypassed", "--yes").stdout and not account().bypass
    assert "3 changed" in bursar("override", "requests=7/min", "cost=1/day", "--prefix", prefix, "--yes").stdout
    assert len(account().overrides) == 2
    again = bursar("override", "requests=7/min", "--merge", "--overrides", "--prefix", prefix, "--yes").stdout
    assert "0 changed, 3 needed no change" in again
    shown = bursar("override", "--clear", "--prefix", prefix, "--dry-run").stdout
    assert "requests=7/min" in shown and "3 would change" in shown
    assert "3 changed" in bursar("override", "--remove", "requests_per_minute", "--prefix", prefix, "--yes").stdout
    assert [limit.dimension for limit in account().overrides] == [bots.types.DIMENSION_COST]
    assert "3 changed" in bursar("override", "--clear", "--overrides", "--prefix", prefix, "--yes").stdout and not account().overrides
    assert "3 changed" in bursar("delete", "--prefix", prefix, "--yes").stdout and account().deleted
    assert "0 changed, 0 needed" in bursar("delete", "--prefix", prefix, "--yes").stdout


def change(bots, wanted, **fields):
    """All messages of a ChangeAccounts."""
    request = bots.admin_pb.ChangeAccountsRequest(change=bots.admin_pb.AccountChange(**wanted), **fields)
    return list(bots.admin.ChangeAccounts(request, timeout=120))


PRO = {"action": "ACCOUNT_ACTION_SET_TIER", "tier": "pro"}


def test_progress_is_told_by_the_chunk_and_a_run_goes_on_behind_an_id(bots, bursard, stack):
    prefix = unique("mass") + "-"
    with stack.sql() as sql:
        sql.execute("INSERT INTO accounts (tenant, kind, id, tier) SELECT 'default', 1, %s || lpad(i::text, 5, '0'), 'free' FROM generate_series(0, 1199) AS i",
                    (prefix,))
    match = bots.admin_pb.AccountFilter(id_prefix=prefix)
    told = change(bots, PRO, filter=match, dry_run=True, examples=3)
    assert [message.matched for message in told] == [500, 1000, 1200] and [message.done for message in told] == [False, False, True]
    assert [(e.before.tier, e.after.tier) for e in told[0].examples] == [("free", "pro")] * 3 and not told[1].examples
    told = change(bots, PRO, filter=match, after=prefix + "00999", reason="the last")
    assert [(message.matched, message.changed, message.last_id) for message in told] == [(200, 200, prefix + "01199")]
    told = change(bots, PRO, filter=match)
    assert (told[-1].matched, told[-1].changed, told[-1].already, told[-1].pending) == (1200, 1000, 200, 0)
    assert change(bots, PRO, filter=bots.admin_pb.AccountFilter(id_prefix=prefix, tier="free"))[-1].matched == 0
    with stack.sql() as sql:
        sql.execute("SELECT count(*), count(DISTINCT target), count(*) FILTER (WHERE before->>'tier' = 'free' AND details->>'tier' = 'pro') "
                    "FROM audit_log WHERE target LIKE %s", ("user/" + prefix + "%",))
        assert sql.fetchone() == (1200, 1200, 1200)


def test_an_account_that_cannot_be_changed_is_told_and_the_others_are(bots):
    small, large = unique("small"), unique("large")
    bots.tier(small, bots.calendar("day", "requests", 9))
    bots.tier(large, *(bots.calendar(f"day{i}", "requests", 9) for i in range(2)))
    _, ids = put(bots, 3, small)
    bots.override(ids[1], *(bots.calendar(f"l{i}", "requests", 9) for i in range(31)))
    wanted = {"action": "ACCOUNT_ACTION_OVERRIDE_LIMITS", "merge": True, "limits": [bots.calendar("mine", "tokens", 5)]}
    told = change(bots, wanted, ids=[*ids, ids[0], unique("stranger")])[-1]
    assert (told.matched, told.changed, told.failed) == (4, 3, 1)
    assert [failure.id for failure in told.failures] == [ids[1]] and "at most 32" in told.failures[0].message
    told = change(bots, {"action": "ACCOUNT_ACTION_SET_TIER", "tier": large}, ids=ids)[-1]
    assert (told.matched, told.changed, told.failed) == (3, 2, 1)
    assert [failure.message for failure in told.failures] == [f"limits: {ids[1]} would have 33 including those of tier {large}; at most 32 are allowed"]


def test_what_a_stranger_is_already_makes_no_account(bots):
    stranger = unique("stranger")
    for action in ("UNSUSPEND", "DELETE"):
        told = change(bots, {"action": "ACCOUNT_ACTION_" + action}, ids=[stranger])[-1]
        assert (told.matched, told.already) == (1, 1)
    assert not bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(stranger)), timeout=20).known
    assert change(bots, {"action": "ACCOUNT_ACTION_SUSPEND"}, ids=[stranger], dry_run=True)[-1].changed == 1
    assert change(bots, {"action": "ACCOUNT_ACTION_SUSPEND"}, ids=[stranger])[-1].changed == 1
    assert not bots.check(stranger).allowed


@pytest.mark.parametrize("wanted, fields, field", [
    (PRO, {}, "filter"), (PRO, {"ids": ["a"], "filter": {}}, "filter"), (PRO, {"ids": ["a"] * 1001}, "ids"), (PRO, {"ids": ["a", "b\n"]}, "ids[1]"),
    ({"action": "ACCOUNT_ACTION_SET_TIER"}, {"filter": {}}, "change.tier"), ({**PRO, "tier": "gold"}, {"filter": {}}, "tier"),
    ({"action": "ACCOUNT_ACTION_SUSPEND", "tier": "pro"}, {"filter": {}}, "change.tier"), ({**PRO, "bypass": True}, {"filter": {}}, "change.bypass"),
    ({}, {"filter": {}}, "change.action"), ({"action": "ACCOUNT_ACTION_SET_GRACE", "grace_percent": 1001}, {"filter": {}}, "change.grace_percent"),
    (PRO, {"filter": {}, "kind": "ACCOUNT_KIND_TENANT"}, "kind"), (PRO, {"filter": {}, "examples": 101}, "examples")])
def test_a_request_that_is_wrong_names_the_field(bots, wanted, fields, field):
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, change, bots, wanted, **fields)
    assert error.details().startswith(field), error.details()


def waits_for_a_lock(sql):
    sql.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
    return sql.fetchone()[0] > 0


def test_who_interrupts_a_run_is_told_how_far_it_came(bots, bursar, bursard, stack):
    prefix, ids = put(bots, 600)
    with stack.sql() as held, stack.sql() as sql:  # the second 500 have to wait
        held.execute("BEGIN")
        held.execute("SELECT FROM accounts WHERE id = %s FOR UPDATE", (ids[-1],))
        running = subprocess.Popen([program("bursar"), "bulk", "set-tier", "pro", "--prefix", prefix, "--yes"], text=True,
                                   env={"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr}, stderr=subprocess.PIPE)
        until(lambda: tiers(bots, prefix)[ids[499]] == "pro", "the first 500 being changed")
        until(lambda: waits_for_a_lock(sql), "the rest waiting")
        running.send_signal(signal.SIGINT)
        said = running.communicate(timeout=60)[1]
    assert running.returncode == -signal.SIGINT and "interrupted: 500 were changed" in said and "Repeat the command" in said
    assert bursar("set-tier", "pro", "--prefix", prefix, "--yes").returncode == 0
    assert set(tiers(bots, prefix).values()) == {"pro"}


def test_an_interrupted_run_is_repeated_as_it_was(bots, bursar, bursard):
    """Under load, killed in the middle, and with the server killed in the middle of the second run."""
    prefix, ids = put(bots, 600)
    command = [program("bursar"), "bulk", "set-tier", "pro", "--prefix", prefix, "--yes"]
    env = {"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr}
    running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    until(lambda: bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(ids[20])), timeout=20).tier == "pro", "some being changed")
    running.send_signal(signal.SIGKILL)
    running.communicate()
    changed = sum(tier == "pro" for tier in tiers(bots, prefix).values())
    assert changed > 20
    running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    bots.check(unique("user"))
    bursard.restart()
    running.communicate(timeout=240)
    bots = bots.at(bursard.grpc_addr)
    last = bursar("set-tier", "pro", "--prefix", prefix, "--yes", "--json")
    assert last.returncode == 0, last.stderr
    assert json.loads(last.stdout)["matched"] == 600
    assert set(tiers(bots, prefix).values()) == {"pro"}
    audited = sum(len(bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(target="user/" + user), timeout=20).entries) for user in ids[:10])
    assert audited == 20  # put, and changed once
    bots.close()
