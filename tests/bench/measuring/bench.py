"""Servers to measure, of one build, and load for them."""
import contextlib
import json
import os
import re
import subprocess
import time

import harness
from bots import Bots
from harness import protos
from harness.ports import free_port


NEVER = 2**52  # an amount that nothing reaches


@contextlib.contextmanager
def _environment(**variables):
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value


class Bench:
    """The servers are those of `build`, the programs that load them those of `tools`.

    `rounds`: how often a comparison is repeated. `quick`: with fewer calls. `beside`: the Bench of another build, or None."""

    def __init__(self, build, tools, rounds, quick, beside=None):
        self.build, self.tools, self.rounds, self.quick, self.beside = build, tools, rounds, quick, beside
        self._postgres = None

    def scaled(self, count):
        """So many calls, or a fifth of them to be quick."""
        return count // 5 if self.quick else count

    @property
    def postgres(self):
        if self._postgres is None:
            self._postgres = harness.Postgres()
        return self._postgres

    def database(self, postgres=None):
        """A new one, migrated by this build's bursard."""
        with _environment(BURSAR_BUILD=str(self.build)):
            return (postgres or self.postgres).database()

    @contextlib.contextmanager
    def bursard(self, aof=None, database=None, kinds=(harness.Bursard, harness.Redis), **options):
        """(a bursard of one worker, its Redis). `kinds`: their classes."""
        redis, database = kinds[1](aof=aof), database or self.database()
        with _environment(BURSAR_BUILD=str(self.build)):
            server = kinds[0](redis, database, wait=False, **{"workers": 1, "log_level": "warn", **options})
        server.database = database
        try:
            server.wait_ready(600)
            yield server, redis
        finally:
            server.stop()
            redis.kill()

    @contextlib.contextmanager
    def echo(self, kind=harness.process.Process):
        """(the process, its address) of the same gRPC layer with nothing behind it."""
        address = f"127.0.0.1:{free_port()}"
        server = kind("echo_server", os.path.join(harness.process.temp_dir("echo"), "log"))
        server.spawn([self.program("echo_server"), address])
        try:
            harness.until(lambda: re.search(r"^\d+$", server.log(), re.M), "the echo server's port", 120, alive=server)
            yield server, address
        finally:
            server.kill()

    def program(self, name):
        return str(self.tools / "bench" / name)

    def _arguments(self, name, options):
        argv = [self.program(name)]
        for option, value in options.items():
            argv += ["--" + option.replace("_", "-")] + ([] if value is True else [str(value)])
        return argv

    def start(self, name, **options):
        """A program that loads, begun; finish(it) waits for what it says."""
        return subprocess.Popen(self._arguments(name, options), stdout=subprocess.PIPE)

    @staticmethod
    def finish(process):
        answer = json.loads(process.communicate()[0])
        assert process.returncode == 0, answer
        return answer

    def load(self, address, env=None, program="load", **options):
        """What `load` says of a closed loop of calls, or `stream_load` of items."""
        return json.loads(subprocess.run(self._arguments(program, {"addr": address, **options}), check=True, stdout=subprocess.PIPE,
                                         env={**os.environ, **(env or {})}).stdout)

    def open_loop(self, seconds, rate, **options):
        """What `open_loop` says of calls that come at random at a rate."""
        return self.finish(self.start("open_loop", calls=max(100, int(seconds * rate)), rate=rate, poisson=True, **options))

    def bots(self, server, tenant="default"):
        return Bots(protos, server.grpc_addr, tenant)

    def wide_tier(self, server, tenant="default", requests_a_day=NEVER):
        """A default tier of eight limits of which nothing reaches any, or only the requests a day."""
        bots = self.bots(server, tenant)
        bots.tier("free", bots.bucket("rpm", "requests", 10**9), bots.bucket("tpm", "tokens", 10**12),
                  bots.calendar("rpd", "requests", requests_a_day), bots.calendar("rpmo", "requests", NEVER, "MONTH"),
                  bots.calendar("tpmo", "tokens", NEVER, "MONTH"), bots.calendar("cpd", "cost", NEVER),
                  bots.calendar("cpmo", "cost", NEVER, "MONTH"), bots.bucket("cost", "cost", 10**15))
        bots.check("warm", timeout=120)
        time.sleep(1.5)  # the tier's change reaches every worker within a second
        bots.close()
