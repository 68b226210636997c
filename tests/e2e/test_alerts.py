"""Which alerts there are: each fires once, however many processes look, and again when there is a reason to."""
import concurrent.futures
import contextlib
import datetime
import threading

import pytest

from bots import unique
from harness import until as wait_until
from streams import Caller

UTC = datetime.timezone.utc
THRESHOLD, PROJECTED, ANOMALY, DENIAL, SUSPENDED, TIER, STARVING, LEDGER_LAG, DRIFT, PRICES_OLD, UNPRICED, KEY_ENDS = range(1, 13)
MODEL = "gpt-5.4"


@pytest.fixture
def until():
    return lambda condition: wait_until(condition, "the condition of the test", timeout=90)


def ask(stack, statement, *args):
    with stack.sql() as sql:
        sql.execute(statement, args)
        return sql.fetchall() if sql.description else []


def events(stack, kind=THRESHOLD, columns="account, percent", **where):
    """The events of a kind in the order in which they were found."""
    conditions = "".join(f" AND {name} = %s" for name in where)
    return ask(stack, f"SELECT {columns} FROM alert_events WHERE kind = %s{conditions} ORDER BY id", kind, *where.values())


def rule(stack, tenant, name, kind=THRESHOLD, **columns):
    """Writes a rule, as an admin's call would."""
    names = ["tenant", "name", "kind", *columns]
    ask(stack, f"INSERT INTO alert_rules ({', '.join(names)}) VALUES ({', '.join(['%s'] * len(names))}) ON CONFLICT (tenant, name) DO UPDATE SET "
        + ", ".join(f"{name} = excluded.{name}" for name in names), tenant, name, kind, *columns.values())


def settled(stack, fleet, until):
    """All that was recorded is in the ledger, and all that is due has been judged."""
    fleet.drained(90)
    until(lambda: ask(stack, "SELECT (SELECT count(*) FROM alert_due) + (SELECT count(*) FROM alert_notes)")[0][0] == 0)


@pytest.fixture
def judged(stack, until):
    return lambda fleet: settled(stack, fleet, until)


def live(stack, until):
    """Somebody has the role: from now on, what happens is noted."""
    until(lambda: ask(stack, "SELECT alerts_live()")[0][0])


def use(fleet, user, requests=1, **usage):
    for _ in range(requests):
        fleet.record(fleet.check(user, **usage))


@pytest.fixture
def alert_bots(bots, stack, until):
    live(stack, until)
    return bots


def use_tokens(fleet, user, tokens):
    """In one request: no evaluation can come in between."""
    fleet.record(fleet.check(user), input_tokens=tokens)


def test_each_threshold_of_a_users_quota_fires_once(alert_bots, stack, judged):
    bots = alert_bots
    user = bots.user_with(bots.calendar("day", "requests", 10))
    use(bots, user, 4)
    judged(bots)
    assert events(stack) == []
    use(bots, user)
    judged(bots)
    assert events(stack) == [(user, 50)]
    use(bots, user, 3)
    judged(bots)
    assert events(stack) == [(user, 50), (user, 80)]
    use(bots, user)
    judged(bots)
    use(bots, user)
    judged(bots)
    assert events(stack, columns="rule, severity, account_kind, limit_name, dimension, unit, used, amount, percent, threshold") == [
        ("users", 1, 1, "day", 0, 0, 5, 10, 50, 5), ("users", 1, 1, "day", 0, 0, 8, 10, 80, 8), ("users", 1, 1, "day", 0, 0, 10, 10, 100, 10)]


def test_of_thresholds_passed_in_one_go_the_highest_is_told(alert_bots, stack, judged):
    bots = alert_bots
    user = bots.user_with(bots.calendar("quota", "tokens", 10_000))
    use_tokens(bots, user, 8_500)
    judged(bots)
    assert events(stack) == [(user, 80)]
    assert ask(stack, "SELECT key, point FROM alert_fired WHERE account = %s ORDER BY point", user) == [("quota:50%", 5000), ("quota:80%", 8000)]


