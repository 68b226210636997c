"""bursar bulk: one change for many accounts, shown first, interrupted and repeated."""
import json
import os
import signal
import subprocess

import pytest

from harness import program, until
from bots import unique


@pytest.fixture
def bursar(bursard):
    def run(*args, stdin=None):
        return subprocess.run([program("bursar"), "bulk", *map(str, args)], capture_output=True, text=True, timeout=240, check=False,
                              input=stdin, env={"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr})
    return run


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
    assert done.returncode == 0 and "30 changed, 0 were so already, 0 failed" in done.stdout
    assert tiers(bots, prefix) == {user: "pro" for user in ids}
    again = json.loads(bursar("set-tier", "pro", "--prefix", prefix, "--yes", "--json").stdout)
    assert again == {"matched": 30, "already": 30, "to_change": 0, "changed": 0, "failed": 0}
    entries = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(target="user/" + ids[0]), timeout=20).entries
    assert [entry.reason for entry in entries] == ["spring", ""]


def test_a_file_names_accounts_in_its_first_column(bots, bursar, tmp_path):
    _, ids = put(bots, 5)
    path = tmp_path / "leavers.csv"
    path.write_text("user,why\n" + "".join(f"{user},left\n" for user in ids[:3]) + "\n")
    assert "3 changed" in bursar("suspend", "--file", path, "--yes").stdout
    assert not bots.check(ids[0]).allowed and bots.check(ids[4]).allowed
    assert "3 changed" in bursar("unsuspend", "--file", path, "--yes").stdout
    assert "2 changed" in bursar("delete", "--file", "-", "--yes", stdin=f"{ids[3]}\r\n{ids[4]}\r\nnobody-{ids[0]}\r\n").stdout
    assert not bots.check(ids[4]).allowed and bots.check(ids[0]).allowed


@pytest.mark.parametrize("args, why", [
    (("set-tier", "pro"), "name which"), (("set-tier", "--tier", "free"), "TIER is missing"), (("suspend", "pro", "--tier", "free"), "only set-tier"),
    (("promote", "--tier", "free"), "none of"), (("suspend", "--file", "/nowhere"), "/nowhere")])
def test_what_was_typed_wrong_is_said_and_changes_nothing(bursar, args, why):
    done = bursar(*args, "--yes")
    assert done.returncode == 2 and why in done.stderr


def test_a_tier_that_is_not_there_fails_with_the_first_of_them(bots, bursar):
    prefix, _ = put(bots, 3)
    done = bursar("set-tier", "gold", "--prefix", prefix, "--yes")
    assert done.returncode == 4 and "gold" in done.stderr and prefix in done.stderr and "0 changed" in done.stdout


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
