"""HTTP/2 by hand: callers that no client library makes, since each of them reads."""
import select
import socket
import struct
import threading

DATA, HEADERS, RST_STREAM, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 3, 4, 6, 8
ACK = END_STREAM = 1
END_HEADERS = 4
INITIAL_WINDOW_SIZE = 4
WHOLE = 16_384  # the largest frame
WIDEST = 2**31 - 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _literal(name, value):
    return b"\0" + bytes([len(name)]) + name + bytes([len(value)]) + value


def headers(path):
    """The header block of a gRPC call."""
    return b"".join(_literal(*pair) for pair in (
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", path.encode()), (b":authority", b"x"),
        (b"content-type", b"application/grpc"), (b"te", b"trailers")))


class Deaf:
    """One connection with calls whose answers are never taken: each stream's window is shut from the start, while settings and pings
    are answered, so that the connection looks alive. `mute`: instead, every window is as wide as can be, and once the requests are out
    nothing is read from the socket any more. `ended` is the number of its calls that the server has ended."""

    def __init__(self, address, path, messages, mute=False):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)))
        self.mute = mute
        self.out = bytearray(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" +
                             frame(SETTINGS, 0, 0, struct.pack(">HI", INITIAL_WINDOW_SIZE, WIDEST if mute else 0)))
        if mute:
            self.out += frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", WIDEST - 65_535))
        self.room, self.start, self.rooms, self.left = 65_535, 65_535, {}, {}
        self.read, self.ended, self.closed = b"", 0, False
        for stream, message in zip(range(1, 2 * len(messages), 2), messages):
            self.out += frame(HEADERS, END_HEADERS, stream, headers(path))
            self.rooms[stream], self.left[stream] = self.start, b"\0" + struct.pack(">I", len(message)) + message
        self.silent = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def close(self):
        self.closed = True
        self.silent.set()
        self.thread.join()
        self.socket.close()

    def _send(self):
        for stream, left in list(self.left.items()):
            room = min(self.room, self.rooms[stream], WHOLE, len(left))
            if room <= 0:
                continue
            self.out += frame(DATA, END_STREAM if room == len(left) else 0, stream, left[:room])
            self.room, self.rooms[stream], self.left[stream] = self.room - room, self.rooms[stream] - room, left[room:]
            if not self.left[stream]:
                del self.left[stream]

    def _heed(self, kind, flags, stream, payload):
        if kind == WINDOW_UPDATE and not stream:
            self.room += struct.unpack(">I", payload)[0]
        elif kind == WINDOW_UPDATE and stream in self.rooms:
            self.rooms[stream] += struct.unpack(">I", payload)[0]
        elif kind == PING and not flags & ACK:
            self.out += frame(PING, ACK, 0, payload)
        elif kind == SETTINGS and not flags & ACK:
            self.out += frame(SETTINGS, ACK, 0)
            for name, value in struct.iter_unpack(">HI", payload):
                if name == INITIAL_WINDOW_SIZE:
                    self.rooms = {stream: room + value - self.start for stream, room in self.rooms.items()}
                    self.start = value
        elif (kind == HEADERS and flags & END_STREAM) or kind == RST_STREAM:
            self.ended += self.rooms.pop(stream, None) is not None
            self.left.pop(stream, None)

    def _run(self):
        while not self.closed:
            self._send()
            if self.mute and not self.left and not self.out:
                self.silent.wait()
                return
            readable, writable, _ = select.select([self.socket], [self.socket] if self.out else [], [], 0.05)
            try:
                if writable:
                    del self.out[:self.socket.send(self.out)]
                part = self.socket.recv(1 << 20) if readable else None
            except ConnectionError:
                part = b""
            if part == b"":
                self.ended += len(self.rooms)
                return
            self.read += part or b""
            while len(self.read) >= 9 and len(self.read) >= 9 + (size := int.from_bytes(self.read[:3], "big")):
                head, payload, self.read = self.read[:9], self.read[9:9 + size], self.read[9 + size:]
                self._heed(head[3], head[4], int.from_bytes(head[5:], "big") & 0x7FFFFFFF, payload)