def test_a_raise_of_the_limit_arms_what_lies_above_the_use(alert_bots, stack, judged):
    bots = alert_bots
    user = bots.user_with(bots.calendar("day", "tokens", 10_000))
    use_tokens(bots, user, 8_000)
    judged(bots)
    bots.override(user, bots.calendar("day", "tokens", 20_000))
    judged(bots)
    use_tokens(bots, user, 2_000)
    judged(bots)
    assert events(stack, columns="account, percent, amount") == [(user, 80, 10_000), (user, 50, 20_000)]
    use_tokens(bots, user, 6_000)
    judged(bots)
    assert events(stack, columns="account, percent, amount")[2:] == [(user, 80, 20_000)]


def test_a_reset_begins_a_window_of_its_own(alert_bots, stack, judged):
    bots = alert_bots
    user = bots.user_with(bots.calendar("day", "tokens", 10_000))
    use_tokens(bots, user, 9_000)
    judged(bots)
    bots.admin.Reset(bots.admin_pb.ResetRequest(ref=bots.key(user), reason="a gift"), timeout=10)
    use_tokens(bots, user, 4_000)
    judged(bots)
    assert events(stack) == [(user, 80)]
    use_tokens(bots, user, 1_000)
    judged(bots)
    assert events(stack) == [(user, 80), (user, 50)]


def test_the_next_window_fires_again(start_moved, clock, stack, until):
    fleet = start_moved()
    live(stack, until)
    user = fleet.user_with(fleet.calendar("day", "requests", 4), time_zone="Europe/Berlin")
    use(fleet, user, 2)
    settled(stack, fleet, until)
    clock.set(datetime.datetime(2027, 3, 10, 22, 59, 0, tzinfo=UTC))
    use(fleet, user)
    settled(stack, fleet, until)
    assert events(stack) == [(user, 50)]
    clock.set(datetime.datetime(2027, 3, 10, 23, 1, 0, tzinfo=UTC))
    use(fleet, user, 2)
    settled(stack, fleet, until)
    day_us = 86_400_000_000
    starts = [start for (start,) in events(stack, columns="window_start_us")]
    assert events(stack) == [(user, 50)] * 2 and starts[1] - starts[0] == day_us
    assert starts[1] == int(datetime.datetime(2027, 3, 10, 23, 0, tzinfo=UTC).timestamp()) * 10**6, "midnight in Berlin"


def test_groups_and_tenants_have_alerts_of_their_own(alert_bots, stack, judged):
    bots = alert_bots
    red, user = unique("red"), unique("user")
    bots.account(red, "TEAM")
    bots.override(red, bots.calendar("day", "requests", 4), kind="TEAM")
    bots.account(bots.tenant, "TENANT")
    bots.override(bots.tenant, bots.calendar("month", "requests", 3, "MONTH"), kind="TENANT")
    bots.account(user, team=red)
    use(bots, user, 2)
    judged(bots)
    assert events(stack, columns="rule, account_kind, account, percent, unit", tenant=bots.tenant) == [
        ("limits", 2, red, 50, 0), ("limits", 5, bots.tenant, 50, 2)]


def test_a_shadow_limit_keeps_still(alert_bots, stack, judged):
    bots = alert_bots
    user = bots.user_with(bots.calendar("trial", "requests", 1, shadow=True), bots.calendar("day", "requests", 2))
    use(bots, user)
    judged(bots)
    assert events(stack, columns="account, limit_name") == [(user, "day")]


def test_a_tenants_own_rule_goes_before_the_shipped_one(alert_bots, stack, judged):
    bots = alert_bots
    rule(stack, bots.tenant, "users", amounts=[3], account_kinds=[1], severity=3)
    user = bots.user_with(bots.calendar("day", "requests", 4))
    use(bots, user, 4)
    judged(bots)
    assert events(stack, columns="rule, percent, threshold, severity") == [("users", 0, 3, 3)]
    rule(stack, bots.tenant, "users", enabled=False)
    other = bots.user_with(bots.calendar("day", "requests", 2))
    use(bots, other, 2)
    judged(bots)
    assert events(stack, account=other) == [], "one that is switched off switches the shipped one off"


