"""What a denial says: of whom, of which limit, and when to come again."""
import grpc
import pytest

from bots import failed, fails_with, unique


def header(answer, name):
    return next((h.value for h in answer.headers if h.name == name), None)


def test_a_quota_that_is_only_held_is_tried_again_soon_and_one_that_is_used_up_when_its_window_ends(bots):
    user = bots.user_with(bots.calendar("day", "tokens", 1000))
    first = bots.check(user, input_tokens=300, max_output_tokens=300, reservation_ttl_us=60_000_000)
    second = bots.check(user, input_tokens=300, max_output_tokens=100)
    denied = bots.check(user, input_tokens=100, max_output_tokens=100)
    assert denied.reason == bots.types.REASON_QUOTA and failed(denied) == {"day"}
    assert denied.binding.only_held and denied.binding.open_reservations == 2 and denied.binding.held == 1000
    assert denied.binding.first_end_us == first.expires_at_us < second.expires_at_us
    assert 0 < denied.retry_after_us <= 4_000_000 and not denied.permanent
    assert "is full for now: 2 requests are still running and hold part of it. The next one ends in" in denied.message
    assert denied.message.endswith("Try again in 4 seconds.") and header(denied, "Retry-After") == "4"
    for language, words in (("de", "2 Anfragen laufen noch"), ("ru", "2 запроса ещё выполняются"), ("es", "2 solicitudes siguen en curso")):
        assert words in bots.check(user, input_tokens=100, max_output_tokens=100, language=language).message
    bots.record(first, input_tokens=250)
    assert bots.check(user, input_tokens=100, max_output_tokens=100).allowed
    bots.record(second, input_tokens=700)
    denied = bots.check(user, input_tokens=100, max_output_tokens=100)
    assert not denied.binding.only_held and denied.retry_after_us == denied.binding.resets_at_us - denied.started_at_us
    assert denied.message.startswith("You have reached your limit of 1000 tokens per day.")


def test_a_team_that_is_full_of_what_its_members_run_is_told_so(bots):
    team, one, other = unique("team"), unique("one"), unique("other")
    bots.account(team, kind="TEAM")
    bots.override(team, bots.calendar("day", "tokens", 100), kind="TEAM")
    for user in (one, other):
        bots.account(user, team=team)
    bots.check(one, input_tokens=50, max_output_tokens=50)
    denied = bots.check(other, input_tokens=10, max_output_tokens=10)
    assert denied.binding.only_held and denied.binding.open_reservations == 1 and not denied.binding.first_end_us
    assert denied.message.startswith("Your team's limit of 100 tokens per day is full for now: 1 request is still running and holds part of it.")


def test_a_level_says_how_many_run(bots):
    user = bots.user_with(bots.level("open", 2))
    open_ones = [bots.check(user) for _ in range(2)]
    denied = bots.check(user)
    assert denied.binding.only_held and denied.binding.open_reservations == 2
    assert denied.binding.first_end_us == open_ones[0].expires_at_us
    assert "2 requests at a time is full for now: 2 requests are still running." in denied.message


@pytest.mark.parametrize("mode", ["check", "explain"])
def test_reason_and_text_are_about_the_limit_that_is_last_to_recover(bots, mode):
    """The tokens a minute come back before the day's money does; the other user's money a minute after their tokens a minute."""
    user = bots.user_with(bots.bucket("tpm", "tokens", 1000), bots.calendar("requests", "requests", 2))
    slow = bots.user_with(bots.bucket("rpm", "requests", 1), bots.bucket("tpm", "tokens", 1000, period_us=600_000_000))
    for who in (user, user, slow):
        bots.record(bots.check(who, input_tokens=1, max_output_tokens=499), input_tokens=500)
    bots.record(ref=bots.ref(user=slow, request_id="late", started_at_us=bots.check(slow).started_at_us), input_tokens=600)

    def ask(who):
        if mode == "check":
            return bots.check(who, input_tokens=400, max_output_tokens=400)
        return bots.limiter.Explain(bots.limiter_pb.ExplainRequest(
            check=bots.request(who, input_tokens=400, max_output_tokens=400)), timeout=10).response
    denied = ask(user)
    assert failed(denied) == {"tpm", "requests"} and denied.binding.limit.name == "requests"
    assert denied.reason == bots.types.REASON_QUOTA and "2 requests per day" in denied.message
    denied = ask(slow)
    assert failed(denied) == {"rpm", "tpm"} and denied.binding.limit.name == "tpm"
    assert denied.reason == bots.types.REASON_TOKEN_RATE and "1000 tokens" in denied.message


