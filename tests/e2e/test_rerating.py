"""What no price of its own is known for: a record is charged all the same, says so, and is counted for re-rating."""
import json

import grpc
import pytest

from bots import fails_with, unique

TOKENS = 100_000  # below the long context
HALF = 100_000_000  # nano-HALF: what so many cost in a batch, at 2 USD per 1M
CHECKED, DATED = "gpt-5.6-terra", "anthropic/claude-haiku-4-5"
FLAGS = {"unpriced": 1, "other model": 8, "standard rate": 16, "capped": 32}
Code = grpc.StatusCode


@pytest.fixture
def user(bots):
    return bots.user_with(bots.calendar("tokens", "tokens", 2**53 - 1), bots.calendar("cost", "cost", 2**53 - 1))


def put(bots, model, price, **fields):
    bots.admin.PutPrice(bots.admin_pb.PutPriceRequest(price=bots.admin_pb.Price(
        provider="acme-ai", model=model, input=price, output=price, **fields), yes=True), timeout=20)


def in_ledger(stack, user):
    with stack.sql() as sql:
        sql.execute("SELECT flags & 63, model, provider || '/' || price_model, mode, cost_nano FROM ledger WHERE user_id = %s", (user,))
        return sql.fetchall()


def bill(bots, user):
    """{model: (requests, unpriced ones)}"""
    answer = bots.admin.GetMonthlyReport(bots.admin_pb.GetMonthlyReportRequest(ref=bots.key(user)), timeout=20)
    assert answer.total.unpriced_requests == sum(line.unpriced_requests for line in answer.lines)
    return {line.model: (line.requests, line.unpriced_requests) for line in answer.lines}


def test_a_served_model_that_no_price_knows_is_named_flagged_and_has_a_line_of_its_own(bots, stack, user):
    known = bots.record(bots.check(user, model=CHECKED, input_tokens=1), input_tokens=TOKENS)
    assert not known.cost.unpriced and not known.cost.served_model
    done = bots.record(bots.check(user, model=CHECKED, input_tokens=1), model="Terra-2027", input_tokens=TOKENS)
    assert (done.cost.unpriced, done.cost.served_model, done.cost.model) == (True, "Terra-2027", CHECKED)
    assert done.cost.cost_nano_usd == known.cost.cost_nano_usd
    bots.drained()
    assert (FLAGS["unpriced"] | FLAGS["other model"], "Terra-2027", "openai/" + CHECKED, "", done.cost.cost_nano_usd) in in_ledger(stack, user)
    assert bill(bots, user) == {CHECKED: (1, 0), "terra-2027": (1, 1)}


@pytest.mark.parametrize("served, mode", [("", "turbo"), (CHECKED, "turbo"), ("", "provisioned-throughput-of-2027"), ("no-such-model", "turbo"),
                                          ("no-such-model", "batch")])
def test_a_record_is_never_refused_for_its_mode(bots, stack, user, served, mode):
    known = mode == "batch"
    done = bots.record(bots.check(user, model=CHECKED, input_tokens=1), model=served, mode=mode, input_tokens=TOKENS)
    assert done.cost.unpriced and done.cost.standard_rate == (not known)
    assert done.cost.cost_nano_usd == (1 if known else 2) * HALF
    bots.drained()
    (flags, _, _, booked, cost), = in_ledger(stack, user)
    assert booked == mode and cost == done.cost.cost_nano_usd
    assert bool(flags & FLAGS["standard rate"]) == (not known) and flags & FLAGS["unpriced"]
    assert list(bill(bots, user).values()) == [(1, 1)]


def test_a_cost_that_no_counter_holds_is_charged_as_far_as_one_does(bots, stack, user):
    model = unique("gold")
    put(bots, model, "1000000")
    answer = bots.check(user, model=model, input_tokens=1, max_output_tokens=1)
    fails_with(Code.INVALID_ARGUMENT, bots.check, user, model=model, input_tokens=10_000_000)  # nothing is spent yet
    done = bots.record(answer, input_tokens=10_000_000)
    assert done.cost.capped and done.cost.unpriced and done.cost.cost_nano_usd == 2**53 - 1
    assert bots.used(user, "cost") == 2**53 - 1
    bots.drained()
    assert in_ledger(stack, user)[0][0] == FLAGS["capped"] | FLAGS["unpriced"]


