"""Time moves: windows end, days change, zones differ. The clock of Redis and of bursard is moved by libfaketime."""
import datetime

import pytest

from bots import unique

UTC = datetime.timezone.utc


def test_a_daily_quota_is_whole_again_at_midnight(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 2))
    clock.set(datetime.datetime(2027, 3, 10, 23, 59, 30, tzinfo=UTC))
    assert [moved.check(user).allowed for _ in range(3)] == [True, True, False]
    clock.set(datetime.datetime(2027, 3, 11, 0, 0, 5, tzinfo=UTC))
    assert [moved.check(user).allowed for _ in range(3)] == [True, True, False]


def test_a_day_in_berlin_with_a_lost_hour_ends_at_its_own_midnight(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 1), time_zone="Europe/Berlin")
    clock.set(datetime.datetime(2027, 3, 28, 12, 0, tzinfo=UTC))  # the day summer time begins: it ends at 22:00 UTC
    assert moved.check(user).allowed
    denied = moved.check(user)
    assert denied.binding.resets_at_us == int(datetime.datetime(2027, 3, 28, 22, 0, tzinfo=UTC).timestamp()) * 10**6
    clock.set(datetime.datetime(2027, 3, 28, 22, 0, 5, tzinfo=UTC))
    assert moved.check(user).allowed


ZONES = ["UTC", "Pacific/Kiritimati", "Etc/GMT+12", "Asia/Kathmandu", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia",
         "America/Havana"]


def admitted(fleet, clock, user, zones, step, start):
    """When the user was admitted: the zone is put and a request tried at each step."""
    times = []
    for i, zone in enumerate(zones):
        clock.set(start + i * step)
        fleet.account(user, time_zone=zone)
        if fleet.check(user).allowed:
            times.append(start + i * step)
    return times


def test_a_zone_that_is_put_every_hour_gives_no_second_budget(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 1))
    start = datetime.datetime(2027, 3, 10, 12, 30, tzinfo=UTC)
    zones = [f"Etc/GMT{offset:+}" for offset in range(12, -15, -1) if offset]
    times = admitted(moved, clock, user, zones[:24], datetime.timedelta(hours=1), start)
    assert times == [start, start + datetime.timedelta(hours=12)]  # at once, and after the midnight that was to come


def test_two_changes_of_zone_in_a_row_do_not_move_the_reset(moved, clock):
    user = moved.user_with(*(moved.calendar(unit.lower(), "requests", 1, unit) for unit in ("DAY", "WEEK", "MONTH")))
    ends = {"day": (2027, 3, 11), "week": (2027, 3, 15), "month": (2027, 4, 1)}
    expected = {name: int(datetime.datetime(*end, tzinfo=UTC).timestamp()) * 10**6 for name, end in ends.items()}
    for zone in ("Asia/Tokyo", "America/New_York", "Pacific/Kiritimati", "UTC"):
        clock.advance(600)
        moved.account(user, time_zone=zone)
        moved.check(user)
        account = moved.status(user).accounts[0]
        assert {limit.limit.name: limit.resets_at_us for limit in account.limits} == expected, zone
        for shown in (account, moved.admin.GetAccount(moved.admin_pb.GetAccountRequest(ref=moved.key(user)), timeout=10)):
            assert shown.time_zone == zone
            assert [kept.ends_at_us for kept in shown.kept_windows] == [expected[unit] for unit in ("day", "week", "month")]
    clock.set(datetime.datetime(2027, 3, 15, 0, 0, 5, tzinfo=UTC))
    assert [kept.window for kept in moved.status(user).accounts[0].kept_windows] == [moved.types.CALENDAR_WINDOW_MONTH]


@pytest.mark.parametrize("first", ZONES[::2])
def test_from_any_zone_over_any_other_to_a_third_the_day_is_not_cut_short(moved, clock, first):
    users = {second: moved.user_with(moved.calendar("day", "requests", 1), time_zone=first) for second in ZONES if second != first}
    ends = {}
    for second, user in users.items():
        assert moved.check(user).allowed
        ends[user] = moved.check(user).binding.resets_at_us
        for zone in (second, "Asia/Tokyo", second):
            moved.account(user, time_zone=zone)
        assert moved.check(user).binding.resets_at_us == ends[user]
    for user in users.values():
        clock.set(datetime.datetime.fromtimestamp(ends[user] / 1e6 + 1, tz=UTC))
        assert moved.check(user).allowed
        denied = moved.check(user)
        assert not denied.allowed and denied.binding.resets_at_us - ends[user] >= 20 * 3600 * 10**6


