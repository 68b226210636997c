"""HTTP/2 by hand: callers that no client library makes, since each of them reads."""
import select
import socket
import struct
import threading

import hpack

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 2, 3, 4, 6, 7, 8, 9
ACK = END_STREAM = 1
END_HEADERS = 4
INITIAL_WINDOW_SIZE = 4
WHOLE = 16_384  # the largest frame
WIDEST = 2**31 - 1


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def _length(n):
    """As HPACK writes it in front of a string that is not compressed."""
    if n < 127:
        return bytes([n])
    out, n = [127], n - 127
    while n >= 128:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def literal(name, value, kept=False):
    """A header; `kept` for later ones, as the newest entry of the dynamic table."""
    return (b"\x40" if kept else b"\0") + _length(len(name)) + name + _length(len(value)) + value


def headers(path, *others, **replaced):
    """The header block of a gRPC call, with more pairs behind it. `replaced`: other values for its own, None to leave one out; names
    with "_" for "-", and without their colon."""
    usual = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "x", "content-type": "application/grpc", "te": "trailers"}
    for name, value in replaced.items():
        name = name.replace("_", "-")
        usual[":" + name if ":" + name in usual else name] = value
    pairs = [(name.encode(), value.encode()) for name, value in usual.items() if value is not None]
    return b"".join(literal(*pair) for pair in (*pairs, *others))


def message(protobuf, compressed=0):
    body = protobuf if isinstance(protobuf, bytes) else protobuf.SerializeToString()
    return bytes([compressed]) + struct.pack(">I", len(body)) + body


class Raw:
    """One connection, and every frame of it in the test's hands. What has come is in `seen`: (kind, flags, stream, payload), with a dict
    as the payload of HEADERS. Settings and pings are answered unless told otherwise. Nothing is read but by `until`."""

    WAIT_S = 60

    def __init__(self, address, settings=(), answers=True, greets=True):
        if address.startswith("unix:"):
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.connect(address[5:])
        else:
            host, port = address.rsplit(":", 1)
            self.socket = socket.create_connection((host.strip("[]"), int(port)))
        self.socket.settimeout(self.WAIT_S)
        self.decoder, self.seen, self.buffer, self.closed, self.answers = hpack.Decoder(), [], b"", False, answers
        if greets:
            self.send_bytes(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(SETTINGS, 0, 0, b"".join(struct.pack(">HI", *s) for s in settings)))

    def close(self):
        self.socket.close()

    def send_bytes(self, data):
        """False when the server has closed the connection."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True
        return not self.closed

    def send(self, kind, flags=0, stream=0, payload=b""):
        return self.send_bytes(frame(kind, flags, stream, payload))

    def call(self, stream, path, body=b"", end=True, block=None):
        """Begins a call. `body`: messages with their prefixes, or none yet."""
        self.send(HEADERS, END_HEADERS | (END_STREAM if end and not body else 0), stream, block or headers(path))
        if body:
            self.send(DATA, END_STREAM if end else 0, stream, body)

    def _take(self):
        size = int.from_bytes(self.buffer[:3], "big")
        kind, flags, stream = self.buffer[3], self.buffer[4], int.from_bytes(self.buffer[5:9], "big") & 0x7FFFFFFF
        payload, self.buffer = self.buffer[9:9 + size], self.buffer[9 + size:]
        if self.answers and kind in (SETTINGS, PING) and not flags & ACK:
            self.send(kind, ACK, 0, payload if kind == PING else b"")
        self.seen.append((kind, flags, stream, dict(self.decoder.decode(payload)) if kind == HEADERS else payload))

    def _read(self):
        try:
            part = self.socket.recv(1 << 16)
        except ConnectionResetError:
            part = b""
        self.closed = self.closed or not part
        self.buffer += part
        while len(self.buffer) >= 9 and len(self.buffer) >= 9 + int.from_bytes(self.buffer[:3], "big"):
            self._take()

    def until(self, condition):
        """Reads until condition() is true, and returns that; what it is when the server has closed the connection."""
        while not (found := condition()) and not self.closed:
            self._read()
        return found

    def frames(self, kind, stream=0):
        return [payload for k, _, s, payload in self.seen if k == kind and s == stream]

    def end_of(self, stream):
        """The headers with the status of a call once it has ended; the code of its RST_STREAM if it was reset before."""
        def ended():
            for kind, flags, s, payload in self.seen:
                if s == stream and kind == HEADERS and flags & END_STREAM:
                    return payload
                if s == stream and kind == RST_STREAM:
                    return int.from_bytes(payload, "big")
            return None
        return self.until(ended)

    def goaway(self):
        """(last stream, code, text) of the latest GOAWAY, once the server has closed the connection."""
        self.until(lambda: None)
        last = self.frames(GOAWAY)[-1] if self.frames(GOAWAY) else b"\0" * 8
        return (*struct.unpack(">II", last[:8]), last[8:].decode())


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