def test_what_a_check_holds_is_what_its_record_charges(bots, user):
    for mode, cost in (("", 2 * HALF), ("standard", 2 * HALF), ("batch", HALF), ("priority", 4 * HALF)):
        answer = bots.check(user, model=CHECKED, input_tokens=TOKENS, max_output_tokens=1, mode=mode)
        estimate = bots.limiter.EstimateCost(bots.limiter_pb.EstimateCostRequest(
            model=CHECKED, mode=mode, usage=bots.types.TokenUsage(input_tokens=TOKENS, output_tokens=1)), timeout=10).cost.cost_nano_usd
        assert answer.held_cost_nano_usd == estimate
        done = bots.record(answer, input_tokens=TOKENS, output_tokens=1)  # which names no mode
        assert done.cost.cost_nano_usd == estimate and cost <= estimate < cost + 100_000 and done.released_cost_nano_usd == 0


@pytest.mark.parametrize("handle", [True, False])
def test_a_record_names_another_mode_than_its_check(bots, stack, user, handle):
    answer = bots.check(user, model=CHECKED, input_tokens=1, mode="batch", request_id=unique("id"))
    ref = bots.ref(answer) if handle else bots.ref(user=user, request_id=answer.request_id, started_at_us=answer.started_at_us)
    costs = [bots.record(ref=ref, attempt=i, keep_open=i < 2, mode=mode, input_tokens=TOKENS).cost.cost_nano_usd
             for i, mode in enumerate(("", "standard", "priority"))]
    assert costs == [HALF, 2 * HALF, 4 * HALF]
    bots.drained()
    assert {row[3] for row in in_ledger(stack, user)} == {"batch", "", "priority"}


def test_a_check_refuses_a_mode_that_the_price_does_not_have(bots, user):
    error = fails_with(Code.INVALID_ARGUMENT, bots.check, user, model=CHECKED, mode="turbo")
    assert 'mode: "turbo" has no price for this model; known: standard, batch' in error.details()
    assert bots.check(user, mode="turbo").allowed  # without a model nothing is priced


def test_the_mode_is_part_of_what_a_check_asks(bots, user):
    ask = lambda mode: bots.check(user, model=CHECKED, request_id="moded", mode=mode)
    assert not ask("batch").repeat and ask("batch").repeat
    for other in ("", "priority"):
        fails_with(Code.ALREADY_EXISTS, ask, other)
    ask = lambda mode: bots.check(user, model=CHECKED, request_id="unmoded", mode=mode)
    assert not ask("").repeat and ask("standard").repeat


def test_with_a_fallback_a_mode_that_it_does_not_have_costs_its_standard_rate(bots, stack):
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(
        id="default", unknown_model=2, fallback_model=CHECKED)), timeout=20)
    user = bots.user_with(bots.calendar("cost", "cost", 2**53 - 1))
    held = [bots.check(user, model="unheard-of", mode=mode, input_tokens=TOKENS, max_output_tokens=1) for mode in ("batch", "turbo")]
    assert [round(answer.held_cost_nano_usd / HALF) for answer in held] == [1, 2] and held[1].unpriced
    done = bots.record(held[1], input_tokens=TOKENS)
    assert done.cost.cost_nano_usd == 2 * HALF and done.cost.served_model == "unheard-of" and done.cost.model == CHECKED
    bots.drained()
    assert bill(bots, user) == {"unheard-of": (1, 1)}


def test_the_command_line_says_what_was_served_and_counts_it(bots, bursar, user):
    handle = json.loads(bursar("check", user, "-m", CHECKED, "--mode", "batch", "--input-tokens", "1M", "--json").stdout)["reservation"]
    shown = bursar("record", handle, "-m", "terra-2027", "--mode", "turbo", "--input-tokens", "1M").stdout
    assert f"no price is known for terra-2027: charged as {CHECKED}, flagged for re-rating" in shown, shown
    assert "the price does not have this mode: the standard rate, flagged for re-rating" in shown
    bots.record(bots.check(user, model=CHECKED), input_tokens=5)
    bots.record(bots.check(user, model=CHECKED), mode="turbo", input_tokens=5)
    bots.drained()
    report = bursar("report", "month", user, "--by", "model").stdout
    assert "terra-2027 (unpriced)" in report and f"{CHECKED} (1 unpriced)" in report, report
