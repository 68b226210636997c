"""Bills, figures and forecasts: every report is the sum over the raw rows of the ledger, however it is asked for."""
import csv
import datetime
import functools
import io
import itertools
import json
import os
import signal
import subprocess
import time

import grpc
import pytest

from harness import program
from bots import Bots, fails_with, unique

COLUMNS = {"user": "user_id", "day": "day::text", "tier": "tier", "model": None, "interface": "interface"}
MODEL = "CASE WHEN price_model <> '' THEN price_model WHEN model <> '' THEN model ELSE model_checked END"
MEASURES = ("sum(requests), sum(input), sum(cached_input), sum(cache_write), sum(output), sum(reasoning), sum(audio_input), "
            "sum(audio_output), sum(flags & 1), sum(cost_nano)")
ALL_BY = [by for n in range(4) for by in itertools.combinations(("day", "model", "interface"), n)]


def expected(stack, where, by, *values):
    """{key: measures} by an SQL of its own over ledger rows; a model's key is its provider and itself."""
    names = [column for key in COLUMNS if key in by
             for column in (["provider", MODEL] if key == "model" else [COLUMNS[key]])]
    with stack.sql() as sql:
        sql.execute(f"SELECT ARRAY[{','.join(names)}]::text[], {MEASURES} FROM ledger WHERE entry <> 2 AND {where} GROUP BY 1", values)
        return {tuple(row[0]): tuple(map(int, row[1:])) for row in sql.fetchall() if row[1] is not None}


def measures(line):
    u = line.usage
    return (line.requests, u.input_tokens, u.cached_input_tokens, u.cache_write_tokens, u.output_tokens, u.reasoning_tokens,
            u.audio_input_tokens, u.audio_output_tokens, line.unpriced_requests, line.cost_nano_usd)


def key_of(line, by):
    return tuple(part for key in COLUMNS if key in by
                 for part in ((line.provider, line.model) if key == "model" else (getattr(line, key),)))


def total_of(lines):
    return tuple(sum(column) for column in zip(*lines)) or (0,) * 10


class House:
    """Two tenants with teams and orgs and a month behind them."""

    def __init__(self, bots, stack, until):
        self.bots, self.stack = bots, stack
        self.fleets = [Bots(bots.stubs, bots.address, unique("fleet")) for _ in range(2)]
        for fleet in self.fleets:
            fleet.account("acme", kind="ORG")
            fleet.account("red", kind="TEAM", org="acme")
            fleet.account("blue", kind="TEAM")
            for user, team in (("ann", "red"), ("bob", "blue"), ("cyd", ""), ('d,"e"', "red")):
                fleet.account(user, tier="enterprise", team=team)
                self.traffic(fleet, user)
            fleet.account("ann", team="blue", tier="pro")  # and takes along nothing of what she used
            self.traffic(fleet, "ann")
            fleet.check("cyd", model="gpt-4o", input_tokens=10, reservation_ttl_us=1_000_000)  # expires
            fleet.admin.Reset(fleet.admin_pb.ResetRequest(ref=fleet.key("bob")), timeout=10)
            fleet.drained()
            for user, fields in (("cyd", {"cost_nano_usd": 7, "model": "gpt-4o"}), ("bob", {"requests": 2, "ledger_only": True})):
                fleet.admin.AdjustLedger(fleet.admin_pb.AdjustLedgerRequest(tenant=fleet.tenant, user=user, reason="test", **fields), timeout=10)
        self.settled(until)
        self.ann_in_red = expected(stack, "tenant = %s AND user_id = 'ann' AND team = 'red'", (), self.fleets[0].tenant)[()]

    def traffic(self, fleet, user):
        for i, (model, interface) in enumerate(itertools.product(("gpt-4o", "claude-sonnet-4-5"), ("telegram", "web", "api"))):
            answer = fleet.check(user, model=model, input_tokens=100, max_output_tokens=100, interface=interface)
            if i == 1:
                fleet.record(answer, attempt=1, keep_open=True, input_tokens=7, output_tokens=1)
            fleet.record(answer, attempt=2, input_tokens=90 + i, output_tokens=10 * i, cached_input_tokens=i, reasoning_tokens=2)

    def settled(self, until):
        def is_settled():
            with self.stack.sql() as sql:
                sql.execute("SELECT count(*) FILTER (WHERE entry = 1), count(*) FILTER (WHERE entry = 2) FROM ledger")
                return sql.fetchone() == (2, 2)
        until(is_settled)
        for fleet in self.fleets:
            fleet.drained()

    def owners(self, fleet):
        yield "USER", "ann", "tenant = %s AND user_id = %s"
        yield "TEAM", "red", "tenant = %s AND team = %s"
        yield "TEAM", "blue", "tenant = %s AND team = %s"
        yield "ORG", "acme", "tenant = %s AND org = %s"
        yield "TENANT", fleet.tenant, "tenant = %s AND tenant = %s"


