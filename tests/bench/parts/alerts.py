"""The ledger's lag, CPU and memory while 100,000 users cross 80% of a limit within a minute, with the role alerts and without."""
import concurrent.futures
import contextlib
import json
import time

import harness
from destinations import Hook
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_seconds, peak_resident_kib, tree_cpu_seconds

ROLES = {"without": "serve,ledger,http", "with": "serve,ledger,http,alerts"}
USERS, MINUTE_S = 100_000, 60
BATCH = 200  # users of one CheckBatch and one RecordBatch
QUOTA, USED = 1_000_000, 850_000  # tokens a day of a user, and what a record takes of it
DIGEST_US, RATE = 10_000_000, 600  # of the channel; RATE is the largest
PATIENCE_S = 900

# Exact: from the record in Redis to the commit in PostgreSQL.
LAGS = """
SELECT count(*), percentile_cont(0.5) WITHIN GROUP (ORDER BY lag), percentile_cont(0.99) WITHIN GROUP (ORDER BY lag),
	count(*) / extract(epoch FROM max(committed) - min(at))::float
FROM (SELECT at, committed, extract(epoch FROM committed - at)::float * 1000 AS lag
	FROM (SELECT at, pg_xact_commit_timestamp(xmin) AS committed FROM ledger WHERE charged_input > 0) c) l
"""


def wait(condition, what, server):
    """Asks twice a second, because what it asks costs CPU as well."""
    harness.until(lambda: time.sleep(0.4) or condition(), what, PATIENCE_S, alive=server)


