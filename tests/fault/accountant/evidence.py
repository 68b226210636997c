"""What is read when all is quiet: ledger and roll-ups by SQL, counters by GetStatus."""
import dataclasses

from harness import protos, until

from . import ledger
from .books import now_us
from .ledger import Row
from .plan import TENANT

ROWS = """SELECT user_id, request_id, attempt, entry, requests, charged_input, charged_output, cost_nano,
    (extract(epoch FROM started_at) * 1000000)::bigint, team, coalesce(nullif(price_model, ''), nullif(model, ''), model_checked),
    interface, tier FROM ledger WHERE tenant = %s AND entry <> 2"""
SUMS = "sum(rows)::bigint, sum(requests)::bigint, sum(charged_input)::bigint, sum(charged_output)::bigint, sum(cost_nano)::bigint"
KINDS = {2: "team", 3: "org", 5: "tenant", 6: "tier"}


@dataclasses.dataclass
class Status:
    open: int
    figures: dict  # limit -> (used, held)


@dataclasses.dataclass
class Evidence:
    begin: int = 0
    end: int = 0
    rows: list = dataclasses.field(default_factory=list)
    daily: dict = dataclasses.field(default_factory=dict)
    monthly: dict = dataclasses.field(default_factory=dict)
    shared: dict = dataclasses.field(default_factory=dict)
    status: dict = dataclasses.field(default_factory=dict)
    open: list = dataclasses.field(default_factory=list)  # keys of requests whose reservations are open
    undrained: int = 0
    rejects: int = 0
    proof_equal: bool = True


def exact_status(world, request):
    """As Redis has it: where Redis is too slow for its bursard, that answers with what it remembers."""
    def asked():
        answer = world.fleet.limiter.GetStatus(request, timeout=60)
        return answer if answer.quality == protos.types_pb2.QUALITY_EXACT else None

    return until(asked, f"the exact status of {request.user}", 60)


def read_status(world):
    """Of every account, each model's and each team's by way of one user."""
    pb, types, found = protos.limiter_pb2, protos.types_pb2, {}
    models = [account.id for account in world.plan.of_kind("model")]
    for number, user in enumerate(world.plan.of_kind("user")):
        request = pb.GetStatusRequest(tenant=TENANT, user=user.id, model=models[number % len(models)])
        for status in exact_status(world, request).accounts:
            kind = types.AccountKind.Name(status.kind)[13:].lower()
            figures = {s.limit.name: (s.used, s.held) for s in status.limits}
            found[kind, status.id or user.id] = Status(status.open_reservations, figures)
    return found


def left_open(status):
    """So many reservations: each is one of a user's."""
    return sum(found.open for (kind, _), found in status.items() if kind == "user")


def open_requests(world):
    """From the names of their markers, "b:{p7}:q:tenant/user/id"."""
    redis = world.redis.client
    markers = [marker.decode() for key in redis.keys("b:*:due") for marker in redis.zrange(key, 0, -1)]
    return [tuple(marker.split(":q:")[1].split("/")[1:]) for marker in markers]


def all_settled(world, unread_may_stay):
    """No reservation is open: those that nobody settles have expired. `unread_may_stay`: but for those whose answers nobody has read."""
    def settled():
        return left_open(read_status(world)) <= (world.checks_unread() if unread_may_stay else 0)

    return settled


def collect(world, begin, unread_may_stay=False):
    """Everything must be drained and settled by the end of the wait; what is not will be found by the verdict."""
    try:
        until(all_settled(world, unread_may_stay), "no reservation being open", 150)
    except TimeoutError as error:
        print(f"accountant: {error}")
    proof = world.wait_drained()
    query = world.database.query
    evidence = Evidence(begin=begin, undrained=proof.undrained, proof_equal=proof.equal, status=read_status(world))
    evidence.rows = [Row(*row) for row in query(ROWS, TENANT)]
    evidence.daily = by_name(query(f"SELECT user_id, {SUMS} FROM usage_daily WHERE tenant = %s GROUP BY 1", TENANT))
    evidence.monthly = by_name(query(f"SELECT user_id, {SUMS} FROM usage_monthly WHERE tenant = %s GROUP BY 1", TENANT))
    shared = query(f"SELECT kind, id, {SUMS} FROM usage_shared_daily WHERE tenant = %s GROUP BY 1, 2", TENANT)
    evidence.shared = {(KINDS[kind], name): tuple(sums) for kind, name, *sums in shared}
    evidence.rejects = query("SELECT count(*) FROM ledger_rejects")[0][0]
    evidence.open = open_requests(world)
    evidence.end = now_us()
    return evidence


def below_the_ledger(world, evidence):
    """Whether a counter has less than the ledger, which only a loss excuses. It may have more for a while: a busy account that PostgreSQL
    was asked about while others settled on it."""
    return any(finding.below for finding in ledger.judge_counters(world.plan, evidence))


def reconciled(world, evidence):
    """The reconciler raises what Redis has lost, and lowers what was counted twice: within a minute, or two when it was killed with its
    bursard."""
    def equal():
        evidence.status = read_status(world)
        return not any(finding.kind == "counter-differs" for finding in ledger.judge_counters(world.plan, evidence))

    try:
        until(equal, "the counters being what the ledger has", 240)
    except TimeoutError as error:
        print(f"accountant: {error}")
    evidence.proof_equal = world.fleet.proof().equal
    return evidence


def by_name(rows):
    return {name: tuple(sums) for name, *sums in rows}
