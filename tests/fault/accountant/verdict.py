"""All findings of a run, and what is known about each."""
import itertools

from . import admitted, answers, ledger
from .findings import Finding, summary

SHOWN, KEYS_SHOWN = 12, 6


def judge(plan, books, evidence):
    requests = list(books.requests.values())
    findings = [Finding("complaint", text) for text in books.complaints]
    findings += admitted.judge(plan, requests, books.losses)
    findings += ledger.judge(plan, requests, books.losses, evidence)
    findings += answers.judge(plan, books)
    return findings


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
        lines.append(f"  {account.kind} {account.id}: tier {account.tier or '-'}, team {account.team or '-'}, zone {account.zone}; {status}")
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
    return "\n".join(lines)


def figures(books, evidence, findings):
    """One line each: what was asked, how it was answered."""
    lines = [f"{len(books.requests)} requests, {sum(len(r.calls) for r in books.requests.values())} calls, "
             f"{len(evidence.rows)} ledger rows, {len(books.faults)} faults, {len(books.losses)} losses; "
             f"findings: {summary(findings) or 'none'}"]
    for (kind, what), count in sorted(books.answers.items()):
        lines.append(f"  {kind} {what}: {count}")
    return "\n".join(lines)
