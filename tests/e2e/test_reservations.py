"""What is open: listed page by page, shown, and given back by an admin."""
import time

import grpc
import pytest

from harness import until
from bots import MINUTE_US, fails_with, unique

Code = grpc.StatusCode


def pages(bots, size, user="", **fields):
    """The pages of a list, until there are no more."""
    pb, token = bots.admin_pb, ""
    while True:
        answer = bots.admin.ListReservations(
            pb.ListReservationsRequest(tenant=bots.tenant, user=user, page_size=size, page_token=token, **fields), timeout=30)
        assert len(answer.reservations) <= size
        yield answer
        token = answer.next_page_token
        if not token:
            return


def listed(bots, size=1000, user=""):
    return [row for page in pages(bots, size, user) for row in page.reservations]


def get(bots, **ref):
    return bots.admin.GetReservation(bots.admin_pb.GetReservationRequest(reservation=bots.ref(**ref)), timeout=10)


def cancel(bots, reason="the bot is gone", **ref):
    return bots.admin.CancelReservation(bots.admin_pb.CancelReservationRequest(reservation=bots.ref(**ref), reason=reason), timeout=10)


def test_a_tenants_reservations_are_listed_page_by_page_each_once(bots):
    open_ones = {}
    for _ in range(12):
        user = bots.user_with(bots.calendar("day", "requests", 100))
        for _ in range(3):
            answer = bots.check(user, model="gpt-4o", interface="web", input_tokens=100, max_output_tokens=10)
            open_ones[answer.request_id] = (user, answer)
    bots.record(bots.check(user), input_tokens=0)
    bots.cancel(bots.check(user))
    for size in (1, 5, 7, 1000):
        rows = listed(bots, size)
        assert sorted(row.request_id for row in rows) == sorted(open_ones), size
    for row in rows:
        owner, answer = open_ones[row.request_id]
        assert (row.user, row.tenant, row.interface, row.model) == (owner, bots.tenant, "web", "gpt-4o")
        assert (row.held_requests, row.held_input_tokens, row.held_output_tokens) == (1, 100, 10) and row.held_cost_nano_usd == 350_000
        assert row.expires_at_us == answer.expires_at_us and row.started_at_us == answer.started_at_us
        assert row.state == bots.types.RESERVATION_STATE_OPEN and row.handle == answer.reservation and row.attempts == 0
    mine = [row.request_id for row in listed(bots, 2, user)]
    assert sorted(mine) == sorted(r for r, (owner, _) in open_ones.items() if owner == user)
    assert listed(bots, 2, "nobody") == []
    other = bots.at(bots.address)
    other.tenant = "others"
    assert listed(other) == []


def test_those_of_one_user_come_by_expiry_and_ids_are_taken_literally(bots):
    user, nasty = unique("user"), "a/b{c}*"
    bots.account(user, tier="enterprise")
    bots.account(nasty, tier="enterprise")
    last = bots.check(user, request_id="late", reservation_ttl_us=30 * MINUTE_US)
    first = bots.check(user, request_id="soon", reservation_ttl_us=MINUTE_US)
    bots.check(nasty, request_id="x/y")
    bots.check("a", request_id="z")
    assert [row.request_id for row in listed(bots, 1, user)] == ["soon", "late"]
    assert [row.request_id for row in listed(bots, 1, nasty)] == ["x/y"]
    assert [row.request_id for row in listed(bots, 1, "a")] == ["z"]
    bots.renew(first, 60 * MINUTE_US)
    assert [row.request_id for row in listed(bots, 1, user)] == ["late", "soon"]
    bots.record(last, attempt=4, keep_open=True, input_tokens=7)
    row = listed(bots, 9, user)[0]
    assert row.attempts == 1 and row.used_input_tokens == 7


def test_more_than_a_thousand_of_one_moment_are_all_found(bots, stack):
    """One call looks at a bounded number, and goes on where it ended, also among those that end at one time."""
    user = bots.user_with(bots.calendar("day", "requests", 10**6))
    answer = bots.check(user, request_id="real")
    (due,) = [key for key in stack.redis.scan_iter(match="b:{p*}:due") if stack.redis.zscore(key, marker_of(stack, user, "real")) is not None]
    stack.redis.zadd(due, {f"b:{{p0}}:q:default/other/{i}": answer.expires_at_us - i % 2 for i in range(2500)})
    assert [row.request_id for row in listed(bots, 10, user)] == ["real"]
    first = next(pages(bots, 10, user))
    assert first.reservations or first.next_page_token


