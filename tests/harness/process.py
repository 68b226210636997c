"""A process of ours: started, its output kept in a file, ended at the latest when Python ends."""
import atexit
import os
import shutil
import signal
import subprocess
import tempfile

_running = set()


def _in_memory():
    """A file system in memory with room for the stores of a run, or None: a container's may be tiny."""
    try:
        room = os.statvfs("/dev/shm")
    except OSError:
        return None
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) and room.f_bavail * room.f_frsize >= 2 << 30 else None


def temp_dir(prefix, store=False):
    """A short path (the name of a unix socket is at most 107 bytes), removed at exit; others may pass through it.
    `store`: for what a store writes; in memory where there is room, as a database is made for every test."""
    path = tempfile.mkdtemp(prefix=f"b-{prefix}-", dir=(store and _in_memory()) or "/tmp")
    os.chmod(path, 0o711)
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    return path


@atexit.register
def _end_all():
    for process in list(_running):
        process.kill()


class Process:
    def __init__(self, name, log_path):
        self.name = name
        self.log_path = log_path
        self.popen = None

    def spawn(self, argv, env=None, user=None):
        """`user`: a struct_passwd to run as; only root may."""
        who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        with open(self.log_path, "ab") as log:
            self.popen = subprocess.Popen(argv, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=log, cwd="/", start_new_session=True, **who)
        _running.add(self)

    @property
    def pid(self):
        return self.popen.pid

    def running(self):
        return self.popen is not None and self.popen.poll() is None

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as log:
                return log.read()
        except FileNotFoundError:
            return ""

    def signal(self, number):
        if self.running():
            self.popen.send_signal(number)

    def kill(self):
        """kill -9, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        return self.wait()

    def terminate(self, timeout=30.0):
        """SIGTERM; returns the exit status. One that does not end in time is killed, and that is an error."""
        self.signal(signal.SIGTERM)
        try:
            return self.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()
            raise RuntimeError(f"{self.name} did not end within {timeout:g} s of SIGTERM:\n{self.log()[-4000:]}") from None

    def wait(self, timeout=None):
        if self.popen is None:
            return None
        status = self.popen.wait(timeout)
        _running.discard(self)
        return status