def report(fleet, kind, owner, by=(), **fields):
    keys = [fleet.admin_pb.ReportKey.Value("REPORT_KEY_" + key.upper()) for key in by]
    parts = list(fleet.admin.GetReport(fleet.admin_pb.GetReportRequest(ref=fleet.key(owner, kind), by=keys, **fields), timeout=30))
    assert parts and all(not part.HasField("total") for part in parts[:-1]) and parts[-1].HasField("total")
    assert all(len(part.lines) <= 1000 for part in parts) and parts[-1].done == parts[-1].expected
    return [line for part in parts for line in part.lines], parts[-1].total


@pytest.fixture
def house(bots, stack, until):
    house = House(bots, stack, until)
    yield house
    for fleet in house.fleets:
        fleet.close()


def test_every_report_by_every_grouping_is_the_sum_of_its_ledger_rows(house):
    for fleet in house.fleets:
        for kind, owner, where in house.owners(fleet):
            for by in ALL_BY + [("user", *by) for by in ALL_BY if kind in ("USER", "TENANT")] + [("tier", *by) for by in ALL_BY if kind == "TENANT"]:
                right = expected(house.stack, where, by, fleet.tenant, owner)
                lines, total = report(fleet, kind, owner, by)
                if by:
                    assert {key_of(line, by): measures(line) for line in lines} == right
                    assert len(lines) == len(right)
                else:
                    assert not lines
                assert measures(total) == total_of(right.values())
                assert total.requests > 0


def test_the_use_of_a_tier_is_that_of_its_users_at_the_time(house):
    fleet, pb = house.fleets[0], house.fleets[0].admin_pb
    right = expected(house.stack, "tenant = %s AND tenant = %s", ("tier",), fleet.tenant, fleet.tenant)
    stats = fleet.admin.GetStats(pb.GetStatsRequest(tenant=fleet.tenant, by_tier=True), timeout=20)
    assert {(use.name,): (use.requests, use.cost_nano_usd) for use in stats.by_tier} == {tier: (row[0], row[-1]) for tier, row in right.items()}
    assert set(right) == {("enterprise",), ("pro",)} and right["pro",][0] == 6
    assert [use.cost_nano_usd for use in stats.by_tier] == sorted((use.cost_nano_usd for use in stats.by_tier), reverse=True)
    assert not fleet.admin.GetStats(pb.GetStatsRequest(tenant=fleet.tenant), timeout=20).by_tier
    keys = [pb.REPORT_KEY_TIER, pb.REPORT_KEY_USER]
    for ref, by in ((fleet.key("", "TENANT"), keys), (fleet.key("red", "TEAM"), keys[:1]), (fleet.key("ann"), keys[:1])):
        error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, list, fleet.admin.GetReport(pb.GetReportRequest(ref=ref, by=by), timeout=20))
        assert error.details().startswith("by: ") and "tier" in error.details()
    fails_with(grpc.StatusCode.INVALID_ARGUMENT, fleet.admin.CompareCosts, pb.CompareCostsRequest(ref=fleet.key("", "TENANT"), by=keys[:1]), timeout=20)


