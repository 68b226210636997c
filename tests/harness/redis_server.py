"""A Redis of one's own, on a unix socket."""
import os

import redis as client_library

from .process import Process, temp_dir
from .wait import until


class Redis(Process):
    """`aof`: None (nothing on disk), "everysec" or "always". `clock`: a Clock, for TIME and expiry to follow it."""

    def __init__(self, aof=None, clock=None, settings=None, start=True):
        self.directory = temp_dir("redis", store=True)
        super().__init__("redis", os.path.join(self.directory, "log"))
        self.socket = os.path.join(self.directory, "sock")
        self.url = "unix://" + self.socket
        self.aof = aof
        self.clock = clock
        self.settings = {"maxmemory-policy": "noeviction", **(settings or {})}
        self.client = client_library.Redis(unix_socket_path=self.socket, socket_timeout=30)
        if start:
            self.start()

    def start(self):
        argv = ["redis-server", "--port", "0", "--unixsocket", self.socket, "--dir", self.directory, "--save", "",
                "--appendonly", "yes" if self.aof else "no"]
        if self.aof:
            argv += ["--appendfsync", self.aof]
        for name, value in self.settings.items():
            argv += ["--" + name, str(value)]
        if os.path.exists(self.socket):
            os.unlink(self.socket)  # a killed one leaves it
        self.spawn(argv, env=self.clock.env() if self.clock else None)
        until(self.client.ping, "Redis answering PING", timeout=60, alive=self)

    def stop(self):
        """A clean end; without AOF the data are gone."""
        return self.terminate()

    def restart(self):
        """kill -9, and up again with what the AOF has."""
        self.kill()
        self.client.connection_pool.disconnect()
        self.start()

    def time_us(self):
        seconds, micros = self.client.time()
        return seconds * 1000000 + micros
