"""Usage as the provider sent it: read by the server, priced, in the ledger, and never lost for its shape."""
import json
import time

import grpc
import pytest

from bots import fails_with, unique

Code = grpc.StatusCode
CHAT = {"prompt_tokens": 1000, "completion_tokens": 500, "total_tokens": 1500, "prompt_tokens_details": {"cached_tokens": 600},
        "completion_tokens_details": {"reasoning_tokens": 200}}
CHAT_NANO = 400 * 2500 + 600 * 1250 + 500 * 10_000  # gpt-4o: 2.5, cached 1.25, output 10


def record(bots, answer, sent, provider="", **fields):
    pb = bots.limiter_pb
    text = sent if isinstance(sent, str) else json.dumps(sent)
    return bots.limiter.Record(
        pb.RecordRequest(reservation=bots.ref(answer), provider_usage=bots.types.ProviderUsage(provider=provider, json=text), **fields),
        timeout=10)


def rows(bots, stack, user):
    bots.drained()
    with stack.sql() as sql:
        sql.execute("SELECT model, mode, flags & 255, input, cached_input, output, reasoning, meters, provider_cost_nano, cost_nano "
                    "FROM ledger WHERE user_id = %s AND entry = 0 ORDER BY at", (user,))
        return sql.fetchall()


def asked(bots, **fields):
    fields.setdefault("model", "gpt-4o")
    user = bots.user_with(bots.calendar("tokens", "tokens", 10**9), bots.calendar("cost", "cost", 10**12))
    return user, bots.check(user, input_tokens=1200, max_output_tokens=700, **fields)


def priced(bots, **fields):
    """A model of its own: 2 USD input, 10 output per 1M tokens."""
    model = unique("usage-model")
    price = bots.admin_pb.Price(provider="acme", model=model, input="2", output="10", **fields)
    bots.admin.PutPrice(bots.admin_pb.PutPriceRequest(price=price), timeout=10)
    return model


def test_what_openai_sent_is_charged_as_its_classes(bots, stack):
    user, answer = asked(bots)
    done = record(bots, answer, {"model": "gpt-4o-2024-08-06", "usage": CHAT, "service_tier": "default"}, "openai")
    assert done.cost.cost_nano_usd == CHAT_NANO and not done.usage_problem and not done.estimated and not done.cost.unpriced
    assert {line.token_class: line.tokens for line in done.cost.lines} == {"input": 400, "cached_input": 600, "output": 300, "reasoning": 200}
    assert bots.used(user, "tokens") == 1500
    again = record(bots, answer, {"model": "gpt-4o-2024-08-06", "usage": CHAT, "service_tier": "default"})
    assert again.repeat and not again.differs
    other = record(bots, answer, CHAT | {"completion_tokens": 501, "total_tokens": 1501})
    assert other.repeat and list(other.differs) == ["usage.output_tokens"]
    assert rows(bots, stack, user) == [("gpt-4o-2024-08-06", "", 2, 400, 600, 300, 200, None, None, CHAT_NANO)]


def test_the_estimate_of_what_was_sent_equals_its_record(bots):
    pb, usage = bots.limiter_pb, bots.types.ProviderUsage(json=json.dumps(CHAT))
    estimate = bots.limiter.EstimateCost(pb.EstimateCostRequest(model="gpt-4o", provider_usage=usage), timeout=10)
    assert estimate.cost.cost_nano_usd == CHAT_NANO
    for sent, field in ((("openai", "{"), "provider_usage.json"), (("acme", "{}"), "provider_usage.provider"),
                        (("openai", "{}"), "provider_usage.json")):
        request = pb.EstimateCostRequest(model="gpt-4o", provider_usage=bots.types.ProviderUsage(provider=sent[0], json=sent[1]))
        assert fails_with(Code.INVALID_ARGUMENT, bots.limiter.EstimateCost, request, timeout=10).details().startswith(field)


