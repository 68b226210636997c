"""Every error of Redis, at every call: UNAVAILABLE with a sentence of Bursar's, said by both probes, and over when Redis has got over it."""
import json
import re

import grpc
import pytest

from harness import Bursard, Redis, Refusing, protos, until
from harness.paths import ROOT
from harness.ports import free_port
from bots import Bots, fails_with, unique

TABLE = (ROOT / "server/redis/connect/errors.def").read_text()
CLUSTER = "is in cluster mode, which Bursar does not support: records would never reach the ledger; give Bursar a Redis of its own"
OWN_WORDS = "as Redis puts it"


def rows():
    """(name, beginning, sentence) of the table."""
    found = re.findall(r'^ROW\((\w+), "([^"]*)", (?:AGAIN|ONCE),\s+(?:"([^"]*)"|CLUSTER_SENTENCE)\)', TABLE, re.M)
    assert len(found) == TABLE.count("\nROW(")
    return [(name, begins, sentence or CLUSTER) for name, begins, sentence in found]


def health(server, service=""):
    from grpc.health.v1 import health_pb2, health_pb2_grpc
    with server.channel() as channel:
        answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def reason(server):
    """What /readyz says of Redis; None when it is well. grpc.health.v1 says the same of every service."""
    status, body = server.http("/readyz")
    redis = json.loads(body)["checks"]["redis"]
    assert (status == 200) == all(check["ready"] for check in json.loads(body)["checks"].values())
    return None if redis["ready"] else redis["reason"]


def probes(server):
    return {health(server, name) for name in ("", "bursar.v1.Limiter", "bursar.v1.Admin")}


def doors_say(server, words):
    """Both probes come to say it, by themselves: no call is made meanwhile."""
    until(lambda: words in (reason(server) or "") and probes(server) == {"NOT_SERVING"}, f"both probes to say {words!r}", alive=server)


def doors_are_open(server):
    until(lambda: reason(server) is None and probes(server) == {"SERVING"}, "both probes to have nothing to say of Redis", alive=server)


class Fleet(Bots):
    """A fleet with a user on a tier that is closed without Redis."""

    def __init__(self, server):
        super().__init__(protos, server.grpc_addr)
        tier, self.user = unique("closed"), unique("user")
        self.tier(tier, *self.limits(), fail_policy="FAIL_POLICY_CLOSED")
        self.account(self.user, tier=tier)
        self.admin.PutPool(self.admin_pb.PutPoolRequest(ref=self.admin_pb.PoolRef(name="default"), slots=8), timeout=20)
        self.open = [self.check(self.user) for _ in range(3)]

    def limits(self):
        """What the proof compares with the ledger."""
        return [self.calendar(name, name, amount, "MONTH") for name, amount in (("requests", 1000), ("tokens", 10**6), ("cost", 10**12))]

    def calls(self):
        """name -> a function that calls, for everything that asks Redis."""
        pb, limiter, ask = self.limiter_pb, self.limiter, self.request(self.user)
        refs = [self.ref(answer) for answer in self.open]
        usage = self.types.TokenUsage(input_tokens=1)
        return {
            "Check": lambda: limiter.Check(ask, timeout=20),
            "Record": lambda: limiter.Record(pb.RecordRequest(reservation=refs[0], usage=usage), timeout=20),
            "Cancel": lambda: limiter.Cancel(pb.CancelRequest(reservation=refs[1]), timeout=20),
            "Renew": lambda: limiter.Renew(pb.RenewRequest(reservation=refs[2]), timeout=20),
            "GetStatus": lambda: self.status(self.user),
            "Explain": lambda: limiter.Explain(pb.ExplainRequest(check=ask), timeout=20),
            "Acquire": lambda: list(limiter.Acquire(pb.AcquireRequest(check=ask), timeout=20)),
            "Reset": lambda: self.admin.Reset(self.admin_pb.ResetRequest(ref=self.key(self.user)), timeout=20),
            "AdjustLedger": lambda: self.admin.AdjustLedger(
                self.admin_pb.AdjustLedgerRequest(user=self.user, cost_nano_usd=1, reason="test"), timeout=20),
        }


