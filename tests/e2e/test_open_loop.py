"""tests/bench/open_loop measures what it claims to: latency counts from when a call was due, whoever is late."""
import csv
import json
import os
import re
import signal
import subprocess
import time

import pytest
from harness import until
from harness.bursard import SANITIZER_ENV
from harness.paths import build
from harness.ports import free_port
from harness.process import Process, temp_dir

class Program(Process):
    """A program of tests/bench, its output in a file."""

    def __init__(self, name, *arguments):
        super().__init__(name, os.path.join(temp_dir(name), "log"))
        self.spawn([build() / "bench" / name, *map(str, arguments)], env=SANITIZER_ENV)

    def pause(self):
        """SIGSTOP; returns once every thread stands still."""
        self.signal(signal.SIGSTOP)
        threads = f"/proc/{self.pid}/task"
        until(lambda: all(state_of(f"{threads}/{thread}/stat") == "T" for thread in os.listdir(threads)), f"{self.name} being stopped")


def state_of(path):
    with open(path, encoding="ascii") as file:
        return file.read().rpartition(")")[2].split()[0]


def connection(port):
    """Bytes that wait in the server's end of the only connection to a port; None while there is no connection."""
    rows = []
    for table in ("tcp", "tcp6"):  # gRPC listens for both on one socket
        with open(f"/proc/net/{table}", encoding="ascii") as file:
            rows += [line.split() for line in file][1:]
    waiting = [int(row[4].partition(":")[2], 16) for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "01"]
    return waiting[0] if waiting else None


class Echo(Program):
    def __init__(self):
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        super().__init__("echo_server", self.address)
        until(lambda: re.search(r"^\d+$", self.log(), re.M), "the echo server's port", alive=self)


@pytest.fixture
def echo():
    server = Echo()
    yield server
    server.signal(signal.SIGCONT)
    server.terminate()


class Run:
    """A run of open_loop: begun at once; result() waits for its end."""

    def __init__(self, tmp_path, **options):
        self.calls_path = tmp_path / "calls.csv"
        arguments = ["--log", self.calls_path]
        for name, value in options.items():
            arguments += ["--" + name.replace("_", "-")] + ([] if value is True else [value])
        self.program = Program("open_loop", *arguments)

    def result(self, status=0):
        """(what it printed, its calls as (due, sent, done, outcome))"""
        ended = self.program.wait(120)
        log = self.program.log()
        assert ended == status, log
        with open(self.calls_path, encoding="ascii") as file:
            calls = [(*map(int, row[:3]), row[3]) for row in list(csv.reader(file))[1:]]
        return json.loads(next(line for line in log.splitlines() if line.startswith("{"))), calls