def test_the_provider_s_cost_is_kept_beside_ours(bots, stack):
    user, answer = asked(bots)
    sent = {"model": "openai/gpt-4o", "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, "cost": 1.40000000001e-4,
                                                "is_byok": False}}
    assert record(bots, answer, sent, "openrouter").cost.cost_nano_usd == 10 * 2500 + 5 * 10_000
    assert rows(bots, stack, user)[0][8] == 140_001, "rounded up"
    user, answer = asked(bots)
    record(bots, answer, sent, "openrouter", provider_cost=bots.types.ProviderCost(nano_usd=7))
    assert rows(bots, stack, user)[0][8] == 7, "the caller knows better"


@pytest.mark.parametrize("provider, sent, says", [
    ("openai", '{"prompt_tokens": 12', "provider_usage.json: is not valid JSON"),
    ("openai", '{"prompt_tokens": "many"}', "provider_usage.json: prompt_tokens"),
    ("acme", '{"prompt_tokens": 12}', "provider_usage.provider: is not known"),
    ("", '{"weather": "fine"}', "provider_usage.json: has no member by which"),
    ("openai", '{"prompt_tokens": 0, "completion_tokens": 0}', "provider_usage.json: does not say what was used"),
    ("anthropic", '{"pad": "' + "x" * 70_000 + '"}', "provider_usage.json: is longer than"),
])
def test_what_cannot_be_read_is_charged_as_estimated(bots, stack, provider, sent, says):
    user, answer = asked(bots)
    done = record(bots, answer, sent, provider)
    assert done.usage_problem.startswith(says) and done.usage_problem.endswith("charged as estimated"), done.usage_problem
    assert done.estimated and done.cost.unpriced and done.state == bots.types.RESERVATION_STATE_RECORDED
    assert done.tokens == 1900 and done.cost.cost_nano_usd == answer.held_cost_nano_usd == 1200 * 2500 + 700 * 10_000
    assert done.released_tokens == 0 and bots.used(user, "tokens") == 1900
    again = record(bots, answer, sent, provider)
    assert again.repeat and not again.differs
    row = rows(bots, stack, user)[0]
    assert row[2] == 1 | 64 and row[3:6] == (1200, 0, 700)


def test_what_the_check_held_is_charged_to_the_nano_dollar(bots):
    """With a cached part, and of what earlier attempts have left."""
    user, answer = asked(bots, cached_input_tokens=800)
    assert record(bots, answer, "{}", "openai").cost.cost_nano_usd == answer.held_cost_nano_usd == 400 * 2500 + 800 * 1250 + 700 * 10_000
    user, answer = asked(bots)
    bots.record(answer, input_tokens=200, output_tokens=100, keep_open=True)
    done = record(bots, answer, "{}", "openai", attempt=1)
    assert done.tokens == 1600 and bots.used(user, "tokens") == 1900
    assert bots.used(user, "cost") == answer.held_cost_nano_usd