def test_what_was_used_before_tiers_were_kept_is_of_no_tier(house):
    fleet, pb = house.fleets[0], house.fleets[0].admin_pb
    before, whole = report(fleet, "TENANT", "", ("day", "tier"))
    with house.stack.sql() as sql:  # as a bursard before migration 24 has left it
        sql.execute("DELETE FROM usage_shared_daily WHERE tenant = %s AND kind = 6 AND id = 'pro'", (fleet.tenant,))
    after, total = report(fleet, "TENANT", "", ("day", "tier"))
    assert total == whole and sorted(line.tier for line in after) == ["", "enterprise"]
    assert [measures(line) for line in after if not line.tier] == [measures(line) for line in before if line.tier == "pro"]
    stats = fleet.admin.GetStats(pb.GetStatsRequest(tenant=fleet.tenant, by_tier=True), timeout=20)
    assert [use.name for use in stats.by_tier] == ["enterprise", ""]
    assert sum(use.cost_nano_usd for use in stats.by_tier) == stats.total.cost_nano_usd


def test_what_was_used_before_a_move_stays_with_the_old_team(house):
    fleet = house.fleets[0]
    assert house.ann_in_red[0] == 6
    with house.stack.sql() as sql:
        sql.execute("SELECT sum(requests) FROM ledger WHERE tenant = %s AND team = 'red' AND user_id <> 'ann'", (fleet.tenant,))
        others = int(sql.fetchone()[0])
    assert report(fleet, "TEAM", "red")[1].requests == 6 + others
    fleet.account("ann", team="red")
    assert report(fleet, "TEAM", "red")[1].requests == 6 + others


def test_filters_and_days_choose_what_is_summed(house):
    fleet = house.fleets[0]
    today = datetime.datetime.now(datetime.timezone.utc).date()
    for fields, where in (({"model": "gpt-4o"}, "price_model = 'gpt-4o'"), ({"model": "openai/gpt-4o"}, "price_model = 'gpt-4o'"),
                          ({"interface": "web"}, "interface = 'web'"), ({"from_day": str(today)}, f"day = '{today}'"),
                          ({"model": "gpt-4o", "interface": "api"}, "price_model = 'gpt-4o' AND interface = 'api'")):
        right = expected(house.stack, "tenant = %s AND " + where, ("model", "user"), fleet.tenant)
        lines, _ = report(fleet, "TENANT", "", ("model", "user"), **fields)
        assert {key_of(line, ("user", "model")): measures(line) for line in lines} == right
    assert report(fleet, "TENANT", "", ("day",), from_day="2026-01-01", to_day="2026-01-31")[0] == []


def test_the_unary_report_has_the_same_lines_and_figures(house):
    fleet = house.fleets[1]
    for kind, owner, where in house.owners(fleet):
        answer = fleet.admin.GetMonthlyReport(fleet.admin_pb.GetMonthlyReportRequest(ref=fleet.key(owner, kind)), timeout=10)
        by = ("day", "model", "interface")
        assert {key_of(line, by): measures(line) for line in answer.lines} == expected(house.stack, where, by, fleet.tenant, owner)
    stats = fleet.admin.GetStats(fleet.admin_pb.GetStatsRequest(tenant=fleet.tenant), timeout=10)
    cost = {key[0]: values[-1] for key, values in expected(house.stack, "tenant = %s", ("user",), fleet.tenant).items()}
    assert {user.user: user.cost_nano_usd for user in stats.top_users} == cost
    assert [user.cost_nano_usd for user in stats.top_users] == sorted(cost.values(), reverse=True)
    assert stats.total.cost_nano_usd == sum(cost.values())
    for groups, kind, names in ((stats.by_team, "TEAM", {"red", "blue"}), (stats.by_org, "ORG", {"acme"})):
        assert {group.name for group in groups} == names
        for group in groups:
            assert group.cost_nano_usd == report(fleet, kind, group.name)[1].cost_nano_usd


