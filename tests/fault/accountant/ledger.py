"""Acknowledged = ledger = roll-ups = counters, and nothing is left open."""
import collections
import dataclasses

from .books import REFUSES
from .findings import Finding

RECORD, EXPIRY, RESET, GIVEN_BACK = 0, 1, 2, 3


@dataclasses.dataclass(frozen=True)
class Row:
    """A row of the ledger."""
    user: str
    id: str
    attempt: int
    entry: int
    requests: int
    input: int
    output: int
    cost: int
    started_at: int
    team: str
    model: str
    interface: str
    tier: str = ""

    @property
    def key(self):
        return self.user, self.id

    def of(self, dimension):
        return {"requests": self.requests, "tokens": self.input + self.output, "input_tokens": self.input,
                "output_tokens": self.output, "cost": self.cost}[dimension]


def sums(rows):
    """(rows, requests, input, output, cost)."""
    return (len(rows), sum(r.requests for r in rows), sum(r.input for r in rows), sum(r.output for r in rows),
            sum(r.cost for r in rows))


def may_be_lost(call, request, losses):
    rows = [loss.drained.get(request.key, ()) for loss in losses if call.asked <= loss.end]
    return any((RECORD, call.attempt) not in drained for drained in rows)


def judge_record(request, attempt, rows, losses):
    usage, call = request.usages[attempt], request.acknowledged().get(attempt)
    name = f"{request.user} {request.id} attempt {attempt}"
    if len(rows) > 1:
        yield Finding("doubled", f"{name}: {len(rows)} rows in the ledger", keys=[request.key])
    if call and not rows and not may_be_lost(call, request, losses):
        yield Finding("lost", f"{name}: acknowledged and not in the ledger", keys=[request.key])
    for row in rows:
        if (row.input, row.output) != (usage.input, usage.output):
            yield Finding("wrong-amount", f"{name}: {row.input} + {row.output} tokens in the ledger, told were {usage.input} + "
                          f"{usage.output}", keys=[request.key])
        if call and row.cost != call.answer["cost"]:
            yield Finding("wrong-amount", f"{name}: {row.cost} nano-USD in the ledger, answered were {call.answer['cost']}",
                          keys=[request.key])


def judge_count(request, rows, losses):
    """A request counts once, whatever becomes of it; one that was given back or refused not at all."""
    counted, name = sum(r.requests for r in rows), f"{request.user} {request.id}"
    expired, checks, cancels = [r for r in rows if r.entry == EXPIRY], request.of("check"), request.of("cancel")
    hit = any(call.asked <= loss.end for loss in losses for call in request.calls)
    if counted > 1:
        yield Finding("counted-twice", f"{name}: {counted} requests in the ledger", keys=[request.key])
    if any(r.entry == RECORD for r in rows) and counted == 0 and not hit:
        yield Finding("not-counted", f"{name}: recorded, and no request in the ledger", keys=[request.key])
    given_back = [c for c in cancels if c.ok and not any(k.asked > c.asked or k.answered > c.asked for k in checks)]
    if expired and given_back:
        yield Finding("counted-though-cancelled", f"{name}: its cancel was acknowledged, and it expired", keys=[request.key])
    refused = checks and all(c.ok and not c.answer["allowed"] and c.answer["quality"] in REFUSES for c in checks)
    if rows and refused and not request.of("record"):
        yield Finding("counted-though-denied", f"{name}: never allowed, and in the ledger", keys=[request.key])


def judge_requests(requests, rows, losses):
    by_key, known = collections.defaultdict(list), {request.key: request for request in requests}
    for row in rows:
        by_key[row.key].append(row)
    findings = [Finding("invented", f"{user} {id}: in the ledger, and nobody asked for it", keys=[(user, id)])
                for user, id in by_key if (user, id) not in known]
    for request in requests:
        mine = by_key.get(request.key, [])
        asked = {c.attempt for c in request.of("record")}
        for row in mine:
            if row.entry == RECORD and row.attempt not in asked:
                findings.append(Finding("invented", f"{request.user} {request.id}: attempt {row.attempt} was never recorded",
                                        keys=[request.key]))
        for attempt in asked:
            of_attempt = [r for r in mine if r.entry == RECORD and r.attempt == attempt]
            findings += judge_record(request, attempt, of_attempt, losses)
        findings += judge_count(request, mine, losses)
    return findings


