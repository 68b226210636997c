"""Who is right about a pool: neither Bursar nor Redis, but who counts the fences that work was done under."""
import collections
import os
import socket
import threading

from harness.process import temp_dir


class Referee:
    """Listens on `path`. Each fence has worked from its first to its last report."""

    def __init__(self):
        self.path = os.path.join(temp_dir("referee"), "sock")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind(self.path)
        self.first, self.last = {}, {}
        self.requests = collections.defaultdict(set)  # fence -> the requests it was granted to
        self.refused = collections.Counter()
        self.lock = threading.Lock()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            word, value, *rest = self.socket.recv(256).decode().split(" ")
            with self.lock:
                if word == "work":
                    fence, at = int(value), float(rest[0])
                    self.first[fence] = min(at, self.first.get(fence, at))
                    self.last[fence] = max(at, self.last.get(fence, at))
                elif word == "granted":
                    self.requests[int(value)].add(rest[0])
                else:
                    self.refused[value] += 1

    def jobs(self):
        with self.lock:
            return len(self.first)

    def most_at_once(self):
        """The largest number of fences that worked at the same time."""
        with self.lock:
            edges = [(at, 1) for at in self.first.values()] + [(at, -1) for at in self.last.values()]
        running = most = 0
        for _, step in sorted(edges, key=lambda edge: (edge[0], edge[1])):
            running += step
            most = max(most, running)
        return most

    def check(self, slots):
        most = self.most_at_once()
        assert most <= slots, f"{most} worked at once on {slots} slots"
        with self.lock:
            twice = {fence: requests for fence, requests in self.requests.items() if len(requests) > 1}
        assert not twice, f"a fence was granted to several: {twice}"
        assert not self.refused, f"refused for no good reason: {self.refused}"
