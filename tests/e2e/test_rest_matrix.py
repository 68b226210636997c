"""Every RPC over HTTP beside the same one over gRPC: the same answers, errors, audit rows, and doors."""
import json
import re

import grpc
import pytest
from google.protobuf import json_format

from harness import Redis, protos, until
from harness.paths import ROOT
from rest_calls import Rest, rows
from test_keys import MAY, OPEN, OURS, ROLES, TENANTLESS, THEIRS, Caller, House, name_tenant

from google.rpc import error_details_pb2, status_pb2  # harness.protos has made them

assert error_details_pb2.ErrorInfo  # json_format looks it up by its name
EXAMPLES = json.loads((ROOT / "server" / "api" / "openapi" / "examples.json").read_text())
ROWS = rows()
SERVICES = {"Limiter": protos.limiter_pb2, "Admin": protos.admin_pb2}
# HTTP/1.1 has no place for a stream of requests.
METHODS = {name: method for service, pb in SERVICES.items() for name, method in pb.DESCRIPTOR.services_by_name[service].methods_by_name.items()
           if not method.client_streaming}
# https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
STATUS = {"OK": 200, "INVALID_ARGUMENT": 400, "FAILED_PRECONDITION": 400, "OUT_OF_RANGE": 400, "UNAUTHENTICATED": 401, "PERMISSION_DENIED": 403,
          "NOT_FOUND": 404, "ALREADY_EXISTS": 409, "ABORTED": 409, "RESOURCE_EXHAUSTED": 429, "UNIMPLEMENTED": 501, "UNAVAILABLE": 503}
FROM_LEDGER = "GetProof GetStats GetMonthlyReport GetReport GetForecast CompareCosts ListAudit RerateLedger ListReservations".split()


def kind_of(name, which):
    called = getattr(METHODS[name], which).name
    return next(getattr(pb, called) for pb in (*SERVICES.values(), protos.types_pb2, protos.alerts_pb2) if hasattr(pb, called))


def by_path(row, message, handle):
    """The message as the row's path can say it: nothing is beside a handle."""
    if "{reservation.handle}" in row.path:
        message.reservation.CopyFrom(protos.types_pb2.ReservationRef(handle=handle))
    return message


def example(row):
    message = json_format.ParseDict(EXAMPLES[row.rpc].get("request", {}), kind_of(row.rpc, "input_type")())
    return by_path(row, message, EXAMPLES["Check"]["answer"]["reservation"])


def same_for_all(value, name=""):
    """Without what differs from call to call: times, handles, ports, figures that follow the time."""
    if isinstance(value, dict):
        limit = value.get("limit")
        flows = isinstance(limit, dict) and limit.get("kind") == "LIMIT_KIND_BUCKET"
        gone = ("used", "remaining", "used_percent") if flows else ("page_token", "next_page_token", "pending", "undrained")
        return {key: same_for_all(member, key) for key, member in value.items() if key not in gone}
    if isinstance(value, list):
        return [same_for_all(member, name) for member in value]
    if name.endswith("_us") or name in ("lease", "reservation", "handle", "secret", "prefix", "last_used_from", "epoch", "found", "value", "etag", "signing_secrets"):
        return bool(value)
    return re.sub(r"b[sl][a-z]_[\w-]+|127\.0\.0\.1:\d+|\d{13,}|[0-9a-f]{32}|\d{4}-\d\d-\d\dT[\d:.+]+|per_minute .*", "...", value) if isinstance(value, str) else value


class World:
    """A bursard with stores of its own, and its operator."""

    def __init__(self, server, fleet):
        self.server, self.fleet = server, fleet
        self.secret = fleet.admin.CreateKey(fleet.admin_pb.CreateKeyRequest(role=ROLES["operator"], label="ops"), timeout=20).secret
        self.caller, self.rest = Caller(fleet, self.secret), Rest(server.http_addr, self.secret)

    def over_grpc(self, name, message):
        """(status, answer) in the words of HTTP."""
        try:
            answer = getattr(self.caller, name)(message)
        except StopIteration:
            return 200, None
        except grpc.RpcError as error:
            details = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
            return STATUS[error.code().name], status_pb2.Status.FromString(details)
        return 429 if getattr(answer, "DESCRIPTOR").name == "CheckResponse" and not answer.allowed else 200, answer

    def settle(self):
        """Waits until the ledger has all that has happened."""
        request = self.fleet.admin_pb.GetProofRequest()
        until(lambda: self.caller.GetProof(request).undrained == 0, "the ledger having everything", timeout=60)

    def over_http(self, row, message):
        status, answer = self.rest(row, message)
        kind = kind_of(row.rpc, "output_type") if status < 400 or "allowed" in answer else status_pb2.Status
        return status, answer if answer is None else json_format.ParseDict(answer, kind())


@pytest.fixture
def worlds(start_bursard, redis, postgres_server, postgres, fleet_at):
    """Two that nothing has happened in, and that nothing connects."""
    other_redis, other_database = Redis(), postgres_server.database()
    roles = "serve,ledger,http"  # without alerts: what they do, and when, is nobody's call
    servers = [start_bursard(roles=roles), start_bursard(redis=other_redis, postgres=other_database, roles=roles)]
    yield [World(server, fleet_at(server.grpc_addr)) for server in servers]
    for server in servers:
        server.stop()
    other_redis.kill()
    other_database.drop()


def plain(answer):
    return answer if answer is None else same_for_all(json_format.MessageToDict(answer, preserving_proto_field_name=True))


