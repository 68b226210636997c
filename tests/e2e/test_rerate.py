"""RerateLedger: records are priced again; bills, roll-ups, counters and the proof follow, and nothing is corrected twice."""
import concurrent.futures
import datetime
import json

import grpc
import pytest

from bots import DAY_US, fails_with, unique

Code = grpc.StatusCode
KNOWN = "gpt-5.6-terra"
MOST = 2**53 - 1


def day(ago=0):
    return (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=ago)).strftime("%Y-%m-%d")


@pytest.fixture
def fleet(bots):
    """The fleet in a tenant of its own."""
    fleet = bots.at(bots.address)
    fleet.tenant = unique("tenant")
    yield fleet
    fleet.close()


def user_of(fleet, **account):
    return fleet.user_with(fleet.calendar("day", "cost", MOST), fleet.calendar("requests", "requests", MOST, "MONTH"),
                           fleet.calendar("month", "cost", MOST, "MONTH"), fleet.calendar("tokens", "tokens", MOST, "MONTH"), **account)


def put(fleet, model, price, provider="acme-ai", **fields):
    """The price of a million tokens, in USD, since always unless a time is given."""
    return fleet.admin.PutPrice(fleet.admin_pb.PutPriceRequest(price=fleet.admin_pb.Price(
        provider=provider, model=model, input=price, output=price, **fields), yes=True), timeout=20)


def rerate(fleet, reason="the price is known now", **fields):
    """The last part of the answer."""
    fields.setdefault("from_day", day())
    fields.setdefault("tenant", fleet.tenant)
    parts = list(fleet.admin.RerateLedger(fleet.admin_pb.RerateLedgerRequest(reason=reason, **fields), timeout=120))
    assert [part.done for part in parts] == [False] * (len(parts) - 1) + [True]
    return parts[-1]


def told(part):
    return (part.corrected, part.cost_before_nano_usd, part.cost_after_nano_usd)


def bill(fleet, user=None):
    """{(provider, model): (requests, unpriced ones, cost, corrections)}, and the total."""
    ref = fleet.key(user) if user else fleet.key(fleet.tenant, "TENANT")
    answer = fleet.admin.GetReport(fleet.admin_pb.GetReportRequest(ref=ref, by=[2]), timeout=20)
    parts = list(answer)
    lines = {(line.provider, line.model): (line.requests, line.unpriced_requests, line.cost_nano_usd, line.corrections_nano_usd)
             for part in parts for line in part.lines}
    total = parts[-1].total
    assert [sum(line[i] for line in lines.values()) for i in range(4)] == \
        [total.requests, total.unpriced_requests, total.cost_nano_usd, total.corrections_nano_usd]
    return lines


def proven(fleet):
    proof = fleet.drained()
    assert proof.equal, proof
    return proof.ledger.cost_nano_usd


def ledger(stack, user):
    with stack.sql() as sql:
        sql.execute("SELECT entry, cost_nano, flags & 4223, adjusts, provider || '/' || price_model FROM ledger WHERE user_id = %s ORDER BY at", (user,))
        return sql.fetchall()


def used(fleet, user):
    return [fleet.used(user, name) for name in ("day", "month", "requests", "tokens")]


def record(fleet, user, served="", checked=KNOWN, tokens=1000, **fields):
    answer = fleet.check(user, model=checked, input_tokens=1)
    done = fleet.record(answer, model=served, input_tokens=tokens, **fields)
    return answer, done.cost.cost_nano_usd


