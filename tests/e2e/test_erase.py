"""A user asks to be forgotten: afterwards no table and, once the markers have expired, no key holds the id; the sums stay."""
import json
import os
import subprocess
import threading

import grpc
import pytest
from bots import Bots, fails_with, unique
from harness import protos
from harness.paths import program
from test_keys import code_of

MODEL = "gpt-5.4"
NAME = "zoe-forget-me"


def delete(bots, user):
    bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(user), reason=f"{user} asked for it"), timeout=10)


def erase(bots, user, timeout=60, reason="request 17"):
    return bots.admin.EraseAccount(bots.admin_pb.EraseAccountRequest(ref=bots.key(user), reason=reason), timeout=timeout).pseudonym


def dump(stack):
    """Every row of every table, as text."""
    with stack.sql() as sql:
        sql.execute("SELECT quote_ident(table_name) FROM information_schema.tables WHERE table_schema = 'public' "
                    "AND table_type = 'BASE TABLE'")
        text = ""
        for (table,) in sql.fetchall():
            sql.execute(f"SELECT t::text FROM {table} t")
            text += "".join(f"{table}: {row}\n" for (row,) in sql.fetchall())
    return text


def redis_names(stack, name):
    """Keys that name the user, or hold their name."""
    found = []
    for key in stack.redis.scan_iter(count=1000):
        if name in key or name in (stack.redis.dump(key) or b""):
            found.append(key)
    return found


def lived(bots, name=NAME):
    """A user who has left a name wherever there is room for it."""
    bots.account(name, tier="pro", time_zone="Europe/Berlin")
    bots.override(name, bots.calendar("extra", "requests", 1000))
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(name), reason=f"{name} was rude"), timeout=10)
    bots.admin.Unsuspend(bots.admin_pb.UnsuspendRequest(ref=bots.key(name), reason=f"{name} said sorry"), timeout=10)
    bots.admin.PutPrice(bots.admin_pb.PutPriceRequest(reason=f"a price for {name} alone", price=bots.admin_pb.Price(
        tenant=bots.tenant, account=name, provider="test", model=unique("model"), input="1", output="1", source="a test")), timeout=10)
    for number in range(3):
        answer = bots.check(name, model=MODEL, request_id=f"{name}-{number}", interface="telegram")
        bots.record(answer, input_tokens=100, output_tokens=10)
    bots.admin.Reset(bots.admin_pb.ResetRequest(ref=bots.key(name), reason=f"for {name}"), timeout=10)
    bots.record(bots.check(name, model=MODEL), input_tokens=50)
    bots.drained()


def bill(bots, ref):
    report = bots.admin.GetMonthlyReport(bots.admin_pb.GetMonthlyReportRequest(ref=ref), timeout=10)
    return report.total.requests, report.total.cost_nano_usd, report.total.usage.input_tokens


def test_an_erased_user_is_in_no_table_and_in_redis_only_as_markers_that_run_out(bots, stack):
    lived(bots)
    neighbour = NAME + "-too"
    bots.record(bots.check(neighbour), input_tokens=5)
    bots.drained()
    tenant, own = bill(bots, bots.key(bots.tenant, "TENANT")), bill(bots, bots.key(NAME))
    assert NAME + '"' in dump(stack) and own[0] == 4
    delete(bots, NAME)
    pseudonym = erase(bots, NAME)
    assert pseudonym.startswith("erased-") and len(pseudonym) == 39
    left = [line for line in dump(stack).replace(neighbour, "NEIGHBOUR").splitlines() if NAME in line]
    assert left == []
    assert bill(bots, bots.key(bots.tenant, "TENANT")) == tenant and bill(bots, bots.key(pseudonym)) == own
    assert bill(bots, bots.key(neighbour))[0] == 1
    keys = [key for key in redis_names(stack, NAME.encode()) if neighbour.encode() not in key]
    assert all(b":q:" in key or b":r:" in key for key in keys), keys
    assert all(0 < stack.redis.ttl(key) <= 15 * 60 for key in keys)
    last = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(target="user/" + pseudonym, page_size=1), timeout=10).entries[0]
    assert (last.action, last.reason) == ("account.erase", "request 17") and last.actor


def test_the_proof_is_equal_after_an_erase(bots):
    user = unique("user")
    bots.record(bots.check(user, model=MODEL, input_tokens=10), input_tokens=10)
    assert bots.drained().equal
    delete(bots, user)
    erase(bots, user)
    proof = bots.drained()
    assert proof.equal and proof.ledger.requests == 1


