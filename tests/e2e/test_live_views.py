"""Live views on a terminal: something to read before the server has answered, the whole screen, a way out, and an error that stays."""
import fcntl
import json
import os
import pty
import re
import select
import socket
import struct
import subprocess
import tempfile
import termios
import threading
import time

import pytest
from bots import Bots, unique
from harness import program, protos
from streams import Caller, holds, waits

WAIT = 60
OTHER_SCREEN, BACK = "\x1b[?1049h", "\x1b[?1049l"
SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A command that has a terminal of its own. `frames`: what it has drawn, each a list of lines as they can be read."""

    def __init__(self, *words, rows=24, columns=100):
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.before = termios.tcgetattr(self.slave)
        self.shown = ""
        self.command = subprocess.Popen(["setsid", "--ctty", program("bursar"), *words], stdin=self.slave, stdout=self.slave,
                                        stderr=self.slave, env={**os.environ, "TERM": "xterm"})

    def read(self):
        if select.select([self.master], [], [], 0.1)[0]:
            self.shown += os.read(self.master, 65536).decode("utf-8", "replace")

    @property
    def frames(self):
        drawn = self.shown.split("\x1b[H")[1:]
        return [[SEQUENCE.sub("", line).rstrip() for line in frame.split("\x1b[J")[0].splitlines()] for frame in drawn if "\x1b[J" in frame]

    def until(self, condition, what):
        ends = time.monotonic() + WAIT
        while not any(condition(frame) for frame in self.frames):
            assert time.monotonic() < ends and self.command.poll() is None, f"{what}: never seen in {self.shown!r}"
            self.read()
        return next(frame for frame in self.frames if condition(frame))

    def press(self, keys):
        os.write(self.master, keys)

    def ended(self):
        ends = time.monotonic() + WAIT
        while self.command.poll() is None:
            assert time.monotonic() < ends, f"it goes on: {self.shown!r}"
            self.read()
        self.read()
        return self.command.returncode

    def close(self):
        if self.command.poll() is None:
            self.command.kill()
            self.command.wait()
        os.close(self.slave)
        os.close(self.master)


@pytest.fixture
def terminal():
    made = []

    def start(*words, **size):
        made.append(Terminal(*words, **size))
        return made[-1]

    yield start
    for one in made:
        one.close()


@pytest.fixture
def silent():
    """Somebody who takes connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.mark.parametrize("view", [("top",), ("pool", "watch")], ids=" ".join)
def test_a_view_says_what_it_does_before_the_server_has_answered(terminal, silent, view):
    seen = terminal(*view, "--addr", silent, "--timeout", "1s")
    seen.until(lambda frame: silent in frame[0] and "connecting" in " ".join(frame), "the first screen")
    seen.press(b"q")
    seen.ended()
    assert termios.tcgetattr(seen.slave) == seen.before and BACK in seen.shown


@pytest.mark.parametrize("view", [("top", "--pool", "nothing"), ("pool", "watch", "nothing")], ids=" ".join)
def test_why_a_view_ended_stays_on_the_terminal(bursard, terminal, view):
    seen = terminal(*view, "--addr", bursard.grpc_addr)
    assert seen.ended() == 4
    assert OTHER_SCREEN in seen.shown and "has no pool nothing" in seen.shown.split(BACK)[1]


def test_top_shows_the_pool_while_it_waits_for_figures(bursard, terminal):
    seen = terminal("top", "--addr", bursard.grpc_addr)
    first = seen.until(lambda frame: any(line.startswith("  pool ") for line in frame), "the pool")
    assert "listening" in first[1], first
    seen.until(lambda frame: "per second: " in frame[1], "figures")


@pytest.mark.parametrize("rows", [24, 60])
def test_top_uses_the_height_of_the_screen(bots, bursard, terminal, rows):
    seen = terminal("top", "--addr", bursard.grpc_addr, rows=rows)
    enough = threading.Event()
    users = [unique("user") for _ in range(80)]

    def work():
        while not enough.is_set():
            bots.limiter.CheckBatch(bots.limiter_pb.CheckBatchRequest(items=[
                bots.request(user, request_id=unique("request"), interface="web", model="gpt-5.4") for user in users]), timeout=WAIT)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        frame = seen.until(lambda frame: len(frame) == rows - 1, "a full screen")
        assert sum(line.startswith("user-") for line in frame) == rows - 1 - 6 - 2 - 3 - 3, frame
        assert any(line.startswith("INTERFACE") for line in frame) and frame[-1].startswith("web")
    finally:
        enough.set()
        worker.join()


