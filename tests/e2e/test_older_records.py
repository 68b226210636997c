"""Records that the release before wrote into Redis go on counting: with what is held, and with what the ledger knows."""
import pytest

from bots import failed

ZONES = ["", "Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"]
# Bytes of a record's head: what comes before the ends of its windows, the ends, two numbers, two newer numbers.
ENDS, NUMBERS, NEWER, HEAD = 61, 82, 90, 98


def as_before(redis):
    """Puts all accounts' records back into the format of version 1."""
    keys = redis.keys("b:*:a:*")
    for key in keys:
        record = redis.get(key)
        assert record[:1] == b"\2"
        redis.set(key, b"\1" + record[1:ENDS] + record[NUMBERS:NEWER] + record[HEAD:], keepttl=True)
    return len(keys)


def user_of(bots, zone):
    return bots.user_with(bots.calendar("day", "requests", 4), bots.calendar("month", "tokens", 1000, "MONTH"),
                          bots.bucket("hour", "requests", 9, period_us=3_600_000_000), bots.level("open", 5), time_zone=zone)


def figures(bots, user):
    return {name: (status.used, status.held) for (_, name), status in bots.figures(user).items()}


@pytest.mark.parametrize("first", ["check", "status", "record", "cancel"])
def test_records_of_the_release_before_go_on(two_fleets, stack, first):
    here, there = two_fleets
    running = {}
    for zone in ZONES:
        user = user_of(here, zone)
        for _ in range(2):
            here.record(here.check(user, input_tokens=5, max_output_tokens=5), input_tokens=10)
        running[user] = [here.check(user, input_tokens=5, max_output_tokens=5) for _ in range(2)]
    here.drained()
    assert as_before(stack.redis) == len(ZONES)
    for user, (one, other) in running.items():
        if first == "check":
            assert failed(there.check(user, max_output_tokens=1)) == {"day"}
        elif first == "record":
            there.record(one, input_tokens=10)
        elif first == "cancel":
            there.cancel(one)
        left, requests = {"record": 1, "cancel": 1}.get(first, 2), {"cancel": 3}.get(first, 4)
        for bots in two_fleets:
            assert figures(bots, user) == {"day": (requests, left), "month": (10 * requests, 10 * left), "hour": (requests, 0),
                                           "open": (left, left)}
        there.record(other, input_tokens=10)
        assert here.used(user, "open") == left - 1


def test_use_that_the_release_before_had_forgotten_is_known_again(two_fleets, stack):
    here, there = two_fleets
    user = user_of(here, "Asia/Tokyo")
    for _ in range(4):
        here.record(here.check(user, max_output_tokens=9), input_tokens=10)
    here.drained()
    as_before(stack.redis)
    for key in stack.redis.keys("b:*:a:*"):  # what it did to accounts outside UTC when another worker settled
        record = stack.redis.get(key)
        stack.redis.set(key, record[:69] + bytes(28) + record[97:], keepttl=True)
    answer = there.check(user, max_output_tokens=1)
    assert failed(answer) == {"day"} and answer.quality == here.types.QUALITY_EXACT
