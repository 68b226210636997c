"""Limits on what is counted by the piece: searches, images, ... From the admin who puts one to the user who reads of it; and they outlive
Redis, corrections and resets."""
import grpc
import pytest

from bots import fails_with, unique

Code = grpc.StatusCode


def expected(bots, **amounts):
    types = bots.types
    return [bots.limiter_pb.ExpectedUse(dimension=getattr(types, f"DIMENSION_{name.upper()}"), amount=n) for name, n in amounts.items()]


def searcher(bots, *more, amount=5):
    return bots.user_with(bots.calendar("searches", "web_searches", amount), *more)


def searched(bots, user, n, **more):
    answer = bots.check(user, **more)
    assert answer.allowed, answer
    bots.record(answer, input_tokens=1, web_searches=n)
    return answer


def figures(bots, user, name="searches"):
    status = bots.figures(user)[bots.types.ACCOUNT_KIND_USER, name]
    return status.used, status.held


def windows(stack, user):
    with stack.sql() as sql:
        sql.execute("SELECT unit, sum((counted->>'web_searches')::int)::int FROM usage_windows WHERE id = %s AND counted IS NOT NULL "
                    "GROUP BY 1 ORDER BY 1", (user,))
        return sql.fetchall()


def test_searches_count_as_recorded_and_deny_when_used_up(bots):
    user = searcher(bots)
    searched(bots, user, 3)
    searched(bots, user, 3)
    assert figures(bots, user) == (6, 0)
    denied = bots.check(user)
    assert not denied.allowed and denied.reason == bots.types.REASON_QUOTA and denied.binding.limit.name == "searches"
    assert (denied.binding.requested, denied.binding.used) == (1, 6)
    assert denied.message.startswith("You have reached your limit of 5 web searches per day.")
    assert bots.check(user, expected=expected(bots, web_searches=0)).allowed, "it says that it will not search"


@pytest.mark.parametrize("language, words", [("de", "von 5 Websuchen pro Tag"), ("ru", "5 поисков в интернете в день"),
                                             ("es", "de 5 búsquedas web al día"), ("en", "5 web searches per day")])
def test_the_denial_reads_well(bots, language, words):
    user = searcher(bots)
    searched(bots, user, 5)
    assert words in bots.check(user, language=language).message


def test_expected_searches_are_held_with_their_cost_and_returned(bots, bursar):
    model = unique("searching")
    bursar("price", "put", "testing", model, "--input", "1", "--output", "1", "--rate", "web_searches=10", check=True)
    user = searcher(bots)
    answer = bots.check(user, model=model, input_tokens=0, max_output_tokens=1, expected=expected(bots, web_searches=4))
    assert answer.held_cost_nano_usd == 4 * 10_000_000 + 1000
    assert figures(bots, user) == (4, 4)
    again = bots.check(user, model=model, expected=expected(bots, web_searches=2))
    assert not again.allowed and again.binding.only_held and again.binding.requested == 2
    bots.record(answer, web_searches=1)
    assert figures(bots, user) == (1, 0)
    cancelled = bots.check(user, expected=expected(bots, web_searches=4))
    assert figures(bots, user) == (5, 4)
    bots.cancel(cancelled)
    assert figures(bots, user) == (1, 0)


def test_a_repeat_is_the_same_only_with_the_same_expectation(bots):
    user, request_id = searcher(bots), unique("id")
    first = bots.check(user, request_id=request_id, expected=expected(bots, web_searches=2))
    again = bots.check(user, request_id=request_id, expected=expected(bots, web_searches=2))
    assert first.allowed and again.repeat and figures(bots, user) == (2, 2)
    fails_with(Code.ALREADY_EXISTS, bots.check, user, request_id=request_id, expected=expected(bots, web_searches=3))


@pytest.mark.parametrize("uses", [{"tokens": 5}, {"cost": 1}])
def test_only_pieces_can_be_expected(bots, uses):
    error = fails_with(Code.INVALID_ARGUMENT, bots.check, unique("user"), expected=expected(bots, **uses))
    assert error.details().startswith("expected[0].dimension: "), error.details()


def test_the_same_dimension_twice_is_refused(bots):
    error = fails_with(Code.INVALID_ARGUMENT, bots.check, unique("user"), expected=expected(bots, pages=1) * 2)
    assert error.details().startswith("expected[1].dimension: "), error.details()


