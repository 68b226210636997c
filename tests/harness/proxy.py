"""A TCP proxy between two processes, which can be told to stop passing bytes on, or to break: the network at the worst moment."""
import contextlib
import select
import socket
import threading

from .listener import Listener


class Proxy(Listener):
    """Listens on `address` and passes on to (host, port) or the path of a unix socket; after freeze() nothing goes either way, after
    hold_answers() nothing comes back, until thaw(). drop() breaks all connections; what was held is lost."""

    def __init__(self, target):
        self.target, self.frozen, self.answers_held = target, threading.Event(), threading.Event()
        listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        super().__init__(listener)

    def freeze(self):
        self.frozen.set()

    def hold_answers(self):
        self.answers_held.set()

    def thaw(self):
        self.frozen.clear()
        self.answers_held.clear()

    def drop(self):
        sockets, self.sockets = self.sockets, []
        for open_socket in sockets:
            with contextlib.suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)  # close alone would not wake who waits for it

    def serve(self, near):
        far = socket.socket(socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET)
        try:
            far.connect(self.target)
        except OSError:  # who is behind is away
            near.close()
            far.close()
            return
        self.sockets += [near, far]
        self._pass(near, far)

    def _pass(self, near, far):
        other = {near: far, far: near}
        try:
            while not self.closed:
                waited = [near] if self.answers_held.is_set() else [near, far]
                ready, _, _ = select.select(waited, [], [], 0.05)
                for one in ready if not self.frozen.is_set() else []:
                    if one is far and self.answers_held.is_set():
                        continue
                    data = one.recv(65536)
                    if not data:
                        return
                    other[one].sendall(data)
                if ready and self.frozen.is_set():
                    threading.Event().wait(0.01)
        except (OSError, ValueError):
            pass
        finally:
            near.close()
            far.close()