def test_what_is_asked_wrongly_is_said(house):
    fleet, bad = house.fleets[0], grpc.StatusCode.INVALID_ARGUMENT
    today = str(datetime.datetime.now(datetime.timezone.utc).date())
    for kind, owner, by, fields, word in (
            ("TEAM", "red", ("user",), {}, "by: "), ("MODEL", "gpt-4o", (), {}, "ref.kind: "), ("TEAM", "", (), {}, "ref.id: "),
            ("TENANT", "", ("day",) * 5, {}, "by: "), ("TENANT", "", ("unspecified",), {}, "by: "),
            ("TENANT", "", (), {"month": "2026-13"}, "month: "), ("TENANT", "", (), {"month": "2026-11", "from_day": today}, "month: "),
            ("TENANT", "", (), {"to_day": today}, "from_day: "), ("TENANT", "", (), {"from_day": "2026-02-30"}, "from_day: "),
            ("TENANT", "", (), {"from_day": "2026-02-02", "to_day": "2026-02-01"}, "to_day: "),
            ("TENANT", "", (), {"from_day": "2025-01-01", "to_day": "2026-01-02"}, "to_day: "), ("USER", "ann", (), {"interface": "x" * 129}, "interface: ")):
        error = fails_with(bad, report, fleet, kind, owner, by, **fields)
        assert word.rstrip(": ") in error.details(), (error.details(), word)
    request = fleet.admin_pb.GetReportRequest(ref=fleet.key("ann"))
    request.by.append(77)
    assert "by" in fails_with(bad, lambda: list(fleet.admin.GetReport(request, timeout=10))).details()
    stats = fleet.admin_pb.GetStatsRequest(from_us=1, to_us=10**15)
    assert "366 days" in fails_with(bad, fleet.admin.GetStats, stats, timeout=10).details()


def fill_users(stack, tenant, users):
    """Users with one day's use each, without a ledger."""
    with stack.sql() as sql:
        sql.execute("INSERT INTO usage_daily SELECT %s, 'u' || lpad(i::text, 6, '0'), (now() AT TIME ZONE 'UTC')::date, 'web', 'p', 'm', "
                    "1, 1, 1, 1, i, 1, 1, 1, 1, 1, 1, 1, 0 FROM generate_series(1, %s) i", (tenant, users))
        sql.execute("INSERT INTO usage_monthly SELECT tenant, user_id, date_trunc('month', day), 1, 1, 1, 1, cost_nano FROM usage_daily "
                    "WHERE tenant = %s", (tenant,))
        sql.execute("INSERT INTO usage_shared_daily SELECT tenant, 5, tenant, day, provider, model, interface, 0, sum(rows), sum(requests), "
                    "1, 1, sum(cost_nano), sum(input), 1, 1, 1, 1, 1, 1, 0 FROM usage_daily WHERE tenant = %s "
                    "GROUP BY tenant, day, provider, model, interface", (tenant,))


def test_a_long_report_comes_in_parts_with_progress(bots, stack):
    fleet = Bots(bots.stubs, bots.address, unique("many"))
    fill_users(stack, fleet.tenant, 2500)
    request = fleet.admin_pb.GetReportRequest(ref=fleet.key("", "TENANT"), by=[fleet.admin_pb.REPORT_KEY_USER])
    parts = list(fleet.admin.GetReport(request, timeout=60))
    assert [len(part.lines) for part in parts] == [1000, 1000, 500]
    assert [(part.done, part.expected) for part in parts] == [(1000, 2500), (2000, 2500), (2500, 2500)]
    users = [line.user for part in parts for line in part.lines]
    assert users == sorted(set(users)) and len(users) == 2500
    assert parts[-1].total.cost_nano_usd == 2500 * 2501 // 2
    fleet.close()


def test_a_report_that_is_cancelled_in_the_middle_leaves_the_server_well(bots, stack, bursard, until):
    fleet = Bots(bots.stubs, bots.address, unique("many"))
    fill_users(stack, fleet.tenant, 5000)
    request = fleet.admin_pb.GetReportRequest(ref=fleet.key("", "TENANT"), by=[fleet.admin_pb.REPORT_KEY_USER])
    for taken in (0, 1, 3):
        stream = fleet.admin.GetReport(request, timeout=60)
        for _ in range(taken):
            assert len(next(stream).lines) == 1000
        stream.cancel()
    assert sum(len(part.lines) for part in fleet.admin.GetReport(request, timeout=60)) == 5000
    stream = fleet.admin.GetReport(request, timeout=60)
    next(stream)
    bursard.signal(signal.SIGTERM)  # nobody takes the next parts: the server ends all the same
    until(lambda: not bursard.running())
    fleet.close()


