"""How much a request takes up of a dimension for certain, at any time, from what its callers were told. What nobody can know for sure
counts for the smaller: what is asked and not answered may have happened, a reservation past its end may have expired, and what the
ledger did not have when Redis lost its data may be forgotten."""
from . import books

FOREVER = 1 << 62


class Life:
    """The life of one request in one dimension, with the losses that it went through."""

    def __init__(self, request, dimension, losses):
        self.request, self.dimension = request, dimension
        self.losses = losses
        self.estimate = self.estimated()
        self.checks = [c for c in request.of("check") if c.admitted and c.answer["state"] == books.OPEN]
        self.records = request.of("record")
        self.cancels = request.of("cancel")
        self.expires = sorted((c.answered, c.answer["expires_at"]) for c in request.of("check", "renew") if c.ok
                              and c.answer.get("expires_at"))

    def estimated(self):
        if self.dimension == "cost":
            return min((c.answer["cost"] for c in self.request.admissions() if c.answer["state"] == books.OPEN), default=0)
        return 1 if self.dimension in ("requests", "concurrent") else self.request.estimate.of(self.dimension)

    def used(self, attempt):
        if self.dimension == "cost":
            return self.request.cost(attempt) or 0
        return self.request.usages[attempt].of(self.dimension)

    def expiry(self, at):
        told = [expires for answered, expires in self.expires if answered <= at]
        return max(told) if told else FOREVER

    def forgotten(self, since, at, attempt=None):
        """Whether a loss up to `at` may have taken what was done by a call that was asked at `since`."""
        for loss in self.losses:
            rows = loss.drained.get(self.request.key, ())
            if since <= loss.end and loss.begin <= at and (0, attempt) not in rows:
                return True
        return False

    def settled(self, at):
        """What acknowledged records have charged by then."""
        attempts = {c.attempt for c in self.records if c.ok and c.answered <= at
                    and not self.forgotten(c.asked, at, c.attempt)}
        if self.dimension == "concurrent":
            return 0
        total = sum(self.used(attempt) for attempt in attempts)
        return min(total, 1) if self.dimension == "requests" else total

    def enders(self, at):
        """(latest time, kind) of whatever may have ended the reservation by then."""
        found = [(c.asked, "final") for c in self.records if c.final and c.asked <= at]
        found += [(c.asked, "cancel") for c in self.cancels if c.asked <= at]
        expiry = self.expiry(at)
        if expiry <= at and self.dimension != "requests":  # an expired one has cost its request
            found.append((expiry, "expiry"))
        for loss in self.losses:
            if loss.begin <= at and not (self.dimension == "requests" and self.counted(loss)):
                found.append((loss.end, "loss"))
        return found

    def counted(self, loss):
        """The ledger had its request before the loss."""
        return any(entry in (0, 1) for entry, _ in loss.drained.get(self.request.key, ()))

    def open_since(self, at):
        """Kinds of what may have ended the reservation since it was last known to be open; None when it never was."""
        best = None
        for check in self.checks:
            if check.answered <= at:
                kinds = {kind for when, kind in self.enders(at) if when >= check.asked}
                best = kinds if best is None or len(kinds) < len(best) else best
        return best

    def least(self, at):
        """What it takes up for certain right after `at`."""
        settled, ended = self.settled(at), self.open_since(at)
        if ended is None:
            return settled
        if not ended:
            return max(self.estimate, settled)
        if ended == {"final"} and self.dimension != "concurrent":
            return min(max(self.estimate, settled), settled + self.unanswered(at))
        return settled

    def unanswered(self, at):
        """What the final record charges if it has happened although nobody was told yet."""
        final = next(c for c in self.records if c.final)
        if any(c.ok and c.answered <= at for c in self.records if c.final):
            return 0
        return self.used(final.attempt)

    def times(self):
        """Whenever `least` may change."""
        times = {c.answered for c in self.checks} | {c.asked for c in self.records + self.cancels}
        times |= {c.answered for c in self.records if c.ok} | {expires for _, expires in self.expires}
        times |= {loss.begin for loss in self.losses}
        return sorted(times)

    def steps(self):
        """[(time, amount from then on)]."""
        return [(at, self.least(at)) for at in self.times()]

    def at_least(self, since):
        """The smallest amount from a time on."""
        return min([self.least(since)] + [amount for at, amount in self.steps() if at > since])
