"""Ports that nobody else gets: they come in blocks, each locked by a file for the life of this process. (A lock a port would use up
the file descriptors that select() can watch.)

The range lies below the kernel's ephemeral ports, so no outgoing connection takes one between the choice and the bind."""
import fcntl
import os
import random
import socket
import tempfile

BLOCK = 50
_locks, _mine = [], []


def _lock_a_block():
    folder = os.path.join(tempfile.gettempdir(), "bursar-test-port-blocks")
    os.makedirs(folder, mode=0o777, exist_ok=True)
    blocks = list(range(20000, 30000, BLOCK))
    random.SystemRandom().shuffle(blocks)
    for first in blocks:
        lock = os.open(os.path.join(folder, str(first)), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            continue
        _locks.append(lock)
        _mine.extend(range(first, first + BLOCK))
        return
    raise RuntimeError("no free port between 20000 and 30000")


def free_port():
    while True:
        if not _mine:
            _lock_a_block()
        port = _mine.pop()
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
