"""A fleet of bots, as the tests see it: short words for the calls of bursar.v1."""
import itertools
import time

import grpc
from harness import connect

MINUTE_US = 60_000_000
DAY_US = 24 * 60 * MINUTE_US
_numbers = itertools.count(1)


def unique(prefix):
    """An id that no other test of this run has used."""
    return f"{prefix}-{next(_numbers)}"


class Bots:
    """Talks to one bursard in one tenant. `patient`: waits for it while it is away."""

    def __init__(self, stubs, address, tenant="default", patient=False):
        self.types, self.limiter_pb, self.admin_pb = stubs.types_pb2, stubs.limiter_pb2, stubs.admin_pb2
        self.stubs, self.address, self.tenant = stubs, address, tenant
        self.channel = connect(address, patient)
        self.limiter = stubs.limiter_pb2_grpc.LimiterStub(self.channel)
        self.admin = stubs.admin_pb2_grpc.AdminStub(self.channel)

    def at(self, address):
        """The same fleet, calling another bursard."""
        return Bots(self.stubs, address, self.tenant)

    def close(self):
        self.channel.close()

    # -- the calls of a bot
    def request(self, user, **fields):
        fields.setdefault("tenant", self.tenant)
        return self.limiter_pb.CheckRequest(user=user, **fields)

    def check(self, user, timeout=10, **fields):
        return self.limiter.Check(self.request(user, **fields), timeout=timeout)

    def ref(self, answer=None, **fields):
        if answer is not None:
            return self.types.ReservationRef(handle=answer.reservation)
        fields.setdefault("tenant", self.tenant)
        return self.types.ReservationRef(**fields)

    def record(self, answer=None, ref=None, model="", attempt=0, keep_open=False, mode="", timeout=10, **usage):
        return self.limiter.Record(
            self.limiter_pb.RecordRequest(reservation=ref or self.ref(answer), usage=self.types.TokenUsage(**usage),
                                          model=model, attempt=attempt, keep_open=keep_open, mode=mode), timeout=timeout)

    def cancel(self, answer=None, ref=None):
        return self.limiter.Cancel(self.limiter_pb.CancelRequest(reservation=ref or self.ref(answer)), timeout=10)

    def renew(self, answer, ttl_us=0):
        return self.limiter.Renew(
            self.limiter_pb.RenewRequest(reservation=self.ref(answer), reservation_ttl_us=ttl_us), timeout=10)

    def status(self, user, model=""):
        return self.limiter.GetStatus(
            self.limiter_pb.GetStatusRequest(tenant=self.tenant, user=user, model=model), timeout=10)

    def figures(self, user, model=""):
        """{(account kind, limit name): LimitStatus} of all accounts of a user."""
        return {(account.kind, s.limit.name): s for account in self.status(user, model).accounts for s in account.limits}

    def used(self, user, limit):
        return self.figures(user)[(self.types.ACCOUNT_KIND_USER, limit)].used

    # -- limits in short
    def bucket(self, name, dimension, amount, period_us=MINUTE_US, burst=0, **fields):
        return self.types.Limit(name=name, dimension=self._dimension(dimension), kind=self.types.LIMIT_KIND_BUCKET,
                                amount=amount, period_us=period_us, burst=burst, **fields)

    def calendar(self, name, dimension, amount, window="DAY", **fields):
        return self.types.Limit(name=name, dimension=self._dimension(dimension), kind=self.types.LIMIT_KIND_CALENDAR,
                                amount=amount, window=self.types.CalendarWindow.Value("CALENDAR_WINDOW_" + window), **fields)

    def level(self, name, amount, **fields):
        return self.types.Limit(name=name, dimension=self.types.DIMENSION_CONCURRENT, kind=self.types.LIMIT_KIND_LEVEL,
                                amount=amount, **fields)

    def _dimension(self, word):
        return self.types.Dimension.Value("DIMENSION_" + word.upper())

    # -- the calls of an admin
    def key(self, user, kind="USER"):
        return self.admin_pb.AccountRef(tenant=self.tenant, kind=self.types.AccountKind.Value("ACCOUNT_KIND_" + kind), id=user)

    def tier(self, name, *limits, **fields):
        """Puts a tier with just these limits."""
        return self.admin.PutTier(self.admin_pb.PutTierRequest(
            tier=self.admin_pb.Tier(tenant=self.tenant, name=name, limits=limits, **fields)), timeout=10)

    def account(self, user, kind="USER", **fields):
        return self.admin.PutAccount(self.admin_pb.PutAccountRequest(ref=self.key(user, kind), **fields), timeout=10)

    def override(self, user, *limits, kind="USER"):
        return self.admin.OverrideLimits(
            self.admin_pb.OverrideLimitsRequest(ref=self.key(user, kind), limits=limits), timeout=10)

    def user_with(self, *limits, **account):
        """A fresh user on a fresh tier of just these limits."""
        tier, user = unique("tier"), unique("user")
        self.tier(tier, *limits)
        self.account(user, tier=tier, **account)
        return user

    def proof(self):
        return self.admin.GetProof(self.admin_pb.GetProofRequest(tenant=self.tenant), timeout=60)

    def drained(self, seconds=30):
        """Waits until every record of the tenant is in PostgreSQL, and returns the proof."""
        until = time.monotonic() + seconds
        while True:
            try:
                proof = self.proof()
            except grpc.RpcError as error:  # a store that a test has killed may still be coming back
                assert error.code() == grpc.StatusCode.UNAVAILABLE and time.monotonic() < until, error
                continue
            if proof.undrained == 0:
                return proof
            assert time.monotonic() < until, f"not drained after {seconds} s: {proof}"


def failed(answer):
    """Names of the limits that denied."""
    return {s.limit.name for s in answer.limits if s.failed}


def fails_with(code, call, *args, **kwargs):
    """The call must fail with this gRPC status; returns the error."""
    try:
        call(*args, **kwargs)
    except grpc.RpcError as error:
        assert error.code() == code, f"{error.code()}: {error.details()}, not {code}"
        return error
    raise AssertionError(f"succeeded, instead of {code}")