def test_a_monthly_report_that_is_too_long_names_the_other_call(bots, stack):
    fleet = Bots(bots.stubs, bots.address, unique("many"))
    with stack.sql() as sql:
        sql.execute("INSERT INTO usage_shared_daily SELECT %s, 5, %s, (now() AT TIME ZONE 'UTC')::date, 'p', 'm' || i, 'web', 0, 1, 1, 1, 1, 1, "
                    "1, 1, 1, 1, 1, 1, 1, 0 FROM generate_series(1, 10001) i", (fleet.tenant, fleet.tenant))
    request = fleet.admin_pb.GetMonthlyReportRequest(ref=fleet.key("", "TENANT"))
    error = fails_with(grpc.StatusCode.FAILED_PRECONDITION, fleet.admin.GetMonthlyReport, request, timeout=20)
    assert "GetReport" in error.details()
    lines, total = report(fleet, "TENANT", "", ("model",))
    assert len(lines) == total.requests == 10001
    fleet.close()


def test_a_forecast_carries_the_mean_on_and_names_the_day_the_budget_ends(house):
    fleet = house.fleets[0]
    ask = lambda kind, owner: fleet.admin.GetForecast(fleet.admin_pb.GetForecastRequest(ref=fleet.key(owner, kind)), timeout=10)
    nobody = ask("USER", "nobody")
    assert nobody.basis == fleet.admin_pb.FORECAST_BASIS_NONE and nobody.projected_cost_nano_usd == nobody.cost_nano_usd == 0
    assert not nobody.runs_out_on and nobody.budget_nano_usd == 5_000_000_000  # of the free tier
    for kind, owner, _ in house.owners(fleet):
        answer, used = ask(kind, owner), report(fleet, kind, owner)[1]
        assert (answer.cost_nano_usd, answer.requests) == (used.cost_nano_usd, used.requests)
        assert answer.basis == fleet.admin_pb.FORECAST_BASIS_TODAY and answer.basis_cost_nano_usd == used.cost_nano_usd
        now = datetime.datetime.fromtimestamp(answer.now_us / 1e6, datetime.timezone.utc)
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        end_us = int((month + datetime.timedelta(days=32)).replace(day=1).timestamp()) * 1_000_000
        more = -(-answer.basis_cost_nano_usd * (end_us - answer.now_us) // fleet_day(1))
        assert answer.projected_cost_nano_usd == answer.cost_nano_usd + more
    spent = ask("TEAM", "red").cost_nano_usd
    fleet.override("red", fleet.calendar("month", "cost", 1000 * spent, "MONTH"), fleet.calendar("web", "cost", 1, "MONTH", interface="web"),
                   kind="TEAM")
    assert ask("TEAM", "red").budget_name == "month" and not ask("TEAM", "red").runs_out_on
    fleet.override("red", fleet.calendar("month", "cost", spent, "MONTH"), kind="TEAM")
    answer = ask("TEAM", "red")
    assert answer.runs_out_on == str(datetime.datetime.fromtimestamp(answer.now_us / 1e6, datetime.timezone.utc).date())


def fleet_day(days):
    return days * 86_400_000_000


@pytest.fixture
def bursar(bursar):
    return functools.partial(bursar, "report")


def test_csv_json_and_table_say_the_same(house, bursar):
    fleet = house.fleets[0]
    for by in ("user,day,model,interface", "user", "model", "none"):
        args = ("month", "--tenant", fleet.tenant, "--by", by)
        document = json.loads(bursar(*args, "--json").stdout)
        text = bursar(*args, "--csv").stdout
        rows = list(csv.DictReader(io.StringIO(text, newline="")))
        table = bursar(*args).stdout.splitlines()
        lines = document["lines"] if by != "none" else [document["total"]]
        assert len(rows) == len(lines) > 0
        assert len(table) == 2 + len(document["lines"]) + 1  # whose it is, the heading, the total
        for row, line in zip(rows, lines):
            for key in by.split(",") if by != "none" else ():
                assert row[key] == line[key]
            assert row["cost_usd"] == f"{line['cost_nano_usd'] // 10**9}.{line['cost_nano_usd'] % 10**9:09}"
            assert int(row["requests"]) == line["requests"] and int(row["cached_input_tokens"]) == line["usage"]["cached_input_tokens"]
        assert sum(line["cost_nano_usd"] for line in lines) == document["total"]["cost_nano_usd"]
        assert sum(int(row["cost_usd"].replace(".", "")) for row in rows) == document["total"]["cost_nano_usd"]
        shown = f"{document['total']['cost_nano_usd'] / 1e9:.9f}".rstrip("0")
        assert table[-1].endswith(shown) and ("total" in table[-1] or by == "none")
    assert '"d,""e"""' in bursar("month", "--tenant", fleet.tenant, "--by", "user", "--csv").stdout


def test_the_command_line_reports_on_groups_days_tops_and_forecasts(house, bursar):
    fleet = house.fleets[0]
    today = str(datetime.datetime.now(datetime.timezone.utc).date())
    team = json.loads(bursar("days", "red", "--kind", "team", "--tenant", fleet.tenant, "--from", today, "--by", "day", "--json").stdout)
    assert [line["day"] for line in team["lines"]] == [today] and team["from_day"] == team["to_day"] == today
    top = bursar("top", "--tenant", fleet.tenant, "--month", today[:7], "-n", "2")
    assert top.returncode == 0 and "TEAM" in top.stdout and "red" in top.stdout and "acme" in top.stdout
    assert json.loads(bursar("top", "--tenant", fleet.tenant, "--month", "2026-01", "--json").stdout)["top_users"] == []
    forecast = bursar("forecast", "ann", "--tenant", fleet.tenant)
    assert "month's end" in forecast.stdout and "today so far" in forecast.stdout and "lasts past the end of the month" in forecast.stdout


def test_a_long_report_is_one_document_and_says_how_far_it_is(bots, stack, bursard, until):
    tenant = unique("many")
    fill_users(stack, tenant, 2500)
    args = [program("bursar"), "report", "month", "--tenant", tenant, "--by", "user"]
    env = {"PATH": os.environ["PATH"], "BURSAR_ADDR": bursard.grpc_addr}
    with stack.sql() as sql:
        sql.connection.autocommit = False
        sql.execute("LOCK TABLE usage_daily")
        process = subprocess.Popen([*args, "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)
        with stack.sql() as look:
            until(lambda: look.execute("SELECT FROM pg_locks WHERE NOT granted") or look.fetchall())
        began = time.monotonic()
        until(lambda: time.monotonic() > began + 2.1)  # it reports on itself from two seconds on
        sql.connection.commit()
    out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert process.returncode == 0 and err == "1,000 of 2,500 users\n"
    assert len(document["lines"]) == document["total"]["requests"] == 2500
    table = subprocess.run(args, capture_output=True, text=True, timeout=60, check=True, env=env).stdout.splitlines()
    assert [i for i, line in enumerate(table) if line.startswith("USER")] == [1, 1002, 2003] and table[-1].startswith("total")
    rows = subprocess.run([*args, "--csv"], capture_output=True, text=True, timeout=60, check=True, env=env).stdout.splitlines()
    assert len(rows) == 2501 and sum(line.startswith("user,") for line in rows) == 1


def test_the_command_line_says_what_to_do(bursar):
    for args, word in ((("month", "--by", "hour"), "not one of day, model"), (("month", "--month", "2026-1"), "2026-11"),
                       (("month", "--kind", "team"), "ID is missing"), (("days",), "--from"), (("month", "--csv", "--json"), "--csv"),
                       (("top", "-n", "101"), "at most 100")):
        process = bursar(*args)
        assert process.returncode == 2 and word in process.stderr and not process.stdout, (args, process.stderr)
    refused = bursar("month", "red", "--kind", "team", "--by", "user")
    assert refused.returncode == 4 and "by: only a tenant has a report by user" in refused.stderr and not refused.stdout
