"""/api/quotas: a user's use, what an admin does to a user, and a tenant's use, in the words of web front ends."""
import re
import subprocess

import pytest

from bots import unique
from web import Door, key_of

RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture
def door(bursard):
    return Door(bursard.http_addr)


def test_a_user_sees_their_tier_limits_use_costs_and_reset_times(door, bots):
    assert door("POST", "/api/quotas", {"userId": "alice", "action": "upgrade", "tier": "pro"}).status == 200
    bots.record(bots.check("alice", model="gpt-4o", input_tokens=1000, max_output_tokens=500), input_tokens=1000, output_tokens=200)
    bots.record(bots.check("alice", model="gpt-4o-mini", input_tokens=10, max_output_tokens=5), input_tokens=10, output_tokens=2)
    bots.drained()
    answer = door("GET", "/api/quotas?userId=alice").json
    assert (answer["userId"], answer["tier"], answer["status"], answer["quality"]) == ("alice", "pro", "active", "exact")
    assert answer["daily"]["requests"]["limit"] == 1000 and answer["daily"]["requests"]["used"] == 2
    assert answer["daily"]["cost"]["limit"] == 5.0 and answer["daily"]["cost"]["used"] > 0
    assert answer["monthly"]["requests"] | {"resetsAt": ""} == {
        "limit": 20000, "used": 2, "held": 0, "remaining": 19998, "usedPercent": 0, "resetsAt": ""}
    assert answer["rateLimits"]["rpm"]["capacity"] == 20 and 18 <= answer["rateLimits"]["rpm"]["available"] <= 20
    assert answer["rateLimits"]["tpm"]["perMinute"] == 200000 and answer["rateLimits"]["tpm"]["available"] <= 200000
    for when in (answer["now"], answer["daily"]["requests"]["resetsAt"], answer["rateLimits"]["rpm"]["fullAt"]):
        assert RFC_3339.fullmatch(when), when
    cost = answer["cost"]
    assert [line["model"] for line in cost["byModel"]] == ["gpt-4o", "gpt-4o-mini"] and "problem" not in cost
    assert cost["byModel"][0] == {"provider": "openai", "model": "gpt-4o", "requests": 1, "tokens": 1200, "month": 0.0045, "today": 0.0045}
    assert cost["monthTotal"] == cost["todayTotal"] == pytest.approx(answer["daily"]["cost"]["used"], abs=1e-12)
    assert {limit["name"] for limit in answer["limits"]} == {s.limit.name for s in bots.figures("alice").values()}


def test_use_of_shared_accounts_stands_beside_the_users_own(door, bots):
    team, user = unique("team"), unique("user")
    bots.account(team, kind="TEAM")
    bots.override(team, bots.calendar("team-day", "requests", 10), kind="TEAM")
    bots.account(user, team=team)
    bots.check(user)
    shared = door("GET", f"/api/quotas?userId={user}").json["shared"]
    team_row = [row for row in shared if row["kind"] == "team"][0]
    assert team_row["id"] == team and team_row["limits"][0]["used"] == 1


def test_every_action_does_what_its_rpc_does(door, bots):
    user = bots.user_with(bots.calendar("day", "requests", 5))
    bots.check(user)

    def act(action, **members):
        answer = door("POST", "/api/quotas", {"userId": user, "action": action, **members})
        assert answer.status == 200 and answer.json["success"] is True, answer.text
        assert answer.json["userId"] == user and answer.json["action"] == action
        return answer.json

    assert act("suspend", reason="spam") | {"reason": "spam", "status": "suspended"} == act("suspend", reason="spam")
    assert not bots.check(user).allowed and door("GET", f"/api/quotas?userId={user}").json["status"] == "suspended"
    assert act("unsuspend")["status"] == "active" and bots.check(user).allowed
    reset = act("reset", requestId="r-1")
    assert reset["takenBack"]["requests"] == 0 and not reset["repeat"], "two requests are open, none is settled"
    assert act("reset", requestId="r-1")["repeat"]
    once = [door("POST", "/api/quotas", {"userId": user, "action": "reset"}, Idempotency_Key="r-2").json["repeat"] for _ in range(2)]
    assert once == [False, True]
    grace = act("grace", hours=2, percent=50)
    assert grace["grace"]["percent"] == 50 and door("GET", f"/api/quotas?userId={user}").json["daily"]["requests"]["limit"] == 7
    assert act("grace", until="2099-01-01T00:00:00Z")["grace"]["until"] == "2099-01-01T00:00:00Z"
    assert "grace" not in act("grace", hours=0)
    assert act("upgrade", tier="enterprise")["tier"] == "enterprise" and act("downgrade", tier="free")["tier"] == "free"