def test_a_model_whose_price_was_not_known_is_charged_once_it_is(fleet, stack):
    fleet.account("red", "TEAM")
    user, model = user_of(fleet, team="red"), unique("Terra")
    answer, cost = record(fleet, user, served=model)
    assert cost == 2_000_000  # at the checked model's price
    assert proven(fleet) == cost
    assert told(rerate(fleet)) == (0, 0, 0) and rerate(fleet).unpriced == 1
    put(fleet, model, "5")
    dry = rerate(fleet, dry_run=True, reason="")
    assert told(dry) == (1, 2_000_000, 5_000_000) and dry.scanned == dry.expected == 1 and dry.unpriced == 0
    line, = dry.lines
    assert (line.provider, line.model, line.new_provider, line.new_model) == ("", model.lower(), "acme-ai", model)
    assert (line.requests, line.cost_before_nano_usd, line.cost_after_nano_usd) == (1, 2_000_000, 5_000_000)
    assert proven(fleet) == cost and used(fleet, user)[:2] == [cost, cost], "a dry run changes nothing"

    assert told(rerate(fleet)) == told(dry)
    assert proven(fleet) == 5_000_000
    assert used(fleet, user) == [5_000_000, 5_000_000, 1, 1000]
    assert fleet.figures(user)[fleet.types.ACCOUNT_KIND_USER, "month"].used == 5_000_000
    for owner in (user, None):
        assert bill(fleet, owner) == {("acme-ai", model): (1, 0, 5_000_000, 3_000_000)}
    assert ledger(stack, user) == [(0, 2_000_000, 9, "", "openai/" + KNOWN), (4, 3_000_000, 4096, answer.request_id, "acme-ai/" + model)]
    assert told(rerate(fleet)) == (0, 0, 0), "a repeat finds nothing"
    assert len(ledger(stack, user)) == 2
    entries = fleet.admin.ListAudit(fleet.admin_pb.ListAuditRequest(tenant=fleet.tenant, action="ledger."), timeout=20).entries
    row, = entries
    assert (row.action, row.target, row.reason) == ("ledger.rerate", "tenant/" + fleet.tenant, "the price is known now")
    assert json.loads(row.details) == {"from_day": day(), "to_day": day(), "model": "", "flagged": False}
    stack.redis.flushall()
    assert used(fleet, user) == [5_000_000, 5_000_000, 1, 1000], "as the ledger seeds it"


def test_what_a_fallback_charged_and_what_was_free_is_corrected(fleet):
    pb, model = fleet.admin_pb, unique("m")
    user = user_of(fleet)
    set_to = lambda **fields: fleet.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, **fields)), timeout=20)
    set_to(unknown_model=3)
    record(fleet, user, checked=model)
    set_to(unknown_model=2, fallback_model=KNOWN)
    record(fleet, user, checked=model)
    assert proven(fleet) == 2_000_000
    put(fleet, model, "1")
    part = rerate(fleet, flagged=True)
    assert told(part) == (2, 2_000_000, 2_000_000) and len(part.lines) >= 1
    assert proven(fleet) == 2_000_000
    assert bill(fleet, user) == {("acme-ai", model): (2, 0, 2_000_000, 0)}
    assert told(rerate(fleet)) == (0, 0, 0)


def test_a_price_that_was_corrected_for_the_past_counts_without_a_flag(fleet, stack):
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "4")
    record(fleet, user, checked=model)
    assert proven(fleet) == 4_000_000
    start = int((datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(hours=1)).timestamp()) * 1_000_000
    put(fleet, model, "1", effective_from_us=start, tenant=fleet.tenant)
    assert told(rerate(fleet, flagged=True)) == (0, 0, 0)
    assert told(rerate(fleet)) == (1, 4_000_000, 1_000_000)
    assert proven(fleet) == 1_000_000 and used(fleet, user) == [1_000_000, 1_000_000, 1, 1000]
    assert bill(fleet) == {("acme-ai", model): (1, 0, 1_000_000, -3_000_000)}
    put(fleet, model, "3", effective_from_us=start + 1_000_000, tenant=fleet.tenant)
    assert told(rerate(fleet)) == (1, 1_000_000, 3_000_000)
    assert proven(fleet) == 3_000_000 and used(fleet, user)[0] == 3_000_000
    assert bill(fleet) == {("acme-ai", model): (1, 0, 3_000_000, -1_000_000)}
    put(fleet, model, "1", effective_from_us=start + 2_000_000, tenant=fleet.tenant)  # back again
    assert told(rerate(fleet)) == (1, 3_000_000, 1_000_000)
    assert proven(fleet) == 1_000_000
    assert [row[1] for row in ledger(stack, user)] == [4_000_000, -3_000_000, 2_000_000, -2_000_000]