def test_they_outlive_redis_and_a_new_limit_knows_them(bots, stack):
    user = searcher(bots, bots.bucket("flow", "web_searches", 1000, period_us=3600 * 10**6))
    searched(bots, user, 2)
    searched(bots, user, 1, interface="telegram")
    bots.drained()
    assert windows(stack, user) == [(0, 3), (1, 3), (2, 3)]
    stack.redis.flushall()
    assert figures(bots, user) == (3, 0) and 2 <= figures(bots, user, "flow")[0] <= 3
    bots.admin.OverrideLimits(bots.admin_pb.OverrideLimitsRequest(ref=bots.key(user), merge=True, limits=[
        bots.calendar("month", "web_searches", 4, "MONTH"), bots.calendar("telegram", "web_searches", 9, interface="telegram")]), timeout=10)
    searched(bots, user, 1, interface="telegram")
    assert [figures(bots, user, name) for name in ("searches", "month", "telegram")] == [(4, 0), (4, 0), (2, 0)]
    assert not bots.check(user).allowed
    assert bots.drained().equal


def test_corrections_and_resets_move_them(bots, stack):
    user = searcher(bots)
    answer = searched(bots, user, 4)
    bots.drained()
    pb = bots.admin_pb

    def adjust(n, **more):
        return bots.admin.AdjustLedger(pb.AdjustLedgerRequest(reservation=bots.ref(answer), usage=pb.TokenChange(web_searches=n),
                                                              reason="was counted twice", **more), timeout=20)
    assert "takes 5 web_searches from request" in fails_with(Code.INVALID_ARGUMENT, adjust, -5).details()
    adjust(-3, adjustment_id="twice")
    assert figures(bots, user) == (1, 0)
    bots.drained()
    assert windows(stack, user) == [(0, 1), (1, 1), (2, 1)]
    assert adjust(-3, adjustment_id="twice").repeat
    fails_with(Code.ALREADY_EXISTS, adjust, -1, adjustment_id="twice")
    bots.admin.Reset(pb.ResetRequest(ref=bots.key(user)), timeout=10)
    assert figures(bots, user) == (0, 0)
    searched(bots, user, 2)
    bots.drained()
    stack.redis.flushall()
    assert figures(bots, user) == (2, 0)


def test_an_expiry_returns_them_and_a_late_record_counts_them(bots, until):
    user = searcher(bots)
    answer = bots.check(user, reservation_ttl_us=1_000_000, expected=expected(bots, web_searches=3))
    assert figures(bots, user) == (3, 3)
    until(lambda: figures(bots, user) == (0, 0))
    assert bots.record(answer, input_tokens=1, web_searches=2).late
    assert figures(bots, user) == (2, 0)


def test_what_the_provider_counted_counts(bots):
    user = searcher(bots)
    answer = bots.check(user, model="claude-opus-5")
    bots.limiter.Record(bots.limiter_pb.RecordRequest(reservation=bots.ref(answer), provider_usage=bots.types.ProviderUsage(provider="anthropic", json=(
        '{"input_tokens": 10, "output_tokens": 5, "server_tool_use": {"web_search_requests": 3}}'))), timeout=10)
    assert figures(bots, user) == (3, 0)


def test_from_the_command_line(bots, bursar):
    def run(*args, code=0):
        done = bursar(*args)
        assert done.returncode == code, (args, done.stdout, done.stderr)
        return done.stdout + done.stderr
    tier, user = unique("tier"), unique("user")
    run("tier", "put", tier, "requests=50/day", "web_searches=3/day", "output_images=2/week,name=pictures")
    run("account", "put", user, "--tier", tier)
    assert "web_searches_per_day" in run("tier", "show", tier)
    handle = bots.check(user, expected=expected(bots, web_searches=2)).reservation
    assert "allowed" in run("check", user, "--expect", "web_searches=1", "--expect", "output_images=0")
    assert "web searches" in run("check", user, "--expect", "web_searches=1", code=1)
    run("record", handle, "--input-tokens", "5", "--meter", "web_searches=3", "--meter", "output_images=2")
    assert "pictures" in run("explain", user, "--expect", "web_searches=0", code=1)
    assert "'web_search' is not a dimension; did you mean 'web_searches'?" in run("check", user, "--expect", "web_search=1", code=2)
