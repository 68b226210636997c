"""Users in teams, teams in orgs, ceilings of models and tenants: who refused, how many share it, and what a move keeps."""
import json
import threading

import grpc
import pytest

from bots import Bots, failed, unique
from harness import protos
from harness.postgres import Postgres
from test_keys import House

KINDS = ("USER", "TEAM", "ORG", "MODEL", "TENANT")
MODEL = "gpt-5.4"


def kind_of(bots, kind):
    return bots.types.AccountKind.Value("ACCOUNT_KIND_" + kind)


def group(bots, kind, *limits, **fields):
    """A fresh team or org of just these limits."""
    name = unique(kind.lower())
    bots.account(name, kind=kind, **fields)
    bots.override(name, *limits, kind=kind)
    return name


def member(bots, **fields):
    """A fresh user without limits of their own."""
    return bots.user_with(**fields)


def used_of(bots, user, kind, limit):
    return bots.figures(user)[(kind_of(bots, kind), limit)].used


def patient_check(bots, user):
    """A check that is asked again, with its id, where the accounts were changed faster than they could be read."""
    request_id = unique("request")
    while True:
        try:
            return bots.check(user, timeout=60, model=MODEL, request_id=request_id)
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE and "changed faster" in error.details(), error


def hammer(fleets, users, times, callers=64, during=None):
    """All callers at once; [(user, CheckResponse)]."""
    barrier, answers = threading.Barrier(callers + 1), []

    def caller(index):
        barrier.wait()
        for turn in range(times):
            user = users[(index + turn) % len(users)]
            answers.append((user, patient_check(fleets[index % len(fleets)], user)))

    threads = [threading.Thread(target=caller, args=(index,)) for index in range(callers)]
    for thread in threads:
        thread.start()
    barrier.wait()
    if during:
        during()
    for thread in threads:
        thread.join()
    return answers


# -- who refused, and how many share it

def test_a_denial_by_a_team_says_how_many_share_it(bots):
    team = group(bots, "TEAM", bots.calendar("day", "requests", 1))
    users = [member(bots, team=team) for _ in range(12)]
    assert bots.check(users[0]).allowed
    denied = bots.check(users[1])
    assert denied.binding.account_kind == bots.types.ACCOUNT_KIND_TEAM
    assert (denied.binding.account_id, denied.binding.shared_by) == (team, 12)
    assert "You share it with 11 others in your team." in denied.message
    german = bots.check(users[1], language="de")
    assert "Du teilst es mit 11 anderen in deinem Team." in german.message
    status = {a.kind: a for a in bots.status(users[2]).accounts}
    assert status[bots.types.ACCOUNT_KIND_TEAM].shared_by == 12
    assert status[bots.types.ACCOUNT_KIND_USER].shared_by == 0


def test_an_org_is_shared_by_its_users_and_those_of_its_teams(bots):
    org = group(bots, "ORG", bots.calendar("day", "requests", 1))
    teams = [group(bots, "TEAM", org=org) for _ in range(2)]
    users = [member(bots, team=teams[i % 2]) for i in range(5)] + [member(bots, org=org) for _ in range(2)]
    gone = member(bots, team=teams[0])
    bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(gone)), timeout=10)
    assert bots.check(users[0]).allowed
    assert bots.check(users[6]).binding.shared_by == 7


def test_a_tenants_and_a_models_account_are_shared_by_the_tenants_users(bursard):
    bots = Bots(protos, bursard.grpc_addr, tenant=unique("tenant"))
    bots.override(bots.tenant, bots.calendar("day", "requests", 1), kind="TENANT")
    bots.override(MODEL, bots.calendar("model_day", "requests", 1), kind="MODEL")
    users = [member(bots) for _ in range(3)]
    assert bots.check(users[0], model=MODEL).allowed
    denied = bots.check(users[1], model=MODEL)
    assert {(s.limit.name, s.shared_by) for s in denied.limits if s.failed} == {("day", 3), ("model_day", 3)}
    assert "share" not in denied.message
    bots.close()


def test_a_denial_is_answered_without_the_number_while_postgresql_is_away(start_bursard, until):
    server = Postgres()
    bots = Bots(protos, start_bursard(postgres=server.database()).grpc_addr)
    team = group(bots, "TEAM", bots.calendar("day", "requests", 1))
    user = member(bots, team=team)
    assert bots.check(user).allowed
    server.kill()
    for _ in range(5):
        denied = bots.check(user)
        assert not denied.allowed and denied.binding.shared_by == 0
    server.start()
    until(lambda: bots.check(user).binding.shared_by == 1)
    bots.close()
    server.stop()


