"""Callers over HTTP that leave: while they are answered, while they queue, and when bursard stops."""
import contextlib
import json
import random
import socket
import struct
import subprocess
import sys
import threading

import pytest

POOL = "narrow"


@pytest.fixture
def dial(bursard):
    """dial(bytes): a connection on which they were sent; closed after the test."""
    host, port = bursard.http_addr.split(":")
    with contextlib.ExitStack() as opened:
        def connect(data):
            caller = opened.enter_context(socket.create_connection((host, int(port)), timeout=60))
            caller.sendall(data)
            return caller
        yield connect


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path, message):
    body = json.dumps(message)
    return f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def acquire(user):
    return post("/v1/acquire", {"check": {"user": user}, "pool": POOL})


def hears(caller, word):
    """Reads until the word comes."""
    heard = b""
    while word not in heard:
        piece = caller.recv(65536)
        assert piece, heard
        heard += piece
    return heard


def test_who_is_killed_in_the_queue_loses_the_place_and_who_leaves_the_slot(bursard, bots, dial, until):
    pb = bots.admin_pb
    bots.admin.PutPool(pb.PutPoolRequest(ref=pb.PoolRef(name=POOL), slots=1))

    def counts():
        stats = bots.admin.GetPoolStats(pb.GetPoolStatsRequest(ref=pb.PoolRef(name=POOL)))
        return stats.running, stats.waiting

    holder = dial(acquire("holder"))
    hears(holder, b"granted")
    host, port = bursard.http_addr.split(":")
    program = f"import socket, time\nc = socket.create_connection(({host!r}, {port}))\nc.sendall({acquire('killed')!r})\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", program]) as killed:
        until(lambda: counts() == (1, 1))
        after = dial(acquire("after"))
        until(lambda: counts() == (1, 2))
        killed.kill()
    until(lambda: counts() == (1, 1))
    holder.close()
    hears(after, b"granted")
    assert counts() == (1, 0)
    after.shutdown(socket.SHUT_WR)  # on a stream this, too, is leaving
    until(lambda: counts() == (0, 0))


def test_checks_whose_callers_have_left_are_made_wholly_or_not_at_all(bursard, bots, dial, until):
    user = bots.user_with(bots.calendar("day", "requests", 10**9))
    for turn in range(150):
        caller = dial(post("/v1/check", {"user": user, "request_id": f"left-{turn}"}))
        if turn % 3 == 0:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close() is a reset
        elif turn % 3 == 1:
            caller.shutdown(socket.SHUT_WR)
        caller.close()
    until(lambda: bursard.metric("http_calls_open") == 0)
    answers = [bots.check(user, request_id=f"left-{turn}") for turn in range(150)]
    assert all(answer.allowed for answer in answers) and any(answer.repeat for answer in answers)
    assert bots.figures(user)[(bots.types.ACCOUNT_KIND_USER, "day")].held == 150


def test_a_stop_ends_two_hundred_streams_and_a_crowd_that_comes_and_goes(bursard, bots, dial):
    bots.check("ann")
    streams = [dial(data) for data in [post("/v1/acquire", {"check": {"user": "ann"}}), get("/v1/watch"), get("/v1/pools/agent-execution/watch"),
                                       get("/v1/status?user=ann")] for _ in range(50)]
    for stream in streams:
        hears(stream, b"HTTP/1.1 ")
    host, port = bursard.http_addr.split(":")
    served = threading.Event()

    def come_and_go(seed):
        chance = random.Random(seed)
        while bursard.running():
            with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5) as caller:
                data = chance.choice([get("/v1/tiers"), post("/v1/check", {"user": "bob"}), acquire("carl")])
                caller.sendall(data[:chance.choice([len(data), 40])])
                if chance.random() < 0.5 and caller.recv(1000):
                    served.set()

    crowd = [threading.Thread(target=come_and_go, args=(seed,)) for seed in range(8)]
    for one in crowd:
        one.start()
    assert served.wait(60)
    bursard.stop()  # with 0 and without a report
    for one in crowd:
        one.join(60)
    assert not any(one.is_alive() for one in crowd)
    for stream in streams:
        with contextlib.suppress(ConnectionResetError):
            while stream.recv(65536):
                pass
