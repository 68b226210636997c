"""A check through every layer: what it answers, what it holds, what it leaves alone."""
import grpc
import pytest

from bots import DAY_US, failed, fails_with, unique


def test_an_unknown_user_is_admitted_on_the_default_tier_and_denied_after_its_three_requests(bots):
    user = unique("user")
    answers = [bots.check(user, input_tokens=10, max_output_tokens=10) for _ in range(4)]
    assert [a.allowed for a in answers] == [True, True, True, False]
    denied = answers[3]
    assert denied.tier == "free"
    assert denied.reason == bots.types.REASON_REQUEST_RATE
    assert denied.binding.limit.name == "requests_per_minute"
    assert denied.binding.effective_amount == 3
    assert 0 < denied.retry_after_us <= 20_000_000
    assert not denied.permanent and not denied.reservation and denied.message
    assert "retry-after" in {h.name.lower() for h in denied.headers}
    assert denied.quality == bots.types.QUALITY_EXACT


def test_a_denial_changes_nothing_on_any_limit(bots):
    user = bots.user_with(bots.bucket("tight", "requests", 1), bots.bucket("loose", "tokens", 1_000_000),
                          bots.calendar("day", "tokens", 1_000_000))
    assert bots.check(user, input_tokens=100, max_output_tokens=100).allowed
    before = bots.used(user, "day")
    for _ in range(50):
        assert failed(bots.check(user, input_tokens=100, max_output_tokens=100)) == {"tight"}
    assert bots.used(user, "day") == before == 200
    assert bots.used(user, "loose") <= 200


def test_seven_a_minute_admits_seven_at_once(bots):
    user = bots.user_with(bots.bucket("rate", "requests", 7))
    assert [bots.check(user).allowed for _ in range(8)] == [True] * 7 + [False]


def test_every_failed_limit_is_listed_and_the_last_to_recover_binds(bots):
    user = bots.user_with(bots.bucket("rpm", "requests", 1), bots.calendar("per_day", "requests", 1),
                          bots.calendar("per_month", "requests", 1, "MONTH"))
    assert bots.check(user).allowed
    denied = bots.check(user)
    assert failed(denied) == {"rpm", "per_day", "per_month"}
    assert denied.reason == bots.types.REASON_QUOTA
    assert denied.binding.limit.name in ("per_day", "per_month")
    assert denied.binding.retry_after_us == max(s.retry_after_us for s in denied.limits if s.failed)


def test_a_request_larger_than_the_burst_is_permanent(bots):
    user = bots.user_with(bots.bucket("tpm", "tokens", 1000))
    denied = bots.check(user, input_tokens=900, max_output_tokens=101)
    assert not denied.allowed and denied.permanent and denied.retry_after_us == 0
    assert bots.check(user, input_tokens=900, max_output_tokens=100).allowed


def test_the_same_request_id_gives_the_same_reservation_once(bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    first = bots.check(user, request_id="r1", input_tokens=5, max_output_tokens=5)
    again = bots.check(user, request_id="r1", input_tokens=5, max_output_tokens=5)
    assert again.allowed and again.repeat and not first.repeat
    assert again.started_at_us == first.started_at_us
    assert again.state == bots.types.RESERVATION_STATE_OPEN
    assert bots.used(user, "day") == 1


def test_an_id_whose_reservation_is_gone_is_refused_or_decided_like_a_new_one(bots, until):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    states, ids = bots.types.ReservationState, {}
    for word in ("RECORDED", "CANCELLED", "EXPIRED"):
        ids[word] = answer = bots.check(user, request_id=word, reservation_ttl_us=1_000_000 if word == "EXPIRED" else 0)
        if word != "EXPIRED":
            bots.record(answer, input_tokens=1, keep_open=word == "CANCELLED")
    bots.cancel(ids["CANCELLED"])
    until(lambda: bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, "day")].held == 0)
    for word in ids:
        again = bots.check(user, request_id=word)
        assert again.repeat and again.state == states.Value("RESERVATION_STATE_" + word)
        assert again.quality == bots.types.QUALITY_EXACT and again.allowed == (word == "RECORDED")
        if not again.allowed:
            assert again.permanent and again.reason == bots.types.REASON_REQUEST_CLOSED and not again.reservation
            assert again.message == "This request has already ended. Please send it as a new one."
            assert not any(header.name == "Retry-After" for header in again.headers)
    bots.cancel(bots.check(user, request_id="back"))
    again = bots.check(user, request_id="back", input_tokens=7)  # nothing is left of the first
    assert again.allowed and not again.repeat and bots.used(user, "day") == 4