def prepare(bench, bots, server, hook, users):
    """A tier, users who are known, and a channel to which the shipped rule of users would send nothing."""
    bots.tier("free", bots.calendar("tpd", "tokens", QUOTA), bots.calendar("rpd", "requests", 1000), bots.calendar("cpmo", "cost", 10**15, "MONTH"))
    bots.admin.PutAlertChannel(bots.stubs.alerts_pb2.PutAlertChannelRequest(channel=bots.stubs.alerts_pb2.AlertChannel(
        tenant="default", name="ops", kind="ALERT_CHANNEL_KIND_WEBHOOK", target=hook.url, digest_us=DIGEST_US, rate_per_minute=RATE)), timeout=60)
    bots.admin.PutAlertRule(bots.stubs.alerts_pb2.PutAlertRuleRequest(rule=bots.stubs.alerts_pb2.AlertRule(
        tenant="default", name="users", kind="ALERT_KIND_THRESHOLD", severity="ALERT_SEVERITY_INFO", account_kinds=["ACCOUNT_KIND_USER"],
        percents=[50, 80, 100])), timeout=60)
    time.sleep(1.5)  # the tier's change reaches every worker within a second
    bench.load(server.grpc_addr, calls=users // BATCH, batch=BATCH, in_flight=2, users=users)
    if "alerts" in server.options["roles"]:
        wait(lambda: server.database.value("SELECT alerts_live()"), "the role alerts", server)


def cross(bots, first, begin):
    """Takes 85% of the limit of so many users, once it is time."""
    pb = bots.limiter_pb
    checks = pb.CheckBatchRequest(items=[bots.request(f"user-{first + i}", input_tokens=USED, max_output_tokens=1) for i in range(BATCH)])
    time.sleep(max(0, begin - time.monotonic()))
    checked = bots.limiter.CheckBatch(checks, timeout=120).items
    records = [pb.RecordRequest(reservation=bots.ref(item.response), usage=bots.types.TokenUsage(input_tokens=USED)) for item in checked]
    answered = bots.limiter.RecordBatch(pb.RecordBatchRequest(items=records), timeout=120).items
    assert not any(item.HasField("error") for item in (*checked, *answered)), answered


def settle(server, users, alerts):
    """Everything is in the ledger, judged, stored and sent."""
    wait(lambda: server.metric("ledger_rows_total") >= users, "all rows being in the ledger", server)
    if not alerts:
        return
    with server.database.sql() as sql:
        def over():
            sql.execute("SELECT NOT EXISTS (SELECT FROM alert_due) AND NOT EXISTS (SELECT FROM alert_pending) "
                        "AND NOT EXISTS (SELECT FROM alert_deliveries WHERE state = 1)")
            return sql.fetchone()[0]
        wait(over, "all alerts being sent", server)


def told(database, hook, users):
    """What was stored and what arrived; nothing may be missing."""
    stored = {str(number) for number, in database.query("SELECT id FROM alert_events WHERE rule = 'users' AND percent = 80")}
    accounts = database.value("SELECT count(DISTINCT account) FROM alert_events WHERE rule = 'users' AND percent = 80")
    messages = [json.loads(body)["data"] for _, _, body in hook.requests]
    arrived = {event["id"] for data in messages for event in data.get("events", [data]) if event["rule"] == "users"}
    assert len(stored) == accounts == users and arrived == stored, (len(stored), accounts, len(arrived))
    return {"events": len(stored), "messages": len(messages)}


def measure(bench, postgres, roles, users, seconds):
    hook, alerts = Hook(), "alerts" in roles
    with bench.bursard(database=bench.database(postgres), roles=roles, alert_allow="127.0.0.0/8", new_users_per_minute=10**8) as (server, _), \
            contextlib.closing(hook), contextlib.closing(bench.bots(server)) as bots:
        prepare(bench, bots, server, hook, users)
        cpu = {"bursard": lambda: cpu_seconds(server.pid), "PostgreSQL": lambda: tree_cpu_seconds(postgres.pid)}
        before, begin = {who: seen() for who, seen in cpu.items()}, time.monotonic() + 1
        with concurrent.futures.ThreadPoolExecutor(16) as callers:
            firsts = range(0, users, BATCH)
            list(callers.map(lambda first: cross(bots, first, begin + seconds * first / users), firsts))
        settle(server, users, alerts)
        found = {who: (seen() - before[who]) / users * 1e6 for who, seen in cpu.items()}
        rows, median, p99, rate = server.database.query(LAGS)[0]
        assert rows == users, rows
        found.update({"lag": median, "lag p99": p99, "rows": rate, "peak": peak_resident_kib(server.pid) / 1024})
        return {**found, **(told(server.database, hook, users) if alerts else {})}


def crossing(bench):
    users, seconds = bench.scaled(USERS), bench.scaled(MINUTE_S)
    postgres = harness.Postgres(settings={"track_commit_timestamp": "on"})
    try:
        found = interleave(bench.rounds, {name: lambda _, roles=roles: measure(bench, postgres, roles, users, seconds) for name, roles in ROLES.items()})
    finally:
        postgres.stop()
    rows = []
    for key, what, digits in (("lag", "lag of the ledger, median, ms", 0), ("lag p99", "lag of the ledger, p99, ms", 0),
                              ("rows", "rows a second, until the last is in the ledger", 0), ("bursard", "bursard, µs of CPU a user", 1),
                              ("PostgreSQL", "PostgreSQL, µs of CPU a user", 1), ("peak", "bursard, largest resident memory, MiB", 1)):
        without, by = (column(found[side], key) for side in ("without", "with"))
        rows.append((what, spread(without, digits), spread(by, digits), ratio(by, without)))
    for key, what in (("events", "events stored, none missing"), ("messages", "messages sent")):
        rows.append((what, "", spread(column(found["with"], key), 0), ""))
    table(f"Alerts: {users:,} users cross 80% within {seconds} s", "alerts", rows, ("what", "without the role", "with it", "**with / without**"))


def idle(bench):
    """Two installations side by side, so that whatever else the machine does hits both."""
    seconds = bench.scaled(50)
    with contextlib.ExitStack() as stack:
        seen = {}
        for name, roles in ROLES.items():
            postgres = harness.Postgres()
            stack.callback(postgres.stop)
            server, _ = stack.enter_context(bench.bursard(database=bench.database(postgres), roles=roles))
            seen[name, "bursard"] = lambda pid=server.pid: cpu_seconds(pid)
            seen[name, "PostgreSQL"] = lambda pid=postgres.pid: tree_cpu_seconds(pid)
        time.sleep(5)  # what begins with a process, like the first reconciliation
        rounds = []
        for _ in range(bench.rounds):
            before = {key: now() for key, now in seen.items()}
            time.sleep(seconds)
            rounds.append({key: (now() - before[key]) / seconds * 1e3 for key, now in seen.items()})
    rows = []
    for who in ("bursard", "PostgreSQL"):
        without, by = (column(rounds, (name, who)) for name in ROLES)
        rows.append((f"{who}, ms of CPU a second", spread(without, 2), spread(by, 2), spread([b - a for a, b in zip(without, by)], 2, bold=True)))
    table("Alerts while nobody calls", "alerts", rows, ("what", "without the role", "with it", "**what it adds**"))


def run(bench):
    idle(bench)
    crossing(bench)
