"""Stands before a Redis and answers in its place: what Redis says when it is full, a replica, loading, ... without having to bring it there."""
import socket
import threading

from .listener import Listener
from .process import temp_dir


class Refusing(Listener):
    """Listens on a unix socket and passes commands on to that of a Redis, one at a time. `refuse`: the error with which it answers instead
    every command whose first word is among `words`; None passes all on."""

    def __init__(self, target, words=("FCALL", "FUNCTION", "XTRIM")):
        self.target, self.words, self.refuse = target, {word.encode() for word in words}, None
        self.path = temp_dir("refusing", store=True) + "/sock"
        self.url = "unix://" + self.path
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen(100)
        super().__init__(listener)

    def close(self):
        self.closed = True
        self.listener.shutdown(socket.SHUT_RDWR)
        super().close()

    def serve(self, near):
        far = socket.socket(socket.AF_UNIX)
        self.sockets += [near, far]
        try:
            far.connect(self.target)
            requests, answers = near.makefile("rb"), far.makefile("rb")
            while True:
                raw, words = _command(requests)
                if words[0] == b"SUBSCRIBE":  # from now on Redis speaks unasked
                    threading.Thread(target=_pump, args=(answers, near), daemon=True).start()
                    far.sendall(raw)
                    _pump(requests, far)
                    return
                if self.refuse and words[0] in self.words:
                    near.sendall(b"-" + self.refuse.encode() + b"\r\n")
                else:
                    far.sendall(raw)
                    near.sendall(_reply(answers))
        except (OSError, ValueError, IndexError):
            pass
        finally:
            near.close()
            far.close()


def _pump(source, to):
    try:
        while data := source.read1(65536):
            to.sendall(data)
    except (OSError, ValueError):
        pass


def _command(file):
    """The bytes of one command, and its words."""
    head = file.readline()
    raw, words = [head], []
    for _ in range(int(head[1:])):
        size = file.readline()
        word = file.read(int(size[1:]) + 2)
        raw += [size, word]
        words.append(word[:-2])
    return b"".join(raw), words


def _reply(file):
    """The bytes of one answer, whatever it holds."""
    head = file.readline()
    kind, rest = head[:1], head[1:].strip()
    if not head:
        raise OSError("Redis is gone")
    if kind == b"$" and int(rest) >= 0:
        return head + file.read(int(rest) + 2)
    if kind == b"*":
        return head + b"".join(_reply(file) for _ in range(max(0, int(rest))))
    return head
