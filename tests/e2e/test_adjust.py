"""AdjustLedger: an entry of its own corrects what was recorded; counters, roll-ups and reports follow."""
import datetime
import json
import time

import grpc
import pytest

from bots import DAY_US, MINUTE_US, fails_with, unique

Code = grpc.StatusCode
RIGHT = {"input_tokens": 1180, "output_tokens": 310}
COST = 1180 * 2500 + 310 * 10_000  # gpt-4o


def limits(bots):
    return (bots.calendar("day", "tokens", 100_000), bots.calendar("month", "cost", 10**12, "MONTH"), bots.calendar("web", "tokens", 100_000, interface="web"),
            bots.calendar("requests", "requests", 100, "MONTH"), bots.calendar("tokens", "tokens", 10**6, "MONTH"),
            bots.bucket("bucket", "tokens", 100_000, period_us=30 * 1440 * MINUTE_US), bots.bucket("past", "tokens", 10**9, period_us=1000))


def adjust(bots, answer=None, reason="was recorded as 0", usage=None, reservation=None, **fields):
    pb = bots.admin_pb
    ref = bots.ref(answer) if answer is not None else reservation
    if ref is None:
        fields.setdefault("tenant", bots.tenant)
    change = pb.TokenChange(**usage) if usage else None
    return bots.admin.AdjustLedger(pb.AdjustLedgerRequest(reservation=ref, usage=change, reason=reason, **fields), timeout=20)


def forgotten(bots, user):
    """A request that was recorded with nothing, and is in the ledger."""
    answer = bots.check(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000)
    bots.record(answer)
    bots.drained()
    return answer


def rollups(stack, user):
    with stack.sql() as sql:
        sql.execute("SELECT sum(requests)::int, sum(input)::int, sum(output)::int, sum(cost_nano)::bigint, count(*)::int FROM usage_daily WHERE user_id = %s", (user,))
        return sql.fetchone()


def test_a_record_at_nothing_is_corrected_everywhere(bots, stack):
    team = unique("team")
    bots.admin.OverrideLimits(bots.admin_pb.OverrideLimitsRequest(ref=bots.key(team, "TEAM"), limits=[bots.calendar("day", "tokens", 10**6)]), timeout=10)
    user = bots.user_with(*limits(bots), team=team)
    answer = forgotten(bots, user)
    done = adjust(bots, answer, usage=RIGHT, price_tokens=True)
    assert (done.input_tokens, done.output_tokens, done.cost_nano_usd, done.requests) == (1180, 310, COST, 0)
    assert done.user == user and done.request_id == answer.request_id and not done.repeat
    assert [bots.used(user, name) for name in ("day", "month", "web", "requests")] == [1490, COST, 0, 1]
    assert 1400 < bots.used(user, "bucket") <= 1490 and bots.used(user, "past") == 0
    assert bots.figures(user)[bots.types.ACCOUNT_KIND_TEAM, "day"].used == 1490
    proof = bots.drained()
    assert proof.equal and proof.ledger.cost_nano_usd >= COST, proof
    assert rollups(stack, user) == (1, 1180, 310, COST, 1), "in the row of the request's own model"
    report = bots.admin.GetMonthlyReport(bots.admin_pb.GetMonthlyReportRequest(
        ref=bots.key(user), month=datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m")), timeout=20)
    assert report.total.cost_nano_usd == COST
    with stack.sql() as sql:
        sql.execute("SELECT entry, requests, input, cost_nano, adjusts, note, day = started_at::date FROM ledger WHERE user_id = %s ORDER BY entry", (user,))
        first, second = sql.fetchall()
    assert first[:4] == (0, 1, 0, 0) and second[:5] == (4, 0, 1180, COST, answer.request_id) and second[6]
    assert second[5].endswith(": was recorded as 0")
    row = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(action="ledger.adjust"), timeout=20).entries[0]
    assert row.target == f"user/{user}" and row.reason == "was recorded as 0"
    assert json.loads(row.details) == {"adjustment_id": done.adjustment_id, "request_id": answer.request_id, "attempt": 0, "requests": 0,
                                       "input_tokens": 1180, "output_tokens": 310, "cost_nano_usd": COST}


def test_what_another_models_price_charged_is_corrected_on_its_own_line(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 100_000))
    answer = bots.check(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000)
    bots.record(answer, model="gpt-4o-of-2031", input_tokens=1000)
    bots.drained()
    adjust(bots, answer, usage=RIGHT, price_tokens=True)
    bots.drained()
    report = bots.admin.GetMonthlyReport(bots.admin_pb.GetMonthlyReportRequest(ref=bots.key(user)), timeout=20)
    assert [(line.model, line.requests, line.unpriced_requests, line.cost_nano_usd) for line in report.lines] == \
        [("gpt-4o-of-2031", 1, 1, 1000 * 2500 + COST)]


