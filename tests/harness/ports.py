"""Ports that nobody else gets: each is locked by a file for the life of this process.

The range lies below the kernel's ephemeral ports, so no outgoing connection takes one between the choice and the bind."""
import fcntl
import os
import random
import socket
import tempfile

_locks = []


def free_port():
    folder = os.path.join(tempfile.gettempdir(), "bursar-test-ports")
    os.makedirs(folder, mode=0o777, exist_ok=True)
    for port in random.SystemRandom().sample(range(20000, 30000), 1000):
        lock = os.open(os.path.join(folder, str(port)), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(("127.0.0.1", port))
        except OSError:
            os.close(lock)
            continue
        _locks.append(lock)
        return port
    raise RuntimeError("no free port between 20000 and 30000")
