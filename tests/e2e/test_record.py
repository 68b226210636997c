"""What a request used: settled, charged, given back, in the ledger once."""
import grpc
import pytest

from harness import protos
from bots import Bots, fails_with, unique


def ledger(stack, user):
    with stack.sql() as sql:
        sql.execute('SELECT request_id, entry, requests, cost_nano FROM ledger WHERE user_id = %s ORDER BY request_id, attempt, entry', (user,))
        return sql.fetchall()


def test_a_record_settles_its_reservation_and_is_priced(bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 10_000), bots.calendar("cost", "cost", 10**9))
    answer = bots.check(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000)
    done = bots.record(answer, input_tokens=900, output_tokens=100)
    assert done.cost.cost_nano_usd == 900 * 2500 + 100 * 10_000
    assert done.tokens == 1000 and done.released_tokens == 1000
    assert done.state == bots.types.RESERVATION_STATE_RECORDED
    assert bots.used(user, "tokens") == 1000
    assert bots.used(user, "cost") == done.cost.cost_nano_usd


def test_the_estimate_equals_the_record_to_the_nano_dollar(bots):
    usage = {"input_tokens": 12_345, "cached_input_tokens": 6_789, "output_tokens": 321, "reasoning_tokens": 77}
    for model in ("gpt-4o", "claude-sonnet-4-5", "gemini-2.5-pro", "deepseek-v4-pro", "gpt-5.6-luna"):
        estimate = bots.limiter.EstimateCost(
            bots.limiter_pb.EstimateCostRequest(tenant=bots.tenant, model=model, usage=bots.types.TokenUsage(**usage)), timeout=10)
        user = bots.user_with(bots.calendar("cost", "cost", 10**12))
        done = bots.record(bots.check(user, model=model, input_tokens=1), **usage)
        assert done.cost.cost_nano_usd == estimate.cost.cost_nano_usd > 0
        assert bots.used(user, "cost") == done.cost.cost_nano_usd


def test_use_above_the_reservation_becomes_debt_and_is_in_the_ledger(bots, stack):
    user = bots.user_with(bots.calendar("day", "tokens", 100))
    answer = bots.check(user, input_tokens=45, max_output_tokens=45)
    bots.record(answer, input_tokens=100, output_tokens=100)
    status = bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, "day")]
    assert status.used == 200 and status.remaining == 0
    assert not bots.check(user, input_tokens=1, max_output_tokens=1).allowed
    bots.drained()
    with stack.sql() as sql:
        sql.execute('SELECT sum(charged_input + charged_output) FROM ledger WHERE user_id = %s', (user,))
        assert sql.fetchone()[0] == 200


def test_a_record_without_a_usage_is_refused_and_none_used_is_said_in_as_many_words(bots):
    pb, user = bots.limiter_pb, bots.user_with(bots.calendar("day", "tokens", 1000))
    answer = bots.check(user, input_tokens=10, max_output_tokens=10)
    forgotten = pb.RecordRequest(reservation=bots.ref(answer))
    refused = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.limiter.Record, forgotten, timeout=10)
    assert refused.details().startswith("usage: must be given"), refused.details()
    item = bots.limiter.RecordBatch(pb.RecordBatchRequest(items=[forgotten]), timeout=10).items[0]
    assert item.error.field == "usage" and item.error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    done = bots.record(answer, input_tokens=4, output_tokens=5)
    assert not done.repeat and bots.used(user, "day") == 9, "nothing was settled at 0"
    assert bots.record(bots.check(user, input_tokens=10, max_output_tokens=10), input_tokens=0).tokens == 0


def test_a_repeat_with_other_figures_says_what_was_recorded(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 100_000))
    answer = bots.check(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000)
    first = bots.record(answer, model="gpt-4o-2024-08-06", input_tokens=0)
    assert not first.repeat and not first.HasField("recorded")
    same = bots.record(answer, model="gpt-4o-2024-08-06", input_tokens=0)
    assert same.repeat and not same.differs and same.recorded.model == "gpt-4o-2024-08-06"
    assert bots.record(answer).repeat and not bots.record(answer).differs, "who names no model means the one that answered"
    other = bots.record(answer, model="gpt-4o", mode="batch", input_tokens=1180, cached_input_tokens=7, output_tokens=310)
    assert other.repeat and other.tokens == 0 and other.cost.cost_nano_usd == 0 and not other.cost.lines
    assert list(other.differs) == ["usage.input_tokens", "usage.cached_input_tokens", "usage.output_tokens", "model", "mode"]
    assert other.recorded.usage == bots.types.TokenUsage() and other.recorded.mode == ""
    assert bots.used(user, "day") == 0