def test_what_was_corrected_stays_so_after_a_loss_of_redis_data(bots, stack):
    user = bots.user_with(*limits(bots))
    adjust(bots, forgotten(bots, user), usage=RIGHT, price_tokens=True)
    adjust(bots, user=user, cost_nano_usd=-1000)
    bots.drained()
    stack.redis.flushall()
    assert [bots.used(user, name) for name in ("day", "month", "requests")] == [1490, COST - 1000, 1]


def test_an_adjustment_id_is_used_once(bots, stack):
    user = bots.user_with(*limits(bots))
    answer, name = forgotten(bots, user), unique("adjustment")
    for _ in range(2):  # remembered by Redis, then by the ledger alone
        for repeat in (False, True):
            done = adjust(bots, answer, adjustment_id=name, usage=RIGHT, price_tokens=True)
            assert done.adjustment_id == name and done.cost_nano_usd == COST and (done.repeat or not repeat)
        assert bots.used(user, "day") == 1490
        error = fails_with(Code.ALREADY_EXISTS, adjust, bots, answer, adjustment_id=name, usage={"input_tokens": 5}, price_tokens=True)
        assert error.details().startswith("adjustment_id: ")
        bots.drained()
        for key in stack.redis.scan_iter(match="b:{p*}:r:*"):
            stack.redis.delete(key)
    assert rollups(stack, user)[3] == COST


def test_a_credit_takes_no_more_than_a_counter_has(bots, stack):
    user = bots.user_with(bots.calendar("day", "cost", 10**9), bots.calendar("tokens", "tokens", 10**6))
    bots.record(bots.check(user, model="gpt-4o", input_tokens=100), input_tokens=100)
    error = fails_with(Code.FAILED_PRECONDITION, adjust, bots, user=user, cost_nano_usd=-250_001)
    assert error.details().startswith("cost_nano_usd: ") and f"limit day of user {user}" in error.details() and "0.00025" in error.details()
    assert bots.used(user, "day") == 250_000
    assert adjust(bots, user=user, cost_nano_usd=-250_000).cost_nano_usd == -250_000
    assert bots.used(user, "day") == 0
    adjust(bots, user=user, cost_nano_usd=-70_000, ledger_only=True)
    bots.drained()
    assert bots.used(user, "day") == 0 and rollups(stack, user)[3] == -70_000
    charged = adjust(bots, user=user, model="gpt-4o", interface="web", usage={"output_tokens": 10, "input_tokens": -10}, price_tokens=True)
    assert charged.cost_nano_usd == 10 * 10_000 - 10 * 2500 == bots.used(user, "day")


def test_what_corrects_the_bill_alone_is_in_no_window(bots, stack):
    """Neither the reconciler nor a new seed puts it on a counter, and the proof holds."""
    fleet = bots.at(bots.address)
    fleet.tenant = unique("tenant")
    user = fleet.user_with(*limits(fleet))
    answer = forgotten(fleet, user)
    adjust(fleet, answer, usage=RIGHT, price_tokens=True, ledger_only=True)
    adjust(fleet, user=user, cost_nano_usd=70_000, ledger_only=True)
    proof = fleet.drained()
    assert proof.ledger.cost_nano_usd == COST + 70_000 and proof.equal, proof
    with stack.sql() as sql:
        sql.execute("SELECT kind, id, cost_nano FROM usage_windows WHERE tenant = %s AND cost_nano <> 0", (fleet.tenant,))
        assert sql.fetchall() == []
    stack.redis.flushall()
    assert [fleet.used(user, name) for name in ("day", "month", "tokens", "requests")] == [0, 0, 0, 1]
    fleet.close()