def test_only_the_model_that_was_asked_for_is_rated(fleet):
    user, one, other = user_of(fleet), unique("one"), unique("other")
    for model in (one, other):
        record(fleet, user, served=model)
    fleet.drained()
    for model in (one, other):
        put(fleet, model, "7")
    for name in (one.upper(), "acme-ai/" + one):
        assert told(rerate(fleet, model=name, dry_run=True)) == (1, 2_000_000, 7_000_000)
    assert rerate(fleet, model=KNOWN, dry_run=True).corrected == 2, "at its price they were charged"
    rerate(fleet, model=other)
    fleet.drained()
    assert set(bill(fleet, user)) == {("", one), ("acme-ai", other)}


def test_a_mode_that_the_price_has_now(fleet):
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "4")
    record(fleet, user, checked=model, mode="turbo")
    assert proven(fleet) == 4_000_000
    put(fleet, model, "4", modes=[fleet.admin_pb.ModeRatio(mode="turbo", numerator=3, denominator=2)], effective_from_us=1)
    part = rerate(fleet, flagged=True)
    assert told(part) == (1, 4_000_000, 6_000_000) and part.unpriced == 0
    assert proven(fleet) == 6_000_000
    assert bill(fleet) == {("acme-ai", model): (1, 0, 6_000_000, 2_000_000)}


def adjust(fleet, answer, **fields):
    return fleet.admin.AdjustLedger(fleet.admin_pb.AdjustLedgerRequest(reservation=fleet.ref(answer), reason="by hand", **fields), timeout=20)


def test_what_somebody_corrected_by_hand_is_left_alone(fleet):
    user, model = user_of(fleet), unique("m")
    answer, _ = record(fleet, user, served=model)
    fleet.drained()
    adjust(fleet, answer, cost_nano_usd=-5)
    fleet.drained()
    put(fleet, model, "7")
    part = rerate(fleet)
    assert (part.corrected, part.adjusted) == (0, 1)
    assert proven(fleet) == 2_000_000 - 5


def test_a_correction_by_hand_follows_a_request_to_its_new_line(fleet):
    user, model = user_of(fleet), unique("m")
    answer, _ = record(fleet, user, served=model)
    fleet.drained()
    put(fleet, model, "7")
    rerate(fleet)
    fleet.drained()
    adjust(fleet, answer, cost_nano_usd=-5)
    proven(fleet)
    assert bill(fleet) == {("acme-ai", model): (1, 0, 7_000_000 - 5, 5_000_000)}
    fails_with(Code.INVALID_ARGUMENT, adjust, fleet, answer, cost_nano_usd=-7_000_000)


def test_users_who_were_erased_and_days_that_are_gone_are_told(fleet, stack):
    pb, user, model = fleet.admin_pb, user_of(fleet), unique("m")
    record(fleet, user, served=model)
    fleet.drained()
    fleet.admin.DeleteAccount(pb.DeleteAccountRequest(ref=fleet.key(user)), timeout=20)
    fleet.admin.EraseAccount(pb.EraseAccountRequest(ref=fleet.key(user)), timeout=20)
    with stack.sql() as sql:
        for ago in (3, 2000):
            sql.execute("INSERT INTO usage_shared_daily SELECT tenant, kind, id, day - %s, provider, model, interface, shard, rows, requests, charged_input, "
                        "charged_output, cost_nano, input, cached_input, cache_write, output, reasoning, audio_input, audio_output, unpriced "
                        "FROM usage_shared_daily WHERE tenant = %s AND day = (now() AT TIME ZONE 'UTC')::date", (ago, fleet.tenant))
        sql.execute("DROP TABLE ledger_" + day(3).replace("-", ""))
    put(fleet, model, "7")
    part = rerate(fleet, from_day=day(5))
    assert (part.corrected, part.erased, part.gone_days) == (0, 1, 1)
    assert rerate(fleet, from_day=day(2001), to_day=day(1900)).gone_days == 1


