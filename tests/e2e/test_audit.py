"""The audit log as a whole: exported line by line, in either order, resumed, quick however long it is; and every change is in it."""
import json
import os
import subprocess

import grpc
import pytest
from bots import fails_with
from harness.paths import program

ROWS = 200_000


@pytest.fixture
def export(bursard):
    def run(*args):
        done = subprocess.run([program("bursar"), "audit", "--export", *args], env={**os.environ, "BURSAR_ADDR": bursard.grpc_addr},
                              text=True, capture_output=True, timeout=120, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def filled(stack):
    """filled(n, tenant): n entries, each with its number as the reason."""

    def fill(rows, tenant="default"):
        with stack.sql() as sql:
            sql.execute("INSERT INTO audit_log (tenant, actor, action, target, reason, details) SELECT %s, 'key 1', 'account.change', "
                        "'user/u' || n %% 1000, 'ticket ' || n, 'null' FROM generate_series(1, %s) n", (tenant, rows))

    return fill


def test_an_export_has_every_entry_once_in_either_order(export, filled):
    filled(2500)
    newest, oldest = export(), export("--oldest-first")
    assert [entry["reason"] for entry in oldest] == [f"ticket {n}" for n in range(1, 2501)]
    assert newest == oldest[::-1]


def test_an_export_that_broke_off_goes_on_where_it_was(export, filled):
    filled(2500)
    for order in ([], ["--oldest-first"]):
        first = export("--limit", "1200", *order)
        rest = export("--after", str(first[-1]["id"]), *order)
        assert len(first) == 1200 and first + rest == export(*order)


def test_filters_hold_for_an_export(export, filled):
    filled(1500)
    filled(10, tenant="acme")
    assert len(export("--tenant", "acme")) == 10
    assert len(export("--all-tenants")) == 1510
    assert {entry["target"] for entry in export("--target", "user/u7")} == {"user/u7", *(f"user/u{n}" for n in range(70, 80)),
                                                                           *(f"user/u{n}" for n in range(700, 800))}
    assert [entry["reason"] for entry in export("--reason", "149", "--oldest-first")] == [
        f"ticket {n}" for n in (149, 1149, *range(1490, 1500))]
    assert export("--actor", "key 2") == [] == export("--to", "2020-01-01")


def test_a_page_of_a_long_log_is_read_by_an_index(bots, stack, filled):
    filled(ROWS)
    filled(ROWS, tenant="acme")
    with stack.sql() as sql:
        sql.execute("ANALYZE audit_log")
        for order in ("id DESC", "id"):
            for where in ("(false OR tenant = 'acme')", "(true OR tenant = 'acme')"):
                sql.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) SELECT id, details FROM audit_log WHERE {where} AND "
                            f"starts_with(actor, '') AND id > {ROWS // 2} ORDER BY {order} LIMIT 1001")
                plan = json.dumps(sql.fetchone()[0])
                assert "Seq Scan" not in plan and "Index" in plan, plan
    page = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(tenant="acme", page_size=1000, oldest_first=True), timeout=30)
    assert len(page.entries) == 1000 and page.next_page_token == str(page.entries[-1].id)


def test_a_time_that_begins_after_its_end_is_refused(bots):
    request = bots.admin_pb.ListAuditRequest(from_us=2, to_us=1)
    assert "from_us" in fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.admin.ListAudit, request, timeout=10).details()
