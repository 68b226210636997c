"""The stores, three bursards with different timeouts, and who is put into them before the callers begin."""
import contextlib
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "e2e"))

from bots import Bots  # noqa: E402
from harness import Bursard, Postgres, Proxy, Redis, protos, until  # noqa: E402
from harness.bursard import stop_all  # noqa: E402

from . import plan as plans  # noqa: E402
from .books import Books  # noqa: E402

TIMEOUTS_MS = [100, 1000, 5000]


class World:
    """Bursard 2 reaches Redis through a proxy; half of the callers reach bursard 1 through another."""

    def __init__(self, acts):
        self.books = Books()
        self.postgres = Postgres(settings={"fsync": "on"})
        self.database = self.postgres.database()
        self.redis = Redis(aof="always")
        self.redis_proxy = Proxy(self.redis.socket)
        redis = [self.redis, self.redis, "redis://" + self.redis_proxy.address]
        self.servers = [Bursard(redis[n], self.database, redis_timeout_ms=TIMEOUTS_MS[n]) for n in range(3)]
        self.caller_proxy = Proxy(("127.0.0.1", int(self.servers[1].grpc_addr.split(":")[1])))
        self.fleet = Bots(protos, self.servers[0].grpc_addr, plans.TENANT, patient=True)
        self.plan = plans.Plan(acts, self.shipped("free"))
        self.put()
        self.wait_known()

    def addresses(self, number):
        """Where a caller finds the three."""
        found = [server.grpc_addr for server in self.servers]
        if number % 2:
            found[1] = self.caller_proxy.address
        return found

    def start_redis(self):
        self.redis.client.connection_pool.disconnect()
        self.redis.start()

    def shipped(self, name):
        """A tier that nobody put."""
        types, pb = protos.types_pb2, protos.admin_pb2
        tier = self.fleet.admin.GetTier(pb.GetTierRequest(tenant=plans.TENANT, name=name), timeout=30)
        for limit in tier.limits:
            if not limit.shadow:
                yield plans.Limit(limit.name, types.Dimension.Name(limit.dimension)[10:].lower(),
                                  types.LimitKind.Name(limit.kind)[11:].lower(), limit.amount,
                                  types.CalendarWindow.Name(limit.window)[16:].lower(), limit.period_us, limit.burst)

    def limit(self, limit):
        fields = {"model": limit.model, "interface": limit.interface}
        if limit.kind == "bucket":
            return self.fleet.bucket(limit.name, limit.dimension, limit.amount, limit.period_us, limit.burst, **fields)
        if limit.kind == "level":
            return self.fleet.level(limit.name, limit.amount, **fields)
        return self.fleet.calendar(limit.name, limit.dimension, limit.amount, limit.window.upper(), **fields)

    def put(self):
        pb = protos.admin_pb2
        for name, limits in plans.TIERS.items():
            policy = {"closed": "FAIL_POLICY_CLOSED", "open": "FAIL_POLICY_OPEN"}.get(name, "FAIL_POLICY_LOCAL")
            self.fleet.tier(name, *map(self.limit, limits + plans.COUNTERS), fail_policy=policy)
        for account in sorted(self.plan.accounts.values(), key=lambda a: a.kind == "user"):
            kind = account.kind.upper()
            if account.kind != "user":
                self.fleet.account(account.id, kind, time_zone=account.zone)
                self.fleet.override(account.id, *map(self.limit, account.limits), kind=kind)
            elif account.tier in plans.TIERS:
                self.fleet.account(account.id, tier=account.tier, team=account.team, time_zone=account.zone)
            if account.suspended:
                self.fleet.admin.Suspend(pb.SuspendRequest(ref=self.fleet.key(account.id)), timeout=30)

    def wait_known(self):
        """Until every bursard counts on the accounts of models and of the tenant: that there are such it learns with its catalog."""
        user, kinds = self.plan.of_kind("user")[0].id, protos.types_pb2.AccountKind
        shared = [(kinds.Value("ACCOUNT_KIND_" + account.kind.upper()), limit.name, account)
                  for account in self.plan.accounts.values() if account.kind in ("model", "tenant") for limit in account.limits]

        def known(fleet):
            return all((kind, name) in fleet.figures(user, account.id if account.kind == "model" else "")
                       for kind, name, account in shared)

        for server in self.servers:
            with contextlib.closing(self.fleet.at(server.grpc_addr)) as fleet:
                until(lambda fleet=fleet: known(fleet), f"the accounts being known at {server.grpc_addr}", 60)

    def drained(self):
        """{(user, id): {(entry, attempt)}} of the ledger, as it is now."""
        found = {}
        for user, request, entry, attempt in self.database.query("select user_id, request_id, entry, attempt from ledger"):
            found.setdefault((user, request), set()).add((entry, attempt))
        return found

    def wait_drained(self, seconds=120):
        def empty():
            proof = self.fleet.proof()
            return proof if proof.undrained == 0 else None

        return until(empty, "every record being in the ledger", seconds)

    def checks_unread(self):
        """Answers to checks that had left for their callers before bursard could know that these had gone. Only while nobody is killed."""
        def sent(server):
            check = {"method": "/bursar.v1.Limiter/Check", "code": "OK"}
            return server.metric("grpc_calls_total", **check) - server.metric("grpc_answers_unread_total", **check)

        return sum(map(sent, self.servers)) - self.books.checks_read

    def close(self):
        self.fleet.close()
        try:
            stop_all(self.servers, self.redis, self.postgres)
        finally:
            self.redis_proxy.close()
            self.caller_proxy.close()
