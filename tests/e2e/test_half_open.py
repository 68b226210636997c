"""A stranger who begins messages and never ends them: HTTP/2 by hand, since no client library does that."""
import select
import socket
import struct
import time

from bots import Bots
from harness import protos, until
from harness.http2 import ACK, DATA, END_HEADERS, HEADERS, PING, RST_STREAM, SETTINGS, WINDOW_UPDATE, frame, headers

MESSAGE, STREAMS, WAIT_S = 1_000_000, 500, 240


class Stranger:
    """Sends as much of each message as the server takes, but for its end."""

    def __init__(self, address):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.socket.setblocking(False)
        self.read, self.out = b"", bytearray(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0))
        self.window, self.start, self.windows, self.sent, self.ended = 65_535, 65_535, {}, {}, 0
        heads = headers("/bursar.v1.Limiter/Check")
        for stream in range(1, 2 * STREAMS, 2):
            self.out += frame(HEADERS, END_HEADERS, stream, heads)
            self.windows[stream], self.sent[stream] = self.start, 0

    def fill(self):
        for stream in self.windows:
            room = min(self.window, self.windows[stream], 16_384, MESSAGE - self.sent[stream])
            if room <= 5 or len(self.out) > 1 << 20:
                continue
            begin = b"" if self.sent[stream] else b"\0" + struct.pack(">I", MESSAGE + 10)
            self.out += frame(DATA, 0, stream, begin + b"x" * (room - len(begin)))
            self.window, self.windows[stream], self.sent[stream] = self.window - room, self.windows[stream] - room, self.sent[stream] + room

    def heed(self, kind, flags, stream, payload):
        if kind == WINDOW_UPDATE and not stream:
            self.window += struct.unpack(">I", payload)[0]
        elif kind == WINDOW_UPDATE and stream in self.windows:
            self.windows[stream] += struct.unpack(">I", payload)[0]
        elif kind == RST_STREAM:
            self.ended += self.windows.pop(stream, None) is not None
        elif kind == PING and not flags:
            self.out += frame(PING, 1, 0, payload)
        elif kind == SETTINGS and not flags:
            self.out += frame(SETTINGS, 1, 0)
            for name, value in struct.iter_unpack(">HI", payload):
                if name == 4:
                    self.windows = {stream: room + value - self.start for stream, room in self.windows.items()}
                    self.start = value

    def turn(self):
        """False when the server has closed the connection."""
        self.fill()
        readable, writable, _ = select.select([self.socket], [self.socket] if self.out else [], [], 0.1)
        try:
            if writable:
                del self.out[:self.socket.send(self.out)]
            if readable:
                part = self.socket.recv(1 << 20)
                if not part:
                    return False
                self.read += part
        except ConnectionError:
            return False
        while len(self.read) >= 9 and len(self.read) >= 9 + (size := int.from_bytes(self.read[:3], "big")):
            head, payload, self.read = self.read[:9], self.read[9:9 + size], self.read[9 + size:]
            self.heed(head[3], head[4] & 1, int.from_bytes(head[5:], "big") & 0x7FFFFFFF, payload)
        return True


def test_messages_that_never_end_are_held_within_bounds(start_bursard):
    server = start_bursard(workers=1, max_calls=100)
    bots = Bots(protos, server.grpc_addr)
    stranger, latest = Stranger(server.grpc_addr), time.monotonic() + WAIT_S
    while stranger.turn() and not stranger.ended:
        assert time.monotonic() < latest, f"the server holds {sum(stranger.sent.values())} bytes of unfinished messages"
    # Until the stranger's calls are over, SERVER_BUSY may be said, which says to ask again in 0.1 s.
    until(lambda: bots.check("ann").allowed, "another caller being served", timeout=WAIT_S)
    stranger.socket.close()
    bots.close()