def test_the_same_request_id_with_other_contents_is_refused(bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    bots.check(user, request_id="r1", input_tokens=5)
    fails_with(grpc.StatusCode.ALREADY_EXISTS, bots.check, user, request_id="r1", input_tokens=6)
    assert bots.used(user, "day") == 1


def test_a_denied_id_is_decided_anew(bots):
    user = bots.user_with(bots.bucket("fast", "requests", 1, period_us=200_000))
    assert bots.check(user, request_id="a").allowed
    answer = bots.check(user, request_id="b")
    while not answer.allowed:  # at most 0.2 s
        answer = bots.check(user, request_id="b")
    assert not answer.repeat


def test_selectors_count_only_their_interface_and_model(bots):
    user = bots.user_with(bots.calendar("telegram", "requests", 1, interface="telegram"),
                          bots.calendar("mini", "requests", 1, model="gpt-4o-mini"))
    assert bots.check(user, interface="telegram").allowed
    assert failed(bots.check(user, interface="telegram")) == {"telegram"}
    assert bots.check(user, interface="web", model="gpt-4o-mini").allowed
    assert failed(bots.check(user, interface="web", model="gpt-4o-mini")) == {"mini"}
    assert bots.check(user, interface="discord").allowed


def test_concurrent_counts_open_reservations(bots):
    user = bots.user_with(bots.level("open", 2))
    one, two = bots.check(user), bots.check(user)
    denied = bots.check(user)
    assert denied.reason == bots.types.REASON_CONCURRENCY
    bots.cancel(one)
    assert bots.check(user).allowed
    bots.record(two, input_tokens=1)
    assert bots.check(user).allowed


def test_five_accounts_count_together_and_the_tightest_denies(bots):
    user, team, org = unique("user"), unique("team"), unique("org")
    tier = unique("tier")
    bots.tier(tier, bots.calendar("user_day", "requests", 100))
    bots.account(org, kind="ORG")
    bots.account(team, kind="TEAM", org=org)
    bots.account(user, tier=tier, team=team)
    bots.override(org, bots.calendar("org_day", "requests", 3), kind="ORG")
    bots.override(team, bots.calendar("team_day", "requests", 100), kind="TEAM")
    assert [bots.check(user).allowed for _ in range(4)] == [True, True, True, False]
    figures = {name: s for (_, name), s in bots.figures(user).items()}
    assert {n: s.used for n, s in figures.items()} == {"user_day": 3, "team_day": 3, "org_day": 3}
    denied = bots.check(user)
    assert denied.binding.account_kind == bots.types.ACCOUNT_KIND_ORG


def test_suspension_denies_at_once_and_unsuspension_admits(bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    assert bots.check(user).allowed
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(user), reason="spam"), timeout=10)
    denied = bots.check(user)
    assert not denied.allowed and denied.reason == bots.types.REASON_SUSPENDED
    bots.admin.Unsuspend(bots.admin_pb.UnsuspendRequest(ref=bots.key(user)), timeout=10)
    assert bots.check(user).allowed


