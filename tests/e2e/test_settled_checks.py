"""Checks with `settle`: recorded as soon as they are allowed, for callers that never record."""
import grpc

from bots import fails_with, unique


def test_a_settled_check_counts_its_request_and_holds_nothing(bots, stack):
    user = bots.user_with(bots.calendar("day", "requests", 2), bots.calendar("tokens", "tokens", 10_000))
    first = bots.check(user, settle=True)
    assert first.allowed and first.held_tokens == 0 and first.state == bots.types.RESERVATION_STATE_RECORDED
    figures = bots.figures(user)
    assert [(figures[(1, name)].used, figures[(1, name)].held) for name in ("day", "tokens")] == [(1, 0), (0, 0)]
    assert bots.check(user, settle=True).allowed and not bots.check(user, settle=True).allowed
    proof = bots.drained()
    assert proof.ledger.requests == 2 and proof.equal, proof


def test_it_is_charged_what_the_caller_estimates(bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 10_000), bots.calendar("cost", "cost", 10**10))
    answer = bots.check(user, settle=True, model="gpt-4o", input_tokens=1000, cached_input_tokens=400, max_output_tokens=100)
    assert answer.allowed and answer.state == bots.types.RESERVATION_STATE_RECORDED
    assert bots.used(user, "tokens") == 1100
    assert bots.used(user, "cost") == 600 * 2500 + 400 * 1250 + 100 * 10000


def test_no_output_is_no_output_and_not_the_tiers_default(bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 500))
    assert not bots.check(user).allowed, "the default of 1,000 does not fit"
    assert bots.check(user, settle=True).allowed and bots.check(user, settle=True, input_tokens=500).allowed
    assert not bots.check(user, settle=True, input_tokens=1).allowed


def test_a_repeat_counts_once_and_other_contents_are_refused(bots):
    user = bots.user_with(bots.calendar("day", "requests", 5))
    request_id = unique("r")
    first, again = (bots.check(user, settle=True, request_id=request_id) for _ in range(2))
    assert first.allowed and again.allowed and again.repeat and again.state == bots.types.RESERVATION_STATE_RECORDED
    assert bots.used(user, "day") == 1
    fails_with(grpc.StatusCode.ALREADY_EXISTS, bots.check, user, request_id=request_id)


def test_only_check_settles(bots):
    batch = bots.limiter.CheckBatch(bots.limiter_pb.CheckBatchRequest(items=[bots.request("ann", settle=True), bots.request("ben")]), timeout=10)
    assert batch.items[0].error.field == "settle" and batch.items[1].response.allowed
    acquire = bots.limiter_pb.AcquireRequest(check=bots.request("ann", settle=True))
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, lambda: list(bots.limiter.Acquire(acquire, timeout=10)))
    assert "settle" in error.details()


def test_status_answers_costs_by_model_when_asked(bots):
    user = unique("user")
    bots.record(bots.check(user, model="gpt-4o"), input_tokens=1000, output_tokens=100)
    bots.drained()
    request = bots.limiter_pb.GetStatusRequest(tenant=bots.tenant, user=user)
    assert not bots.limiter.GetStatus(request, timeout=10).HasField("costs")
    request.costs = True
    costs = bots.limiter.GetStatus(request, timeout=10).costs
    assert costs.month_cost_nano_usd == costs.today_cost_nano_usd == 3_500_000 and not costs.problem
    assert [(line.provider, line.model, line.requests, line.tokens) for line in costs.models] == [("openai", "gpt-4o", 1, 1100)]
