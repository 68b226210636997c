"""bursard processes, and channels to them."""
import json
import os
import re
import signal
import urllib.error
import urllib.request

import grpc

from .paths import ROOT, program
from .ports import free_port
from .process import Process, temp_dir
from .wait import until

# As in cmake/Surroundings.cmake, for a build with sanitizers.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1:verify_asan_link_order=0",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "LSAN_OPTIONS": f"suppressions={ROOT}/tests/suppressions/lsan.txt:print_suppressions=0",
    "TSAN_OPTIONS": f"ignore_noninstrumented_modules=1:suppressions={ROOT}/tests/suppressions/tsan.txt",
}
SANITIZER_WORDS = re.compile(r"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


class Bursard(Process):
    """A running bursard. `redis`: a Redis or its URL; `postgres`: a Database or a connection string. Further options by
    their names in the table of options: Bursard(redis, postgres, workers=2, roles="serve", redis_timeout_ms=500)."""

    def __init__(self, redis, postgres, clock=None, start=True, wait=True, **options):
        self.directory = temp_dir("bursard")
        super().__init__("bursard", os.path.join(self.directory, "log"))
        self.grpc_addr = f"127.0.0.1:{free_port()}"
        self.http_addr = f"127.0.0.1:{free_port()}"
        self.clock = clock
        self.env = options.pop("env", {})
        self.options = {
            "redis": getattr(redis, "url", redis),
            "postgres": getattr(postgres, "conninfo", postgres),
            "grpc_listen": self.grpc_addr,
            "http_listen": self.http_addr,
            "workers": 2,
            # The machine runs sanitizers, servers and tests at once: 50 ms would measure it, not us.
            "redis_timeout_ms": 5000,
            # The default's 16,384 entries are touched at the start: a third of the CPU that a bursard costs that serves one test.
            "account_cache": 1024,
            # tests/run --carrier runs all tests on another one.
            **({"carrier": os.environ["BURSAR_CARRIER"]} if os.environ.get("BURSAR_CARRIER") else {}),
            **options,
        }
        if start:
            self.start(wait)

    def flags(self):
        return [part for name, value in self.options.items() for part in ("--" + name.replace("_", "-"), str(value))]

    def start(self, wait=True):
        env = {**SANITIZER_ENV, **(self.clock.env() if self.clock else {}), **self.env}
        self.spawn([program("bursard"), *self.flags()], env=env)
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout=60.0):
        until(lambda: self.http("/readyz")[0] == 200, "/readyz being 200", timeout, alive=self)

    def http(self, path):
        """(status, body) of a GET."""
        try:
            with urllib.request.urlopen(f"http://{self.http_addr}{path}", timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def metric(self, name, **labels):
        """The value of a metric without its prefix bursar_, summed over its rows that have these labels; 0 when absent."""
        total = 0.0
        for line in self.http("/metrics")[1].splitlines():
            row = re.match(r"bursar_(\w+)(?:\{(.*)\})? (\S+)$", line)
            if row and row[1] == name:
                has = dict(re.findall(r'(\w+)="([^"]*)"', row[2] or ""))
                if all(has.get(label) == value for label, value in labels.items()):
                    total += float(row[3])
        return total

    def channel(self):
        return connect(self.grpc_addr)

    def sanitizer_report(self):
        """What a sanitizer had to say, or None."""
        log = self.log()
        found = SANITIZER_WORDS.search(log)
        return log[found.start():][:6000] if found else None

    def stop(self):
        """SIGTERM; it must end with 0 and without a sanitizer's report."""
        if self.popen is None:
            return
        status = self.terminate()
        report = self.sanitizer_report()
        assert not report, report
        assert status == 0, f"bursard ended with {status}:\n{self.log()[-4000:]}"

    def restart(self):
        """kill -9, and up again on the same ports."""
        self.kill()
        self.start()


def stop_all(servers, redis, postgres):
    """The end of a test with stores of its own, which may have killed or frozen any of them. A server that ends badly, has ended by itself
    or had a report of a sanitizer is an error, but only when all are gone, so that nothing is left behind."""
    problems = []
    for server in servers:
        server.signal(signal.SIGCONT)
        try:
            if server.running():
                server.stop()
            elif server.popen and server.popen.returncode not in (0, -signal.SIGKILL):
                problems.append(f"bursard has ended with {server.popen.returncode}:\n{server.log()[-4000:]}")
        except (AssertionError, RuntimeError) as error:
            problems.append(str(error))
        problems.append(server.sanitizer_report())
    redis.kill()
    postgres.stop()
    assert not any(problems), "\n".join(filter(None, problems))


def connect(address, patient=False):
    """A channel of its own connection: gRPC would otherwise share one among channels to the same address. It looks for a server that
    was killed ten times a second. `patient`: calls wait for the server instead of failing at once; a connection is made while some
    call waits for it, and for calls that never do gRPC looks after it every five seconds only."""
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0),
               ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 100)]
    if patient:
        options.append(("grpc.service_config", json.dumps({"methodConfig": [{"name": [{}], "waitForReady": True}]})))
    return grpc.insecure_channel(address, options=options)