def test_selectors_choose_accounts_and_limits(alert_bots, stack, judged):
    bots = alert_bots
    rule(stack, bots.tenant, "users", enabled=False)
    user = bots.user_with(bots.calendar("day", "requests", 2), bots.calendar("month", "requests", 3, "MONTH"), team="red")
    tier = bots.admin.GetAccount(bots.admin_pb.GetAccountRequest(ref=bots.key(user)), timeout=10).tier
    for name, columns in {"all": {}, "account": {"account": user}, "not-account": {"account": "nobody"}, "tier": {"tier": tier}, "not-tier": {"tier": "pro"},
                          "team": {"team": "red"}, "not-team": {"team": "blue"}, "kind": {"account_kinds": [1]}, "not-kind": {"account_kinds": [2]},
                          "limit": {"limit_name": "day"}, "unit": {"unit": 2}, "dimension": {"dimension": 0}, "not-dimension": {"dimension": 4}}.items():
        rule(stack, bots.tenant, name, percents=[50], **columns)
    use(bots, user, 2)
    judged(bots)
    found = events(stack, columns="rule, limit_name", account=user)
    both = {"all", "account", "tier", "team", "kind", "dimension"}
    assert set(found) == {(name, limit) for name in both for limit in ("day", "month")} | {("limit", "day"), ("unit", "month")}
    assert len(found) == len(set(found))


def test_a_process_that_stops_leaves_the_denial_that_it_has_seen(start_bursard, fleet_at, stack, until):
    server = start_bursard()
    fleet = fleet_at(server.grpc_addr)
    live(stack, until)
    user = fleet.user_with(fleet.calendar("day", "requests", 1))
    use(fleet, user)
    fleet.check(user)
    server.stop()
    assert ask(stack, "SELECT account FROM alert_notes WHERE kind = %s", DENIAL) + events(stack, DENIAL, "account") == [(user,)]


def test_the_first_denial_of_a_day_is_told_once(alert_bots, stack, judged, until):
    bots = alert_bots
    user = bots.user_with(bots.calendar("day", "requests", 1))
    use(bots, user)
    assert not any(bots.check(user).allowed for _ in range(5))
    until(lambda: events(stack, DENIAL))
    judged(bots)
    assert events(stack, DENIAL, "account, subject, limit_name, used, amount, lifted") == [(user, "quota", "day", 1, 1, False)]


def test_suspensions_and_changes_of_tier_are_told_each_time(alert_bots, stack, judged):
    bots = alert_bots
    user = unique("user")
    bots.account(user, tier="free")
    bots.account(user, tier="pro")
    bots.account(user, tier="free")
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(user), reason="spam"), timeout=10)
    bots.admin.Unsuspend(bots.admin_pb.UnsuspendRequest(ref=bots.key(user), reason="sorry"), timeout=10)
    judged(bots)
    assert events(stack, TIER, "account, before, after") == [(user, "free", "pro"), (user, "pro", "free")]
    assert events(stack, SUSPENDED, "account, lifted") == [(user, False), (user, True)]
    assert events(stack, SUSPENDED, "subject")[0] == ("spam",)


def test_an_account_that_is_made_on_a_tier_has_not_moved_to_it(alert_bots, stack, judged):
    bots = alert_bots
    made, known = unique("user"), unique("user")
    use(bots, known)
    bots.drained(90)
    for user in (made, known):
        bots.account(user, tier="pro")
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(unique("user")), reason="spam"), timeout=10)
    judged(bots)
    assert events(stack, TIER, "account, before, after") == [(known, "", "pro")], "who has used the default tier has"
    assert len(events(stack, SUSPENDED)) == 1