def test_a_counter_that_was_reset_does_not_keep_the_bill_from_being_right(fleet):
    """The request is not in the window that the reset began."""
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "9")
    record(fleet, user, checked=model)
    fleet.drained()
    fleet.admin.Reset(fleet.admin_pb.ResetRequest(ref=fleet.key(user), reason="new"), timeout=20)
    fleet.drained()
    put(fleet, model, "1", effective_from_us=1, tenant=fleet.tenant)
    assert told(rerate(fleet)) == (1, 9_000_000, 1_000_000)
    assert fleet.used(user, "day") == 0
    fleet.drained()
    assert bill(fleet) == {("acme-ai", model): (1, 0, 1_000_000, -8_000_000)}


def test_a_counter_with_less_than_a_correction_takes_is_left_alone_and_the_bill_is_right(fleet):
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "9")
    record(fleet, user, checked=model)
    fleet.admin.AdjustLedger(fleet.admin_pb.AdjustLedgerRequest(tenant=fleet.tenant, user=user, cost_nano_usd=-8_000_000, reason="credit"), timeout=20)
    fleet.drained()
    put(fleet, model, "1", effective_from_us=1, tenant=fleet.tenant)
    part = rerate(fleet)
    assert told(part) == (1, 9_000_000, 1_000_000) and part.ledger_only == 1
    assert proven(fleet) == 1_000_000 - 8_000_000 and fleet.used(user, "day") == 1_000_000
    assert told(rerate(fleet)) == (0, 0, 0)


def test_a_run_before_the_ledger_has_the_corrections_does_nothing_twice(fleet, stack):
    user, model = user_of(fleet), unique("m")
    for _ in range(5):
        record(fleet, user, served=model)
    fleet.drained()
    put(fleet, model, "7")
    with stack.sql() as sql:  # nothing is written as long as this is open
        sql.execute("BEGIN; LOCK TABLE usage_daily IN SHARE MODE")
        assert told(rerate(fleet)) == (5, 10_000_000, 35_000_000)
        again = rerate(fleet)
        assert (again.corrected, again.waiting) == (0, 5)
        put(fleet, model, "8", effective_from_us=1)
        again = rerate(fleet)
        assert (again.corrected, again.waiting) == (0, 5), "another price does not make other corrections of the same state"
        assert used(fleet, user)[0] == 35_000_000
        sql.execute("COMMIT")
    assert proven(fleet) == 35_000_000
    assert told(rerate(fleet)) == (5, 35_000_000, 40_000_000)
    assert proven(fleet) == 40_000_000 and used(fleet, user)[0] == 40_000_000


@pytest.mark.parametrize("field, fields", [
    ("from_day", {"from_day": ""}),
    ("from_day", {"from_day": "yesterday"}),
    ("to_day", {"to_day": "2020-01-01"}),
    ("to_day", {"from_day": "2020-01-01"}),
    ("reason", {"reason": ""}),
    ("tenant", {"tenant": "x" * 129}),
])
def test_an_error_names_the_field(fleet, field, fields):
    error = fails_with(Code.INVALID_ARGUMENT, rerate, fleet, **fields)
    assert error.details().startswith(f"{field}: "), error.details()