def test_bypass_counts_and_never_denies_but_suspension_wins(bots):
    user = bots.user_with(bots.calendar("day", "requests", 1))
    bots.admin.SetBypass(bots.admin_pb.SetBypassRequest(ref=bots.key(user), bypass=True), timeout=10)
    answers = [bots.check(user) for _ in range(3)]
    assert all(a.allowed for a in answers) and answers[2].bypassed
    assert bots.used(user, "day") == 3
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(user)), timeout=10)
    assert not bots.check(user).allowed


def test_grace_doubles_quotas_and_budgets_but_not_rates(bots):
    user = bots.user_with(bots.calendar("day", "requests", 2))
    until = bots.status(user).now_us + DAY_US
    bots.admin.SetGrace(bots.admin_pb.SetGraceRequest(ref=bots.key(user), until_us=until), timeout=10)
    assert [bots.check(user).allowed for _ in range(5)] == [True] * 4 + [False]


def test_shadow_limits_count_and_never_deny(bots):
    user = bots.user_with(bots.calendar("shadow", "requests", 1, shadow=True))
    answers = [bots.check(user, verbose=True) for _ in range(3)]
    assert all(a.allowed for a in answers)
    assert [s.would_fail for s in answers[2].limits if s.limit.name == "shadow"] == [True]
    assert bots.used(user, "shadow") == 3


def test_a_warning_is_listed_from_eighty_percent_and_notifies_once(bots):
    user = bots.user_with(bots.calendar("day", "requests", 10))
    answers = [bots.check(user) for _ in range(10)]
    assert [any(s.warning for s in a.limits) for a in answers] == [False] * 7 + [True] * 3
    assert [any(s.notify for s in a.limits) for a in answers] == [False] * 7 + [True, False, False]


def test_a_batch_decides_each_item_in_order_and_names_the_bad_one(bots):
    user = bots.user_with(bots.calendar("day", "requests", 2))
    items = [bots.request(user) for _ in range(3)] + [bots.request("")]
    answer = bots.limiter.CheckBatch(bots.limiter_pb.CheckBatchRequest(items=items), timeout=10)
    assert sorted(i.response.allowed for i in answer.items[:3]) == [False, True, True]
    assert answer.items[3].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert "user" in answer.items[3].error.field


@pytest.mark.parametrize("fields, field", [
    ({"user": ""}, "user"),
    ({"user": "a\x01b"}, "user"),
    ({"user": "x" * 129}, "user"),
    ({"user": "u", "request_id": "x" * 129}, "request_id"),
    ({"user": "u", "input_tokens": -1}, "input_tokens"),
    ({"user": "u", "input_tokens": 2**53}, "input_tokens"),
    ({"user": "u", "max_output_tokens": 2**63 - 1}, "max_output_tokens"),
    ({"user": "u", "input_tokens": 2**53 - 1, "max_output_tokens": 1}, "tokens"),
    ({"user": "u", "reservation_ttl_us": 1}, "reservation_ttl_us"),
    ({"user": "u", "tenant": "\x7f"}, "tenant"),
])
def test_bad_input_names_its_field(bots, fields, field):
    fields.setdefault("tenant", "default")
    request = bots.limiter_pb.CheckRequest(**fields)
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.limiter.Check, request, timeout=10)
    assert field in error.details()


@pytest.mark.parametrize("user", ["a/b", "a:b", "{p1}", "a%2Fb", "é", "x" * 128, "a b", "\U0001f600"])
def test_ids_with_separators_braces_and_unicode_are_their_own_accounts(bots, user):
    tier = unique("tier")
    bots.tier(tier, bots.calendar("day", "requests", 1000))
    bots.account(user, tier=tier)
    before = bots.used(user, "day")
    assert bots.check(user).allowed
    assert bots.used(user, "day") == before + 1


def test_an_unknown_model_is_refused_and_the_nearest_named(bots):
    strict = unique("fleet")
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(id=strict, unknown_model="UNKNOWN_MODEL_REFUSE")), timeout=10)
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.check, unique("user"), model="gpt-4o-minni", tenant=strict)
    assert "model" in error.details() and "gpt-4o-mini" in error.details()