def test_a_repeat_that_names_no_mode_means_the_one_of_the_check(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 100_000))
    answer = bots.check(user, model="gpt-4o", mode="batch", input_tokens=1000)
    bots.record(answer, input_tokens=100)
    same = bots.record(answer, input_tokens=100)
    assert same.repeat and not same.differs and same.recorded.mode == "batch"
    assert list(bots.record(answer, mode="standard", input_tokens=100).differs) == ["mode"]
    plain = bots.check(user, model="gpt-4o", input_tokens=1000)
    bots.record(plain, input_tokens=100)
    assert not bots.record(plain, mode="standard", input_tokens=100).differs, "standard is what no mode means"


def test_each_attempt_is_repeated_with_its_own_figures(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 100_000))
    answer = bots.check(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000)
    first = bots.record(answer, attempt=0, keep_open=True, input_tokens=100, output_tokens=20)
    last = bots.record(answer, attempt=1, input_tokens=500, output_tokens=400)
    for attempt, told, usage in ((0, first, {"input_tokens": 100, "output_tokens": 20}),
                                 (1, last, {"input_tokens": 500, "output_tokens": 400})):
        again = bots.record(answer, attempt=attempt, **usage)
        assert again.repeat and not again.differs
        assert (again.tokens, again.cost.cost_nano_usd) == (told.tokens, told.cost.cost_nano_usd)
        assert again.recorded == bots.limiter_pb.RecordedUsage(
            usage=bots.types.TokenUsage(**usage), model="gpt-4o", cost_nano_usd=told.cost.cost_nano_usd)
    assert list(bots.record(answer, attempt=0, input_tokens=500, output_tokens=400).differs) == \
        ["usage.input_tokens", "usage.output_tokens"]
    assert bots.used(user, "day") == 1020


def test_settling_twice_charges_once(bots, stack):
    user = bots.user_with(bots.calendar("day", "tokens", 1000))
    answer = bots.check(user, input_tokens=10, max_output_tokens=10)
    first = bots.record(answer, input_tokens=5, output_tokens=5)
    again = bots.record(answer, input_tokens=5, output_tokens=5)
    assert not first.repeat and again.repeat
    assert bots.used(user, "day") == 10
    bots.drained()
    assert len(ledger(stack, user)) == 1


def test_the_four_fields_name_a_reservation_as_well_as_its_handle(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 1000))
    answer = bots.check(user, request_id="r", input_tokens=10, max_output_tokens=10)
    ref = bots.ref(user=user, request_id="r", started_at_us=answer.started_at_us)
    assert not bots.record(ref=ref, input_tokens=1).repeat
    assert bots.record(answer, input_tokens=1).repeat
    assert bots.used(user, "day") == 1


def test_attempts_are_charged_and_the_request_is_counted_once(bots):
    user = bots.user_with(bots.calendar("requests", "requests", 10), bots.calendar("tokens", "tokens", 1000))
    answer = bots.check(user, input_tokens=50, max_output_tokens=50)
    bots.record(answer, attempt=0, keep_open=True, input_tokens=30)
    assert bots.used(user, "tokens") == 100
    bots.record(answer, attempt=1, keep_open=True, input_tokens=30)
    bots.record(answer, attempt=1, keep_open=True, input_tokens=30)
    bots.record(answer, attempt=2, input_tokens=10)
    assert bots.used(user, "tokens") == 70
    assert bots.used(user, "requests") == 1


def test_an_attempt_that_is_repeated_as_the_last_one_gives_the_rest_back(bots, stack):
    user = bots.user_with(bots.calendar("requests", "requests", 10), bots.calendar("tokens", "tokens", 100))
    answer = bots.check(user, input_tokens=50, max_output_tokens=50)
    bots.record(answer, keep_open=True, input_tokens=30)
    assert not bots.check(user, input_tokens=35, max_output_tokens=35).allowed
    last = bots.record(answer, input_tokens=30)
    assert last.repeat and not last.late and not last.differs and last.state == bots.types.RESERVATION_STATE_RECORDED
    assert (last.tokens, last.released_tokens) == (30, 70)
    again = bots.record(answer, input_tokens=30)
    assert again.repeat and (again.tokens, again.released_tokens) == (30, 0)
    assert bots.used(user, "tokens") == 30 and bots.used(user, "requests") == 1
    fails_with(grpc.StatusCode.FAILED_PRECONDITION, bots.renew, answer)
    assert bots.check(user, input_tokens=35, max_output_tokens=35).allowed
    bots.drained()
    assert [(entry, requests) for _, entry, requests, _ in ledger(stack, user)] == [(0, 1), (3, 0)]