def test_projections_and_unpriced_use_are_told_once(start_moved, clock, stack, until):
    fleet = start_moved()
    live(stack, until)
    rule(stack, fleet.tenant, "projected", PROJECTED, percent=100)
    user = fleet.user_with(fleet.calendar("month", "requests", 10, "MONTH"))
    clock.set(datetime.datetime(2027, 3, 3, 0, 0, 0, tzinfo=UTC))  # a fifteenth of the month
    use(fleet, user, 3)
    settled(stack, fleet, until)
    assert events(stack, PROJECTED, account=user) == []
    clock.set(datetime.datetime(2027, 3, 9, 0, 0, 0, tzinfo=UTC))
    use(fleet, user)
    settled(stack, fleet, until)
    use(fleet, user)
    settled(stack, fleet, until)
    (found,) = events(stack, PROJECTED, "account, used, amount, percent", account=user)
    assert found[:3] == (user, 4, 10) and 150 <= found[3] <= 156, "4 of 10 in 8 of 31 days"
    fleet.record(fleet.check(user), model="nobody-knows-it", input_tokens=10)
    settled(stack, fleet, until)
    fleet.record(fleet.check(user), model="nobody-knows-it", input_tokens=10)
    settled(stack, fleet, until)
    assert events(stack, UNPRICED, "tenant, account, count") == [(fleet.tenant, fleet.tenant, 1)]


def spend(stack, fleet, kind, account, day, nano):
    """Past use, in the roll-ups."""
    table, column = ("usage_daily", "user_id") if kind == 1 else ("usage_shared_daily", "id")
    more = "" if kind == 1 else ", kind, shard"
    ask(stack, f"INSERT INTO {table} (tenant, {column}, day, interface, provider, model, rows, requests, charged_input, charged_output, cost_nano, input, "
        f"cached_input, cache_write, output, reasoning, audio_input, audio_output, unpriced{more}) VALUES (%s, %s, %s, '', '', 'm', 1, 1, 0, 0, %s, 0, 0, 0, 0, "
        "0, 0, 0, 0" + ("" if kind == 1 else f", {kind}, 0") + ")", fleet.tenant, account, day, nano)


def test_a_day_unlike_the_others_is_told(start_moved, stack, until):
    fleet = start_moved()  # on 2027-03-10
    live(stack, until)
    red, blue, user = unique("red"), unique("blue"), unique("user")
    for team in (red, blue):
        fleet.account(team, "TEAM")
    fleet.account(user, tier="enterprise", team=red)
    other = unique("user")
    fleet.account(other, tier="enterprise", team=blue)
    for day in range(5, 10):
        spend(stack, fleet, 2, red, f"2027-03-0{day}", 1_000_000_000)
    for day in (8, 9):
        spend(stack, fleet, 2, blue, f"2027-03-0{day}", 1_000_000_000)  # too new to judge
    for someone in (user, other):
        fleet.record(fleet.check(someone, model=MODEL), model=MODEL, output_tokens=400_000)
    settled(stack, fleet, until)
    today = ask(stack, "SELECT sum(cost_nano)::bigint FROM usage_shared_daily WHERE kind = 2 AND id = %s AND day = '2027-03-10'", red)[0][0]
    assert today >= 3_000_000_000
    assert events(stack, ANOMALY, "account, used, amount, percent") == [(red, today, 1_000_000_000, today // 10_000_000)]
    fleet.record(fleet.check(user, model=MODEL), model=MODEL, output_tokens=10_000)
    settled(stack, fleet, until)
    assert len(events(stack, ANOMALY)) == 1


def test_the_looks_tell_of_keys_prices_and_lag(start_bursard, stack, until, fleet_at):
    with stack.sql() as sql:
        sql.execute("INSERT INTO api_keys (tenant, hash, prefix, role, label, expires_at) VALUES ('', %s, 'bk_soon', 5, 'soon', now() + interval '3 days'), "
                    "('', %s, 'bk_late', 5, 'late', now() + interval '300 days')", (b"1" * 32, b"2" * 32))
        sql.execute("UPDATE alert_rules SET after_s = 1 WHERE name = 'prices-old'")
    for _ in range(2):
        start_bursard()
    until(lambda: events(stack, KEY_ENDS) and events(stack, PRICES_OLD))
    assert events(stack, KEY_ENDS, "tenant, rule, subject") == [("", "keys-end", "soon")]
    assert events(stack, PRICES_OLD, "tenant, rule, account") == [("", "prices-old", "")]


def test_two_processes_tell_each_once(two_fleets, stack, until):
    one, other = two_fleets
    live(stack, until)
    tier, users = unique("tier"), [unique("user") for _ in range(40)]
    one.tier(tier, one.calendar("day", "requests", 10))
    for user in users:
        one.account(user, tier=tier)
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda n: use((one, other)[n % 2], users[n % 40]), range(400)))
    settled(stack, one, until)
    found = events(stack, columns="account, percent")
    assert len(found) == len(set(found)), "none twice"
    assert {user for user, percent in found if percent == 100} == set(users), "none lost"


