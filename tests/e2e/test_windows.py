"""Calendar windows are the account's own, whoever settles; and a limit knows what was used before it was there."""
import datetime

import grpc
import pytest

from bots import failed, fails_with, unique

UTC = datetime.timezone.utc
ZONES = ["", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Pacific/Kiritimati", "Pacific/Pago_Pago", "Asia/Kathmandu",
         "Australia/Lord_Howe"]


def settle_record(bots, answer):
    bots.record(answer, input_tokens=5)


def settle_attempt(bots, answer):
    bots.record(answer, attempt=1, keep_open=True, input_tokens=5)
    bots.cancel(answer)


def settle_cancel(bots, answer):
    bots.cancel(answer)


def settle_renew(bots, answer):
    bots.renew(answer, ttl_us=1_000_000)
    bots.cancel(answer)


def settle_batch(bots, answer):
    item = bots.limiter_pb.RecordRequest(reservation=bots.ref(answer), usage=bots.types.TokenUsage(input_tokens=5))
    reply = bots.limiter.RecordBatch(bots.limiter_pb.RecordBatchRequest(items=[item]), timeout=10)
    assert not reply.items[0].HasField("error"), reply


SETTLES = {"record": (settle_record, 5, 1), "attempt": (settle_attempt, 5, 1), "cancel": (settle_cancel, 0, 0),
           "renew": (settle_renew, 0, 0), "batch": (settle_batch, 5, 1)}


def limits(bots):
    return [bots.calendar("tokens", "tokens", 1000, "MONTH"), bots.calendar("weekly", "tokens", 1000, "WEEK"),
            bots.calendar("daily", "requests", 3), bots.calendar("elsewhere", "tokens", 1000, interface="telegram")]


@pytest.mark.parametrize("how", SETTLES)
@pytest.mark.parametrize("foreign", [False, True], ids=["own", "foreign"])
def test_use_stays_whoever_settles(two_fleets, how, foreign):
    here, there = two_fleets
    settle, tokens, requests = SETTLES[how]
    for zone in ZONES:
        user = here.user_with(*limits(here), time_zone=zone)
        here.record(here.check(user, input_tokens=400, max_output_tokens=50), input_tokens=450)
        answer = here.check(user, input_tokens=1, max_output_tokens=1)
        assert answer.allowed
        settle(there if foreign else here, answer)
        for bots in two_fleets:
            assert bots.used(user, "tokens") == bots.used(user, "weekly") == 450 + tokens, zone
            assert bots.used(user, "daily") == 1 + requests, zone
            assert bots.used(user, "elsewhere") == 0, zone


@pytest.mark.parametrize("how", SETTLES)
def test_use_of_groups_in_a_zone_stays_whoever_settles(two_fleets, how):
    here, there = two_fleets
    settle, tokens, requests = SETTLES[how]
    team, org = unique("team"), unique("org")
    here.tier("groups-" + how, *limits(here))
    here.account(org, "ORG", tier="groups-" + how, time_zone="Asia/Tokyo")
    here.account(team, "TEAM", tier="groups-" + how, org=org, time_zone="America/New_York")
    user = here.user_with(*limits(here), time_zone="Europe/Berlin", team=team)
    here.record(here.check(user, input_tokens=400, max_output_tokens=50), input_tokens=450)
    settle(there, here.check(user, input_tokens=1, max_output_tokens=1))
    used = {(kind, name): status.used for (kind, name), status in here.figures(user).items()}
    for kind in (here.types.ACCOUNT_KIND_USER, here.types.ACCOUNT_KIND_TEAM, here.types.ACCOUNT_KIND_ORG):
        assert used[kind, "tokens"] == 450 + tokens and used[kind, "daily"] == 1 + requests


def test_a_denied_user_in_a_zone_stays_denied_when_another_bursard_settles(two_fleets):
    here, there = two_fleets
    for zone in ZONES:
        user = here.user_with(here.calendar("cost", "cost", 5_000_000_000, "MONTH"), time_zone=zone)
        big = dict(model="gpt-4o", input_tokens=1_600_000, max_output_tokens=1)
        here.record(here.check(user, **big), input_tokens=1_600_000)
        small = here.check(user, model="gpt-4o", input_tokens=10, max_output_tokens=1)
        there.record(small, input_tokens=10)
        assert failed(here.check(user, **big)) == failed(there.check(user, **big)) == {"cost"}, zone