@pytest.fixture
def refused(redis, postgres):
    """A bursard whose Redis can be made to refuse, and a fleet at it."""
    proxy = Refusing(redis.socket)
    server = Bursard(proxy, postgres, workers=1, redis_timeout_ms=400)
    fleet = Fleet(server)
    yield proxy, server, fleet
    fleet.close()
    server.stop()
    proxy.close()


def says(error, sentence):
    """In Bursar's words, and not in Redis's."""
    return sentence.split(";")[0] in error.details() and OWN_WORDS not in error.details()


def test_every_error_is_unavailable_with_a_sentence_at_every_call(refused):
    proxy, server, fleet = refused
    for name, begins, sentence in rows():
        proxy.refuse = f"{begins} {OWN_WORDS}"
        for call, run in fleet.calls().items():
            error = fails_with(grpc.StatusCode.UNAVAILABLE, run)
            assert says(error, sentence), f"{name} at {call}: {error.details()}"
        doors_say(server, sentence)
        proxy.refuse = None
        doors_are_open(server)
        assert fleet.check(fleet.user).quality == fleet.types.QUALITY_EXACT, name
    for _, _, sentence in rows():
        assert f'msg="redis refuses calls" why="redis: {sentence}' in server.log()
    assert OWN_WORDS not in server.log()


def test_a_batch_says_it_for_each_item(refused):
    proxy, server, fleet = refused
    proxy.refuse = "OOM " + OWN_WORDS
    items = fleet.limiter.CheckBatch(fleet.limiter_pb.CheckBatchRequest(items=[fleet.request(fleet.user)] * 2), timeout=20).items
    assert [item.error.code for item in items] == [grpc.StatusCode.UNAVAILABLE.value[0]] * 2
    assert all("is full" in item.error.message and OWN_WORDS not in item.error.message for item in items)
    records = fleet.limiter.RecordBatch(fleet.limiter_pb.RecordBatchRequest(
        items=[fleet.limiter_pb.RecordRequest(reservation=fleet.ref(answer), usage={}) for answer in fleet.open]), timeout=20).items
    assert {record.error.code for record in records} == {grpc.StatusCode.UNAVAILABLE.value[0]}
    proxy.refuse = None
    doors_are_open(server)


def test_a_fault_of_our_own_stays_internal_and_is_in_the_log(refused):
    proxy, server, fleet = refused
    proxy.refuse = "ERR user_function:6: attempt to index local 't' (a nil value) script: bug, on @user_function:6."
    for call, run in fleet.calls().items():
        error = fails_with(grpc.StatusCode.INTERNAL, run)
        assert "nil value" not in error.details() and "log" in error.details(), f"{call}: {error.details()}"
    assert "nil value" in server.log()
    proxy.refuse = None
    doors_are_open(server)


def test_the_page_has_the_table():
    page = (ROOT / "docs/operations.md").read_text()
    for name, begins, sentence in rows():
        word = begins.split()[0] if not begins.startswith("ERR") else begins
        line = [line for line in page.splitlines() if line.startswith("| `") and word in line]
        assert line and sentence.split(";")[0] in line[0], f"{name}: {line}"


@pytest.fixture
def fleet(bursard):
    fleet = Fleet(bursard)
    yield fleet
    fleet.close()