def test_a_user_who_was_served_before_anybody_put_them_keeps_their_running_day(moved, clock):
    moved.tier("free", moved.calendar("day", "requests", 1))
    users = [unique("stranger") for _ in range(2)]
    assert all(moved.check(user).allowed for user in users)
    # Nothing was recorded, so PostgreSQL knows of neither: only Redis can say that they have used their day.
    for user in users:
        moved.account(user, time_zone="Asia/Tokyo")
    clock.set(datetime.datetime(2027, 3, 10, 15, 0, 30, tzinfo=UTC))  # midnight in Tokyo
    assert not any(moved.check(user).allowed for user in users)


def test_a_new_user_begins_in_their_own_zone(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 1), time_zone="Asia/Tokyo")
    assert moved.check(user).allowed and not moved.check(user).allowed
    clock.set(datetime.datetime(2027, 3, 10, 15, 0, 30, tzinfo=UTC))
    assert moved.check(user).allowed


def test_a_late_refund_does_not_enlarge_the_next_window(moved, clock):
    user = moved.user_with(moved.calendar("day", "tokens", 100))
    clock.set(datetime.datetime(2027, 3, 10, 23, 59, 30, tzinfo=UTC))
    first = moved.check(user, input_tokens=50, max_output_tokens=50)
    clock.set(datetime.datetime(2027, 3, 11, 0, 0, 5, tzinfo=UTC))
    second = moved.check(user, input_tokens=50, max_output_tokens=50)
    assert first.allowed and second.allowed
    moved.record(first, input_tokens=10)
    assert not moved.check(user, input_tokens=1, max_output_tokens=1).allowed
    assert moved.used(user, "day") == 100


def test_a_late_refund_after_the_bucket_refilled_is_not_given_twice(moved, clock):
    user = moved.user_with(moved.bucket("tpm", "tokens", 100))
    first = moved.check(user, input_tokens=50, max_output_tokens=50)
    clock.advance(61)
    assert moved.check(user, input_tokens=50, max_output_tokens=50).allowed
    moved.record(first, input_tokens=10)
    assert not moved.check(user, input_tokens=50, max_output_tokens=40).allowed


def test_a_record_repeated_on_the_next_day_is_one_row(moved, clock, stack):
    user = moved.user_with(moved.calendar("month", "tokens", 1000, "MONTH"))
    clock.set(datetime.datetime(2027, 3, 10, 23, 50, tzinfo=UTC))
    answer = moved.check(user, input_tokens=10, max_output_tokens=10)
    moved.record(answer, input_tokens=7)
    moved.drained()
    clock.advance(86_400)
    assert moved.record(answer, input_tokens=7).repeat
    moved.drained()
    assert moved.used(user, "month") == 7
    with stack.sql() as sql:
        sql.execute('SELECT count(*) FROM ledger WHERE user_id = %s', (user,))
        assert sql.fetchone()[0] == 1


def test_a_denied_id_is_admitted_after_its_retry_after(moved, clock):
    user = moved.user_with(moved.bucket("rpm", "requests", 2))
    assert moved.check(user).allowed and moved.check(user).allowed
    denied = moved.check(user, request_id="again")
    assert not denied.allowed
    clock.advance(denied.retry_after_us / 1e6)
    assert moved.check(user, request_id="again").allowed


def test_a_clock_that_steps_back_opens_no_window_twice(moved, clock):
    user = moved.user_with(moved.calendar("day", "requests", 2), moved.bucket("rpm", "requests", 2))
    clock.set(datetime.datetime(2027, 3, 11, 0, 0, 5, tzinfo=UTC))
    assert [moved.check(user).allowed for _ in range(3)] == [True, True, False]
    clock.advance(-3600)
    assert not moved.check(user).allowed
    clock.advance(3600 + 120)
    assert not moved.check(user).allowed


def test_a_price_change_at_midnight_is_taken_by_when_the_request_was_checked(moved, clock):
    user = moved.user_with(moved.calendar("cost", "cost", 10**12))
    change = datetime.datetime(2027, 3, 11, tzinfo=UTC)
    model = unique("model")
    for start, price in ((0, "1"), (int(change.timestamp() * 10**6), "2")):
        moved.admin.PutPrice(moved.admin_pb.PutPriceRequest(price=moved.admin_pb.Price(
            provider="test", model=model, input=price, output=price, effective_from_us=start, source="a test")), timeout=10)
    clock.set(change - datetime.timedelta(seconds=30))
    before = moved.check(user, model=model, input_tokens=10)
    clock.set(change + datetime.timedelta(seconds=5))
    after = moved.check(user, model=model, input_tokens=10)
    assert moved.record(before, input_tokens=1000).cost.cost_nano_usd == 1_000_000
    assert moved.record(after, input_tokens=1000).cost.cost_nano_usd == 2_000_000
