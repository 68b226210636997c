"""EXACT is never over a limit. Three ways to see that it was, each true whatever order the calls really had:

1. At no time do requests that were admitted EXACT, and have held it for certain ever since, take up more than the limit: when the
   last of them was admitted, the others were there.
2. Nothing is admitted EXACT that, with all that was known to be used before it was asked, is more than the limit. Here everything
   counts: records of requests that were never checked, and of those that were let through without the store. But what strangers used
   while PostgreSQL was away counts on their teams only later (docs/reliability.md, What is not promised).
3. Of a bucket, over any span of the store's time: what was admitted EXACT is at most the burst and what flowed in meanwhile. A span ends
   where Redis lost its data and the account was then decided PROVISIONAL: its buckets began full (docs/reliability.md, What is not
   promised).
"""
import bisect
import collections
import itertools

from .amounts import FOREVER, Life
from .findings import Finding


# So long bursard goes on without PostgreSQL after it has not answered, rounded up.
AWAY_US = 3_000_000


class Lives:
    """Each request's life in each dimension, computed once."""

    def __init__(self, losses):
        self.losses, self.steps_of = losses, {}

    def life(self, request, dimension):
        return Life(request, dimension, self.losses)

    def steps(self, request, dimension):
        key = request.key, dimension
        if key not in self.steps_of:
            life = self.life(request, dimension)
            self.steps_of[key] = life.estimate, life.steps()
        return self.steps_of[key]


def first_admission(request):
    return min((c for c in request.admissions() if c.answer["state"] == "OPEN"), key=lambda c: c.answered, default=None)


def window_of(account, limit, request):
    """The calendar window that a request counts in; None when that is not certain."""
    if limit.kind != "calendar":
        return ""
    times = {c.answer["started_at"] for c in request.admissions()}
    if not times:
        times = {c.asked for c in request.calls} | {c.answered for c in request.calls if c.ok}
    windows = {account.window(limit, at) for at in times}
    return windows.pop() if len(windows) == 1 else None


def ever_since(request, limit, lives):
    """Steps of the part of the estimate that was held from the first EXACT answer on; what is charged again later was not admitted.
    None of a request that had no such answer."""
    call, found = first_admission(request), []
    if call:
        estimate, steps = lives.steps(request, limit.dimension)
        for at, amount in steps:
            if at >= call.answered:
                estimate = min(estimate, amount)
                found.append((at, estimate))
    return found


def deltas(steps):
    """[(time, change)] of amounts."""
    found, before = [], 0
    for at, amount in steps:
        if amount != before:
            found.append((at, amount - before))
        before = amount
    return found


def holders(limit, requests, lives, at):
    """What requests that were admitted EXACT hold for certain at a time."""
    held = []
    for request in requests:
        amounts = [amount for when, amount in ever_since(request, limit, lives) if when <= at]
        if amounts and amounts[-1]:
            held.append(request)
    return held


def over_at_once(account, limit, requests, lives):
    """Way 1."""
    changes = []
    for request in requests:
        changes += deltas(ever_since(request, limit, lives))
    running = 0
    for at, change in sorted(changes):
        running += change
        if running > limit.amount:
            inside = holders(limit, requests, lives, at)
            return [Finding("over", f"{account.kind} {account.id}: {running} of {limit.amount} {limit.name} ({limit.dimension}) "
                            f"were admitted EXACT and held at {at / 1e6:.6f}, by {len(inside)} requests", account,
                            [r.key for r in inside])]
    return []


def strangers(requests, books):
    """Keys of requests whose users nobody knew, as far as can be told, while PostgreSQL was away."""
    found, known = set(), {}
    for user, answered in ((r.user, c.answered) for r in requests for c in r.admissions()):
        known.setdefault(user, []).append(answered)
    for request in requests:
        for call in request.of("check", "record"):
            forgotten = max((loss.end for loss in books.losses if loss.begin <= (call.answered or call.asked)), default=0)
            met = any("postgres" in fault.name for fault in books.faults_during(call, remembered_us=AWAY_US))
            if met and not any(forgotten < at <= call.asked for at in known.get(request.user, ())):
                found.add(request.key)
    return found


