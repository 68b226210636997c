"""Denials from a worker's memory: which requests get them, and that everything that frees room ends them. There are two bursards; one
remembers, the changes come through the other one."""
import pytest

from bots import Bots, unique
from harness import Redis, protos, until
from harness.ports import free_port

EXACT, REMEMBERED = protos.types_pb2.QUALITY_EXACT, protos.types_pb2.QUALITY_REMEMBERED
ALL_DAY = {"input_tokens": 600, "max_output_tokens": 300}


@pytest.fixture
def here(start_bursard):
    """The one that remembers. One worker: two would each have to learn."""
    fleet = Bots(protos, start_bursard(workers=1).grpc_addr)
    yield fleet
    fleet.close()


@pytest.fixture
def there(start_bursard, here):
    fleet = here.at(start_bursard(workers=1).grpc_addr)
    yield fleet
    fleet.close()


def remembered(fleet, user, **fields):
    """Asks until the denial comes from memory; the store denies until then."""
    def asked():
        answer = fleet.check(user, **fields)
        assert not answer.allowed and answer.quality in (EXACT, REMEMBERED), answer
        return answer.quality == REMEMBERED and answer
    return until(asked, "a denial from memory")


def allowed(fleet, user, **fields):
    """Asks until the request is allowed. Only memory may still deny it."""
    def asked():
        answer = fleet.check(user, **fields)
        assert answer.allowed or answer.quality == REMEMBERED, answer
        return answer.allowed and answer
    return until(asked, "an allowed request")


def test_a_denial_from_memory_says_what_the_store_said(here):
    user = here.user_with(here.calendar("day", "tokens", 1000), here.bucket("rpm", "requests", 100))
    assert here.check(user, **ALL_DAY).allowed
    before = here.check(user, verbose=True, **ALL_DAY)
    after = remembered(here, user, verbose=True, **ALL_DAY)
    assert before.quality == EXACT and after.reason == before.reason and after.message == before.message and after.tier == before.tier
    for field in ("limit", "failed", "used", "held", "requested", "remaining", "resets_at_us", "only_held", "open_reservations"):
        assert getattr(after.binding, field) == getattr(before.binding, field), field
    assert [s.limit.name for s in after.limits] == [s.limit.name for s in before.limits]
    assert not after.reservation and not after.cause and after.request_id != before.request_id


def test_traffic_that_is_always_denied_costs_redis_no_decision(start_bursard, redis):
    """Without the ledger's role, which calls functions too. What is left are the links' own: one a second each."""
    server = start_bursard(workers=1, roles="serve,http")
    fleet = Bots(protos, server.grpc_addr)
    user = fleet.user_with(fleet.bucket("rpm", "requests", 1))
    assert fleet.check(user).allowed
    first = remembered(fleet, user)
    calls, before = redis.client.info("commandstats")["cmdstat_fcall"]["calls"], server.metric("denials_remembered_total")
    answers = [fleet.check(user) for _ in range(500)]
    calls = redis.client.info("commandstats")["cmdstat_fcall"]["calls"] - calls
    assert not any(answer.allowed for answer in answers)
    asked = sum(answer.quality == EXACT for answer in answers)
    assert asked < 100 and calls - asked < 100, (asked, calls)
    assert server.metric("denials_remembered_total") - before == 500 - asked
    assert answers[-1].retry_after_us < answers[0].retry_after_us <= first.retry_after_us
    fleet.close()


def test_only_a_request_that_cannot_have_a_reservation_is_denied_from_memory(here):
    user = here.user_with(here.bucket("rpm", "requests", 1))
    mine = here.check(user, request_id="mine")
    assert mine.allowed
    remembered(here, user)
    again = here.check(user, request_id="mine")
    assert again.allowed and again.repeat and again.quality == EXACT and again.reservation == mine.reservation
    for number in range(5):
        assert here.check(user, request_id=f"other-{number}").quality == EXACT
    remembered(here, user, request_id="denied")
    here.cancel(mine)
    allowed(here, user, request_id="denied")
    assert here.check(user, request_id="denied").repeat


def test_an_id_that_the_caller_has_just_made_is_denied_from_memory_but_not_when_it_is_sent_again(here):
    user = here.user_with(here.bucket("rpm", "requests", 1))
    mine = here.check(user, request_id="mine", request_id_is_new=True)
    remembered(here, user)

    def asked():
        answer = here.check(user, request_id=unique("new"), request_id_is_new=True)
        assert not answer.allowed
        return answer.quality == REMEMBERED
    until(asked, "a denial from memory for an id of the caller's")
    for header in "bursar-attempt", "grpc-previous-rpc-attempts":
        again = here.limiter.Check(here.request(user, request_id="mine", request_id_is_new=True), metadata=[(header, "1")], timeout=10)
        assert again.allowed and again.repeat and again.reservation == mine.reservation, header