def test_a_cancel_gives_everything_back(bots):
    user = bots.user_with(bots.calendar("requests", "requests", 1), bots.bucket("tpm", "tokens", 100))
    answer = bots.check(user, input_tokens=50, max_output_tokens=50)
    assert not bots.check(user, input_tokens=1, max_output_tokens=1).allowed
    assert bots.cancel(answer).state == bots.types.RESERVATION_STATE_CANCELLED
    assert bots.cancel(answer).repeat
    assert bots.check(user, input_tokens=50, max_output_tokens=50).allowed


def test_a_cancel_after_a_record_is_refused(bots):
    answer = bots.check(unique("user"), input_tokens=1)
    bots.record(answer, input_tokens=1)
    fails_with(grpc.StatusCode.FAILED_PRECONDITION, bots.cancel, answer)


def test_renew_moves_the_expiry(bots):
    answer = bots.check(unique("user"), reservation_ttl_us=2_000_000)
    renewed = bots.renew(answer, ttl_us=3600 * 10**6)
    assert renewed.expires_at_us >= answer.started_at_us + 3600 * 10**6


def test_an_expired_reservation_counts_its_request_and_a_late_record_adds_the_rest(bots, stack, until):
    user = bots.user_with(bots.calendar("requests", "requests", 10), bots.calendar("tokens", "tokens", 1000))
    answer = bots.check(user, input_tokens=50, max_output_tokens=50, reservation_ttl_us=1_000_000)
    until(lambda: bots.used(user, "tokens") == 0)
    assert bots.used(user, "requests") == 1
    late = bots.record(answer, input_tokens=7)
    assert late.late and not late.repeat
    assert bots.used(user, "tokens") == 7 and bots.used(user, "requests") == 1
    bots.drained()
    rows = ledger(stack, user)
    assert [row[1] for row in rows] == [0, 1] and sum(row[2] for row in rows) == 1


def test_one_request_id_of_two_users_and_two_tenants_is_four_ledger_rows(bots, stack):
    name, users = unique("same"), [unique("user"), unique("user")]
    for tenant in (unique("tenant"), unique("tenant")):
        fleet = type(bots)(bots.stubs, bots.address, tenant)
        for user in users:
            fleet.record(fleet.check(user, request_id=name), input_tokens=3)
        fleet.drained()
        fleet.close()
    with stack.sql() as sql:
        sql.execute("SELECT count(*) FROM ledger WHERE request_id = %s", (name,))
        assert sql.fetchone()[0] == 4


def test_a_record_without_a_check_is_charged_in_full_and_counts_the_request(bots):
    user = bots.user_with(bots.calendar("requests", "requests", 10), bots.calendar("tokens", "tokens", 1000))
    now = bots.status(user).now_us
    ref = bots.ref(user=user, request_id="never-checked", started_at_us=now)
    assert bots.record(ref=ref, model="gpt-4o", input_tokens=40, output_tokens=2).late
    assert bots.record(ref=ref, model="gpt-4o", input_tokens=40, output_tokens=2).repeat
    assert bots.used(user, "requests") == 1 and bots.used(user, "tokens") == 42


def test_a_record_repeated_after_redis_lost_its_marker_is_charged_once(bots, stack, until):
    user = bots.user_with(bots.calendar("tokens", "tokens", 1000))
    answer = bots.check(user, request_id="marker-lost", input_tokens=10, max_output_tokens=10)
    bots.record(answer, input_tokens=10)
    bots.drained()
    for key in stack.redis.scan_iter(match="b:{p*}:q:*"):
        if b"marker-lost" in key:
            stack.redis.delete(key)
    bots.record(answer, input_tokens=10)
    until(lambda: bots.proof().undrained == 0 and bots.used(user, "tokens") == 10)
    assert len(ledger(stack, user)) == 1


def test_a_record_older_than_seven_days_is_refused(bots):
    user = unique("user")
    old = bots.status(user).now_us - 8 * 86_400 * 10**6
    fails_with(grpc.StatusCode.FAILED_PRECONDITION, bots.record,
               ref=bots.ref(user=user, request_id="old", started_at_us=old), input_tokens=1)