def over_known(account, limit, requests, lives, unknown):
    """Way 2."""
    rises, falls = [], []
    for request in requests:
        if account.kind == "team" and request.key in unknown:
            continue
        for at, change in deltas(lives.steps(request, limit.dimension)[1]):
            (rises if change > 0 else falls).append((at, change))
    rises.sort()
    falls.sort()
    known = [0, *itertools.accumulate(change for _, change in rises)]
    gone = [0, *itertools.accumulate(change for _, change in falls)]
    rises_at, falls_at = [at for at, _ in rises], [at for at, _ in falls]
    for request in requests:
        call = first_admission(request)
        if call is None or call.answer["repeat"]:
            continue
        estimate, steps = lives.steps(request, limit.dimension)
        if not estimate or any(at <= call.asked and amount for at, amount in steps):
            continue
        used = known[bisect.bisect_right(rises_at, call.asked)] + gone[bisect.bisect_right(falls_at, call.answered)]
        if used + estimate > limit.amount:
            return [Finding("over-known", f"{account.kind} {account.id}: {estimate} more were admitted EXACT by {request.id} when "
                            f"{used} of {limit.amount} {limit.name} ({limit.dimension}) were known to be used", account,
                            [request.key])]
    return []


def full_again(requests, losses):
    """When buckets began full: the ends of losses after which the account was decided PROVISIONAL, before the next loss."""
    provisional = [c.answered for r in requests for c in r.of("check") if c.ok and c.answer["quality"] == "PROVISIONAL"]
    until = [loss.begin for loss in losses[1:]] + [FOREVER]
    return [loss.end for loss, end in zip(losses, until) if any(loss.begin <= at < end for at in provisional)]


def over_a_span(account, limit, requests, lives, refilled):
    """Way 3. In units of 1/period, so that all is whole."""
    taken = []
    for request in requests:
        call = first_admission(request)
        if call:
            life = lives.life(request, limit.dimension)
            amount = min(life.estimate, life.at_least(call.answered))
            if amount:
                taken.append((call.answer["started_at"], amount, request))
    taken.sort(key=lambda t: t[0])
    burst = (limit.burst or limit.amount) * limit.period_us
    total, lowest, since, before = 0, None, None, 0
    for at, amount, request in taken:
        if any(before <= end <= at for end in refilled):
            lowest = None
        before = at
        flowed = at * limit.amount
        if lowest is None or total - flowed < lowest:
            lowest, since = total - flowed, at
        total += amount * limit.period_us
        if total - flowed - lowest > burst:
            inside = [r.key for t, _, r in taken if since <= t <= at]
            over = -(-(total - flowed - lowest - burst) // limit.period_us)
            return [Finding("over-span", f"{account.kind} {account.id}: {over} more than {limit.name} ({limit.dimension}) could "
                            f"give were admitted EXACT from {since / 1e6:.6f} to {at / 1e6:.6f}", account, inside)]
    return []


def judge(plan, requests, books):
    findings, lives, unknown = [], Lives(books.losses), strangers(requests, books)
    groups = collections.defaultdict(list)
    for request in requests:
        for account in plan.accounts_of(request):
            groups[account].append(request)
    for account, mine in groups.items():
        for limit in account.limits:
            windows = collections.defaultdict(list)
            for request in mine:
                if limit.matches(request):
                    windows[window_of(account, limit, request)].append(request)
            windows.pop(None, None)
            for inside in windows.values():
                if limit.kind == "bucket":
                    findings += over_a_span(account, limit, inside, lives, full_again(mine, books.losses))
                else:
                    findings += over_at_once(account, limit, inside, lives) + over_known(account, limit, inside, lives, unknown)
    return findings