def test_a_full_redis_takes_nothing_new_and_settles_all(redis, bursard, fleet, postgres):
    local = fleet.user_with(*fleet.limits())
    assert fleet.check(local).allowed
    acquired = fleet.limiter.Acquire(fleet.limiter_pb.AcquireRequest(check=fleet.request(local)), timeout=60)
    lease = next(acquired)
    assert lease.HasField("granted")
    redis.client.config_set("maxmemory", 1)
    doors_say(bursard, "redis: is full")
    answer = fleet.check(local)
    assert answer.quality == fleet.types.QUALITY_LOCAL and "is full" in answer.cause, answer
    assert "is full" in fails_with(grpc.StatusCode.UNAVAILABLE, fleet.check, fleet.user).details()
    assert "is full" in fails_with(grpc.StatusCode.UNAVAILABLE, fleet.calls()["Acquire"]).details()
    # What reads.
    assert fleet.status(fleet.user).quality == fleet.types.QUALITY_EXACT
    assert fleet.limiter.Explain(fleet.limiter_pb.ExplainRequest(check=fleet.request(fleet.user)), timeout=20).response.allowed
    # What settles, gives back, renews, ends.
    fleet.renew(fleet.open[2])
    fleet.record(fleet.open[0], input_tokens=5)
    fleet.cancel(fleet.open[1])
    fleet.record(fleet.open[2], input_tokens=5)
    fleet.record(answer, input_tokens=5)  # never held: a marker is made for it
    acquired.cancel()
    until(lambda: redis.client.zcard("b:{pool:default/default}:lease") == 0, "the slot to be given back")
    proof = fleet.drained()
    assert proof.equal and postgres.value("select count(*) from ledger") >= 3, proof
    fleet.admin.SetTier(fleet.admin_pb.SetTierRequest(ref=fleet.key(local), tier="pro"), timeout=20)
    fleet.admin.Reset(fleet.admin_pb.ResetRequest(ref=fleet.key(fleet.user)), timeout=20)
    assert fleet.status(local).accounts and fleet.used(fleet.user, "requests") == 0
    found = {check.name: check for check in fleet.admin.Diagnose(protos.admin_pb2.DiagnoseRequest(), timeout=30).checks}
    assert found["redis"].finding == found["memory"].finding == 3 and "is full" in found["redis"].found
    redis.client.config_set("maxmemory", 0)
    doors_are_open(bursard)
    assert fleet.check(fleet.user).quality == fleet.types.QUALITY_EXACT and not fleet.check(fleet.user).cause


def test_each_function_says_what_a_full_redis_may_refuse(redis, bursard):
    """A new function has to be put into one of the three."""
    def flags_of(library):
        fields = dict(zip(library[::2], library[1::2]))
        functions = [dict(zip(f[::2], f[1::2])) for f in fields[b"functions"]]
        return {f[b"name"].decode().rsplit("_", 1)[0].removeprefix("bursar_"): {flag.decode() for flag in f[b"flags"]} for f in functions}

    until(lambda: len(redis.client.execute_command("FUNCTION", "LIST")) == 2, "both libraries to be there")
    of = [flags_of(library) for library in redis.client.execute_command("FUNCTION", "LIST")]
    reads = {"look", "waiting", "overdue", "drain", "counters", "reservations", "reservation", "pool_stats"}
    adds = {"check", "ready", "pool_acquire"}
    for name, flags in [item for library in of for item in library.items()]:
        assert flags == ({"no-writes"} if name in reads else set() if name in adds else {"allow-oom"}), name
    assert reads | adds <= {name for library in of for name in library}


def test_a_bursard_that_starts_on_a_full_redis_says_why_it_cannot_work(redis, postgres):
    redis.client.config_set("maxmemory", 1)
    server = Bursard(redis, postgres, wait=False)
    doors_say(server, "redis: does not accept Bursar's functions: redis: is full")
    redis.client.config_set("maxmemory", 0)
    server.wait_ready()
    server.stop()


def test_a_replica_says_so_and_is_master_again(redis, bursard, fleet):
    redis.client.replicaof("127.0.0.1", 1)
    doors_say(bursard, "redis: is a replica")
    redis.client.replicaof("NO", "ONE")
    doors_are_open(bursard)
    assert fleet.check(fleet.user).quality == fleet.types.QUALITY_EXACT