def test_the_headers_of_a_denial_say_when_this_request_could_pass(bots):
    user = bots.user_with(bots.bucket("rpm", "requests", 3), bots.calendar("month", "requests", 1000, "MONTH"))
    allowed = [bots.check(user, headers=True) for _ in range(3)][-1]
    assert 59 <= int(header(allowed, "X-RateLimit-Reset")) <= 60 and header(allowed, "Retry-After") is None
    denied = bots.check(user)
    assert header(denied, "X-RateLimit-Reset") == header(denied, "Retry-After") == str(-(-denied.retry_after_us // 1_000_000))
    assert int(header(denied, "Retry-After")) <= 20 and header(denied, "x-should-retry") is None
    assert (header(denied, "X-Bursar-Reason"), header(denied, "X-Bursar-Limit")) == ("request_rate", "rpm")


def test_an_allowed_answer_has_what_a_bot_acts_on_and_the_rest_on_request(bots):
    user = bots.user_with(bots.bucket("rpm", "requests", 10), bots.calendar("month", "requests", 1000, "MONTH"))
    lean, with_headers, full = bots.check(user), bots.check(user, headers=True), bots.check(user, verbose=True)
    for answer in (lean, with_headers, full):
        assert answer.allowed and answer.reservation and answer.request_id and answer.quality == bots.types.QUALITY_EXACT
        assert answer.held_tokens == 1000 and answer.state == bots.types.RESERVATION_STATE_OPEN
    assert [(len(a.limits), len(a.headers)) for a in (lean, with_headers, full)] == [(0, 0), (0, 5), (2, 5)]
    assert header(with_headers, "RateLimit-Policy") == header(full, "RateLimit-Policy")
    assert header(full, "X-RateLimit-Remaining") == "7"
    items = [bots.request(user, **fields) for fields in ({}, {"headers": True}, {"verbose": True})]
    answers = [item.response for item in bots.limiter.CheckBatch(bots.limiter_pb.CheckBatchRequest(items=items)).items]
    assert [(len(a.limits), len(a.headers)) for a in answers] == [(0, 0), (0, 5), (2, 5)]


def test_a_lean_answer_still_warns_and_a_denial_is_whole(bots):
    user = bots.user_with(bots.calendar("day", "requests", 2))
    bots.check(user)
    warned = bots.check(user)
    assert warned.allowed and not warned.headers and warned.message
    assert [(row.limit.name, row.warning, row.notify) for row in warned.limits] == [("day", True, True)]
    lean, full = bots.check(user), bots.check(user, verbose=True)
    assert not lean.allowed and not full.allowed and lean.binding.limit == full.binding.limit
    assert lean.message.startswith("You have") and "Try again in" in lean.message
    assert [h.name for h in lean.headers] == [h.name for h in full.headers]


def test_a_client_is_not_asked_to_wait_inside_a_call_for_long(bots):
    user = bots.user_with(bots.calendar("month", "requests", 1, "MONTH"), bots.bucket("tpm", "tokens", 1000))
    permanent = bots.check(user, input_tokens=2000)
    assert header(permanent, "x-should-retry") == "false" and header(permanent, "Retry-After") is None
    assert header(permanent, "X-RateLimit-Reset") is None and header(permanent, "X-Bursar-Reason") == "token_rate"
    bots.override(user, bots.bucket("year", "requests", 1, period_us=360 * 24 * 3_600_000_000))
    assert bots.check(user).allowed
    denied = bots.check(user)
    assert header(denied, "x-should-retry") == "false" and header(denied, "retry-after-ms") is None
    assert header(denied, "Retry-After") == header(denied, "X-RateLimit-Reset") == "2147483"


def test_answers_and_errors_with_the_longest_names_stay_below_8_kib(bots, until):
    def many(kind):
        return [bots.calendar(f"{kind}{number:02}" + "n" * 59, "requests", 1) for number in range(32)]
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(
        id=(tenant := unique("long") + "é" * 55), unknown_model=bots.admin_pb.UNKNOWN_MODEL_REFUSE)), timeout=10)
    bots.tenant = tenant
    user, team, org = "u" * 128, "t" * 128, "o" * 128
    bots.account(org, kind="ORG")
    bots.account(team, kind="TEAM", org=org)
    bots.tier(tier := "t" * 64, *many("use"))
    bots.account(user, team=team, tier=tier)
    for name, kind in ((team, "TEAM"), (org, "ORG"), ("gpt-4o", "MODEL"), (tenant, "TENANT")):
        bots.override(name, *many(kind[:3].lower()), kind=kind)
    until(lambda: sum(len(account.limits) for account in bots.status(user, model="gpt-4o").accounts) == 160)  # the model's is known by then
    bots.check(user, model="gpt-4o")
    for language in ("en", "de", "ru", "es"):
        denied = bots.check(user, model="gpt-4o", language=language)
        assert len(failed(denied)) == 160
        assert len(denied.message.encode()) + sum(len(f"{h.name}: {h.value}\r\n") for h in denied.headers) < 8192
        assert denied.binding.limit.name in header(denied, "RateLimit")
    error = fails_with(grpc.StatusCode.INVALID_ARGUMENT, bots.check, user, model="м" * 64)
    assert sum(len(key) + len(value) for key, value in error.trailing_metadata()) + 3 * len(error.details().encode()) < 8192


