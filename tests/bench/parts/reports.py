"""Bills, figures and forecasts with a million accounts, beside a look at one account through the same server."""
import datetime
import time

import harness
from measuring.figures import column, ratio, spread, table
from measuring.processes import resident_kib

TENANT, EVEN, TEAMS, ORGS = "fleet", "even", 1000, 50
MODELS, INTERFACES, DAYS_OF_USER = 8, 4, 3

# Every user was active on three days of the running month (or as many as it has); the user's number decides on which days, models and interfaces. The
# months before have rows as well, which must cost nothing. Some users cost far more than others, as in any fleet with free and paying users: log-normal,
# sigma 2. The users of a second tenant all cost about the same: nobody is known to cost the most before all are added up.
COSTS = {
    TENANT: "1 + (1e6 * exp(2 * sqrt(-2 * ln((i::bigint * 7919 % 1000003 + 1) / 1000004.0)) * cos(i * 2.399963)) * (0.5 + (i + d) % 5 / 4.0))::bigint",
    EVEN: "1000000 + i::bigint * 7919 % 90000000",
}
FILL = """
CREATE TEMP TABLE made AS
SELECT 'user-' || lpad(i::text, 7, '0') AS user_id, 'team-' || i % {teams} AS team, 'org-' || i % {orgs} AS org,
	m.month + least(d * 7 + i % 7, m.days - 1) AS day, (ARRAY['telegram', 'discord', 'web', 'api'])[1 + i % {interfaces}] AS interface,
	(ARRAY['free', 'free', 'pro', 'enterprise'])[1 + i % 4] AS tier, 'provider-' || i % 2 AS provider, 'model-' || (i + d) % {models} AS model, 1 + i % 5 AS requests, {cost} AS cost
FROM generate_series(1, {users}) i, generate_series(0, {days} - 1) d,
	(VALUES (date_trunc('month', now() AT TIME ZONE 'UTC')::date, extract(day FROM now() AT TIME ZONE 'UTC')::int),
	((date_trunc('month', now() AT TIME ZONE 'UTC') - interval '1 month')::date, 28)) AS m (month, days);
INSERT INTO accounts (tenant, kind, id, tier, team, suspended)
SELECT '{tenant}', 1, 'user-' || lpad(i::text, 7, '0'), (ARRAY['', 'free', 'pro', 'enterprise'])[1 + i % 4], 'team-' || i % {teams}, i % 100 = 0
FROM generate_series(1, {users}) i;
INSERT INTO usage_daily SELECT '{tenant}', user_id, day, interface, provider, model, count(*), sum(requests), sum(requests) * 900, sum(requests) * 250,
	sum(cost), sum(requests) * 900, 0, 0, sum(requests) * 250, 0, 0, 0, 0 FROM made GROUP BY user_id, day, interface, provider, model ORDER BY day;
INSERT INTO usage_monthly SELECT '{tenant}', user_id, date_trunc('month', day), count(*), sum(requests), sum(requests) * 900, sum(requests) * 250, sum(cost)
FROM made GROUP BY 2, 3 ORDER BY 3, 2;
INSERT INTO usage_shared_daily SELECT '{tenant}', g.kind, g.id, day, provider, model, interface, s, count(*), sum(requests), sum(requests) * 900,
	sum(requests) * 250, sum(cost), sum(requests) * 900, 0, 0, sum(requests) * 250, 0, 0, 0, 0
FROM (SELECT *, abs(hashtext(user_id)) % 4 AS s FROM made) made, LATERAL (VALUES (2, team), (3, org), (5, '{tenant}'), (6, tier)) AS g (kind, id)
GROUP BY g.kind, g.id, day, provider, model, interface, s;
DROP TABLE made;
"""


def fill(database, users):
    for tenant, cost in COSTS.items():
        database.execute(FILL.format(tenant=tenant, cost=cost, users=users, teams=TEAMS, orgs=ORGS, models=MODELS, interfaces=INTERFACES,
                                     days=DAYS_OF_USER))
    database.execute("VACUUM (ANALYZE) accounts")
    for table in ("usage_daily", "usage_monthly", "usage_shared_daily"):
        database.execute(f"VACUUM (ANALYZE) {table}")