def test_an_admin_sees_who_used_most_of_the_team_that_denied(bots):
    team = group(bots, "TEAM", bots.calendar("day", "tokens", 1200))
    users = [member(bots, team=team) for _ in range(3)]
    for user, tokens in zip(users, (100, 700, 200)):
        bots.record(bots.check(user, model=MODEL, input_tokens=tokens, max_output_tokens=1), input_tokens=tokens)
    bots.drained()
    explained = bots.limiter.Explain(bots.limiter_pb.ExplainRequest(check=bots.request(
        users[0], model=MODEL, input_tokens=500, max_output_tokens=1)), timeout=10)
    assert not explained.response.allowed
    assert [use.user for use in explained.shared_with] == [users[1], users[2], users[0]]
    assert explained.shared_with[0].requests == 1 and explained.shared_with[0].cost_nano_usd > 0


def test_a_bot_and_a_user_are_told_no_names_by_any_rpc(bots):
    house = House(bots)
    admin, pb, types = house.callers["admin"], house.pb, bots.types
    fields = {"dimension": types.DIMENSION_REQUESTS, "kind": types.LIMIT_KIND_CALENDAR,
              "window": types.CALENDAR_WINDOW_DAY}
    for kind, name, parent in (("ORG", "secretorg", {}), ("TEAM", "secretteam", {"org": "secretorg"})):
        ref = pb.AccountRef(kind=kind_of(bots, kind), id=name)
        admin.PutAccount(pb.PutAccountRequest(ref=ref, **parent))
        admin.OverrideLimits(pb.OverrideLimitsRequest(ref=ref, limits=[types.Limit(amount=3, **fields)]))
    for user in ("alice", "secretcarol"):
        admin.PutAccount(pb.PutAccountRequest(ref=pb.AccountRef(id=user), tier="pro", team="secretteam"))
    lim, bot = bots.limiter_pb, house.callers["bot"]
    heard = [bot.Check(lim.CheckRequest(user="alice", verbose=True)) for _ in range(3)]
    ref = types.ReservationRef(handle=heard[0].reservation)
    heard.append(bot.Renew(lim.RenewRequest(reservation=ref)))
    heard.append(bot.Record(lim.RecordRequest(reservation=ref, usage={})))
    second = types.ReservationRef(handle=heard[1].reservation)
    heard.append(bot.RecordBatch(lim.RecordBatchRequest(items=[lim.RecordRequest(reservation=second, usage={})])))
    heard.append(bot.CheckBatch(lim.CheckBatchRequest(items=[lim.CheckRequest(user="alice", verbose=True)])))
    heard.append(bot.Acquire(lim.AcquireRequest(check=lim.CheckRequest(user="alice"))).check)
    heard.append(bot.Explain(lim.ExplainRequest(check=lim.CheckRequest(user="alice"))))
    heard.append(bot.GetStatus(lim.GetStatusRequest(user="alice")))
    heard.append(house.callers["user"].GetStatus(lim.GetStatusRequest(user="alice")))
    heard.append(bot.Cancel(lim.CancelRequest(reservation=types.ReservationRef(handle=heard[2].reservation))))
    denied = heard[6].items[0].response
    assert not denied.allowed and denied.binding.shared_by == 2 and denied.binding.account_id == ""
    admin.Suspend(pb.SuspendRequest(ref=pb.AccountRef(kind=kind_of(bots, "TEAM"), id="secretteam"), reason="test"))
    heard.append(bot.Check(lim.CheckRequest(user="alice")))
    assert heard[-1].binding.account_kind == kind_of(bots, "TEAM") and heard[-1].message.startswith("Your team is suspended.")
    heard.append(bot.Explain(lim.ExplainRequest(check=lim.CheckRequest(user="alice"))))
    assert heard[-1].steps[-1] == "It would be denied now: the team is suspended."
    assert all("secret" not in str(answer) for answer in heard)
    assert "secretteam" in str(house.callers["viewer"].GetStatus(lim.GetStatusRequest(user="alice")))
    assert "secretteam" in str(house.callers["viewer"].Explain(lim.ExplainRequest(check=lim.CheckRequest(user="alice"))))


def test_the_command_line_shows_all_levels_and_who_shares_them(bots, bursar):
    team = group(bots, "TEAM", bots.calendar("day", "requests", 2))
    users = [member(bots, team=team) for _ in range(2)]
    for user in users:
        bots.record(bots.check(user, model=MODEL), input_tokens=10)
    bots.drained()
    assert "shared by 2 users" in bursar("status", users[0]).stdout
    explained = bursar("explain", users[0], "--model", MODEL).stdout
    assert "USED MOST BY" in explained and users[1] in explained
    answer = json.loads(bursar("explain", users[0], "--model", MODEL, "--json").stdout)
    assert len(answer["shared_with"]) == 2


# -- moves

