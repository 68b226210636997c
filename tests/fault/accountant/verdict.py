"""All findings of a run, and what is known about each."""
import collections
import itertools

from . import admitted, answers, ledger
from .evidence import left_open
from .findings import Finding, summary

SHOWN, KEYS_SHOWN = 12, 16


def judge(plan, books, evidence):
    requests = list(books.requests.values())
    findings = [Finding("complaint", text) for text in books.complaints]
    findings += admitted.judge(plan, requests, books)
    findings += ledger.judge(plan, requests, books.losses, evidence)
    findings += answers.judge(plan, books)
    return findings


def without_unread(findings, unread, evidence):
    """Without what is left open, if there is no more of it than there were answers that nobody has read."""
    left = left_open(evidence.status)
    print(f"accountant: {left} reservations are left open, {unread:.0f} answers had left when their callers went")
    return [f for f in findings if f.kind != "left-open" or left > unread]


def fold(calls):
    """A line a call; many failures alike are one."""
    lines = []
    calls = sorted(calls, key=lambda c: c.asked)
    for (kind, status, message), alike in itertools.groupby(calls, lambda c: (c.kind, c.status, c.message)):
        alike = list(alike)
        lines.append(f"    {alike[0]}")
        if status == "OK":
            lines += [f"    {call}" for call in alike[1:]]
        elif alike[1:]:
            lines.append(f"    ... {len(alike) - 1} more times until {alike[-1].answered / 1e6:.6f}")
    return lines


def explain_request(books, evidence, key):
    request = books.requests.get(key)
    lines = [f"  {key[0]} {key[1]}"]
    if request:
        lines[0] += (f": {request.script}, {request.spoken}, {request.interface}, asked for {request.estimate.input} + "
                     f"{request.estimate.output}, used {[(u.input, u.output) for u in request.usages]}")
        lines += fold(request.calls)
        first = min((c.asked for c in request.calls), default=0)
        last = max((c.answered for c in request.calls), default=0)
        lines += [f"    meanwhile: {fault}" for fault in books.faults if fault.begin <= last and fault.healed >= first]
    lines += [f"    ledger: {row}" for row in evidence.rows if row.key == key] or ["    ledger: nothing"]
    return lines


def explain(books, evidence, finding):
    lines = [f"{finding.kind}: {finding.text}"]
    account = finding.account
    if account:
        status = evidence.status.get((account.kind, account.id))
        lines.append(f"  {account.kind} {account.id}: tier {account.tier or '-'}, team {account.team or '-'}, zone {account.zone}; "
                     f"{status}")
    for key in finding.keys[:KEYS_SHOWN]:
        lines += explain_request(books, evidence, key)
    if len(finding.keys) > KEYS_SHOWN:
        lines.append(f"  and {len(finding.keys) - KEYS_SHOWN} more requests")
    return lines


def report(books, evidence, findings, seed):
    """What is printed of a run that failed: each kind of finding, a few of each in full."""
    lines = [f"the books of seed {seed} do not close: {summary(findings)}"]
    lines += [f"  fault {number}: {fault}" for number, fault in enumerate(books.faults)]
    shown = {}
    for finding in findings:
        shown[finding.kind] = shown.get(finding.kind, 0) + 1
        if shown[finding.kind] <= SHOWN:
            lines += explain(books, evidence, finding)
    for key in evidence.open[:SHOWN]:
        lines += ["open:", *explain_request(books, evidence, key)]
    return "\n".join(lines)


def seen(books):
    """{fault: what callers were answered from its beginning until all had recovered, but for exact decisions and acknowledgements}."""
    found = collections.defaultdict(collections.Counter)
    for request in books.requests.values():
        for call in request.calls:
            word = call.answer.get("quality", "OK") if call.ok else call.status
            if word not in ("OK", "EXACT"):
                for name in {fault.name for fault in books.faults_during(call)}:
                    found[name][f"{call.kind} {word}"] += 1
    return found


def figures(books, evidence, findings):
    """What was asked, and how it was answered, by fault."""
    lines = [f"{len(books.requests)} requests, {sum(len(r.calls) for r in books.requests.values())} calls, "
             f"{len(evidence.rows)} ledger rows, {len(books.faults)} faults, {len(books.losses)} losses; "
             f"findings: {summary(findings) or 'none'}"]
    lines += [f"  {kind} {what}: {count}" for (kind, what), count in sorted(books.answers.items())]
    lines += [f"  during {name}: {dict(sorted(counts.items()))}" for name, counts in sorted(seen(books).items())]
    for loss in books.losses:
        lines.append(f"  lost by Redis: {len(excused(books, loss))} requests were held or not yet in the ledger")
    return "\n".join(lines)


def excused(books, loss):
    """What the bound after a loss is made of: requests that Redis held or had counted, and that were not in the ledger. Those that had
    expired, but whose expiry was on its way, are among them."""
    before = max((other.end for other in books.losses if other.end < loss.end), default=0)
    return [r for r in books.requests.values() if r.key not in loss.drained
            and any(before < c.asked <= loss.end and c.admitted for c in r.calls)
            and not any(c.ok and c.answered < loss.begin for c in r.of("cancel"))]