def test_only_a_deleted_user_is_erased_and_only_once(bots):
    code, user = grpc.StatusCode, unique("user")
    bots.account(user)
    assert "delete the account first" in fails_with(code.FAILED_PRECONDITION, erase, bots, user).details()
    delete(bots, user)
    assert fails_with(code.INVALID_ARGUMENT, erase, bots, user, reason=f"{user} wants it").details().startswith("reason")
    pseudonym = erase(bots, user)
    fails_with(code.NOT_FOUND, erase, bots, user)
    fails_with(code.NOT_FOUND, erase, bots, pseudonym)
    fails_with(code.NOT_FOUND, erase, bots, unique("nobody"))
    team = bots.admin_pb.EraseAccountRequest(ref=bots.key("red", "TEAM"))
    fails_with(code.INVALID_ARGUMENT, bots.admin.EraseAccount, team, timeout=10)


def test_what_is_open_has_to_end_first_and_the_command_waits_for_it(bots, bursard, bursar):
    user = unique("user")
    bots.account(user, tier="pro")
    answers = [bots.check(user) for _ in range(2)]
    delete(bots, user)
    refused = fails_with(grpc.StatusCode.FAILED_PRECONDITION, erase, bots, user)
    assert "2 reservations are open" in refused.details()
    assert bursar("account", "erase", user).returncode == 2
    assert "2 reservations are open" in bursar("account", "erase", user, "--yes").stderr
    waiting = subprocess.Popen([program("bursar"), "account", "erase", user, "--yes", "--wait", "--json"],
                               env={**os.environ, "BURSAR_ADDR": bursard.grpc_addr}, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert "waiting" in waiting.stderr.readline()
    named = {waiting.stderr.readline().split(":")[0] for _ in answers}
    assert named == {f"  request {answer.request_id}" for answer in answers}
    for answer in answers:
        bots.record(answer, input_tokens=1)
    out, _ = waiting.communicate(timeout=60)
    assert json.loads(out)["pseudonym"].startswith("erased-")


def test_the_id_comes_again_as_a_stranger_whatever_workers_remember(two_fleets):
    bots = two_fleets[0]
    user = bots.user_with(bots.calendar("day", "requests", 100))
    for fleet in two_fleets * 8:
        fleet.cancel(fleet.check(user))
    delete(bots, user)
    erase(bots, user)
    for fleet in two_fleets * 8:
        answer = fleet.check(user)
        assert answer.allowed and answer.tier == "free"
        fleet.cancel(answer)
    assert bots.account(user, tier="pro").version > 2
    for fleet in two_fleets * 8:
        answer = fleet.check(user)
        assert answer.allowed and answer.tier == "pro"
        fleet.cancel(answer)


def test_an_erase_that_is_killed_has_done_all_or_nothing_and_can_be_repeated(start_bursard, stack):
    server = start_bursard()
    bots = Bots(protos, server.grpc_addr)
    lived(bots)
    before = bill(bots, bots.key(bots.tenant, "TENANT"))
    delete(bots, NAME)
    with stack.sql() as sql:
        sql.execute("BEGIN")
        sql.execute("LOCK TABLE usage_monthly IN ACCESS EXCLUSIVE MODE")  # it stops in the middle of its transaction
        outcome = []
        thread = threading.Thread(target=lambda: outcome.append(code_of(erase, bots, NAME)))
        thread.start()
        while True:
            sql.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
            if sql.fetchone()[0]:
                break
        server.kill()
        thread.join()
        sql.execute("ROLLBACK")
    assert outcome[0] != grpc.StatusCode.OK
    again = Bots(protos, start_bursard().grpc_addr)
    assert NAME in dump(stack)
    assert bill(again, again.key(NAME))[0] == 4
    erase(again, NAME)
    assert NAME not in dump(stack)
    assert bill(again, again.key(again.tenant, "TENANT")) == before
    bots.close(), again.close()


@pytest.mark.long
def test_a_user_of_a_hundred_thousand_rows_is_erased_by_index(bots, stack):
    user = unique("user")
    bots.account(user)
    with stack.sql() as sql:
        sql.execute("SELECT ledger_partition(d::date) FROM generate_series(now() - interval '100 days', now(), '1 day') d")
        sql.execute("INSERT INTO ledger SELECT (now() - n %% 100 * interval '1 day')::date, 'default', u, 'r' || n, 0, 0, 0, now(), now(), "
                    "0, 1, 1, 1, 1, 1, 0, 0, 1, 0, 0, 0, 'o' || n, 'api', '', 'm', 'p', 'm', '', '', '', '', '' "
                    "FROM generate_series(1, 100000) n, unnest(ARRAY[%s, 'other']) u", (user,))
        delete(bots, user)
        pseudonym = erase(bots, user, timeout=300)
        sql.execute("SELECT user_id, count(*), sum(cost_nano), count(DISTINCT request_id) FROM ledger GROUP BY 1 ORDER BY 1")
        assert sql.fetchall() == [(pseudonym, 100000, 100000, 100000), ("other", 100000, 100000, 100000)]
