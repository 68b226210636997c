"""A server of sockets for a test: each connection is served by a thread of its own."""
import threading


class Listener:
    """serve(near), of the subclass, gets each connection. What it opens it adds to `sockets`; close() closes them all."""

    def __init__(self, listener):
        self.listener, self.sockets, self.closed = listener, [], False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self.closed = True
        for open_socket in [self.listener, *self.sockets]:
            open_socket.close()

    def _accept(self):
        while not self.closed:
            try:
                near, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(near,), daemon=True).start()