def test_a_request_cannot_have_used_less_than_nothing(bots):
    user = bots.user_with(*limits(bots))
    answer = bots.check(user, model="gpt-4o", input_tokens=100, max_output_tokens=10)
    bots.record(answer, attempt=2, input_tokens=100, output_tokens=10)
    bots.drained()
    for usage in ({"input_tokens": -101}, {"output_tokens": -11}):
        error = fails_with(Code.INVALID_ARGUMENT, adjust, bots, answer, attempt=2, usage=usage)
        assert error.details().startswith("usage: takes "), error.details()
    fails_with(Code.INVALID_ARGUMENT, adjust, bots, answer, attempt=2, requests=-2)
    done = adjust(bots, answer, attempt=2, usage={"input_tokens": -100}, requests=-1, price_tokens=True)
    assert done.cost_nano_usd == -250_000
    assert bots.used(user, "day") == 10 and bots.used(user, "requests") == 0
    bots.drained()
    fails_with(Code.INVALID_ARGUMENT, adjust, bots, answer, attempt=2, usage={"input_tokens": -1})


def test_what_the_ledger_does_not_know_is_not_found(bots):
    user = unique("user")
    answer = bots.check(user)
    assert "not in the ledger" in fails_with(Code.NOT_FOUND, adjust, bots, answer, usage=RIGHT).details()
    recorded = forgotten(bots, user)
    fails_with(Code.NOT_FOUND, adjust, bots, recorded, attempt=1, usage=RIGHT)
    other_day = bots.ref(user=user, request_id=recorded.request_id, started_at_us=answer.started_at_us - DAY_US)
    assert "started_at_us" in fails_with(Code.NOT_FOUND, adjust, bots, reservation=other_day, usage=RIGHT).details()


@pytest.mark.parametrize("field, fields", [
    ("reason", {"user": "u", "requests": 1, "reason": ""}),
    ("user", {"requests": 1}),
    ("usage", {"user": "u"}),
    ("usage", {"user": "u", "usage": {}}),
    ("attempt", {"user": "u", "requests": 1, "attempt": 1}),
    ("attempt", {"user": "u", "requests": 1, "attempt": 32}),
    ("model", {"user": "u", "usage": {"input_tokens": 1}, "price_tokens": True}),
    ("price_tokens", {"user": "u", "usage": {"input_tokens": 1}, "price_tokens": True, "model": "nobody-s-model"}),
    ("requests", {"user": "u", "requests": -(2**53)}),
    ("cost_nano_usd", {"user": "u", "cost_nano_usd": 2**53}),
    ("usage.input_tokens", {"user": "u", "usage": {"input_tokens": -(2**53)}}),
    ("usage", {"user": "u", "usage": {"input_tokens": 2**53 - 1, "output_tokens": -1}}),
    ("adjustment_id", {"user": "u", "requests": 1, "adjustment_id": "x" * 129}),
    ("reservation.user", {"requests": 1, "reservation": {"request_id": "x"}}),
    ("reservation.started_at_us", {"requests": 1, "reservation": {"user": "u", "request_id": "x"}}),
    ("user", {"requests": 1, "user": "u", "reservation": {"user": "u", "request_id": "x", "started_at_us": 1}}),
    ("model", {"requests": 1, "model": "gpt-4o", "reservation": {"user": "u", "request_id": "x", "started_at_us": 1}}),
])
def test_an_error_names_the_field(bots, field, fields):
    # Where models without a price are free, they are not charged at the price of another model.
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(id="default", unknown_model="UNKNOWN_MODEL_FREE")), timeout=10)
    request = bots.admin_pb.AdjustLedgerRequest(**{"reason": "test", **fields})
    error = fails_with(Code.INVALID_ARGUMENT, bots.admin.AdjustLedger, request, timeout=10)
    assert error.details().startswith(f"{field}: "), error.details()


def test_a_bucket_follows_only_until_it_has_filled(bots):
    """The request started a minute ago by the caller's clock, in the day that runs: its bucket of that minute has filled since."""
    user = bots.user_with(bots.bucket("minute", "tokens", 1200), bots.bucket("hour", "tokens", 1200, period_us=60 * MINUTE_US))
    probe = bots.check(user)
    ref = bots.ref(user=user, request_id=unique("r"), started_at_us=probe.started_at_us - 2 * MINUTE_US)
    bots.record(ref=ref, input_tokens=0)
    bots.drained()
    bots.cancel(probe)
    began = time.monotonic()
    adjust(bots, reservation=ref, usage={"input_tokens": 100})
    used = bots.used(user, "hour"), bots.used(user, "minute")
    flowed_in = time.monotonic() - began + 1  # a second for rounding
    assert 100 - flowed_in / 3 <= used[0] <= 100
    assert 100 - flowed_in * 20 <= used[1] <= 100, "what was never checked counts from its record on"