@pytest.mark.parametrize("body, field", [
    ({"action": "suspend"}, "userId"), ({"userId": "u"}, "action"), ({"userId": "u", "action": "explode"}, "action"),
    ({"userId": "u", "action": "upgrade"}, "tier"), ({"userId": "u", "action": "upgrade", "tier": "nosuch"}, "tier"),
    ({"userId": "u", "action": "suspend", "tier": "pro"}, "tier"), ({"userId": "u", "action": "grace", "hours": -1}, "hours"),
    ({"userId": "u", "action": "grace", "until": "tomorrow"}, "until"), ({"userId": 7, "action": "reset"}, "userId"),
    ("[]", "body"), ('{"userId": "a", "userId": "b", "action": "reset"}', "body"), ("", "body")])
def test_a_wrong_action_is_refused_and_says_why(door, body, field):
    answer = door("POST", "/api/quotas", body)
    assert answer.status in (400, 404) and field in answer.json["message"], answer.text


def test_the_stats_are_those_of_the_tenant(door, bots):
    bots.record(bots.check("ann", model="gpt-4o", interface="web"), input_tokens=1000, output_tokens=100)
    bots.record(bots.check("ben", model="gpt-4o-mini"), input_tokens=1000, output_tokens=100)
    bots.drained()
    stats = door("GET", "/api/quotas/stats").json
    assert stats["usersByTier"]["free"] == stats["totalUsers"] == 2 and stats["suspendedUsers"] == 0
    assert [user["userId"] for user in stats["topUsers"]] == ["ann", "ben"] and stats["topUsers"][0]["costUsd"] == 0.0035
    assert sum(day["costUsd"] for day in stats["costOverTime"]) == pytest.approx(stats["total"]["costUsd"], abs=1e-12)
    assert {row["model"] for row in stats["byModel"]} == {"openai/gpt-4o", "openai/gpt-4o-mini"}
    assert {row["interface"] for row in stats["byInterface"]} == {"web", "api"}
    assert len(door("GET", "/api/quotas/stats?top=1").json["topUsers"]) == 1
    assert door("GET", "/api/quotas/stats?bottom=1").status == 400


def test_other_methods_are_405(door):
    wrong = door("DELETE", "/api/quotas")
    assert wrong.status == 405 and wrong.headers["Allow"] == "GET, HEAD, POST"
    assert door("POST", "/api/quotas/stats", {}).headers["Allow"] == "GET, HEAD"


def test_a_users_key_sees_its_own_use_and_changes_nothing(door, bots):
    own = Door(door.address, Authorization=f"Bearer {key_of(bots, 1, account='alice')[0]}")
    assert own("GET", "/api/quotas").json["userId"] == "alice"
    assert own("GET", "/api/quotas?userId=bob").status == 403
    assert own("GET", "/api/quotas/stats").status == 403
    assert own("POST", "/api/quotas", {"userId": "alice", "action": "upgrade", "tier": "pro"}).status == 403
    assert door("GET", "/api/quotas?userId=alice").status == 401


def test_changes_are_in_the_audit_log_like_those_of_the_rpc(door, bots):
    user = unique("user")
    door("POST", "/api/quotas", {"userId": user, "action": "suspend", "reason": "spam"})
    rows = bots.admin.ListAudit(bots.admin_pb.ListAuditRequest(tenant="default"), timeout=20).entries
    assert any(row.action == "account.change" and user in str(row) and "spam" in str(row) for row in rows), rows


def test_without_a_ledger_the_limits_are_answered_and_the_costs_say_that_they_are_missing(door, bots, start_bursard, redis):
    from harness.postgres import Postgres
    postgres = Postgres()
    try:
        other = Door(start_bursard(redis=redis, postgres=postgres.database()).http_addr)
        assert other("GET", "/api/quotas?userId=ann").json["cost"]["byModel"] == []
        postgres.stop()
        answer = other("GET", "/api/quotas?userId=ann")
        assert answer.status == 200 and answer.json["daily"]["requests"]["limit"] == 50
        assert "did not answer" in answer.json["cost"]["problem"]
    finally:
        postgres.stop()


def test_curl_works_as_people_type_it(door):
    def curl(*words):
        done = subprocess.run(["curl", "-sS", *words], capture_output=True, text=True, timeout=30, check=True)
        return done.stdout

    base = f"http://{door.address}/api/quotas"
    assert '"tier":"pro"' in curl("-X", "POST", base, "-H", "Content-Type: application/json", "-d",
                                  '{"userId": "user123", "action": "upgrade", "tier": "pro"}')
    assert '"userId":"user123"' in curl(f"{base}?userId=user123") and '"totalUsers"' in curl(f"{base}/stats")