CLOSED = {
    ("suspended", "USER"): "This account is suspended. Please contact support.",
    ("suspended", "TEAM"): "Your team is suspended. Please contact support.",
    ("suspended", "ORG"): "Your organisation is suspended. Please contact support.",
    ("suspended", "MODEL"): "This model is suspended. Please choose another one.",
    ("suspended", "TENANT"): "This service is suspended. Please contact support.",
    ("deleted", "USER"): "This account no longer exists.",
    ("deleted", "TEAM"): "Your team no longer exists. Please contact support.",
    ("deleted", "ORG"): "Your organisation no longer exists. Please contact support.",
    ("deleted", "MODEL"): "This model no longer exists. Please choose another one.",
    ("deleted", "TENANT"): "This service no longer exists.",
}


@pytest.fixture
def house(bots):
    """A user with a team, an org, a model and a tenant, all of their own: {kind: id}."""
    tenant = unique("house")
    bots.admin.PutTenant(bots.admin_pb.PutTenantRequest(tenant=bots.admin_pb.Tenant(id=tenant)), timeout=10)
    bots.tenant = tenant
    ids = {"USER": unique("user"), "TEAM": unique("team"), "ORG": unique("org"), "MODEL": "gpt-4o", "TENANT": tenant}
    bots.account(ids["ORG"], kind="ORG")
    bots.account(ids["TEAM"], kind="TEAM", org=ids["ORG"])
    bots.account(tenant, kind="TENANT")
    bots.account(ids["USER"], team=ids["TEAM"])
    bots.override(ids["MODEL"], bots.calendar("day", "requests", 100), kind="MODEL")
    return ids


def close(bots, how, kind, ids):
    if how == "suspended":
        bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(ids[kind], kind), reason="test"), timeout=10)
    else:
        bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(ids[kind], kind), reason="test"), timeout=10)


@pytest.mark.parametrize(("how", "kind"), list(CLOSED))
def test_a_denial_says_who_is_suspended_or_deleted(bots, house, until, how, kind):
    user = house["USER"]
    assert bots.check(user, model="gpt-4o").allowed
    close(bots, how, kind, house)
    until(lambda: bots.check(user, model="gpt-4o").permanent)
    denied = bots.check(user, model="gpt-4o")
    assert denied.reason == bots.types.Reason.Value("REASON_" + how.upper()) and denied.permanent
    assert (denied.binding.account_kind, denied.binding.account_id) == (bots.types.AccountKind.Value("ACCOUNT_KIND_" + kind), house[kind])
    assert not denied.binding.HasField("limit") and denied.binding.failed and denied.binding.permanent
    assert denied.message == CLOSED[how, kind]
    explained = bots.limiter.Explain(bots.limiter_pb.ExplainRequest(check=bots.request(user, model="gpt-4o")), timeout=10)
    assert explained.steps[-1] == f"It would be denied now: the {kind.lower()} {house[kind]} is {how}."
    closed = [(account.id, account.suspended, account.deleted) for account in bots.status(user, model="gpt-4o").accounts
              if account.suspended or account.deleted]
    assert closed == [(house[kind], how == "suspended", how == "deleted")]


def test_the_command_line_says_what_ends_it(bots, house, bursar):
    close(bots, "suspended", "TEAM", house)
    said = bursar("check", house["USER"], "--tenant", house["TENANT"]).stdout
    assert f"account      team {house['TEAM']}\n" in said
    assert f"'bursar account unsuspend {house['TEAM']} --kind team' ends the suspension" in said
    close(bots, "deleted", "ORG", house)
    said = bursar("status", house["USER"], "--tenant", house["TENANT"]).stdout
    assert "  deleted" in next(line for line in said.splitlines() if line.startswith(f"org {house['ORG']}"))


@pytest.mark.parametrize(("args", "advice"), [
    (("account", "set-tier", "alice", "nothing", "--create"), "'bursar tier list'"), (("tier", "show", "nothing"), "'bursar tier list'"),
    (("tier", "delete", "nothing"), "'bursar tier list'"),
    (("pool", "show", "nothing"), "'bursar pool list'"), (("run", "--user", "alice", "--pool", "nothing", "--", "true"), "'bursar pool list'"),
    (("key", "revoke", "99"), "'bursar key list'"), (("account", "delete", "nobody-at-all"), "'bursar account list'"),
    (("cancel", "--user", "alice", "--id", "none", "--started-at", "now"), "A reservation stays known for 15 minutes after it ends."),
])
def test_the_command_line_advises_by_the_reason_of_an_error(bursar, args, advice):
    said = bursar(*args)
    assert said.returncode != 0 and advice in said.stderr.splitlines()[-1], said.stderr