def test_a_batch_and_an_acquisition_are_denied_from_memory_too(here):
    user = here.user_with(here.level("one", 1))
    assert here.check(user).allowed
    remembered(here, user)
    items = here.limiter.CheckBatch(here.limiter_pb.CheckBatchRequest(items=[here.request(user)] * 3), timeout=10).items
    assert [item.response.allowed for item in items] == [False] * 3

    def acquired():
        (message,) = here.limiter.Acquire(here.limiter_pb.AcquireRequest(check=here.request(user)), timeout=10)
        assert message.HasField("denied") and not message.check.allowed
        return message.check.quality == REMEMBERED
    until(acquired, "an acquisition that is denied from memory")


def test_a_smaller_request_is_not_refused_for_a_larger_one(here):
    user = here.user_with(here.calendar("day", "tokens", 1000))
    remembered(here, user, input_tokens=1001)
    assert here.check(user, input_tokens=500, max_output_tokens=1).allowed
    remembered(here, user, input_tokens=400, max_output_tokens=100)


def test_status_and_explain_always_ask_the_store(here):
    user = here.user_with(here.bucket("rpm", "requests", 1))
    assert here.check(user).allowed
    remembered(here, user)
    assert here.status(user).quality == EXACT
    explained = here.limiter.Explain(here.limiter_pb.ExplainRequest(check=here.request(user)), timeout=10)
    assert not explained.response.allowed and explained.response.quality == EXACT


def _record(there, user, first):
    there.record(first, input_tokens=1)


def _cancel(there, user, first):
    there.cancel(first)


def _reset(there, user, first):
    there.admin.Reset(there.admin_pb.ResetRequest(ref=there.key(user)), timeout=10)


def _override(there, user, first):
    there.override(user, there.calendar("day", "tokens", 100_000))


def _tier(there, user, first):
    there.tier("roomy-" + user, there.calendar("day", "tokens", 100_000))
    there.admin.SetTier(there.admin_pb.SetTierRequest(ref=there.key(user), tier="roomy-" + user), timeout=10)


def _limits_of_the_tier(there, user, first):
    there.tier(there.check(user, **ALL_DAY).tier, there.calendar("day", "tokens", 100_000))


def _grace(there, user, first):
    there.admin.SetGrace(there.admin_pb.SetGraceRequest(ref=there.key(user), until_us=2**51), timeout=10)


def _bypass(there, user, first):
    there.admin.SetBypass(there.admin_pb.SetBypassRequest(ref=there.key(user), bypass=True), timeout=10)


def _credit(there, user, first):
    there.admin.AdjustLedger(there.admin_pb.AdjustLedgerRequest(
        tenant="default", user=user, usage=there.admin_pb.TokenChange(input_tokens=-900), reason="test"), timeout=10)


CHANGES = [_record, _cancel, _reset, _override, _tier, _limits_of_the_tier, _grace, _bypass]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__[1:])
def test_a_change_through_another_bursard_ends_it(here, there, change):
    user = here.user_with(here.calendar("day", "tokens", 1000))
    first = here.check(user, **ALL_DAY)
    assert first.allowed
    remembered(here, user, **ALL_DAY)
    change(there, user, first)
    allowed(here, user, **ALL_DAY)


def test_an_adjustment_through_another_bursard_ends_it(here, there):
    user = here.user_with(here.calendar("day", "tokens", 1000))
    here.record(here.check(user, **ALL_DAY), input_tokens=900)
    remembered(here, user, **ALL_DAY)
    _credit(there, user, None)
    allowed(here, user, **ALL_DAY)


def test_the_end_of_a_suspension_ends_it(here, there):
    user = here.user_with(here.calendar("day", "tokens", 1000))
    here.admin.Suspend(here.admin_pb.SuspendRequest(ref=here.key(user)), timeout=10)
    assert remembered(here, user).reason == here.types.REASON_SUSPENDED
    there.admin.Unsuspend(there.admin_pb.UnsuspendRequest(ref=there.key(user)), timeout=10)
    allowed(here, user)


def test_an_expiry_ends_it(here):
    user = here.user_with(here.level("one", 1))
    assert here.check(user, reservation_ttl_us=3_000_000).allowed
    remembered(here, user)
    allowed(here, user)


