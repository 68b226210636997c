"""Callers of a pool, as many threads as asked, in a process that a test may stop or kill. What works under a fence tells the referee
so, every few milliseconds: a datagram "fence time". A caller stops working when its stream breaks, or when it notices that it was
asleep: that is what a holder owes the others.

    python3 pool_callers.py REFEREE_SOCKET SEED THREADS ADDRESS...
"""
import pathlib
import random
import socket
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import grpc  # noqa: E402
from harness import connect  # noqa: E402
from harness.protos import limiter_pb2 as pb  # noqa: E402
from harness.protos import limiter_pb2_grpc  # noqa: E402

TICK, ASLEEP = 0.01, 1.0
USERS = 60


class Caller(threading.Thread):
    def __init__(self, referee, seed, addresses):
        super().__init__(daemon=True)
        self.chance = random.Random(seed)
        self.name_of_mine = seed
        self.addresses = addresses
        self.stubs = [limiter_pb2_grpc.LimiterStub(connect(address)) for address in addresses]
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.referee = referee

    def tell(self, *words):
        self.socket.sendto(" ".join(map(str, words)).encode(), self.referee)

    def work(self, stream, fence):
        """A job of some length; ends early when the stream ends, or when this process was stopped meanwhile."""
        broken = threading.Event()

        def watch():
            try:
                for _ in stream:
                    pass
            except grpc.RpcError:
                pass
            broken.set()

        threading.Thread(target=watch, daemon=True).start()
        last = time.monotonic()
        end = last + self.chance.uniform(0.02, 0.2)
        while not broken.is_set():
            now = time.monotonic()
            if now - last > ASLEEP or now > end:
                break
            self.tell("work", fence, now)
            last = now
            time.sleep(TICK)
        return not broken.is_set()

    def once(self, number):
        """One request until it has run, or was refused; over as many streams as it takes."""
        user = f"user-{self.chance.randrange(USERS)}"
        check = pb.CheckRequest(user=user, request_id=f"job-{self.name_of_mine}-{number}")
        for _ in range(1000):
            stream = self.chance.choice(self.stubs).Acquire(pb.AcquireRequest(check=check, seats=1), wait_for_ready=False)
            try:
                for message in stream:
                    if message.HasField("granted"):
                        self.tell("granted", message.granted.fence, check.request_id)
                        self.work(stream, message.granted.fence)
                        stream.cancel()
                        return
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED):
                    # FAILED_PRECONDITION: granted and given back when the stream broke before it could say so.
                    if error.code() not in (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.FAILED_PRECONDITION):
                        self.tell("refused", error.code().name)
                    return
                time.sleep(0.05)  # no server there: not a storm

    def run(self):
        number = 0
        while True:
            number += 1
            self.once(number)


def main():
    referee, seed, threads, *addresses = sys.argv[1:]
    callers = [Caller(referee, int(seed) * 1000 + i, addresses) for i in range(int(threads))]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()


main()
