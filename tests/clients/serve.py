"""A Bursar for tests that are not written in Python: Redis, PostgreSQL and bursards on ports of their own.

    serve.py [--bursards N] [--clock] [OPTION=VALUE]...      options of bursard, such as ledger_batch=100

Prints a line of JSON when all are ready: {"grpc": ["127.0.0.1:40001", ...], "http": [...]}, then answers each line of JSON on standard
input with one on standard output, in order:

    {"do": "stop" | "start" | "kill" | "restart", "bursard": 0}      SIGTERM and its end; up again on the same ports; kill -9; both
    {"do": "freeze" | "thaw", "bursard": 0}                          SIGSTOP, SIGCONT
    {"do": "bursar", "args": ["check", "alice"]}                     the command line, at the first bursard: {"status", "stdout", "stderr"}
    {"do": "sql", "text": "SELECT ..."}                              {"rows": [[...]]}
    {"do": "metric", "name": "pool_leases", "bursard": 0}            {"value": 1.0}; summed over its labels
    {"do": "redis", "what": "kill" | "start"}
    {"do": "clock", "seconds": 60}                                   with --clock: moves the time of bursards and Redis ahead

An answer is {"ok": true, ...} or {"error": "..."}. Everything ends when standard input is closed; the exit status is 1 if a bursard ended
badly or a sanitizer had something to report, which goes to standard error.
"""
import argparse
import json
import pathlib
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from harness import run_bursar  # noqa: E402
from harness.bursard import Bursard, stop_all  # noqa: E402
from harness.clock import Clock  # noqa: E402
from harness.postgres import Postgres  # noqa: E402
from harness.redis_server import Redis  # noqa: E402


DAY_S = 86_400
# No file of tests takes longer.
NIGHT_S = 1_800


def night_clock():
    """A clock on which midnight has passed if it is near, or None: tests count requests per day."""
    if DAY_S - time.time() % DAY_S > NIGHT_S:
        return None
    clock = Clock()
    clock.advance(NIGHT_S)
    return clock


class Served:
    def __init__(self, arguments):
        night = night_clock()
        self.clock = night or (Clock() if arguments.clock else None)
        self.redis = Redis(clock=self.clock)
        self.postgres = Postgres(clock=night)
        self.database = self.postgres.database()
        options = dict(option.split("=", 1) for option in arguments.options)
        self.bursards = [Bursard(self.redis, self.database, clock=self.clock, **options) for _ in range(arguments.bursards)]

    def ready(self):
        return {"grpc": [one.grpc_addr for one in self.bursards], "http": [one.http_addr for one in self.bursards]}

    def process(self, order):
        one = self.bursards[order.get("bursard", 0)]
        steps = {"stop": one.stop, "start": one.start, "kill": one.kill, "restart": one.restart,
                 "freeze": lambda: one.signal(signal.SIGSTOP), "thaw": lambda: one.signal(signal.SIGCONT)}
        steps[order["do"]]()
        return {}

    def bursar(self, order):
        done = run_bursar(self.bursards[0].grpc_addr, *order["args"], stdin=order.get("stdin"))
        return {"status": done.returncode, "stdout": done.stdout, "stderr": done.stderr}

    def answer(self, order):
        what = order["do"]
        if what == "bursar":
            return self.bursar(order)
        if what == "sql":
            return {"rows": [list(row) for row in self.database.query(order["text"])]}
        if what == "metric":
            return {"value": self.bursards[order.get("bursard", 0)].metric(order["name"], **order.get("labels", {}))}
        if what == "redis":
            {"kill": self.redis.kill, "start": self.redis.start}[order["what"]]()
            return {}
        if what == "clock":
            self.clock.advance(order["seconds"])
            return {}
        return self.process(order)

    def end(self):
        stop_all(self.bursards, self.redis, self.postgres)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bursards", type=int, default=1)
    parser.add_argument("--clock", action="store_true")
    parser.add_argument("options", nargs="*", metavar="OPTION=VALUE")
    return parser.parse_args()


def say(**answer):
    print(json.dumps(answer, default=str), flush=True)


def main():
    served = Served(arguments())
    say(**served.ready())
    for line in sys.stdin:
        try:
            say(ok=True, **served.answer(json.loads(line)))
        except Exception as error:  # pylint: disable=broad-exception-caught; the caller's test fails with it
            say(error=f"{type(error).__name__}: {error}")
    try:
        served.end()
    except AssertionError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