def test_a_member_of_a_team_that_is_over_its_limit(here, there):
    """The team denies: what its members give back frees them all, and one who moves to another team leaves the denial behind."""
    tier, team, other = unique("tier"), unique("team"), unique("team")
    here.tier(tier, here.calendar("day", "tokens", 1000))
    free = here.user_with(here.calendar("day", "tokens", 100_000))
    here.account(team, kind="TEAM", tier=tier)
    here.account(other, kind="TEAM", tier=tier)
    ann, bob = here.user_with(team=team), here.user_with(team=team)
    first = here.check(ann, **ALL_DAY)
    assert first.allowed and here.check(free).allowed
    for user in ann, bob:
        denied = remembered(here, user, **ALL_DAY)
        assert denied.binding.account_kind == here.types.ACCOUNT_KIND_TEAM
    there.account(bob, team=other)
    allowed(here, bob, **ALL_DAY)
    there.record(first, input_tokens=1)
    allowed(here, ann, **ALL_DAY)


def test_an_account_that_redis_loses_is_asked_about_again(here, redis):
    user = here.user_with(here.level("one", 1))
    assert here.check(user).allowed
    remembered(here, user)
    redis.client.flushall()  # open reservations are not in the ledger
    allowed(here, user)


def test_a_lost_connection_forgets_and_is_made_again(here, redis):
    user = here.user_with(here.level("one", 1))
    first = here.check(user)
    remembered(here, user)
    for _ in range(3):
        clients = [c for c in redis.client.client_list() if "t" in c["flags"]]
        assert len(clients) == 1, clients
        redis.client.client_kill_filter(_id=clients[0]["id"])
        until(lambda: [c for c in redis.client.client_list() if "t" in c["flags"]] not in ([], clients) or here.check(user).allowed,
              "another connection")
        remembered(here, user)
    here.record(first, input_tokens=1)
    allowed(here, user)


def test_a_user_of_redis_who_may_not_hear_of_changes(start_bursard):
    port = free_port()
    redis = Redis(settings={"port": port})
    redis.client.execute_command("ACL", "SETUSER", "deaf", "on", ">secret", "resetkeys", "~b:*", "resetchannels", "&b:*", "+@all")
    server = start_bursard(redis=f"redis://deaf:secret@127.0.0.1:{port}", workers=1)
    fleet = Bots(protos, server.grpc_addr)
    user = fleet.user_with(fleet.level("one", 1))
    assert fleet.check(user).allowed
    until(lambda: not fleet.check(user).allowed and "Redis does not report changes" in server.log(), "a line in the log")
    assert all(fleet.check(user).quality == EXACT for _ in range(20))
    assert server.log().count("Redis does not report changes") == 1
    fleet.close()
    server.stop()
    redis.kill()


def test_nothing_is_remembered_when_it_is_off(start_bursard, redis):
    fleet = Bots(protos, start_bursard(workers=1, denial_memory_ms=0).grpc_addr)
    user = fleet.user_with(fleet.level("one", 1))
    assert fleet.check(user).allowed
    assert all(fleet.check(user).quality == EXACT for _ in range(20))
    assert not [c for c in redis.client.client_list() if "t" in c["flags"]]
    fleet.close()


def test_time_ends_it(clock, redis, start_bursard):
    server = start_bursard(clock=clock, workers=1)
    fleet = Bots(protos, server.grpc_addr)
    user = fleet.user_with(fleet.bucket("hourly", "requests", 1, period_us=3_600_000_000))
    assert fleet.check(user).allowed
    denied = remembered(fleet, user)
    clock.advance(denied.retry_after_us / 1e6 - 600)
    later = remembered(fleet, user)
    assert 500_000_000 < later.retry_after_us <= 600_000_000
    clock.advance(601)
    assert fleet.check(user).allowed  # at once: a step of the clock is noticed
    assert server.metric("denials_remembered_total") >= 2
    fleet.close()


def test_a_clock_of_redis_that_was_set_back_ends_it(clock, redis, start_bursard):
    """The next denied check sets the account's clock back, and its bucket fills from then on: the store has to see one. Without the
    ledger's role, which may change the account, too."""
    fleet = Bots(protos, start_bursard(workers=1, roles="serve,http").grpc_addr)
    user = fleet.user_with(fleet.bucket("rate", "requests", 1, period_us=600_000_000))
    assert fleet.check(user).allowed
    remembered(fleet, user)
    clock.advance(-3600)
    until(lambda: fleet.check(user).quality == EXACT, "a denial by the store")
    remembered(fleet, user)
    clock.advance(601)
    allowed(fleet, user)
    fleet.close()