def test_a_request_that_was_never_checked_has_no_estimate(bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 10**9))
    ref = bots.ref(user=user, request_id=unique("r"), started_at_us=time.time_ns() // 1000)
    done = bots.limiter.Record(bots.limiter_pb.RecordRequest(
        reservation=ref, provider_usage=bots.types.ProviderUsage(provider="openai", json="{}")), timeout=10)
    assert done.estimated and done.tokens == 0 and done.cost.unpriced and done.late


@pytest.mark.parametrize("charges, tokens", [("estimate", (1200, 700)), ("nothing", (0, 0))])
def test_after_its_expiry_a_record_that_says_nothing_adds_nothing(start_bursard, fleet_at, stack, until, charges, tokens):
    bots = fleet_at(start_bursard(expired_charges=charges).grpc_addr)
    user, answer = asked(bots, reservation_ttl_us=1_000_000)
    ref = bots.admin_pb.GetReservationRequest(reservation=bots.ref(answer))
    until(lambda: bots.admin.GetReservation(ref, timeout=10).state == bots.types.RESERVATION_STATE_EXPIRED)
    done = record(bots, answer, "{}", "anthropic")
    assert done.late and done.estimated and done.tokens == 0
    again = record(bots, answer, "{}", "anthropic")
    assert again.repeat and not again.differs
    bots.drained()
    with stack.sql() as sql:
        sql.execute("SELECT sum(charged_input), sum(charged_output), sum(cost_nano) FROM ledger WHERE user_id = %s", (user,))
        assert sql.fetchone() == (*tokens, tokens[0] * 2500 + tokens[1] * 10_000)


def test_numbers_that_contradict_each_other_are_charged_as_the_larger_and_flagged(bots, stack):
    user, answer = asked(bots)
    done = record(bots, answer, {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 65}, "openai")
    assert done.tokens == 65 and done.cost.unpriced and not done.estimated and "larger reading" in done.usage_problem
    assert rows(bots, stack, user)[0][2] == 1 | 128


def test_rounds_are_priced_one_by_one(bots):
    """Two requests of 600 tokens are below a tier of 1,000; their sum is above it."""
    model = priced(bots, context_tiers=[bots.admin_pb.ContextTier(above_tokens=1000, input="4", output="20")])
    entry = {"input_tokens": 600, "output_tokens": 10, "total_tokens": 610}
    sent = {"requests": 2, "input_tokens": 1200, "output_tokens": 20, "total_tokens": 1220, "request_usage_entries": [entry, entry]}
    user, answer = asked(bots, model=model)
    done = record(bots, answer, sent, "openai-agents")
    assert done.cost.cost_nano_usd == 1200 * 2000 + 20 * 10_000 and not done.cost.above_context
    assert done.tokens == 1220 and bots.used(user, "cost") == done.cost.cost_nano_usd
    user, answer = asked(bots, model=model)
    entry["input_tokens"], entry["total_tokens"] = 1001, 1011
    sent["input_tokens"], sent["total_tokens"] = 2002, 2022
    done = record(bots, answer, sent, "openai-agents")
    assert done.cost.cost_nano_usd == 2002 * 4000 + 20 * 20_000 and done.cost.above_context


def test_the_served_mode_counts_and_a_named_one_counts_more(bots):
    model = priced(bots, modes=[bots.admin_pb.ModeRatio(mode="flex", numerator=1, denominator=2),
                                bots.admin_pb.ModeRatio(mode="batch", numerator=1, denominator=4)])
    full = 100 * 2000 + 10 * 10_000
    for checked, told, named, share in (("", "flex", "", 2), ("flex", "default", "", 1), ("flex", "flex", "standard", 1),
                                        ("batch", "default", "", 4), ("flex", None, "", 2)):
        _, answer = asked(bots, model=model, mode=checked)
        sent = {"usage": {"prompt_tokens": 100, "completion_tokens": 10, "total_tokens": 110}, "service_tier": told}
        assert record(bots, answer, sent, "openai", mode=named).cost.cost_nano_usd * share == full, (checked, told, named)


def test_usage_and_provider_usage_together_are_refused(bots):
    _, answer = asked(bots)
    both = bots.limiter_pb.RecordRequest(reservation=bots.ref(answer), usage=bots.types.TokenUsage(input_tokens=1),
                                         provider_usage=bots.types.ProviderUsage(json=json.dumps(CHAT)))
    refused = fails_with(Code.INVALID_ARGUMENT, bots.limiter.Record, both, timeout=10)
    assert refused.details().startswith("provider_usage: must be given alone")
    assert not record(bots, answer, CHAT).repeat, "nothing was settled"


def test_the_command_line_sends_the_file_as_it_is(bots, bursar, tmp_path):
    _, answer = asked(bots)
    path = tmp_path / "response.json"
    path.write_text(json.dumps({"model": "gpt-4o", "usage": CHAT}))
    done = json.loads(bursar("record", answer.reservation, "--usage", str(path), "--json").stdout)
    assert int(done["cost"]["cost_nano_usd"]) == CHAT_NANO
    _, answer = asked(bots)
    path.write_text("{")
    shown = bursar("record", answer.reservation, "--usage", str(path), "--provider", "openai").stdout
    assert "charged as estimated" in shown
