"""Streams that are open when their caller stops counting: they end, and what they hold goes to others."""
import grpc
import pytest

from bots import Bots, unique
from harness import protos
from streams import Caller, holds, waits

Code = grpc.StatusCode
BOT, VIEWER, OPERATOR = 2, 3, 5
POOL = "narrow"


def works(fleet, request, secret=None):
    try:
        return fleet.limiter.GetStatus(request, timeout=20, metadata=[("authorization", "Bearer " + secret)] if secret else None)
    except grpc.RpcError as error:
        assert error.code() in (Code.UNAUTHENTICATED, Code.RESOURCE_EXHAUSTED), error
        return None


class Keys:
    """Two bursards, and keys made at the first; revoked there, they must stop counting at the second."""

    def __init__(self, fleets, until):
        self.here, self.there = fleets
        self.pb = self.here.admin_pb
        self.secret = None
        self.secret = self.create(OPERATOR).secret
        self.until = until
        status = self.there.limiter_pb.GetStatusRequest(user="nobody")
        until(lambda: not works(self.there, status))

    def call(self, name, request):
        metadata = [("authorization", "Bearer " + self.secret)] if self.secret else None
        return getattr(self.here.admin, name)(request, timeout=20, metadata=metadata)

    def create(self, role, **fields):
        return self.call("CreateKey", self.pb.CreateKeyRequest(role=role, **fields))

    def revoke(self, made):
        self.call("RevokeKey", self.pb.RevokeKeyRequest(id=made.key.id))

    def known(self, role, **fields):
        """A new key that the other bursard knows, and all that was changed before."""
        made = self.create(role, **fields)
        status = self.there.limiter_pb.GetStatusRequest(user="nobody")
        self.until(lambda: works(self.there, status, made.secret))
        return made

    def pool(self, slots):
        self.call("PutPool", self.pb.PutPoolRequest(ref=self.pb.PoolRef(name=POOL), slots=slots))


@pytest.fixture
def keys(two_fleets, until):
    return Keys(two_fleets, until)


@pytest.fixture
def acquire(keys):
    """acquire(key, user): a stream at the other bursard."""
    started = []

    def start(made, user=None):
        started.append(Caller(keys.there, user or unique("user"), pool=POOL, secret=made.secret))
        return started[-1]

    yield start
    for caller in started:
        caller.close()


def told_to_go(caller, text):
    assert caller.ended() == Code.UNAUTHENTICATED
    assert caller.error.details() == text
    assert caller.detail("ErrorInfo").reason == "NO_KEY"


def test_the_slot_of_a_revoked_key_goes_to_the_next_in_the_queue(keys, acquire):
    keys.pool(1)
    leaked, good = keys.known(BOT), keys.known(BOT)
    holder = holds(acquire(leaked))
    also_leaked = waits(acquire(leaked))
    next_one = waits(acquire(good))
    keys.revoke(leaked)
    told_to_go(holder, "the key was revoked")
    told_to_go(also_leaked, "the key was revoked")
    holds(next_one)
    assert next_one.code is None
    stats = keys.call("GetPoolStats", keys.pb.GetPoolStatsRequest(ref=keys.pb.PoolRef(name=POOL)))
    assert (stats.running, stats.waiting) == (1, 0)


def test_a_watch_of_a_pool_ends_with_its_key_and_others_go_on(keys):
    made, stays = keys.known(VIEWER), keys.known(VIEWER)
    request = keys.pb.GetPoolStatsRequest()
    watches = [keys.there.admin.WatchPool(request, metadata=[("authorization", "Bearer " + key.secret)]) for key in (made, stays)]
    for watch in watches:
        assert next(watch).slots
    keys.revoke(made)
    with pytest.raises(grpc.RpcError) as caught:
        for _ in range(60):
            next(watches[0])
    assert caught.value.code() == Code.UNAUTHENTICATED
    for _ in range(2):
        assert next(watches[1]).slots
    watches[1].cancel()


def test_a_watch_ends_when_its_key_is_revoked_at_another_bursard(keys):
    made = keys.known(VIEWER)
    stream = keys.there.admin.Watch(keys.pb.WatchRequest(), timeout=60, metadata=[("authorization", "Bearer " + made.secret)])
    next(stream)
    keys.revoke(made)
    with pytest.raises(grpc.RpcError) as caught:
        for _ in stream:
            pass
    assert (caught.value.code(), caught.value.details()) == (Code.UNAUTHENTICATED, "the key was revoked")


def test_a_stream_ends_when_its_key_expires_or_its_overlap_is_over(keys, acquire, stack):
    keys.pool(2)
    expiring, rotated = keys.known(BOT, expires_at_us=stack.redis_server.time_us() + 8_000_000), keys.known(BOT)
    first, second = holds(acquire(expiring)), holds(acquire(rotated))
    keys.call("RotateKey", keys.pb.RotateKeyRequest(id=rotated.key.id, overlap_us=1))
    told_to_go(second, "the key has expired")
    told_to_go(first, "the key has expired")


def test_who_came_before_there_were_keys_is_sent_away_by_the_first(two_fleets, until):
    early = holds(Caller(two_fleets[1], unique("user")))
    Keys(two_fleets, until)
    told_to_go(early, "a key is needed now: reconnect with one")


def test_watches_of_strangers_leave_room_for_calls_with_a_key(start_bursard, until):
    server = start_bursard(workers=1, max_calls=1100)
    strangers = [grpc.insecure_channel(server.grpc_addr, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(2)]
    watches = [channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=60) for channel in strangers for _ in range(600)]
    codes = []
    for watch in watches:
        try:
            next(watch)
            codes.append(None)
        except grpc.RpcError as error:
            codes.append(error.code())
    assert codes.count(None) == 1000 and codes.count(Code.RESOURCE_EXHAUSTED) == 200
    fleet = Bots(protos, server.grpc_addr)
    assert fleet.check("ann").allowed
    for watch in watches:
        watch.cancel()
    again = strangers[0].unary_stream("/grpc.health.v1.Health/Watch")

    def welcome():
        try:
            return next(again(b"", timeout=60))
        except grpc.RpcError:
            return None

    until(welcome)
    fleet.close()
    for channel in strangers:
        channel.close()
