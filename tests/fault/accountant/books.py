"""What was asked, answered and acknowledged: written down by the callers, judged later. Times are microseconds since 1970."""
import collections
import dataclasses
import threading
import time

OPEN, RECORDED, CANCELLED, EXPIRED = "OPEN", "RECORDED", "CANCELLED", "EXPIRED"
EXACT = "EXACT"
REFUSES = (EXACT, "REMEMBERED")  # a denial of this quality holds nothing, and nothing of its id was held


def now_us():
    return time.time_ns() // 1000


@dataclasses.dataclass
class Call:
    """One call, or one item of a batch. `status` is the name of a gRPC status, None while nobody knows; `answer` has what an OK said:
    of a check allowed, quality, state, repeat, started_at, expires_at, cost, tier, reason; of a record cost, tokens, repeat, late,
    state; of a renew expires_at; of a cancel state, repeat."""
    kind: str
    server: int
    asked: int
    attempt: int = 0
    final: bool = True
    answered: int = 0
    status: str = None
    answer: dict = dataclasses.field(default_factory=dict)
    message: str = ""
    timeout: float = 0.0

    @property
    def ok(self):
        return self.status == "OK"

    @property
    def admitted(self):
        """An EXACT answer that this request may run and holds what it asked for."""
        return self.kind == "check" and self.ok and self.answer["allowed"] and self.answer["quality"] == EXACT

    def __str__(self):
        words = [f"{self.asked / 1e6:.6f}", f"+{(self.answered - self.asked) / 1000:.0f} ms" if self.answered else "no end",
                 f"bursard {self.server}", self.kind]
        if self.kind == "record":
            words.append(f"attempt {self.attempt}" + ("" if self.final else ", kept open"))
        words.append(self.status or "unknown")
        words += [f"{name}={value}" for name, value in self.answer.items() if value not in ("", 0, False, None) and name != "handle"]
        return " ".join(words + ([repr(self.message)] if self.message else []))


@dataclasses.dataclass(frozen=True)
class Usage:
    input: int
    output: int

    def of(self, dimension):
        return {"tokens": self.input + self.output, "input_tokens": self.input, "output_tokens": self.output,
                "requests": 1, "concurrent": 0}[dimension]


@dataclasses.dataclass
class Request:
    """One request_id of one user. `model` is what its price is called, `spoken` what the caller calls it."""
    user: str
    id: str
    model: str
    spoken: str
    interface: str
    estimate: Usage
    usages: list  # by attempt: the same attempt always tells the same
    ttl_us: int
    script: str = ""
    calls: list = dataclasses.field(default_factory=list)
    handle: str = ""
    started_at: int = 0

    @property
    def key(self):
        return self.user, self.id

    def of(self, *kinds):
        return [call for call in self.calls if call.kind in kinds]

    def admissions(self):
        return [call for call in self.calls if call.admitted]

    def allowed_since_settled(self):
        """Whether a check was allowed that may have come after all that settles it."""
        settled = max((call.asked for call in self.of("record", "cancel")), default=0)
        return any(call.admitted and call.answered > settled for call in self.of("check"))

    def acknowledged(self):
        """{attempt: the first acknowledgement of its record}."""
        first = {}
        for call in self.of("record"):
            if call.ok and (call.attempt not in first or call.answered < first[call.attempt].answered):
                first[call.attempt] = call
        return first

    def cost(self, attempt):
        """Of the record, in nano-USD, as it was answered; None when it never was."""
        for call in self.of("record"):
            if call.ok and call.attempt == attempt:
                return call.answer["cost"]
        return None


@dataclasses.dataclass
class Loss:
    """Redis lost its data between two times. `drained` is what the ledger had just before: {(user, id): {(entry, attempt)}}."""
    begin: int
    end: int
    drained: dict


@dataclasses.dataclass
class Fault:
    name: str
    begin: int
    server: int = None  # None: all
    end: int = 0        # when it was over
    healed: int = 0     # when every bursard decided exactly again

    def __str__(self):
        where = "" if self.server is None else f" of bursard {self.server}"
        return f"{self.name}{where} {self.begin / 1e6:.3f} to {self.end / 1e6:.3f}, healed {self.healed / 1e6:.3f}"


class Books:
    def __init__(self):
        self.changed = threading.Condition()
        self.requests = {}
        self.losses, self.faults, self.complaints = [], [], []
        self.exact = collections.Counter()  # EXACT answers, by bursard
        self.answers = collections.Counter()  # (kind, what came)
        self.checks_read = 0  # answers to checks that were not of a batch

    def open(self, request):
        with self.changed:
            assert request.key not in self.requests
            self.requests[request.key] = request
        return request

    def asked(self, request, kind, server, **fields):
        call = Call(kind, server, now_us(), **fields)
        with self.changed:
            request.calls.append(call)
        return call

    def answered(self, call, status, answer=None, message=""):
        with self.changed:
            call.answered, call.message, call.answer = now_us(), message, answer or {}
            call.status = status
            self.answers[call.kind, status if status != "OK" or call.kind != "check" else call.answer["quality"]] += 1
            if status == "OK" and call.answer.get("quality", EXACT) == EXACT:
                self.exact[call.server] += 1
                self.changed.notify_all()

    def wait_for_exact(self, servers, more, seconds):
        """Until each of the bursards has given so many more EXACT answers; names those that have not."""
        with self.changed:
            goal = {server: self.exact[server] + more for server in servers}
            self.changed.wait_for(lambda: all(self.exact[s] >= goal[s] for s in servers), seconds)
            return [s for s in servers if self.exact[s] < goal[s]]

    def faults_during(self, call, remembered_us=0):
        """Those whose traces a call may have met; `remembered_us`: for so long they are remembered."""
        return [f for f in self.faults if f.begin <= (call.answered or now_us())
                and (not f.healed or f.healed + remembered_us >= call.asked)]