def spans():
    """{span of days other than the running month: its first and last day}; a month's use ends with its 21st, whatever today is."""
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    month_before = (today.replace(day=1) - datetime.timedelta(days=1)).replace(day=1)
    return {
        "the month before": (month_before, today.replace(day=1) - datetime.timedelta(days=1)),
        "the 15th to the 21st of the month before": (month_before.replace(day=15), month_before.replace(day=21)),
        "the 10th to the 20th of the month before": (month_before.replace(day=10), month_before.replace(day=20)),
        "the 10th of the month before until today": (month_before.replace(day=10), today),
        "365 days": (today - datetime.timedelta(days=364), today),
    }


def calls(bots, user):
    """{what: a call of it}."""
    pb, admin = bots.admin_pb, bots.admin
    tenant, team = bots.key("", "TENANT"), bots.key("team-7", "TEAM")
    day, model, interface, tier = (pb.ReportKey.Value("REPORT_KEY_" + name) for name in ("DAY", "MODEL", "INTERFACE", "TIER"))

    def report(ref, *by):
        return lambda: list(admin.GetReport(pb.GetReportRequest(ref=ref, by=by), timeout=600))

    def stats(first, last, tenant=TENANT):
        from_us, to_us = int(first.timestamp()) * 1_000_000, int(last.timestamp()) * 1_000_000
        return lambda: admin.GetStats(pb.GetStatsRequest(tenant=tenant, top=100, from_us=from_us, to_us=to_us), timeout=600)

    return {
        "tenant's bill by model": report(tenant, model),
        "tenant's bill by day": report(tenant, day),
        "tenant's bill by interface": report(tenant, interface),
        "tenant's bill by day and tier": report(tenant, day, tier),
        "tenant's bill by day, model and interface": report(tenant, day, model, interface),
        "team's bill by day and model": report(team, day, model),
        "user's bill by day, model and interface": report(bots.key(user), day, model, interface),
        "stats: tiers, top users, groups, days, models, interfaces":
            lambda: admin.GetStats(pb.GetStatsRequest(tenant=TENANT, top=100), timeout=600),
        "the same with the use by tier, as bursar report tiers asks":
            lambda: admin.GetStats(pb.GetStatsRequest(tenant=TENANT, top=1, by_tier=True), timeout=600),
        **{f"stats of {span}": stats(*days) for span, days in spans().items()},
        **{f"stats of {span}, all users alike": stats(*days, EVEN) for span, days in spans().items()},
        "forecast of the tenant": lambda: admin.GetForecast(pb.GetForecastRequest(ref=tenant), timeout=600),
        "forecast of a user": lambda: admin.GetForecast(pb.GetForecastRequest(ref=bots.key(user)), timeout=600),
    }


def took_ms(call):
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def measure(bots, rounds):
    """{what: [(ms of the floor, ms of the call) of each round]}; the floor is a user's account, the same way to PostgreSQL and back."""
    user, found = "user-0000042", {}
    floor = lambda: bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(user)), timeout=600)
    for what, call in calls(bots, user).items():
        call(), floor()
        found[what] = [(took_ms(floor), took_ms(call)) for _ in range(rounds)]
    return found


def stream_users(bots):
    """(seconds until the first part, seconds in all, lines) of a tenant's bill by user."""
    pb, begun, first, lines = bots.admin_pb, time.perf_counter(), None, 0
    for part in bots.admin.GetReport(pb.GetReportRequest(ref=bots.key("", "TENANT"), by=[pb.REPORT_KEY_USER]), timeout=3600):
        first = first or time.perf_counter() - begun
        lines += len(part.lines)
    return first, time.perf_counter() - begun, lines


def run(bench):
    users = 100_000 if bench.quick else 1_000_000
    postgres = harness.Postgres({"shared_buffers": "1GB"})  # as one gives to a million accounts
    with bench.bursard(database=bench.database(postgres), roles="serve,http") as (server, _):
        fill(server.database, users)
        bots = bench.bots(server, TENANT)
        found = measure(bots, 2 * bench.rounds)
        before = resident_kib(server.pid)
        first, seconds, lines = stream_users(bots)
        after = resident_kib(server.pid)
        bots.close()
    postgres.stop()
    rows = [(what, spread(column(figures, 1)), ratio(column(figures, 1), column(figures, 0), 1)) for what, figures in found.items()]
    rows += [(f"tenant's bill by user, {lines:,} lines: the first part", f"{first * 1000:.0f}", ""),
             (f"tenant's bill by user, {lines:,} lines: all of it", f"{seconds * 1000:,.0f}", "")]
    table(f"Reports over {users:,} accounts", "reports", rows, ("what", "ms", "**/ GetAccount**"))
    print(f"\nbursard, resident, before the bill by user and after it: {before / 1024:.1f}, {after / 1024:.1f} MiB")