def test_an_unknown_method_is_unimplemented(bots):
    call = bots.channel.unary_unary("/bursar.v1.Limiter/Nothing")
    fails_with(grpc.StatusCode.UNIMPLEMENTED, call, b"", timeout=5)


def test_rubbish_in_place_of_a_message_is_an_invalid_argument(bots):
    call = bots.channel.unary_unary("/bursar.v1.Limiter/Check")
    fails_with(grpc.StatusCode.INVALID_ARGUMENT, call, b"\xff\xff\xff\xff", timeout=5)


def test_an_upgrade_helps_at_once_and_keeps_the_use(bots):
    small, large, user = unique("tier"), unique("tier"), unique("user")
    bots.tier(small, bots.bucket("rpm", "requests", 2), bots.calendar("day", "requests", 2))
    bots.tier(large, bots.bucket("rpm", "requests", 20), bots.calendar("day", "requests", 20))
    bots.account(user, tier=small)
    assert [bots.check(user).allowed for _ in range(3)] == [True, True, False]
    bots.admin.SetTier(bots.admin_pb.SetTierRequest(ref=bots.key(user), tier=large), timeout=10)
    assert bots.check(user).allowed
    assert bots.used(user, "day") == 3


def test_a_limit_lowered_below_use_denies_until_the_window_ends(bots):
    tier, user = unique("tier"), unique("user")
    bots.tier(tier, bots.calendar("day", "requests", 10))
    bots.account(user, tier=tier)
    assert all(bots.check(user).allowed for _ in range(5))
    bots.tier(tier, bots.calendar("day", "requests", 3))
    answer = bots.check(user)
    while answer.allowed and bots.used(user, "day") < 10:  # a tier's change may take up to a second
        answer = bots.check(user)
    assert not answer.allowed and answer.binding.remaining == 0


def test_explain_writes_nothing(bots):
    user = bots.user_with(bots.calendar("day", "requests", 5))
    for _ in range(10):
        answer = bots.limiter.Explain(bots.limiter_pb.ExplainRequest(check=bots.request(user)), timeout=10)
        assert answer.response.allowed and not answer.response.reservation and answer.steps
    assert bots.used(user, "day") == 0


def test_explain_says_money_in_dollars(bots):
    user = bots.user_with(bots.calendar("usd_day", "cost", 5 * 10**9))
    check = bots.request(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000)
    steps = bots.limiter.Explain(bots.limiter_pb.ExplainRequest(check=check), timeout=10).steps
    assert any("0.00 USD of 5.00 USD used, 0.0125 USD requested" in step or "0 USD of 5 USD used, 0.0125 USD requested" in step
               for step in steps), steps


def test_tpm_tpd_money_per_day_and_per_month_stand_side_by_side(bots):
    user = bots.user_with(bots.bucket("tpm", "tokens", 10_000), bots.calendar("tpd", "tokens", 100_000),
                          bots.calendar("usd_day", "cost", 10**9), bots.calendar("usd_month", "cost", 10**10, "MONTH"))
    assert bots.check(user, model="gpt-4o", input_tokens=1000, max_output_tokens=1000).allowed
    # gpt-4o: 2.50 in, 10.00 out per 1M tokens: 1000 * 2500 + 1000 * 10000 nano-USD
    assert {n: s.used for (_, n), s in bots.figures(user).items() if n != "tpm"} == {
        "tpd": 2000, "usd_day": 12_500_000, "usd_month": 12_500_000}


def test_a_nine_million_dollar_cap_is_exact_on_the_wire(bots):
    cap = 9_000_000 * 10**9
    user = bots.user_with(bots.calendar("cap", "cost", cap))
    answer = bots.check(user, model="gpt-4o", input_tokens=1, max_output_tokens=1, verbose=True)
    status = [s for s in answer.limits if s.limit.name == "cap"][0]
    assert status.effective_amount == cap and status.used == 12_500 and status.remaining == cap - 12_500


