"""SIGTERM under load: nobody sees a call fail that a client does not repeat by itself, and nothing is lost or counted twice."""
import collections
import itertools
import threading

import grpc

from bots import Bots
from harness import protos

CALLERS, RESTARTS = 8, 20


class Caller(threading.Thread):
    """Checks and records without a pause. UNAVAILABLE is repeated, with the same id, at the next bursard; anything else is a failure.
    With one address it waits for that bursard to come back."""

    def __init__(self, name, addresses):
        super().__init__(daemon=True)
        self.user, self.stopping = name, threading.Event()
        self.recorded, self.codes, self.failures = 0, collections.Counter(), []
        self.fleets = itertools.cycle([Bots(protos, address, patient=len(addresses) == 1) for address in addresses])
        self.fleet = next(self.fleets)
        self.start()

    def persist(self, call):
        while True:
            try:
                return call(self.fleet)
            except grpc.RpcError as error:
                self.codes[error.code()] += 1
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                self.fleet = next(self.fleets)

    def run(self):
        try:
            for number in itertools.count():
                if self.stopping.is_set():
                    return
                answer = self.persist(lambda fleet: fleet.check(self.user, timeout=60, request_id=str(number), input_tokens=1))
                assert answer.allowed
                self.persist(lambda fleet: fleet.record(answer, timeout=60, input_tokens=1))
                self.recorded += 1
        except (grpc.RpcError, AssertionError) as error:
            self.failures.append(error)

    def stop(self):
        self.stopping.set()
        self.join(120)
        assert not self.failures, self.failures
        return self.recorded


def test_twenty_restarts_under_load_fail_no_call_and_lose_nothing(start_bursard, stack, until):
    servers = [start_bursard(workers=2) for _ in range(2)]
    bots = Bots(protos, servers[0].grpc_addr, patient=True)
    bots.tier("wide", bots.calendar("day", "requests", 10_000_000))
    users = [f"user-{number}" for number in range(CALLERS)]
    for user in users:
        bots.account(user, tier="wide")
    first, second = [server.grpc_addr for server in servers]
    callers = [Caller(user, addresses) for user, addresses in zip(users, itertools.cycle([[first, second], [second], [second, first], [first]]))]
    for _, server in zip(range(RESTARTS), itertools.cycle(servers)):
        before = sum(caller.recorded for caller in callers)
        until(lambda: any(caller.failures for caller in callers) or sum(caller.recorded for caller in callers) > before + 2 * CALLERS)
        server.stop()
        server.start()
    counts = {caller.user: caller.stop() for caller in callers}
    bots.drained(60)
    for user, count in counts.items():
        assert bots.used(user, "day") == count
    with stack.sql() as sql:
        sql.execute("SELECT user_id, count(*) FROM ledger GROUP BY 1")
        assert dict(sql.fetchall()) == counts
    bots.close()