def test_a_process_that_is_killed_loses_none_and_tells_none_twice(start_bursard, fleet_at, stack, until):
    server = start_bursard()
    fleet = fleet_at(server.grpc_addr)
    live(stack, until)
    users = [fleet.user_with(fleet.calendar("day", "requests", 2)) for _ in range(20)]
    stop = threading.Event()

    def work():
        for user in users * 2:
            if stop.is_set():
                return
            with contextlib.suppress(Exception):
                use(fleet, user)

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: len(events(stack)) > 3)
    server.kill()
    stop.set()
    thread.join()
    fleet = fleet_at(start_bursard().grpc_addr)
    for user in users:
        while (answer := fleet.check(user)).allowed:
            fleet.record(answer)
    settled(stack, fleet, until)
    used = dict(ask(stack, "SELECT user_id, sum(requests)::int FROM ledger GROUP BY 1"))
    found = events(stack)
    assert len(found) == len(set(found))
    assert {user for user, _ in found} == {user for user in users if used.get(user, 0) >= 1}
    assert {user for user, percent in found if percent == 100} == {user for user in users if used.get(user, 0) >= 2}


@pytest.mark.patience(900)
def test_five_thousand_users_cross_at_once(alert_bots, stack, judged):
    bots = alert_bots
    rule(stack, bots.tenant, "users", percents=[100], account_kinds=[1])
    tier = unique("tier")
    bots.tier(tier, bots.calendar("day", "requests", 1))
    ask(stack, "INSERT INTO accounts (tenant, kind, id, tier, version) SELECT %s, 1, 'u' || n, %s, 0 FROM generate_series(1, 5000) n", bots.tenant, tier)
    starts = ask(stack, "SELECT (extract(epoch FROM date_trunc('day', now() AT TIME ZONE 'UTC') AT TIME ZONE 'UTC') * 1000000)::bigint")[0][0]
    ask(stack, "INSERT INTO usage_windows (tenant, kind, id, unit, starts_at_us, interface, model, shard, requests, input, output, cost_nano) "
        "SELECT %s, 1, 'u' || n, 0, %s, '', '', 0, 1, 0, 0, 0 FROM generate_series(1, 5000) n", bots.tenant, starts)
    ask(stack, "INSERT INTO alert_due (tenants, kinds, ids) SELECT array_agg(%s::text), array_agg(1::smallint), array_agg('u' || n) "
        "FROM generate_series(1, 5000) n GROUP BY n %% 10", bots.tenant)
    judged(bots)
    assert ask(stack, "SELECT count(*), count(DISTINCT account) FROM alert_events WHERE kind = 1 AND percent = 100") == [(5000, 5000)]


def test_events_are_numbered_in_the_order_of_their_cursors(alert_bots, stack, judged, until):
    bots = alert_bots
    user = unique("user")
    for tier in ("free", "pro", "enterprise", "free"):
        bots.account(user, tier=tier)
    judged(bots)
    until(lambda: ask(stack, "SELECT count(*) FROM alert_events WHERE seq IS NULL")[0][0] == 0)
    numbers = ask(stack, "SELECT seq FROM alert_events ORDER BY id")
    assert len(numbers) == 3 and numbers == sorted(set(numbers))


