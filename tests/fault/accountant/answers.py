"""Answers that contradict each other, and answers that nobody may get."""
from . import books
from .faults import allowed_statuses
from .findings import Finding


def enders(request, losses, since, until):
    """What may have ended a reservation between two times."""
    found = [c.kind for c in request.of("cancel", "record") if since <= c.asked <= until and (c.final or c.kind == "cancel")]
    expiries = [c.answer["expires_at"] for c in request.of("check", "renew") if c.ok and c.answer.get("expires_at")]
    found += ["expiry" for at in expiries if at <= until]
    return found + ["loss" for loss in losses if loss.begin <= until and loss.end >= since]


def judge_states(request, losses):
    """An EXACT yes holds something, and the same id is held once."""
    opened = None
    for call in sorted(request.admissions(), key=lambda c: c.asked):
        state = call.answer["state"]
        first = min(c.asked for c in request.of("check"))
        if state in (books.CANCELLED, books.EXPIRED) and not enders(request, losses, first, call.answered):
            yield Finding("holds-nothing", f"{request.user} {request.id}: allowed EXACT in the state {state}, and nobody had "
                          "ended it", keys=[request.key])
        if opened and call.asked > opened.answered and call.answer["started_at"] != opened.answer["started_at"] and \
                not enders(request, losses, opened.asked, call.answered):
            yield Finding("admitted-twice", f"{request.user} {request.id}: two reservations, begun at "
                          f"{opened.answer['started_at']} and {call.answer['started_at']}", keys=[request.key])
        opened = call if state == books.OPEN else opened


REMEMBERED_US = 1_500_000  # for a second a worker that found no PostgreSQL does not ask it again, whom it does not know; and some


def judge_account(request, plan, faults_of):
    """Decided by what the user is."""
    user = plan.accounts["user", request.user]
    for call in request.of("check"):
        if not call.ok:
            continue
        answer = call.answer
        if call.admitted and user.suspended:
            yield Finding("stranger", f"{request.user} {request.id}: is suspended, and was allowed EXACT", keys=[request.key])
        if answer["quality"] == books.EXACT and answer["tier"] != user.tier:
            yield Finding("stranger", f"{request.user} {request.id}: decided EXACT on tier {answer['tier']}, and is on {user.tier}",
                          keys=[request.key])
        unknown = any("postgres" in fault.name for fault in faults_of(call, REMEMBERED_US))
        if user.closed and answer["allowed"] and answer["quality"] in ("LOCAL", "BLIND") and not unknown:
            yield Finding("not-closed", f"{request.user} {request.id}: let through {answer['quality']} on a tier that is closed",
                          keys=[request.key])


MEMORY_US = 1_000_000  # denial_memory_ms: changes so recent may be missing in a denial from memory


def judge_memory(request, losses):
    """Memory allows nothing, and denies no id that holds something."""
    for call in request.of("check"):
        if not call.ok or call.answer["quality"] != "REMEMBERED":
            continue
        if call.answer["allowed"]:
            yield Finding("remembered", f"{request.user} {request.id}: allowed from memory", keys=[request.key])
        held = [c for c in request.admissions() if c.answered < call.asked - MEMORY_US]
        if held and not enders(request, losses, held[-1].asked, call.answered):
            yield Finding("remembered", f"{request.user} {request.id}: denied from memory, and has a reservation", keys=[request.key])


def judge_repeats(request):
    """`repeat` is said of what the caller repeated."""
    for call in request.of("check", "record"):
        if call.ok and call.answer.get("repeat"):
            before = [c for c in request.of(call.kind) if c is not call and c.attempt == call.attempt and c.asked <= call.answered]
            if not before:
                yield Finding("no-repeat", f"{request.user} {request.id}: the first {call.kind} was answered as a repeat",
                              keys=[request.key])


def judge_records(request):
    for attempt, first in request.acknowledged().items():
        usage = request.usages[attempt]
        for call in request.of("record"):
            if not call.ok or call.attempt != attempt:
                continue
            if call.answer["tokens"] != usage.input + usage.output or call.answer["cost"] != first.answer["cost"]:
                yield Finding("wrong-answer", f"{request.user} {request.id}: attempt {attempt} answered {call.answer['tokens']} tokens "
                              f"and {call.answer['cost']} nano-USD", keys=[request.key])


def nothing_to_end(call, request, losses):
    """Whether a cancel or a renew may find no open reservation: it was let through without the store, or has ended."""
    first = min(c.asked for c in request.calls)
    ended = [kind for kind in enders(request, losses, first, call.answered) if kind != call.kind]
    if not any(c.answered <= call.asked and c.answer["state"] == books.OPEN for c in request.admissions()):
        return True
    return bool(ended) if call.status == "FAILED_PRECONDITION" else "loss" in ended


def judge_status(call, request, losses, faults):
    """A failure that nothing explains."""
    if call.status is None or call.ok or call.status in allowed_statuses(faults, call):
        return
    if call.kind in ("cancel", "renew") and call.status in ("FAILED_PRECONDITION", "NOT_FOUND"):
        if nothing_to_end(call, request, losses):
            return
    during = ", ".join(sorted({fault.name for fault in faults})) or "nothing"
    yield Finding("status", f"{request.user} {request.id}: {call.kind} at bursard {call.server} ended with {call.status} "
                  f"({call.message}) during {during}", keys=[request.key])


def judge(plan, book):
    findings = []
    for request in book.requests.values():
        findings += judge_states(request, book.losses)
        findings += judge_account(request, plan, book.faults_during)
        findings += judge_memory(request, book.losses)
        findings += judge_repeats(request)
        findings += judge_records(request)
        for call in request.calls:
            findings += judge_status(call, request, book.losses, book.faults_during(call))
    return findings