def filled(stack, fleet, user, model, count):
    """Many records like the one that the user has."""
    with stack.sql() as sql:
        sql.execute("SELECT string_agg(column_name, ', ') FROM information_schema.columns WHERE table_name = 'ledger' AND column_name NOT IN "
                    "('request_id', 'origin')")
        columns = sql.fetchone()[0]
        sql.execute(f"INSERT INTO ledger (request_id, origin, {columns}) SELECT request_id || '-' || n, origin || '-' || n, {columns} "
                    "FROM ledger, generate_series(2, %s) n WHERE user_id = %s", (count, user))
        measures = ("rows requests charged_input charged_output cost_nano input cached_input cache_write output reasoning audio_input audio_output "
                    "unpriced").split()
        for table, where in (("usage_daily", "user_id"), ("usage_shared_daily", "tenant"), ("usage_monthly", "user_id"), ("usage_windows", "id")):
            sql.execute("SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,))
            own = [f"{name} = {name} * {count}" for name, in sql.fetchall() if name in measures or table == "usage_windows" and name in ("input", "output")]
            sql.execute(f"UPDATE {table} SET {', '.join(own)} WHERE tenant = %s AND {where} IN (%s, %s, %s)",
                        (fleet.tenant, user, fleet.tenant, model.lower()))
    stack.redis.flushall()


@pytest.mark.parametrize("killed", ["client", "server"])
def test_a_run_that_is_killed_is_continued_and_corrects_nothing_twice(start_bursard, fleet_at, stack, killed):
    server = start_bursard()
    fleet = fleet_at(server.grpc_addr)
    fleet.tenant, count = unique("tenant"), 2600
    user, model = user_of(fleet), unique("m")
    record(fleet, user, served=model)
    fleet.drained()
    filled(stack, fleet, user, model, count)
    assert proven(fleet) == count * 2_000_000
    put(fleet, model, "7")
    stream = fleet.admin.RerateLedger(fleet.admin_pb.RerateLedgerRequest(tenant=fleet.tenant, from_day=day(), reason="x"), timeout=120)
    first = next(stream)
    assert 0 < first.corrected < count and not first.done
    if killed == "client":
        stream.cancel()
    else:
        server.kill()
        tenant, fleet = fleet.tenant, fleet_at(start_bursard().grpc_addr)
        fleet.tenant = tenant
    fleet.drained()
    last = rerate(fleet)
    fleet.drained()
    last_of_all = rerate(fleet)
    assert last.corrected < count and (last_of_all.corrected, last_of_all.waiting) == (0, 0)
    assert proven(fleet) == count * 7_000_000 == used(fleet, user)[0]
    with stack.sql() as sql:
        sql.execute("SELECT count(*), count(DISTINCT adjusts), sum(cost_nano)::bigint FROM ledger WHERE tenant = %s AND entry = 4", (fleet.tenant,))
        assert sql.fetchone() == (count, count, count * 5_000_000)
    assert bill(fleet) == {("acme-ai", model): (count, 0, count * 7_000_000, count * 5_000_000)}


def test_runs_at_once_correct_nothing_twice(two_fleets, stack):
    one, other = two_fleets
    one.tenant = other.tenant = unique("tenant")
    user, model, count = user_of(one), unique("m"), 1200
    record(one, user, served=model)
    one.drained()
    filled(stack, one, user, model, count)
    put(one, model, "7")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        parts = list(pool.map(rerate, [one, other, one, other]))
    assert sum(part.corrected for part in parts) == count
    assert proven(one) == count * 7_000_000 == used(one, user)[0]
    with stack.sql() as sql:
        sql.execute("SELECT count(*), count(DISTINCT adjusts) FROM ledger WHERE tenant = %s AND entry = 4", (one.tenant,))
        assert sql.fetchone() == (count, count)


def said(fleet, user, nano, served="", checked=KNOWN, usage=None, **fields):
    """A record of which the provider says that it cost so much."""
    fields = {"usage": fleet.types.TokenUsage(input_tokens=1000), **fields}
    return fleet.limiter.Record(fleet.limiter_pb.RecordRequest(reservation=fleet.ref(fleet.check(user, model=checked, input_tokens=1)), model=served,
                                                               provider_cost=fleet.types.ProviderCost(nano_usd=nano), **fields), timeout=10).cost


def charge_providers_cost(fleet):
    pb = fleet.admin_pb
    fleet.admin.PutTenant(pb.PutTenantRequest(tenant=pb.Tenant(id=fleet.tenant, cost_source=pb.COST_SOURCE_PROVIDER)), timeout=20)


def compared(fleet, by=(), user=None):
    ref = fleet.key(user) if user else fleet.key(fleet.tenant, "TENANT")
    answer = fleet.admin.CompareCosts(fleet.admin_pb.CompareCostsRequest(ref=ref, by=by), timeout=20)
    lines = [(line.provider, line.model, line.user, line.requests, line.list_cost_nano_usd, line.provider_cost_nano_usd) for line in answer.lines]
    assert (sum(line[3] for line in lines), sum(line[4] for line in lines)) == (answer.total.requests, answer.total.list_cost_nano_usd)
    return lines


def test_what_the_provider_says_is_kept_and_compared(fleet):
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "4")
    cost = said(fleet, user, 5_000_000, checked=model)
    assert (cost.cost_nano_usd, cost.list_cost_nano_usd, cost.provider_cost) == (4_000_000, 4_000_000, False)
    said(fleet, user, 1_999_999)
    record(fleet, user)
    assert proven(fleet) == 8_000_000
    assert compared(fleet) == [("acme-ai", model, "", 1, 4_000_000, 5_000_000), ("openai", KNOWN, "", 1, 2_000_000, 1_999_999)]
    assert compared(fleet, user=user, by=[fleet.admin_pb.REPORT_KEY_USER]) == [("", "", user, 2, 6_000_000, 6_999_999)]