def test_a_page_token_tells_nothing_of_others(bots, stack):
    """The walk through all partitions ends for now among a thousand of somebody else's: in the last one, as each of the others takes a call."""
    ends_us = int((time.time() + 3600) * 1e6)
    others = {f"b:{{p255}}:q:others/secret-{i}/r": ends_us for i in range(1500)}
    stack.redis.zadd("b:{p255}:due", others)
    try:
        answers = list(pages(bots, 1000))
        token = answers[-2].next_page_token
        where = bytes.fromhex(token.split(".")[2]).decode()
        assert token.startswith("255.") and where.startswith("#") and "secret" not in where, token
    finally:
        stack.redis.zrem("b:{p255}:due", *others)


def test_the_handle_in_a_list_has_all_that_the_checks_had(bots):
    user = bots.user_with(bots.calendar("day", "cost", 10**12))
    answer = bots.check(user, model="gpt-5.6-terra", mode="batch", input_tokens=1000)
    (row,) = listed(bots, 9, user)
    assert row.handle == answer.reservation
    ref = bots.types.ReservationRef(handle=row.handle)
    assert bots.record(ref=ref, input_tokens=1000).cost.cost_nano_usd * 2 == bots.limiter.EstimateCost(
        bots.limiter_pb.EstimateCostRequest(model="gpt-5.6-terra", usage=bots.types.TokenUsage(input_tokens=1000)), timeout=10).cost.cost_nano_usd


def marker_of(stack, user, request_id):
    (key,) = stack.redis.scan_iter(match=f"b:{{p*}}:q:default/{user}/{request_id}")
    return key


def test_one_is_shown_in_every_state(bots):
    team, user = unique("team"), unique("user")
    bots.account(team, "TEAM")
    bots.account(user, tier="pro", team=team)
    answer = bots.check(user, request_id="r", model="gpt-4o", input_tokens=100, max_output_tokens=10)
    row = get(bots, user=user, request_id="r")
    assert row.handle == answer.reservation and row.tier == "pro" and row.held_input_tokens == 100
    assert [(a.kind, a.id) for a in row.accounts] == [(1, user), (2, team)]
    assert bots.admin.GetReservation(bots.admin_pb.GetReservationRequest(reservation=bots.ref(answer)), timeout=10) == row
    bots.record(answer, input_tokens=90, output_tokens=9)
    row = get(bots, user=user, request_id="r")
    assert row.state == bots.types.RESERVATION_STATE_RECORDED and row.held_input_tokens == 0 and row.used_input_tokens == 90 and row.attempts == 1
    fails_with(Code.NOT_FOUND, get, bots, user=user, request_id="none")


def test_an_admin_gives_back_what_somebody_holds(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 1000))
    answer = bots.check(user, request_id="r", input_tokens=500, max_output_tokens=400)
    assert bots.used(user, "day") == 900
    done = cancel(bots, user=user, request_id="r")
    assert done.released_tokens == 900 and not done.repeat and bots.used(user, "day") == 0 and listed(bots, 9, user) == []
    assert cancel(bots, user=user, request_id="r").repeat
    late = bots.record(answer, input_tokens=100)
    assert late.late and bots.used(user, "day") == 100, "what comes later is charged in full"
    assert fails_with(Code.FAILED_PRECONDITION, cancel, bots, user=user, request_id="r").details() == "request r is already recorded"
    fails_with(Code.NOT_FOUND, cancel, bots, user=user, request_id="none")
    rows = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(action="reservation.cancel", target=f"user/{user}"), timeout=20).entries
    assert [row.reason for row in rows] == ["the bot is gone"] * 2 and '"released_tokens": 900' in rows[1].details


@pytest.mark.parametrize("token", ["x", "1.2", "256.0.", "-1.0.", "1.0.abc", "1.0.zz", "1.-1.", "1.99999999999999999999.", "1.0.00"])
def test_a_wrong_page_token_is_refused(bots, token):
    request = bots.admin_pb.ListReservationsRequest(page_token=token)
    assert fails_with(Code.INVALID_ARGUMENT, bots.admin.ListReservations, request, timeout=10).details().startswith("page_token: ")


def test_expired_ones_leave_the_list(bots):
    user = unique("user")
    bots.check(user, reservation_ttl_us=1_000_000)
    assert len(listed(bots, 9, user)) == 1
    until(lambda: listed(bots, 9, user) == [], "the end of the reservation", timeout=60)
