"""Fifty callers. Each takes one request after the other through a script; a call that fails is repeated with the same id until it is
answered, at the same bursard or at another. Now and then somebody else repeats a call at another bursard at the same time."""
import collections
import random
import threading

import grpc
from harness import connect
from harness.protos import limiter_pb2 as pb
from harness.protos import limiter_pb2_grpc, types_pb2

from .books import Request, Usage, now_us
from .plan import EQUAL, INTERFACES, SPOKEN, TENANT

CALLERS, SHARED = 50, 5  # so many callers share their connections
CODES = {code.value[0]: code.name for code in grpc.StatusCode}
TRANSIENT = {"UNAVAILABLE", "DEADLINE_EXCEEDED"}
SCRIPTS = {"record": 40, "attempts": 9, "cancel": 10, "attempt-cancel": 5, "renew": 7, "unchecked": 8, "give-up": 9, "batch": 7,
           "abandon": 5}


def checked(script):
    """A script of a request that its check has allowed."""
    def play(self, name):
        request = self.request(name)
        if self.check(request):
            script(self, request)

    return play


class Stage:
    """What the callers share: who is on stage, calls to repeat, the end."""

    def __init__(self, world, seed, ttl_us, scripts):
        self.world, self.seed, self.ttl_us, self.scripts = world, seed, ttl_us, scripts
        self.act, self.stopped, self.hurry = 0, threading.Event(), threading.Event()
        self.recent = collections.deque(maxlen=40)
        self.channels, self.stubs = [], []
        for number in range(CALLERS // SHARED):
            channels = [connect(address) for address in world.addresses(number)]
            self.channels += channels
            self.stubs.append([limiter_pb2_grpc.LimiterStub(channel) for channel in channels])
        self.callers = [Caller(self, number) for number in range(CALLERS)]

    def start(self):
        for caller in self.callers:
            caller.start()

    def stop(self, seconds=180):
        """Each brings its request to an end; one that cannot is a complaint. What somebody else was allowed by a repeated check, and nobody
        has used, is cancelled."""
        self.stopped.set()
        limit = now_us() + seconds * 1_000_000
        for caller in self.callers:
            caller.join(max(0.0, (limit - now_us()) / 1e6))
        self.hurry.set()
        for caller in self.callers:
            caller.join(60)
        self.hurry.clear()
        if not self.ttl_us:
            for request in list(self.world.books.requests.values()):
                if request.allowed_since_settled():
                    self.callers[0].cancel(request)
        for channel in self.channels:
            channel.close()


def read_check(answer):
    return {"allowed": answer.allowed, "quality": types_pb2.Quality.Name(answer.quality)[8:], "repeat": answer.repeat,
            "state": types_pb2.ReservationState.Name(answer.state)[18:], "started_at": answer.started_at_us,
            "expires_at": answer.expires_at_us, "cost": answer.held_cost_nano_usd, "tier": answer.tier,
            "reason": types_pb2.Reason.Name(answer.reason)[7:] if answer.reason else "", "handle": answer.reservation}


def read_record(answer):
    return {"cost": answer.cost.cost_nano_usd, "tokens": answer.tokens, "repeat": answer.repeat, "late": answer.late,
            "state": types_pb2.ReservationState.Name(answer.state)[18:]}


def read_other(answer):
    found = {"expires_at": answer.expires_at_us} if isinstance(answer, pb.RenewResponse) else {"repeat": answer.repeat}
    return found


class Caller(threading.Thread):
    def __init__(self, stage, number):
        super().__init__(daemon=True, name=f"caller {number}")
        self.stage, self.number = stage, number
        self.dice = random.Random(stage.seed * 1000 + number)
        self.stubs = stage.stubs[number // SHARED]
        self.home, self.count = number % 3, 0
        self.books = stage.world.books

    def run(self):
        names, weights = zip(*self.stage.scripts.items())
        while not self.stage.stopped.is_set():
            script = self.dice.choices(names, weights)[0]
            try:
                getattr(self, "play_" + script.replace("-", "_"))(script)
            except Exception as error:  # the accountant's own fault is a finding too
                self.books.complaints.append(f"{self.name}: {type(error).__name__}: {error}")
                return
            if self.stage.recent and self.dice.random() < 0.15:
                self.repeat_another()
            self.stage.stopped.wait(self.dice.uniform(0, 0.15))

    # -- who asks for what
    def request(self, script):
        self.count += 1
        acts = self.stage.world.plan.acts
        act = self.stage.act if self.dice.random() < 0.85 else self.dice.randrange(self.stage.act + 1)
        user = self.dice.choice(acts[act])
        estimate = Usage(self.dice.randrange(1, 300), self.dice.randrange(1, 200))
        tier = self.stage.world.plan.accounts["user", user].tier
        usages = [self.usage(estimate, tier) for _ in range(2)]
        if script in ("attempts", "attempt-cancel"):  # together they are what was asked for
            usages = [Usage(estimate.input // 2, estimate.output // 2),
                      Usage(estimate.input - estimate.input // 2, estimate.output - estimate.output // 2)]
        spoken = self.dice.choice(list(SPOKEN))
        return self.books.open(Request(user, f"{self.number}-{self.count}", SPOKEN[spoken], spoken, self.dice.choice(INTERFACES),
                                       estimate, usages, self.stage.ttl_us, script))

    def usage(self, estimate, tier):
        if tier in EQUAL:
            return estimate
        return Usage(self.dice.randrange(0, 2 * estimate.input), self.dice.randrange(0, 2 * estimate.output))

    def server(self):
        return self.home if self.dice.random() < 0.75 else self.dice.randrange(3)

    # -- one call
    def once(self, request, kind, server, message, timeout, patient=False, **fields):
        call = self.books.asked(request, kind, server, timeout=timeout, **fields)
        stub = self.stubs[server]
        send = {"check": stub.Check, "record": stub.Record, "cancel": stub.Cancel, "renew": stub.Renew}[kind]
        read = {"check": read_check, "record": read_record}.get(kind, read_other)
        try:
            answer = read(send(message, timeout=timeout, wait_for_ready=patient))
        except grpc.RpcError as error:
            self.books.answered(call, error.code().name, message=error.details())
        else:
            if answer.get("handle"):
                request.handle, request.started_at = answer["handle"], answer["started_at"]
            self.books.answered(call, "OK", answer)
            self.books.checks_read += kind == "check"
        return call

    def persist(self, request, kind, message, **fields):
        """Until it is answered: the call, or None when the time is over."""
        while True:
            server = self.server()
            self.stage.recent.append((request, kind, server, message, fields))
            call = self.once(request, kind, server, message, self.dice.choice([0.3, 1, 5]), self.dice.random() < 0.5, **fields)
            if call.status not in TRANSIENT:
                return call
            if self.stage.hurry.is_set():
                self.books.complaints.append(f"{request.key}: {kind} was not answered by the end: {call}")
                return None
            threading.Event().wait(self.dice.uniform(0.05, 0.3))

    def repeat_another(self):
        request, kind, server, message, fields = self.dice.choice(list(self.stage.recent))
        latest = [c for c in request.calls if c.kind != "renew"][-1]
        if request.of("cancel") or (latest.kind, latest.attempt) != (kind, fields.get("attempt", 0)):
            return  # it is further by now
        self.once(request, kind, (server + self.dice.randrange(1, 3)) % 3, message, 5, True, **fields)

    # -- messages
    def check_message(self, request):
        return pb.CheckRequest(tenant=TENANT, user=request.user, request_id=request.id, interface=request.interface, model=request.spoken,
                               input_tokens=request.estimate.input, max_output_tokens=request.estimate.output,
                               reservation_ttl_us=request.ttl_us)

    def reference(self, request):
        if request.handle and self.dice.random() < 0.8:
            return types_pb2.ReservationRef(handle=request.handle)
        return types_pb2.ReservationRef(tenant=TENANT, user=request.user, request_id=request.id,
                                        started_at_us=request.started_at or now_us())

    def record_message(self, request, attempt, final):
        usage = request.usages[attempt]
        return pb.RecordRequest(reservation=self.reference(request), model=request.spoken, interface=request.interface, attempt=attempt,
                                keep_open=not final, usage=types_pb2.TokenUsage(input_tokens=usage.input, output_tokens=usage.output))

    # -- steps
    def check(self, request):
        call = self.persist(request, "check", self.check_message(request))
        return call is not None and call.ok and call.answer["allowed"]

    def work(self):
        threading.Event().wait(self.dice.choice([0, 0, 0.02, 0.2, 1]))

    def record(self, request, attempt=0, final=True):
        return self.persist(request, "record", self.record_message(request, attempt, final), attempt=attempt, final=final)

    def cancel(self, request):
        return self.persist(request, "cancel", pb.CancelRequest(reservation=self.reference(request)))

    # -- scripts
    @checked
    def play_record(self, request):
        self.work()
        self.record(request)

    @checked
    def play_attempts(self, request):
        self.record(request, 0, final=False)
        self.work()
        self.record(request, 1)

    @checked
    def play_cancel(self, request):
        self.work()
        self.cancel(request)

    @checked
    def play_attempt_cancel(self, request):
        self.record(request, 0, final=False)
        self.cancel(request)

    @checked
    def play_renew(self, request):
        message = pb.RenewRequest(reservation=self.reference(request), reservation_ttl_us=request.ttl_us)
        self.persist(request, "renew", message)
        self.work()
        self.record(request)

    def play_unchecked(self, script):
        request = self.request(script)
        request.started_at = now_us()
        self.record(request)

    def play_give_up(self, script):
        """A caller in a hurry: when nobody answers in time it goes away, or asks once more and then goes on as usual."""
        request = self.request(script)
        call = self.once(request, "check", self.server(), self.check_message(request), self.dice.choice([0.03, 0.1, 0.3]))
        if call.status in TRANSIENT and self.dice.random() < 0.5:
            return
        if (call.ok and call.answer["allowed"]) or (not call.ok and self.check(request)):
            self.record(request)

    def play_abandon(self, script):
        """Nobody settles it: it expires."""
        self.check(self.request(script))

    def play_batch(self, script):
        requests = [self.request(script) for _ in range(self.dice.randrange(2, 6))]
        self.batch(requests, "check", [self.check_message(r) for r in requests])
        allowed = [r for r in requests if any(c.ok and c.answer["allowed"] for c in r.of("check"))]
        if allowed:
            self.batch(allowed, "record", [self.record_message(r, 0, True) for r in allowed])

    def batch(self, requests, kind, messages):
        """One call for all; items that fail are repeated together."""
        left = list(zip(requests, messages))
        while left:
            server, timeout = self.server(), self.dice.choice([1, 5])
            calls = [self.books.asked(request, kind, server, timeout=timeout) for request, _ in left]
            self.send_batch(kind, server, timeout, left, calls)
            left = [pair for pair, call in zip(left, calls) if call.status in TRANSIENT]
            if left and self.stage.hurry.is_set():
                self.books.complaints.append(f"{left[0][0].key}: a batch was not answered by the end")
                return
            if left:
                threading.Event().wait(self.dice.uniform(0.05, 0.3))

    def send_batch(self, kind, server, timeout, left, calls):
        items = [message for _, message in left]
        send, whole = (self.stubs[server].CheckBatch, pb.CheckBatchRequest) if kind == "check" else (
            self.stubs[server].RecordBatch, pb.RecordBatchRequest)
        read = read_check if kind == "check" else read_record
        try:
            answers = send(whole(items=items), timeout=timeout).items
        except grpc.RpcError as error:
            for call in calls:
                self.books.answered(call, error.code().name, message=error.details())
            return
        for (request, _), call, item in zip(left, calls, answers):
            if item.HasField("error"):
                self.books.answered(call, CODES[item.error.code], message=item.error.message)
                continue
            answer = read(item.response)
            if answer.get("handle"):
                request.handle, request.started_at = answer["handle"], answer["started_at"]
            self.books.answered(call, "OK", answer)
