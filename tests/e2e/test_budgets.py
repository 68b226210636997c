"""Grace and an override of a budget cover all that a shipped tier has for it."""
import functools
import time

import pytest

from bots import unique

USD = 10**9


@pytest.fixture
def bursar(bursar):
    return functools.partial(bursar, check=True)


def spend(bots, user, cost):
    """So much at the price of gpt-4o's output, $0.00001 a token."""
    answer = bots.check(user)
    assert answer.allowed, answer.message
    assert bots.record(answer, model="gpt-4o", output_tokens=cost // 10_000).cost.cost_nano_usd == cost


def may_spend(bots, user, cost):
    answer = bots.check(user, model="gpt-4o", max_output_tokens=cost // 10_000)
    if answer.allowed:
        bots.cancel(answer)
    return answer.allowed


def test_grace_lets_a_free_user_exceed_the_budget_of_the_day(bots):
    user = unique("user")
    bots.account(user, tier="free")
    spend(bots, user, 245_000_000)
    assert not may_spend(bots, user, 100_000_000)
    bots.admin.SetGrace(bots.admin_pb.SetGraceRequest(ref=bots.key(user), until_us=int((time.time() + 3600) * 1e6), percent=100), timeout=10)
    assert may_spend(bots, user, 100_000_000)
    assert not may_spend(bots, user, 300_000_000), "no more than twice the budget"


def test_a_larger_daily_budget_of_ones_own_is_the_one_that_counts(bots):
    user = unique("user")
    bots.account(user, tier="pro")
    bots.override(user, bots.calendar("cost_per_day", "cost", 20 * USD), bots.bucket("tokens_per_minute", "tokens", 10**9))
    for spent in range(4):
        assert may_spend(bots, user, 5 * USD), spent
        spend(bots, user, 5 * USD)
    assert not may_spend(bots, user, 10_000)


@pytest.mark.parametrize("tier", ["free", "pro", "enterprise"])
def test_a_shipped_tier_has_no_limit_of_cost_beside_the_budgets_of_day_and_month(bots, tier):
    limits = bots.admin.GetTier(bots.admin_pb.GetTierRequest(tenant=bots.tenant, name=tier), timeout=10).limits
    assert [limit.name for limit in limits if limit.dimension == bots.types.DIMENSION_COST] == ["cost_per_day", "cost_per_month"]
    assert {limit.limit.name for limit in status_of(bots, tier)} == {limit.name for limit in limits}, "status shows all that a tier holds"


def status_of(bots, tier):
    user = unique("user")
    bots.account(user, tier=tier)
    return bots.status(user).accounts[0].limits


def test_a_change_says_which_tighter_limit_stays_in_force(bots, bursar):
    user = unique("user")
    bots.account(user, tier="free")
    said = bursar("account", "override", user, "cost=20/day").stderr
    assert said == "bursar: note: cost_per_month (cost=5/month) stays in force and is tighter than cost=20/day\n"
    assert bursar("account", "override", user, "cost=20/day", "cost=100/month").stderr == ""
    bursar("tier", "put", "own", "cost=5/day", "cost=5/24h,name=refill")
    said = bursar("tier", "put", "own", "cost=20/day", "--merge").stderr
    assert said == "bursar: note: refill (cost=5/24h) stays in force and is tighter than cost=20/day\n"
    bots.account(user, tier="own")
    bursar("account", "override", user, "--clear")
    said = bursar("account", "grace", user, "--for", "1h", "--percent", "50").stderr
    assert said == "bursar: note: grace does not raise refill (cost=5/24h), which denies before cost_per_day does\n"
    bursar("account", "grace", user, "--off")
