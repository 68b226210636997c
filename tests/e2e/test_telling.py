"""Whether a denial is to be told to its user: of all that ask, one is answered NOW, whichever bursard it asks."""
from concurrent.futures import ThreadPoolExecutor

from bots import unique
from harness import protos, until

pb = protos.limiter_pb2
NOW, NOT_AGAIN, UNKNOWN = pb.TELL_NOW, pb.TELL_NOT_AGAIN, pb.TELL_UNSPECIFIED


def spent(fleet):
    """A user who may do nothing more today."""
    user = fleet.user_with(fleet.calendar("day", "requests", 1))
    fleet.record(fleet.check(user), input_tokens=1)
    return user


def told(stack, user):
    """The keys that remember what this user was told."""
    return [key for key in stack.redis.scan_iter(f"b:*:t:*{user}*", count=1000)]


def test_of_many_that_ask_at_once_at_two_bursards_one_tells_the_denial(two_fleets):
    user = spent(two_fleets[0])
    with ThreadPoolExecutor(20) as pool:
        for place in ("chat-1", "chat-2"):
            answers = list(pool.map(lambda n, place=place: two_fleets[n % 2].check(user, tell_place=place), range(20)))
            assert not any(answer.allowed for answer in answers)
            assert sorted(answer.tell for answer in answers) == [NOW] + 19 * [NOT_AGAIN]


def test_who_does_not_ask_is_told_nothing_and_nothing_is_kept(bots, stack):
    user = spent(bots)
    assert bots.check(user).tell == UNKNOWN and not told(stack, user)
    asked = bots.limiter.Explain(pb.ExplainRequest(check=bots.request(user, tell_place="chat")), timeout=10)
    assert asked.response.tell == UNKNOWN and not told(stack, user)
    other = bots.user_with(bots.calendar("day", "requests", 10))
    assert bots.check(other, tell_place="chat").tell == UNKNOWN and not told(stack, other), "it was allowed"
    assert bots.check(user, tell_place="chat").tell == NOW and len(told(stack, user)) == 1


def test_after_the_time_that_the_caller_gives_it_is_told_again(bots):
    user = spent(bots)
    assert bots.check(user, tell_place="chat", tell_again_us=1_000_000).tell == NOW
    until(lambda: bots.check(user, tell_place="chat").tell == NOW, "it is told again")
    assert bots.check(user, tell_place="chat").tell == NOT_AGAIN


def test_a_denial_from_memory_says_that_it_was_told_and_asks_the_store_where_it_was_not(start_bursard, fleet_at):
    fleet = fleet_at(start_bursard(workers=1).grpc_addr)
    user = spent(fleet)
    assert fleet.check(user, tell_place="chat").tell == NOW

    def remembered():
        answer = fleet.check(user, tell_place="chat")
        assert answer.tell == NOT_AGAIN
        return answer.quality == fleet.types.QUALITY_REMEMBERED
    until(remembered, "a denial from memory")
    assert fleet.check(user, tell_place="group").tell == NOW
    assert fleet.check(user, tell_place="group").tell == NOT_AGAIN


def test_in_a_batch_and_in_acquire_too(bots):
    user, other = spent(bots), spent(bots)
    items = [bots.request(user, tell_place="chat") for _ in range(3)] + [bots.request(user), bots.request(other, tell_place="chat")]
    answers = [item.response for item in bots.limiter.CheckBatch(pb.CheckBatchRequest(items=items), timeout=20).items]
    assert sorted(answer.tell for answer in answers[:3]) == [NOW, NOT_AGAIN, NOT_AGAIN]
    assert [answer.tell for answer in answers[3:]] == [UNKNOWN, NOW]
    for place, tell in (("chat", NOT_AGAIN), ("group", NOW)):
        messages = list(bots.limiter.Acquire(pb.AcquireRequest(check=bots.request(user, tell_place=place)), timeout=20))
        assert [(message.WhichOneof("event"), message.check.tell) for message in messages] == [("denied", tell)]


def test_a_suspension_is_told_once(bots):
    user = unique("user")
    bots.account(user)
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key(user)), timeout=10)
    assert [bots.check(user, tell_place="chat").tell for _ in range(2)] == [NOW, NOT_AGAIN]


def test_a_user_who_is_erased_leaves_nothing_behind(bots, stack):
    user = spent(bots)
    bots.check(user, tell_place="chat")
    assert told(stack, user)
    bots.drained()
    bots.admin.DeleteAccount(bots.admin_pb.DeleteAccountRequest(ref=bots.key(user)), timeout=10)
    bots.admin.EraseAccount(bots.admin_pb.EraseAccountRequest(ref=bots.key(user)), timeout=60)
    assert not told(stack, user)