def test_too_few_replicas_say_so(redis, bursard, fleet):
    redis.client.config_set("min-replicas-to-write", 1)
    doors_say(bursard, "min-replicas-to-write")
    assert fleet.status(fleet.user).quality == fleet.types.QUALITY_EXACT
    redis.client.config_set("min-replicas-to-write", 0)
    doors_are_open(bursard)


def test_an_eviction_policy_set_while_running_is_noticed(redis, bursard, fleet):
    redis.client.config_set("maxmemory-policy", "allkeys-lru")
    sentence = "maxmemory-policy is allkeys-lru, which drops limits; set it to noeviction"
    doors_say(bursard, sentence)
    for call, run in fleet.calls().items():  # each connection looks for itself
        until(lambda run=run: sentence in fails_with(grpc.StatusCode.UNAVAILABLE, run).details(), f"{call} to be refused")
    assert sentence in bursard.log()
    redis.client.config_set("maxmemory-policy", "noeviction")
    doors_are_open(bursard)
    fleet.record(fleet.open[0], input_tokens=5)


def test_a_wrong_password_is_called_wrong_and_put_right_while_running(postgres):
    port = free_port()
    redis = Redis(settings={"port": port, "requirepass": "right"}, start=False)
    redis.client.connection_pool.connection_kwargs["password"] = "right"
    redis.start()
    for given, sentence in ((":wrong@", "the user name or password is wrong"), ("nobody:wrong@", "the user name or password is wrong"),
                            ("", "requires a password")):
        server = Bursard(f"redis://{given}127.0.0.1:{port}", postgres, wait=False)
        doors_say(server, sentence)
        assert sentence in server.log() and "invalid username-password" not in server.log()
        if given == ":wrong@":
            redis.client.config_set("requirepass", "wrong")
            server.wait_ready()
            redis.client.config_set("requirepass", "right")  # a connection that is known stays so
            assert reason(server) is None
        server.stop()
    redis.client.config_set("requirepass", "")
    server = Bursard(f"redis://:right@127.0.0.1:{port}", postgres, wait=False)
    doors_say(server, "has no password, but the option redis gives one")
    server.stop()
    redis.kill()


def test_a_user_without_a_right_is_told_which(postgres):
    port = free_port()
    redis = Redis(settings={"port": port})
    rights = re.search(r"ACL SETUSER bursar on >PASSWORD ([^`]*)", (ROOT / "docs/operations.md").read_text())[1].split()
    redis.client.execute_command("ACL", "SETUSER", "bursar", "on", ">secret", *rights, "-function|load")
    server = Bursard(f"redis://bursar:secret@127.0.0.1:{port}", postgres, wait=False)
    doors_say(server, "the user may not run 'function|load'")
    redis.client.execute_command("ACL", "SETUSER", "bursar", "+function|load", "-fcall")
    doors_say(server, "the user may not run 'fcall'")
    redis.client.execute_command("ACL", "SETUSER", "bursar", "+fcall")
    server.wait_ready()
    server.stop()
    redis.kill()


def test_no_room_for_another_connection_is_said(postgres):
    redis = Redis(settings={"maxclients": 2})
    server = Bursard(redis, postgres, workers=1, wait=False)
    doors_say(server, "has no room for another connection")
    redis.client.config_set("maxclients", 1000)
    server.wait_ready()
    server.stop()
    redis.kill()


def test_a_redis_in_cluster_mode_is_refused_at_the_start_and_at_a_reconnection(postgres):
    ports = {"port": free_port(), "cluster-port": free_port()}
    redis = Redis(settings={**ports, "cluster-enabled": "yes"})
    server = Bursard(redis, postgres, start=False)
    server.start(wait=False)
    until(lambda: not server.running(), "bursard to end")
    assert CLUSTER in server.log()
    redis.kill()
    plain = Redis()
    server = Bursard(plain, postgres)
    plain.kill()
    plain.settings.update({"cluster-enabled": "yes", **ports})
    plain.start()
    doors_say(server, "is in cluster mode")
    assert plain.client.execute_command("FUNCTION", "LIST") == []
    plain.kill()
    server.stop()