def test_a_record_of_an_unknown_model_is_booked_and_flagged(bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 1000))
    done = bots.record(bots.check(user), model="no-such-model", input_tokens=5)
    assert done.cost.unpriced and (done.cost.model, done.cost.cost_nano_usd) == ("claude-fable-5", 50_000)  # the shipped fallback
    assert bots.used(user, "tokens") == 5


def test_a_batch_of_records_answers_in_order(bots):
    user = bots.user_with(bots.calendar("tokens", "tokens", 10_000))
    answers = [bots.check(user, input_tokens=1, max_output_tokens=1) for _ in range(20)]
    items = [bots.limiter_pb.RecordRequest(reservation=bots.ref(a), usage=bots.types.TokenUsage(input_tokens=i + 1))
             for i, a in enumerate(answers)]
    done = bots.limiter.RecordBatch(bots.limiter_pb.RecordBatchRequest(items=items), timeout=10)
    assert [item.response.tokens for item in done.items] == [i + 1 for i in range(20)]
    assert bots.used(user, "tokens") == sum(range(1, 21))


def test_a_spent_budget_denies_also_without_a_model_and_free_models_cost_nothing(bots):
    user = bots.user_with(bots.calendar("cost", "cost", 1000))
    bots.record(bots.check(user), model="gpt-4o", output_tokens=100)
    assert not bots.check(user).allowed


def test_a_reset_empties_the_counters_and_is_in_the_ledger(bots, stack):
    user = bots.user_with(bots.calendar("day", "tokens", 100))
    bots.record(bots.check(user, input_tokens=50, max_output_tokens=50), input_tokens=100)
    assert not bots.check(user, input_tokens=1, max_output_tokens=1).allowed
    bots.admin.Reset(bots.admin_pb.ResetRequest(ref=bots.key(user), reason="goodwill"), timeout=10)
    assert bots.used(user, "day") == 0
    assert bots.check(user, input_tokens=1, max_output_tokens=1).allowed
    bots.drained()
    assert 2 in [row[1] for row in ledger(stack, user)]


def test_a_record_sent_before_the_checks_reply_was_read_settles_it(bots, until):
    user = bots.user_with(bots.calendar("tokens", "tokens", 1000))
    pending = bots.limiter.Check.future(bots.request(user, request_id="early", input_tokens=50, max_output_tokens=50), timeout=10)
    until(lambda: bots.used(user, "tokens") == 100)
    ref = bots.ref(user=user, request_id="early", started_at_us=bots.status(user).now_us)
    assert not bots.record(ref=ref, input_tokens=7).repeat
    assert bots.record(pending.result(), input_tokens=7).repeat
    assert bots.used(user, "tokens") == 7


def test_what_runs_during_a_reset_belongs_to_what_was_before_it(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 100), bots.level("open", 5))
    answer = bots.check(user, input_tokens=20, max_output_tokens=20)
    bots.admin.Reset(bots.admin_pb.ResetRequest(ref=bots.key(user)), timeout=10)
    assert bots.used(user, "day") == 0 and bots.used(user, "open") == 1
    bots.record(answer, input_tokens=30)
    assert bots.used(user, "day") == 0 and bots.used(user, "open") == 0
    assert bots.drained().ledger.requests >= 1


@pytest.mark.parametrize("attempts", [0, 1])
def test_a_request_whose_marker_is_forgotten_is_still_counted_once(start_bursard, stack, until, attempts):
    bots = Bots(protos, start_bursard(idempotency_window_s=1).grpc_addr)
    user = bots.user_with(bots.calendar("requests", "requests", 10), bots.calendar("day", "tokens", 1000))
    answer = bots.check(user, input_tokens=10, max_output_tokens=10, reservation_ttl_us=1_000_000)
    for attempt in range(attempts):
        bots.record(answer, attempt=attempt, keep_open=True, input_tokens=5)
    until(lambda: not any(user.encode() in key for key in stack.redis.scan_iter(match="b:{p*}:q:*")))
    bots.drained()
    bots.record(answer, attempt=attempts, input_tokens=7)
    assert bots.used(user, "requests") == 1 and bots.used(user, "day") == 7 + 5 * attempts
    bots.drained()
    with stack.sql() as cursor:
        cursor.execute("SELECT sum(requests), sum(charged_input) FROM ledger WHERE user_id = %s", (user,))
        assert cursor.fetchone() == (1, 7 + 5 * attempts)
    bots.close()