def test_the_answer_of_a_stranger_shows_the_account_s_own_limits(two_fleets):
    here, there = two_fleets
    user, other, tier = unique("user"), unique("user"), unique("tier")
    here.tier(tier, here.calendar("day", "tokens", 10))
    here.account(user, tier=tier, time_zone="Asia/Tokyo")
    here.account(other, tier=tier)
    assert there.check(other, input_tokens=1, max_output_tokens=1).allowed  # it has read the tier
    answer = here.check(user, input_tokens=5, max_output_tokens=4)
    recorded = there.record(answer, input_tokens=9)
    mine = here.figures(user)[here.types.ACCOUNT_KIND_USER, "day"]
    assert [(w.limit.name, w.used, w.resets_at_us) for w in recorded.limits] == [("day", 9, mine.resets_at_us)]


def test_what_was_never_checked_counts_on_the_team_that_only_another_bursard_knows(two_fleets, stack):
    here, there = two_fleets
    team = unique("team")
    tier = unique("tier")
    here.tier(tier, here.calendar("all", "requests", 100))
    here.account(team, "TEAM", tier=tier)
    user = here.user_with(here.calendar("daily", "requests", 100), team=team)
    here.record(here.check(user), input_tokens=1)
    ref = there.ref(user=user, request_id="never-checked", started_at_us=here.status(user).now_us)
    there.record(ref=ref, input_tokens=7)
    there.drained()
    with stack.sql() as sql:
        sql.execute("SELECT count(*), count(*) FILTER (WHERE team = %s) FROM ledger WHERE user_id = %s", (team, user))
        assert sql.fetchone() == (2, 2)
    used = {(kind, s.limit.name): s.used for (kind, _), s in here.figures(user).items()}
    assert used[here.types.ACCOUNT_KIND_TEAM, "all"] == 2


# A limit that is new to an account.

def spent(bots, user, requests=1, **fields):
    for _ in range(requests):
        bots.record(bots.check(user, model="gpt-4o", input_tokens=100_000, max_output_tokens=1, **fields), input_tokens=100_000)


NEW_LIMITS = {
    "cost of the day": (lambda b: b.calendar("spend", "cost", 100_000_000), dict(model="gpt-4o", input_tokens=1)),
    "requests of the month": (lambda b: b.calendar("calls", "requests", 2, "MONTH"), {}),
    "tokens of the week": (lambda b: b.calendar("words", "tokens", 200_000, "WEEK"), dict(input_tokens=1)),
    "of one interface": (lambda b: b.calendar("chat", "requests", 2, interface="telegram"), dict(interface="telegram")),
    "of one model": (lambda b: b.calendar("big", "requests", 2, model="gpt-4o"), dict(model="gpt-4o")),
}


@pytest.mark.parametrize("name", NEW_LIMITS)
@pytest.mark.parametrize("zone", ["", "Asia/Tokyo"])
def test_a_new_limit_knows_what_was_used_before_it(two_fleets, name, zone):
    here, there = two_fleets
    limit, request = NEW_LIMITS[name]
    user = here.user_with(here.calendar("other", "output_tokens", 10**9), time_zone=zone)
    spent(here, user, 2, interface="telegram")
    here.override(user, limit(here))
    for bots in (there, here):
        answer = bots.check(user, **request)
        assert not answer.allowed and answer.quality == bots.types.QUALITY_EXACT, answer
        assert failed(answer) == {limit(bots).name}


def test_a_new_limit_that_selects_something_else_starts_at_zero(bots):
    user = bots.user_with(bots.calendar("other", "output_tokens", 10**9))
    spent(bots, user, 2, interface="telegram")
    bots.override(user, bots.calendar("web", "requests", 1, interface="web"), bots.calendar("mini", "requests", 1, model="gpt-4o-mini"))
    assert bots.used(user, "web") == bots.used(user, "mini") == 0
    assert bots.check(user, interface="web", model="gpt-4o-mini").allowed


def test_setting_the_tier_away_and_back_forgets_nothing(two_fleets):
    here, there = two_fleets
    home, away = unique("tier"), unique("tier")
    here.tier(home, here.calendar("daily", "requests", 3))
    here.tier(away, here.calendar("monthly", "tokens", 10**9, "MONTH"))
    user = unique("user")
    here.account(user, tier=home)
    for tier in (away, home):
        spent(here, user)
        here.admin.SetTier(here.admin_pb.SetTierRequest(ref=here.key(user), tier=tier), timeout=10)
    assert there.used(user, "daily") == 2
    spent(here, user)
    assert not there.check(user).allowed


def test_a_renamed_limit_goes_on_counting_without_the_ledger(bots, stack):
    tier, user = unique("tier"), unique("user")
    bots.tier(tier, bots.calendar("daily", "requests", 2))
    bots.account(user, tier=tier)
    spent(bots, user, 2)
    bots.tier(tier, bots.calendar("per-day", "requests", 2))
    assert bots.used(user, "per-day") == 2