def test_pool_watch_names_tiers_and_ends_with_q(bots, bursard, terminal):
    pool, user = unique("pool"), unique("user")
    bots.tier("priority", pool_priority=7)
    bots.account(user, tier="priority")
    bots.admin.PutPool(bots.admin_pb.PutPoolRequest(ref=bots.admin_pb.PoolRef(name=pool), slots=1))
    callers = [holds(Caller(bots, user, pool=pool)), waits(Caller(bots, unique("other"), pool=pool))]
    try:
        seen = terminal("pool", "watch", pool, "--addr", bursard.grpc_addr)
        frame = seen.until(lambda frame: any("priority" in line for line in frame[1:]), "the tier")
        assert "q ends" in frame[0]
        row = next(line.split() for line in frame if " priority " in line)
        assert row[:2] == ["7", "priority"] and row[-1].endswith("%")
        for caller in callers:
            caller.close()
        idle = seen.until(lambda frame: any(line.split()[:1] == ["7"] and line.split()[-2:] == ["-", "-"] for line in frame), "no share")
        assert idle
        seen.press(b"q")
        assert seen.ended() == 0 and termios.tcgetattr(seen.slave) == seen.before
    finally:
        for caller in callers:
            caller.close()


class Watching:
    """`bursar watch`, whose lines are read by threads."""

    def __init__(self, address, *words):
        self.command = subprocess.Popen([program("bursar"), "watch", "--addr", address, *words], text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.out, self.err = [], []
        for stream, lines in ((self.command.stdout, self.out), (self.command.stderr, self.err)):
            threading.Thread(target=lambda stream=stream, lines=lines: lines.extend(iter(stream.readline, "")), daemon=True).start()


def test_whoever_waited_for_watch_to_listen_misses_nothing(start_bursard, until):
    servers = [start_bursard(workers=2) for _ in range(2)]
    fleets = [Bots(protos, server.grpc_addr) for server in servers]
    watching = Watching(servers[0].grpc_addr, "-n", "4")
    until(lambda: "bursar: listening to 4 workers; Ctrl-C ends\n" in watching.err)
    long = unique("somebody-with-a-name")
    for user in ("al", long):
        answer = fleets[1].check(user, interface="telegram", model="gpt-5.4", input_tokens=1000, max_output_tokens=20)
        fleets[1].record(answer, input_tokens=900, output_tokens=7, model="gpt-5.4")
    assert watching.command.wait(WAIT) == 0
    until(lambda: len(watching.out) == 4)
    assert [line.split()[1:3] for line in watching.out] == [[word, user] for user in ("al", long) for word in ("allowed", "recorded")]
    for pair in (watching.out[:2], watching.out[2:]):
        assert len({tuple(line.index(word) for word in ("gpt-5.4", " + ", "tokens", "$")) for line in pair}) == 1, pair
    for fleet in fleets:
        fleet.close()


def test_lines_stand_under_each_other_whatever_they_tell(bots, bursard, until):
    bots.account("suspended-user")
    bots.admin.Suspend(bots.admin_pb.SuspendRequest(ref=bots.key("suspended-user"), reason="test"))
    watching = Watching(bursard.grpc_addr, "-n", "3")
    until(lambda: "bursar: listening to 2 workers; Ctrl-C ends\n" in watching.err)
    bots.record(bots.check("ann", interface="web"), input_tokens=5, output_tokens=5)
    bots.check("suspended-user", interface="web")
    assert watching.command.wait(WAIT) == 0
    until(lambda: len(watching.out) == 3)
    by_word = {line.split()[1]: line for line in watching.out}
    assert by_word["denied"].index("web") - by_word["denied"].index("suspended-user") == len("suspended-user") + 2
    assert by_word["allowed"].index("web") == by_word["recorded"].index("-  ")  # a record names no interface, and has its column


@pytest.mark.parametrize("words", [("watch", "-n", "3", "--json"), ("top", "-n", "2", "--json")], ids=" ".join)
def test_json_is_one_object_a_line(bots, bursard, words):
    with tempfile.TemporaryFile("w+") as out:  # a pipe that nobody reads meanwhile would hold it up
        command = subprocess.Popen([program("bursar"), *words, "--addr", bursard.grpc_addr], stdout=out)
        while command.poll() is None:
            bots.check("ann")
        out.seek(0)
        lines = out.read().splitlines()
    assert len(lines) == int(words[2]) and all(isinstance(json.loads(line), dict) for line in lines)