def was_live(stack):
    """A process had the role a moment ago, so what happens before the next one begins is noted."""
    ask(stack, "INSERT INTO leases VALUES ('alerts', 'before', 1, now() - interval '1 second')")


def test_a_pool_in_which_somebody_starves_is_told(alert_bots, stack, until):
    bots = alert_bots
    ask(stack, "UPDATE alert_rules SET after_s = 0 WHERE name = 'starving'")
    pool = unique("pool")
    bots.admin.PutPool(bots.admin_pb.PutPoolRequest(ref=bots.admin_pb.PoolRef(tenant=bots.tenant, name=pool), slots=1, starve_us=1_000_000), timeout=10)
    holder, waiter = Caller(bots, unique("user"), pool=pool), Caller(bots, unique("user"), pool=pool)
    try:
        until(lambda: events(stack, STARVING))
        (found,) = events(stack, STARVING, "tenant, subject, age_us >= 1000000, account")
        assert found == (bots.tenant, pool, True, "")
    finally:
        holder.close()
        waiter.close()


def test_drift_is_told(start_bursard, fleet_at, stack, until):
    was_live(stack)
    server = start_bursard(roles="serve,ledger,http")
    fleet = fleet_at(server.grpc_addr)
    user = fleet.user_with(fleet.calendar("day", "requests", 100))
    use(fleet, user)
    fleet.drained(90)
    server.stop()
    ask(stack, "UPDATE usage_windows SET requests = requests + 5 WHERE kind = 1")
    ask(stack, "DELETE FROM leases WHERE name = 'reconcile'")
    start_bursard()
    until(lambda: events(stack, DRIFT))
    assert events(stack, DRIFT, "tenant, rule, severity, count >= 1") == [("", "drift", 3, True)]


def test_a_ledger_that_lags_is_told(start_bursard, fleet_at, stack, until):
    ask(stack, "UPDATE alert_rules SET after_s = 1 WHERE name = 'ledger-lag'")
    fleet = fleet_at(start_bursard(roles="serve,http").grpc_addr)
    use(fleet, unique("user"))
    for _ in range(2):
        start_bursard(roles="http,alerts")
    until(lambda: events(stack, LEDGER_LAG))
    assert events(stack, LEDGER_LAG, "tenant, rule, age_us >= 1000000, count") == [("", "ledger-lag", True, 1)]


def test_nothing_is_noted_where_nobody_has_the_role(start_bursard, fleet_at, stack):
    fleet = fleet_at(start_bursard(roles="serve,ledger,http").grpc_addr)
    user = fleet.user_with(fleet.calendar("day", "requests", 1))
    use(fleet, user)
    fleet.drained(90)
    assert ask(stack, "SELECT (SELECT count(*) FROM alert_due) + (SELECT count(*) FROM alert_notes)") == [(0,)]


def test_what_was_used_while_nobody_looked_is_told_later(start_bursard, fleet_at, stack, until):
    was_live(stack)
    fleet = fleet_at(start_bursard(roles="serve,ledger,http").grpc_addr)
    user = fleet.user_with(fleet.calendar("day", "requests", 2))
    use(fleet, user, 2)
    fleet.drained(90)
    start_bursard(roles="http,alerts")
    settled(stack, fleet, until)
    assert events(stack) == [(user, 100)]


def test_an_erased_user_leaves_alerts(alert_bots, stack, judged, until):
    bots = alert_bots
    user = bots.user_with(bots.calendar("day", "requests", 1))
    use(bots, user)
    bots.check(user)
    until(lambda: events(stack, DENIAL))
    judged(bots)
    bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(user), reason="asked"), timeout=10)
    judged(bots)
    pseudonym = bots.admin.EraseAccount(bots.admin_pb.EraseAccountRequest(ref=bots.key(user), reason="asked"), timeout=60).pseudonym
    judged(bots)
    assert {account for (account,) in ask(stack, "SELECT account FROM alert_events UNION SELECT account FROM alert_fired")} == {pseudonym}