def percentile(values, share):
    values = sorted(values)
    return values[max(0, -(-len(values) * round(share * 10) // 1000) - 1)]


def test_a_server_that_stops_delays_every_call_due_meanwhile(echo, tmp_path):
    rate, count = 500, 100
    echo.pause()
    run = Run(tmp_path, addr=echo.address, method="echo", rate=rate, calls=count)
    # Nothing is answered, and it goes on sending: that alone is what a closed loop does not do.
    until(lambda: (connection(echo.port) or 0) > 2000, "many calls that wait in the server's socket", alive=run.program)
    resumed = time.monotonic_ns()
    echo.signal(signal.SIGCONT)
    printed, calls = run.result()

    begun = calls[0][0]
    assert [call[0] - begun for call in calls] == pytest.approx([i * 1e9 / rate for i in range(count)], abs=2)
    stalled = [call for call in calls if call[0] < resumed]
    assert len(stalled) > 1
    for due, sent, done, _ in stalled:
        assert due <= sent <= done and done > resumed, "answered by a server that was stopped"
    assert printed["latency_us"]["max"] * 1000 >= resumed - begun - 100
    assert printed["answered"] == count and printed["failed"] == 0


def test_a_generator_that_stops_says_how_late_it_was(echo, tmp_path):
    run = Run(tmp_path, addr=echo.address, method="echo", rate=500, calls=1500)
    until(lambda: connection(echo.port) is not None, "the connection", alive=run.program)
    run.program.pause()
    stopped = time.monotonic_ns()
    until(lambda: time.monotonic_ns() - stopped > 100_000_000, "a tenth of a second")
    resumed = time.monotonic_ns()
    run.program.signal(signal.SIGCONT)
    printed, calls = run.result()

    overdue = [call for call in calls if stopped < call[0] < resumed]
    assert overdue
    for due, sent, done, _ in overdue:
        assert sent >= resumed and done >= sent
        assert printed["late_us"]["max"] * 1000 >= resumed - due - 100
        assert printed["latency_us"]["max"] * 1000 >= resumed - due - 100


def test_the_percentiles_are_those_of_the_calls(echo, tmp_path):
    printed, calls = Run(tmp_path, addr=echo.address, rate=2000, calls=1234, poisson=True, connections=3).result()

    spans = {"late_us": (0, 1), "service_us": (1, 2), "latency_us": (0, 2)}
    for name, (begin, end) in spans.items():
        values = [call[end] - call[begin] for call in calls]
        wanted = {f"p{share:g}": percentile(values, share) / 1000 for share in (50, 90, 99, 99.9)}
        assert printed[name] == pytest.approx({**wanted, "max": max(values) / 1000}, abs=0.051)
    assert printed["calls"] == printed["allowed"] == len(calls) == 1234


def test_a_seed_says_when_calls_are_due(echo, tmp_path):
    def gaps(seed):
        _, calls = Run(tmp_path, addr=echo.address, rate=10000, calls=3000, poisson=True, seed=seed).result()
        return [later[0] - call[0] for call, later in zip(calls, calls[1:])]

    first, again, other = gaps(1), gaps(1), gaps(2)
    assert first == pytest.approx(again, abs=1) and first != pytest.approx(other, abs=1000)
    for each in (first, other):
        mean = sum(each) / len(each)
        assert mean == pytest.approx(100_000, rel=0.05)
        # An exponential distribution's standard deviation is its mean, and a share of 1/e is above it.
        assert (sum((gap - mean) ** 2 for gap in each) / len(each)) ** 0.5 == pytest.approx(mean, rel=0.1)
        assert sum(gap > mean for gap in each) / len(each) == pytest.approx(0.368, abs=0.03)


def test_it_counts_what_was_allowed_and_denied(bots, tmp_path):
    bots.tier("three", bots.calendar("few", "requests", 3, "MONTH"))
    bots.account("user-0", tier="three")
    printed, calls = Run(tmp_path, addr=bots.address, tenant=bots.tenant, users=1, rate=1000, calls=10).result()

    assert (printed["allowed"], printed["denied"], printed["answered"], printed["failed"]) == (3, 7, 0, 0)
    assert sorted(call[3] for call in calls) == ["allowed"] * 3 + ["denied"] * 7


def test_it_counts_what_failed_and_says_why(bots, tmp_path):
    run = Run(tmp_path, addr=bots.address, method="echo", in_flight=4, calls=10)
    printed, _ = run.result(status=1)

    assert (printed["allowed"], printed["answered"], printed["failed"]) == (0, 0, 10)
    assert "status 12" in run.program.log()


def test_a_connection_that_breaks_ends_the_run(echo, tmp_path):
    run = Run(tmp_path, addr=echo.address, method="echo", rate=100, calls=100_000)
    until(lambda: connection(echo.port) is not None, "the connection", alive=run.program)
    echo.kill()

    assert run.program.wait(60) == 1
    assert re.search(r"^open_loop: (the server closed the connection|send: )", run.program.log(), re.M)


def test_a_command_of_redis_gets_a_number_of_its_own(redis, tmp_path):
    command = tmp_path / "command"
    command.write_bytes(b"*3\r\n$5\r\nRPUSH\r\n$4\r\nlist\r\n$14\r\na000000000000b\r\n")
    printed, _ = Run(tmp_path, redis=redis.socket, command=command, first=700, rate=2000, calls=200).result()

    assert (printed["answered"], printed["failed"]) == (200, 0)
    assert redis.client.lrange("list", 0, -1) == [b"a%012db" % number for number in range(700, 900)]


def test_a_command_that_redis_refuses_has_failed(redis, tmp_path):
    command = tmp_path / "command"
    command.write_bytes(b"*1\r\n$7\r\nNOTHING\r\n")
    run = Run(tmp_path, redis=redis.socket, command=command, in_flight=3, calls=20)
    printed, _ = run.result(status=1)

    assert (printed["answered"], printed["failed"]) == (0, 20)
    assert "unknown command" in run.program.log()


@pytest.mark.parametrize("arguments, says", [
    ([], "either --addr or --redis is needed"),
    (["--addr", "127.0.0.1:1", "--redis", "/x"], "either --addr or --redis is needed"),
    (["--redis", "/x"], "--command is needed"),
    (["--addr", "127.0.0.1:1", "--method", "ech"], "--method: check or echo"),
    (["--addr", "127.0.0.1:1", "--connections", "0"], "--connections: 1 to 64"),
    (["--addr", "here", "--calls", "1"], "here is not an IPv4 address with a port"),
    (["--redis", "/x", "--command", "/nowhere/x"], "/nowhere/x: No such file or directory"),
    (["--rat", "5"], "--rat: unknown option"),
])
def test_it_says_which_option_is_wrong(arguments, says):
    done = subprocess.run([build() / "bench" / "open_loop", *arguments], capture_output=True, text=True, check=False,
                          env={**os.environ, **SANITIZER_ENV})
    assert done.returncode == 1 and says in done.stderr, done.stderr