def test_a_user_moved_between_teams_under_load_exceeds_neither(two_fleets):
    bots = two_fleets[0]
    teams = [group(bots, "TEAM", bots.calendar("day", "requests", amount)) for amount in (100, 150)]
    user = member(bots, team=teams[0])
    witnesses = [member(bots, team=team) for team in teams]

    def move():
        for turn in range(6):
            bots.account(user, team=teams[(turn + 1) % 2])
        bots.account(user, team=teams[1])

    answers = hammer(two_fleets, [user], 8, during=move)
    used = [used_of(bots, witness, "TEAM", "day") for witness in witnesses]
    assert used[0] <= 100 and used[1] <= 150
    assert sum(answer.allowed for _, answer in answers) == sum(used)
    assert sum(used) > 150


def test_what_is_used_counts_where_it_was_checked_and_the_new_team_from_then_on(bots):
    teams = [group(bots, "TEAM", bots.calendar("day", "tokens", 1000)) for _ in range(2)]
    user = member(bots, team=teams[0])
    witnesses = [member(bots, team=team) for team in teams]
    before = bots.check(user, input_tokens=100, max_output_tokens=100)
    bots.account(user, team=teams[1])
    after = bots.check(user, input_tokens=10, max_output_tokens=10)
    bots.record(before, input_tokens=150)
    bots.record(after, input_tokens=15)
    assert [used_of(bots, witness, "TEAM", "day") for witness in witnesses] == [150, 15]


def test_a_team_moved_between_orgs_takes_no_use_along(bots):
    orgs = [group(bots, "ORG", bots.calendar("day", "requests", 2)) for _ in range(2)]
    team = group(bots, "TEAM", bots.calendar("day", "requests", 100), org=orgs[0])
    user = member(bots, team=team)
    assert [bots.check(user).allowed for _ in range(3)] == [True, True, False]
    bots.account(team, kind="TEAM", org=orgs[1])
    assert [bots.check(user).allowed for _ in range(3)] == [True, True, False]
    assert used_of(bots, user, "TEAM", "day") == 4
    bots.account(team, kind="TEAM", org=orgs[0])
    assert not bots.check(user).allowed


@pytest.mark.parametrize("kind", ("TEAM", "ORG"))
def test_a_group_moved_between_tiers_keeps_what_it_used(bots, kind):
    hour = 3600 * 10**6
    tiers = [unique("tier") for _ in range(2)]
    for tier, factor in zip(tiers, (1, 10)):
        bots.tier(tier, bots.calendar("day", "requests", 5 * factor), bots.bucket("hour", "tokens", 1000 * factor, hour))
    name = unique(kind.lower())
    bots.account(name, kind=kind, tier=tiers[0])
    user = member(bots, **{kind.lower(): name})
    for _ in range(4):
        assert bots.check(user, input_tokens=100, max_output_tokens=100).allowed
    move = bots.admin_pb.SetTierRequest(ref=bots.key(name, kind), tier=tiers[1])
    bots.admin.SetTier(move, timeout=10)
    assert used_of(bots, user, kind, "day") == 4
    assert 780 <= used_of(bots, user, kind, "hour") <= 800
    assert [bots.check(user, input_tokens=1, max_output_tokens=1).allowed for _ in range(46)].count(True) == 46
    move.tier = tiers[0]
    bots.admin.SetTier(move, timeout=10)
    assert failed(bots.check(user, input_tokens=1, max_output_tokens=1)) == {"day"}
    assert used_of(bots, user, kind, "day") == 50


def test_a_deleted_team_denies_its_users_until_they_leave_it(bots):
    team = group(bots, "TEAM", bots.calendar("day", "requests", 100))
    user = member(bots, team=team)
    assert bots.check(user).allowed
    bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(team, "TEAM")), timeout=10)
    denied = bots.check(user)
    assert not denied.allowed and denied.reason == bots.types.REASON_DELETED
    bots.account(user, clear_team=True)
    assert bots.check(user).allowed


@pytest.mark.parametrize("level", KINDS)
def test_with_five_levels_the_narrowest_refuses_exactly_at_its_limit(two_fleets, level):
    tenant = unique("tenant")
    fleets = [Bots(protos, fleet.address, tenant=tenant) for fleet in two_fleets]
    bots, most = fleets[0], dict.fromkeys(KINDS, 90)
    most[level] = 37
    org = group(bots, "ORG", bots.calendar("org", "requests", most["ORG"]))
    team = group(bots, "TEAM", bots.calendar("team", "requests", most["TEAM"]), org=org)
    bots.override(MODEL, bots.calendar("model", "requests", most["MODEL"]), kind="MODEL")
    bots.override(tenant, bots.calendar("tenant", "requests", most["TENANT"]), kind="TENANT")
    user = bots.user_with(bots.calendar("user", "requests", most["USER"]), team=team)
    answers = hammer(fleets, [user], 2)
    assert sum(answer.allowed for _, answer in answers) == 37
    for _, answer in answers:
        if not answer.allowed:
            assert failed(answer) == {level.lower()} and answer.binding.account_kind == kind_of(bots, level)
    assert {name: s.used for (_, name), s in bots.figures(user, model=MODEL).items()} == {k.lower(): 37 for k in KINDS}
    for fleet in fleets:
        fleet.close()
