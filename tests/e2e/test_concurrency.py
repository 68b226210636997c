"""Never over: 64 callers, two bursards of several workers, one account."""
import threading

import pytest

from bots import unique

CALLERS = 64


def hammer(fleets, user, calls, **fields):
    """Checks from 64 threads over both bursards at once; returns (allowed, denied)."""
    barrier, lock, counts = threading.Barrier(CALLERS), threading.Lock(), [0, 0]

    def caller(index):
        fleet = fleets[index % len(fleets)]
        barrier.wait()
        mine = [0, 0]
        for _ in range(calls // CALLERS):
            items = [fleet.request(user, **fields) for _ in range(10)]
            for item in fleet.limiter.CheckBatch(fleet.limiter_pb.CheckBatchRequest(items=items), timeout=60).items:
                assert not item.HasField("error"), item.error
                assert item.response.quality == fleet.types.QUALITY_EXACT or (
                    not item.response.allowed and item.response.quality == fleet.types.QUALITY_REMEMBERED)
                mine[0 if item.response.allowed else 1] += 1
        with lock:
            counts[0] += mine[0]
            counts[1] += mine[1]

    threads = [threading.Thread(target=caller, args=(i,)) for i in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts


@pytest.mark.parametrize("dimension, limit, fields", [
    ("requests", 1000, {}),
    ("tokens", 10_000, {"input_tokens": 5, "max_output_tokens": 5}),
    ("cost", 1000 * 12_500, {"model": "gpt-4o", "input_tokens": 1, "max_output_tokens": 1}),
])
def test_exactly_a_thousand_of_many_are_admitted(two_fleets, dimension, limit, fields):
    bots = two_fleets[0]
    user = bots.user_with(bots.calendar("hard", dimension, limit))
    allowed, denied = hammer(two_fleets, user, 192, **fields)
    assert (allowed, denied) == (1000, 920)
    assert bots.used(user, "hard") == limit


def test_ten_thousand_denials_leave_a_loose_limit_untouched(two_fleets):
    bots = two_fleets[0]
    user = bots.user_with(bots.calendar("tight", "requests", 10), bots.calendar("loose", "tokens", 10**9))
    allowed, denied = hammer(two_fleets, user, 1024, input_tokens=1, max_output_tokens=1)
    assert allowed == 10 and denied == 10_230
    assert bots.used(user, "loose") == 20


def test_a_shared_org_admits_exactly_its_limit_over_users_and_bursards(two_fleets):
    bots = two_fleets[0]
    org, team, tier = unique("org"), unique("team"), unique("tier")
    bots.tier(tier, bots.calendar("own", "requests", 10**6))
    bots.account(org, kind="ORG")
    bots.account(team, kind="TEAM", org=org)
    bots.override(org, bots.calendar("org_day", "requests", 500), kind="ORG")
    users = [unique("user") for _ in range(8)]
    for user in users:
        bots.account(user, tier=tier, team=team)
    totals, lock = [], threading.Lock()

    def run(user):
        counts = hammer(two_fleets, user, 64)
        with lock:
            totals.append(counts[0])

    threads = [threading.Thread(target=run, args=(user,)) for user in users[:2]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(totals) == 500
    assert sum(bots.used(user, "own") for user in users[:2]) == 500


def test_five_accounts_at_once_admit_exactly_what_the_tightest_allows(two_fleets, until):
    bots, model = two_fleets[0], "gpt-4o"
    org, team, tier, user = unique("org"), unique("team"), unique("tier"), unique("user")
    bots.tier(tier, bots.calendar("user_day", "requests", 900))
    bots.account(org, kind="ORG")
    bots.account(team, kind="TEAM", org=org)
    bots.account(user, tier=tier, team=team)
    for kind, account, limit in (("ORG", org, 700), ("TEAM", team, 800), ("MODEL", model, 300), ("TENANT", bots.tenant, 600)):
        bots.override(account, bots.calendar(kind.lower() + "_day", "requests", limit), kind=kind)
    # An account of a model or of the tenant comes into being in every worker within a second.
    for fleet in two_fleets:
        until(lambda: len(fleet.status(user, model).accounts) == 5)
    allowed, denied = hammer(two_fleets, user, 128, model=model, input_tokens=1, max_output_tokens=1)
    assert (allowed, denied) == (300, 980)
    used = {name: s.used for (_, name), s in bots.figures(user, model).items()}
    assert used == {"user_day": 300, "team_day": 300, "org_day": 300, "model_day": 300, "tenant_day": 300}
