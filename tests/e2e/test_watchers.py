"""Many watchers over HTTP: each hears everything, what they hear is made once, and who does not read is sent away."""
import collections
import json
import re
import selectors
import socket

import pytest

from bots import Bots
from harness import protos

MANY = 300
EVENT = re.compile(rb"data: (\{.*\})\n")


class Readers:
    """Server-sent events on many connections, read by one thread."""

    def __init__(self, address, count, query):
        self.selector, self.sockets = selectors.DefaultSelector(), []
        self.bytes, self.texts, self.allowed = [b""] * count, [[] for _ in range(count)], [0] * count
        for number in range(count):
            self.sockets.append(connect(address))
            self.sockets[-1].sendall(get(f"/v1/watch?{query}"))
            self.selector.register(self.sockets[-1], selectors.EVENT_READ, number)

    def read_until(self, condition):
        while not condition():
            ready = self.selector.select(60)
            assert ready, "nothing came for a minute"
            for key, _ in ready:
                piece = key.fileobj.recv(1 << 16)
                assert piece, (key.data, self.bytes[key.data][-300:])
                self.take(key.data, piece)

    def take(self, number, piece):
        self.bytes[number] += piece
        # Without its framing: no event has a line that could be taken for a chunk's length.
        text = re.sub(rb"\r\n[0-9a-f]+\r\n", b"", self.bytes[number])
        found = EVENT.findall(text)
        for event in found[len(self.texts[number]):]:
            self.texts[number].append(event)
            self.allowed[number] += int(json.loads(event)["totals"]["allowed"])

    def close(self):
        for one in self.sockets:
            one.close()


def connect(address, room=None):
    host, port = address.split(":")
    one = socket.socket()
    if room:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, room)
    one.settimeout(60)
    one.connect((host, int(port)))
    return one


def get(path):
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


@pytest.fixture
def fleet(start_bursard):
    """fleet(**options): a bursard and what calls it."""
    opened = []

    def start(**options):
        server = start_bursard(**options)
        opened.append(Bots(protos, server.grpc_addr))
        return server, opened[-1]
    yield start
    for one in opened:
        one.close()


def test_hundreds_hear_every_decision_and_what_they_hear_is_made_once(fleet):
    server, bots = fleet(workers=2, max_watchers=MANY)
    readers = Readers(server.http_addr, MANY, "interval_us=500000")
    readers.read_until(lambda: all(readers.texts) and all(b'"workers":2' in texts[-1] for texts in readers.texts))
    for turn in range(3):
        for number in range(10):
            bots.check(f"user-{turn}-{number}")
        readers.read_until(lambda turn=turn: all(count == 10 * (turn + 1) for count in readers.allowed))
    # One who has just come is shown what they would have missed; from then on the readers of a worker get the same.
    texts = collections.Counter(text for own in readers.texts for text in own[2:])
    assert max(texts.values()) >= MANY // 3 and len(texts) * 5 < sum(texts.values()), (len(texts), sum(texts.values()))
    readers.close()


def test_who_does_not_read_is_sent_away_and_others_go_on(fleet, until):
    server, bots = fleet(workers=1, max_watchers=2, answer_timeout_ms=2000)
    loud = bots.user_with(bots.calendar("day", "requests", 10**9))
    deaf, quick = connect(server.http_addr, room=4096), Readers(server.http_addr, 1, "interval_us=100000&max_events=500")
    deaf.sendall(get("/v1/watch?interval_us=100000&max_events=500"))
    quick.read_until(lambda: quick.texts[0] and b'"workers":1' in quick.texts[0][-1])
    until(lambda: server.metric("http_calls_open") == 2)
    sent = 0

    def alone():
        """Makes what is to be heard, until only the quick one is left."""
        nonlocal sent
        for _ in range(200):
            bots.check(loud)
        sent += 200
        quick.read_until(lambda: quick.allowed[0] == sent)
        return server.metric("http_calls_open") == 1

    until(alone)
    assert server.metric("answers_dropped_total", why="late") == 1
    again = Readers(server.http_addr, 1, "interval_us=100000")
    again.read_until(lambda: again.texts[0])
    for one in (deaf, quick, again):
        one.close()