def in_account(account, row, plan):
    user = plan.accounts.get(("user", row.user))
    return {"user": row.user == account.id, "team": user is not None and user.team == account.id,
            "model": row.model == account.id, "tenant": True}[account.kind]


def compare(name, found, expected, account, keys=()):
    if found != expected:
        yield Finding("books-differ", f"{account.kind} {account.id}: {name} have {found}, the ledger {expected}", account, list(keys))


def judge_rollups(plan, evidence):
    for account in plan.accounts.values():
        if account.kind == "model":
            continue
        ledger = sums([r for r in evidence.rows if in_account(account, r, plan)])
        nothing = (0, 0, 0, 0, 0)
        if account.kind == "user":
            yield from compare("usage_daily", evidence.daily.get(account.id, nothing), ledger, account)
            yield from compare("usage_monthly", evidence.monthly.get(account.id, nothing), ledger, account)
        else:
            yield from compare("usage_shared_daily", evidence.shared.get((account.kind, account.id), nothing), ledger, account)
        if account.kind == "team":
            named = sums([r for r in evidence.rows if r.team == account.id])
            without = [r.key for r in evidence.rows if in_account(account, r, plan) and r.team != account.id]
            yield from compare("rows with its name (rows, requests, input, output, cost)", named, ledger, account, without)


def judge_tiers(evidence):
    """Sums by tier have what the rows with that tier have."""
    for tier in sorted({r.tier for r in evidence.rows} - {""}):
        rows = [r for r in evidence.rows if r.tier == tier]
        found = evidence.shared.get(("tier", tier), (0, 0, 0, 0, 0))
        if found != sums(rows):
            yield Finding("books-differ", f"tier {tier}: usage_shared_daily has {found}, the ledger {sums(rows)}", None, [r.key for r in rows])


def judge_counters(plan, evidence):
    """Counters of windows that are as old as the run, less what is held, are what the ledger has of them."""
    for account in plan.accounts.values():
        status = evidence.status.get((account.kind, account.id))
        if status is None:
            continue
        mine = [r for r in evidence.rows if in_account(account, r, plan)]
        if status.open:
            yield Finding("left-open", f"{account.kind} {account.id}: {status.open} reservations are open", account)
        for limit in account.limits:
            if limit.kind != "calendar" or limit.name not in status.figures:
                continue
            used, held = status.figures[limit.name]
            if held:
                yield Finding("left-open", f"{account.kind} {account.id}: {held} are held of {limit.name}", account)
            window = account.window(limit, evidence.begin)
            if window != account.window(limit, evidence.end):
                continue
            expected = sum(r.of(limit.dimension) for r in mine if limit.matches(r)
                           and account.window(limit, r.started_at) == window)
            if used - held != expected:
                yield Finding("counter-differs", f"{account.kind} {account.id}: {limit.name} ({limit.dimension}) stands at "
                              f"{used - held}, the ledger has {expected}", account, below=used - held < expected)


def judge_proof(plan, evidence):
    """Bursar's own proof is of the UTC month: it means something while that is everybody's."""
    months = {account.window(limit, evidence.end) for account in plan.of_kind("user") for limit in account.limits
              if limit.window == "month"}
    if not evidence.proof_equal and len(months) == 1:
        yield Finding("proof", "GetProof says that ledger, roll-ups and counters differ")


def judge(plan, requests, losses, evidence):
    findings = judge_requests(requests, evidence.rows, losses)
    findings += judge_proof(plan, evidence)
    findings += judge_rollups(plan, evidence)
    findings += judge_tiers(evidence)
    findings += judge_counters(plan, evidence)
    if evidence.undrained:
        findings.append(Finding("undrained", f"{evidence.undrained} entries are not in the ledger"))
    if evidence.rejects:
        findings.append(Finding("rejected", f"ledger_rejects has {evidence.rejects} rows"))
    return findings