def test_a_record_that_the_providers_cost_was_charged_for_keeps_it(fleet):
    pb, user, model = fleet.admin_pb, user_of(fleet), unique("m")
    charge_providers_cost(fleet)
    put(fleet, model, "4")
    cost = said(fleet, user, 4_200_000, checked=model)
    assert (cost.cost_nano_usd, cost.list_cost_nano_usd, cost.provider_cost, cost.unpriced) == (4_200_000, 4_000_000, True, False)
    assert [line.cost_pico_usd for line in cost.lines] == [4_000_000_000]
    assert proven(fleet) == 4_200_000 == used(fleet, user)[0]
    assert compared(fleet) == [("acme-ai", model, "", 1, 4_000_000, 4_200_000)]
    put(fleet, model, "1", effective_from_us=1, tenant=fleet.tenant)
    assert told(rerate(fleet)) == (1, 4_200_000, 4_200_000)
    assert proven(fleet) == 4_200_000 == used(fleet, user)[0]
    assert compared(fleet, user=user) == [("acme-ai", model, "", 1, 1_000_000, 4_200_000)]
    assert compared(fleet, by=[pb.REPORT_KEY_USER]) == [("", "", user, 1, 1_000_000, 4_200_000)]
    assert told(rerate(fleet)) == (0, 0, 0)
    *_, last = fleet.admin.GetReport(pb.GetReportRequest(ref=fleet.key(user)), timeout=20)
    total = last.total
    assert (total.cost_nano_usd, total.compared_requests, total.list_cost_nano_usd, total.provider_cost_nano_usd) == (4_200_000, 1, 1_000_000, 4_200_000)


def test_what_a_provider_says_follows_a_request_to_its_new_line(fleet):
    user, model = user_of(fleet), unique("m")
    said(fleet, user, 3_000_000, served=model)
    fleet.drained()
    assert compared(fleet) == [("", model, "", 1, 2_000_000, 3_000_000)]
    put(fleet, model, "7")
    assert told(rerate(fleet)) == (1, 2_000_000, 7_000_000)
    assert proven(fleet) == 7_000_000
    assert compared(fleet) == [("acme-ai", model, "", 1, 7_000_000, 3_000_000)]
    charge_providers_cost(fleet)
    assert said(fleet, user, 5, served="nobody-knows").unpriced is False
    assert proven(fleet) == 7_000_005
    assert rerate(fleet, flagged=True).unpriced == 0