def compare(worlds, row, message):
    """Calls over gRPC here and over HTTP there; what differs."""
    if row.rpc in FROM_LEDGER:
        for world in worlds:
            world.settle()
    here, there = worlds[0].over_grpc(row.rpc, message), worlds[1].over_http(row, message)
    return here[0], [] if (here[0], plain(here[1])) == (there[0], plain(there[1])) else [
        f"{row.method} {row.path}:\n  gRPC {here[0]} {plain(here[1])}\n  HTTP {there[0]} {plain(there[1])}"]


def test_every_rpc_has_a_path_and_an_example():
    assert set(METHODS) == {row.rpc for row in ROWS} == {name for name in EXAMPLES if name in METHODS} == set(MAY) - {"CheckStream"}
    for row in ROWS:
        assert row.streams == METHODS[row.rpc].server_streaming and row.service == METHODS[row.rpc].containing_service.name


# What comes before its name in the order of the table needs what comes after it.
EARLIER = "PutAlertChannel PutAlertRule TestAlertChannel PutTier PutTenant PutPrice PutAlias PutFamily PutText PutPool PutAccount Check".split()
LATER = "DeleteTier DeleteText DeleteAlias DeleteFamily EndPrice DeleteAccount EraseAccount DeleteAlertRule DeleteAlertChannel".split()


def in_order():
    order = {name: place - 100 for place, name in enumerate(EARLIER)} | {name: place + 100 for place, name in enumerate(LATER)}
    return sorted(ROWS, key=lambda row: order.get(row.rpc, 0))


def test_examples_are_answered_alike_and_leave_the_same_audit_rows(worlds):
    wrong, statuses = [], []
    for row in in_order():
        status, differs = compare(worlds, row, example(row))
        statuses.append(status)
        wrong += differs
    assert not wrong, "\n".join(wrong)
    assert statuses.count(200) > 50, statuses

    def trail(world):
        world.settle()
        entries = world.caller.ListAudit(world.fleet.admin_pb.ListAuditRequest(all_tenants=True, page_size=1000)).entries
        return [same_for_all(json_format.MessageToDict(entry, preserving_proto_field_name=True)) for entry in entries]

    here, there = map(trail, worlds)
    assert here == there and len(here) > 20
    assert all(entry["actor"].endswith(" from ipv4:...") for entry in there)


def spoil(message, text):
    """Puts the text into every text of the message."""
    for field in message.DESCRIPTOR.fields:
        if field.type == field.TYPE_STRING and field.label != field.LABEL_REPEATED:
            setattr(message, field.name, text)
        elif field.type == field.TYPE_MESSAGE and field.label != field.LABEL_REPEATED and message.HasField(field.name):
            spoil(getattr(message, field.name), text)
    return message


@pytest.mark.parametrize("text", ["x" * 300, "a\x01b", "nothing-like-this"])
def test_errors_are_the_same(worlds, text):
    wrong, statuses = [], []
    for row in ROWS:
        status, differs = compare(worlds, row, by_path(row, spoil(example(row), text), text))
        statuses.append(status)
        wrong += differs
    assert not wrong, "\n".join(wrong)
    assert sum(status >= 400 for status in statuses) > 20, statuses


def filled(row, tenant, handle="x"):
    """A request of the tenant that fills the path's variables."""
    message = name_tenant(kind_of(row.rpc, "input_type")(), tenant)
    for variable in re.findall(r"\{([^}]+)\}", row.path):
        *above, name = variable.split(".")
        at = message
        for part in above:
            at = getattr(at, part)
        if not getattr(at, name):
            is_text = at.DESCRIPTOR.fields_by_name[name].type == METHODS[row.rpc].input_type.fields[0].TYPE_STRING
            setattr(at, name, "x" if is_text else 1)
    return by_path(row, message, handle)


def test_every_path_lets_in_whom_its_rpc_does_and_shows_nothing_of_another_tenant(bots, bursard):
    house = House(bots)
    theirs = house.create("admin", THEIRS)
    hidden = "hidden-in-theirs"
    foreign = Caller(bots, theirs.secret)
    foreign.PutAccount(house.pb.PutAccountRequest(ref=house.pb.AccountRef(id=hidden), tier="pro"))
    foreign.PutTier(house.pb.PutTierRequest(tier=house.pb.Tier(name=hidden)))
    check = foreign.Check(bots.limiter_pb.CheckRequest(user=hidden))
    lease = foreign.Acquire(bots.limiter_pb.AcquireRequest(check=bots.limiter_pb.CheckRequest(user=hidden), mode=bots.limiter_pb.LEASE_MODE_EXPLICIT))
    secrets = {role: caller.metadata[0][1].removeprefix("Bearer ") for role, caller in house.callers.items()}
    wrong = []
    for row in ROWS:
        ours, other = filled(row, OURS), filled(row, THEIRS, check.reservation)
        if row.rpc in ("RotateKey", "RevokeKey"):
            ours.id, other.id = 999, theirs.key.id
        elif row.rpc == "Release":
            other.lease = lease.granted.lease
        if row.rpc not in OPEN and Rest(bursard.http_addr)(row, ours)[0] not in (401, 429):
            wrong.append(f"{row.method} {row.path} without a key")
        for role, secret in secrets.items():
            may, call = role in MAY[row.rpc], Rest(bursard.http_addr, secret)
            status, answer = call(row, ours)
            if (status not in (401, 403)) != may or status >= 500 or hidden in str(answer):
                wrong.append(f"{row.method} {row.path} by {role}: {status} {answer}")
            if role == "operator" or row.rpc in TENANTLESS:
                continue
            status, answer = call(row, other)
            if status != (404 if may and row.rpc in ("RotateKey", "RevokeKey") else 403) or hidden in str(answer):
                wrong.append(f"{row.method} {row.path} of another tenant by {role}: {status} {answer}")
    assert not wrong, "\n".join(wrong)
