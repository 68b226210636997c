"""A PostgreSQL of one's own, on a unix socket. initdb runs once a session; every server gets a copy of what it made."""
import contextlib
import functools
import glob
import itertools
import os
import pwd
import shutil
import signal
import subprocess

import psycopg2

from .paths import program
from .process import Process, temp_dir
from .wait import until

_numbers = itertools.count(1)


def _bin(name):
    versions = glob.glob("/usr/lib/postgresql/*/bin")
    if not versions:
        raise RuntimeError("no PostgreSQL under /usr/lib/postgresql: deploy/install-packages run")
    return os.path.join(max(versions, key=lambda path: float(path.split("/")[4])), name)


def _user():
    """PostgreSQL refuses to run as root."""
    return pwd.getpwnam("postgres") if os.getuid() == 0 else None


def _own(path):
    user = _user()
    if user:
        subprocess.run(["chown", "-R", f"{user.pw_uid}:{user.pw_gid}", path], check=True)


@functools.lru_cache(maxsize=None)
def _initialised():
    data = os.path.join(temp_dir("initdb", store=True), "data")
    os.mkdir(data, 0o700)
    _own(data)
    user = _user()
    who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
    subprocess.run([_bin("initdb"), "-D", data, "-U", "bursar", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "-N"],
                   check=True, stdout=subprocess.DEVNULL, cwd="/", **who)
    return data


def _alive(pid):
    """Has memory and files. The orphans of a killed postmaster are buried by init, which in a container may take seconds."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Postgres(Process):
    """A server. `settings`: of postgresql.conf. It does not fsync: a killed process loses nothing by that, only a
    machine without power does. `clock`: a Clock, which its now() then follows."""

    def __init__(self, settings=None, start=True, clock=None):
        self.directory = temp_dir("pg", store=True)
        super().__init__("postgres", os.path.join(self.directory, "log"))
        self.data = os.path.join(self.directory, "data")
        shutil.copytree(_initialised(), self.data)
        self.run = os.path.join(self.directory, "run")
        os.mkdir(self.run, 0o700)
        _own(self.data)
        _own(self.run)
        self.settings = {"fsync": "off", "max_connections": "200", "shared_buffers": "64MB", **(settings or {})}
        self._migrated = None
        self._stalled = []
        self.clock = clock
        if start:
            self.start()

    def start(self):
        argv = [_bin("postgres"), "-D", self.data, "-c", "listen_addresses=", "-c", "unix_socket_directories=" + self.run]
        for name, value in self.settings.items():
            argv += ["-c", f"{name}={value}"]
        self.spawn(argv, env=self.clock.env() if self.clock else None, user=_user())
        until(lambda: self.connect("postgres").close() is None, "PostgreSQL accepting connections", timeout=60, alive=self)

    def _children(self):
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return [int(pid) for pid in file.read().split()]

    def kill(self):
        """kill -9 of the postmaster and all its backends."""
        if not self.running():
            return self.wait()
        self.signal(signal.SIGSTOP)  # or it would start new ones meanwhile
        children = self._children()
        self._signal_all(children, signal.SIGKILL)
        status = super().kill()
        until(lambda: not any(map(_alive, children)), "backends gone")
        return status

    def stall(self):
        """SIGSTOP of the postmaster and all its backends: connections stay, nothing answers."""
        self.signal(signal.SIGSTOP)
        self._stalled = self._children()
        self._signal_all(self._stalled, signal.SIGSTOP)

    def resume(self):
        self._signal_all(self._stalled, signal.SIGCONT)
        self.signal(signal.SIGCONT)

    @staticmethod
    def _signal_all(children, number):
        for pid in children:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def stop(self):
        self.signal(signal.SIGINT)  # "fast": SIGTERM would wait for the clients
        return self.wait(60)

    def stop_immediately(self):
        """As `pg_ctl stop -m immediate`: backends leave without a word to their clients; the next start recovers."""
        self.signal(signal.SIGQUIT)
        return self.wait(60)

    def freeze(self):
        """It hangs: nothing is answered, and new connections wait."""
        self.signal(signal.SIGSTOP)
        for pid in self._children():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self):
        for pid in self._children():
            os.kill(pid, signal.SIGCONT)
        self.signal(signal.SIGCONT)

    def restart(self):
        """kill -9, and up again: recovery from the WAL."""
        self.kill()
        self.start()

    def conninfo(self, database):
        return f"host={self.run} dbname={database} user=bursar"

    def connect(self, database):
        connection = psycopg2.connect(self.conninfo(database))
        connection.autocommit = True
        return connection

    def execute(self, database, sql, *arguments):
        connection = self.connect(database)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments or None)
        finally:
            connection.close()

    def database(self, migrated=True):
        """A new database; migrated ones are copies of one that `bursard migrate up` has made."""
        template = "template1"
        if migrated:
            if not self._migrated:
                empty = self.database(migrated=False)
                done = subprocess.run([program("bursard"), "migrate", "up", "--postgres", empty.conninfo],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
                if done.returncode:
                    raise RuntimeError(f"bursard migrate up ended with {done.returncode}:\n{done.stdout}{done.stderr}")
                self._migrated = empty.name
            template = self._migrated
        name = f"test_{next(_numbers)}"
        self.execute("postgres", f"create database {name} template {template} strategy file_copy")
        return Database(self, name)


class Database:
    """One database of a server. query() answers a list of tuples."""

    def __init__(self, server, name):
        self.server = server
        self.name = name
        self.conninfo = server.conninfo(name)

    def connect(self):
        return self.server.connect(self.name)

    @contextlib.contextmanager
    def sql(self):
        """A cursor of a connection of its own."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            yield cursor

    def query(self, sql, *arguments):
        with self.sql() as cursor:
            cursor.execute(sql, arguments or None)
            return cursor.fetchall()

    def value(self, sql, *arguments):
        """The one value of the one row."""
        return self.query(sql, *arguments)[0][0]

    def execute(self, sql, *arguments):
        self.server.execute(self.name, sql, *arguments)

    def drop(self):
        self.server.execute("postgres", f"drop database if exists {self.name} with (force)")