def test_a_limit_new_to_a_team_knows_what_its_members_used(two_fleets):
    here, there = two_fleets
    team = unique("team")
    users = [here.user_with(here.calendar("other", "output_tokens", 10**9), team=team) for _ in range(3)]
    for user in users:
        spent(here, user)
    here.account(team, "TEAM")
    here.override(team, here.calendar("team", "requests", 3), kind="TEAM")
    assert failed(there.check(users[0])) == {"team"}


def test_a_ceiling_for_a_model_and_for_a_tenant_knows_what_was_used_before(two_fleets):
    here, there = (type(bots)(bots.stubs, bots.address, "ceilings") for bots in two_fleets)
    user = here.user_with(here.calendar("other", "output_tokens", 10**9))
    spent(here, user, 2)
    here.drained()
    here.account("gpt-4o", "MODEL")
    here.override("gpt-4o", here.calendar("ceiling", "requests", 3), kind="MODEL")
    here.account("ceilings", "TENANT")
    here.override("ceilings", here.calendar("all", "requests", 4), kind="TENANT")
    for bots in (here, there):
        while not any(s.limit.name == "all" for s in bots.figures(user, "gpt-4o").values()):
            pass  # until its catalog has the accounts
    spent(there, user)
    assert failed(here.check(user, model="gpt-4o")) == {"ceiling"}
    there.record(there.check(user, model="gpt-4o-mini"), input_tokens=1)
    assert failed(here.check(user, model="gpt-4o-mini")) == {"all"}


def test_use_under_a_limit_that_came_later_survives_the_loss_of_redis_data(bots, stack):
    user = bots.user_with(bots.calendar("other", "output_tokens", 10**9))
    spent(bots, user)
    bots.override(user, bots.calendar("daily", "requests", 3))
    spent(bots, user)
    bots.drained()
    stack.redis.flushall()
    assert bots.used(user, "daily") == 2


def test_a_new_limit_decides_without_the_ledger_only_inexactly(start_bursard, redis, postgres_server):
    from bots import Bots
    from harness import protos
    database = postgres_server.database()
    bots = Bots(protos, start_bursard(postgres=database, roles="serve,http").grpc_addr)  # nobody drains
    user = bots.user_with(bots.calendar("other", "output_tokens", 10**9))
    spent(bots, user)
    bots.override(user, bots.calendar("daily", "requests", 1))
    answer = bots.check(user, timeout=30)
    assert answer.quality != bots.types.QUALITY_EXACT
    bots.close()


# The store's clock was ahead for a while.

@pytest.mark.parametrize("seconds", [600, 86_400])
def test_a_clock_that_was_ahead_for_a_moment_denies_nobody_for_longer(moved, clock, seconds):
    user = moved.user_with(moved.bucket("rpm", "requests", 3), moved.calendar("daily", "requests", 1000))
    clock.advance(seconds)
    assert [moved.check(user).allowed for _ in range(4)] == [True, True, True, False]
    clock.advance(-seconds)
    denied = moved.check(user)
    assert failed(denied) == {"rpm"} and denied.retry_after_us <= 20_000_000
    clock.advance(denied.retry_after_us / 2e6)
    assert failed(moved.check(user)) == {"rpm"}
    clock.advance(denied.retry_after_us / 2e6)
    assert moved.check(user).allowed


def test_a_clock_that_was_a_day_ahead_costs_nobody_the_day(moved, clock):
    user = moved.user_with(moved.calendar("daily", "requests", 2))
    moved.record(moved.check(user), input_tokens=1)
    clock.advance(86_400)
    for _ in range(2):
        moved.record(moved.check(user), input_tokens=1)
    assert not moved.check(user).allowed
    clock.advance(-86_400)
    assert moved.used(user, "daily") == 1
    moved.record(moved.check(user), input_tokens=1)
    assert not moved.check(user).allowed
    clock.advance(86_400)  # the day of tomorrow was spent before it began
    assert not moved.check(user).allowed and moved.used(user, "daily") == 2


@pytest.mark.parametrize("seconds", [600, 86_400])
def test_what_was_checked_while_the_clock_was_ahead_is_recorded_when_it_is_right(moved, clock, seconds):
    user = moved.user_with(moved.calendar("month", "tokens", 1000, "MONTH"), moved.level("open", 5))
    clock.advance(seconds)
    answer = moved.check(user, input_tokens=5, max_output_tokens=5, reservation_ttl_us=86_400_000_000)
    clock.advance(-seconds)
    recorded = moved.record(answer, input_tokens=10)
    assert not recorded.repeat and moved.used(user, "month") == 10 and moved.used(user, "open") == 0
    assert moved.record(answer, input_tokens=10).repeat
    moved.drained()
    ref = moved.ref(user=user, request_id="unknown", started_at_us=answer.started_at_us + 7_200_000_000)
    if seconds > 3600:
        fails_with(grpc.StatusCode.INVALID_ARGUMENT, moved.record, ref=ref, input_tokens=1)