def test_only_what_lines_can_be_by_is_compared(fleet):
    pb = fleet.admin_pb
    ask = lambda **fields: fleet.admin.CompareCosts(pb.CompareCostsRequest(**{"ref": fleet.key(fleet.tenant, "TENANT"), **fields}), timeout=20)
    for field, fields in (("by", {"by": [pb.REPORT_KEY_INTERFACE]}), ("ref", {"ref": None}), ("month", {"month": "2026-13"}), ("limit", {"limit": 1001}),
                          ("by", {"ref": fleet.key("red", "TEAM"), "by": [pb.REPORT_KEY_USER]}), ("from_day", {"to_day": day()}), ("ref.kind", {"ref": fleet.key("m", "MODEL")})):
        assert fails_with(Code.INVALID_ARGUMENT, ask, **fields).details().startswith(field), field


def used_by_rounds(fleet, user, model, *tokens):
    """A record of which the provider tells what each of several requests used."""
    entries = [{"input_tokens": n, "output_tokens": 0, "total_tokens": n} for n in tokens]
    sent = {"requests": len(tokens), "input_tokens": sum(tokens), "output_tokens": 0, "total_tokens": sum(tokens), "request_usage_entries": entries}
    return fleet.limiter.Record(fleet.limiter_pb.RecordRequest(
        reservation=fleet.ref(fleet.check(user, model=model, input_tokens=1)),
        provider_usage=fleet.types.ProviderUsage(provider="openai-agents", json=json.dumps(sent))), timeout=10).cost.cost_nano_usd


def test_a_sum_of_requests_is_left_alone_where_a_threshold_decides(fleet):
    user, model = user_of(fleet), unique("m")
    tier = fleet.admin_pb.ContextTier(above_tokens=1000, input="8")
    put(fleet, model, "4", context_tiers=[tier])
    assert used_by_rounds(fleet, user, model, 600, 600) == 4_800_000
    assert used_by_rounds(fleet, user, model, 300, 400) == 2_800_000
    assert proven(fleet) == 7_600_000
    put(fleet, model, "2", context_tiers=[tier], effective_from_us=1, tenant=fleet.tenant)
    part = rerate(fleet)
    assert told(part) == (1, 2_800_000, 1_400_000) and part.sums == 1
    assert proven(fleet) == 6_200_000
    put(fleet, model, "2", effective_from_us=2, tenant=fleet.tenant)
    part = rerate(fleet)
    assert told(part) == (1, 4_800_000, 2_400_000) and part.sums == 0
    assert proven(fleet) == 3_800_000


def test_parts_of_a_sum_that_were_rounded_up_are_no_difference(fleet):
    user, model = user_of(fleet), unique("m")
    put(fleet, model, "0.0004")
    assert used_by_rounds(fleet, user, model, 1, 1, 1) == 3
    fleet.drained()
    assert told(rerate(fleet)) == (0, 0, 0)


def test_an_estimate_stays_on_its_line_and_is_priced_on_another_one(fleet):
    pb, user, model = fleet.admin_pb, user_of(fleet), unique("m")
    answer = fleet.check(user, model=KNOWN, input_tokens=1000, max_output_tokens=1, cached_input_tokens=900)
    done = fleet.limiter.Record(fleet.limiter_pb.RecordRequest(reservation=fleet.ref(answer), provider_usage=fleet.types.ProviderUsage(
        provider="openai", json="{}")), timeout=10)
    assert done.estimated and done.cost.cost_nano_usd == answer.held_cost_nano_usd < 1_000_000
    fleet.drained()
    part = rerate(fleet)
    assert told(part) == (0, 0, 0) and part.unpriced == 1
    answer = fleet.check(user, model=KNOWN, input_tokens=1000, max_output_tokens=1)
    fleet.limiter.Record(fleet.limiter_pb.RecordRequest(reservation=fleet.ref(answer), model=model, provider_usage=fleet.types.ProviderUsage(
        provider="openai", json="{}")), timeout=10)
    fleet.drained()
    put(fleet, model, "7")
    assert told(rerate(fleet)) == (1, answer.held_cost_nano_usd, 7_007_000)
    proven(fleet)
    assert bill(fleet)["acme-ai", model][1] == 1, "it is still an estimate"
