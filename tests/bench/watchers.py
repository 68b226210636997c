"""Those who look on while checks are measured: nobody, a Watch of everything, one of a single user, `bursar top`."""
import contextlib
import os
import subprocess
import tempfile
import threading
import time

import grpc
from harness import program, until


@contextlib.contextmanager
def nobody():
    time.sleep(2)  # with its next report, a second later at most, a worker learns that nobody listens any more
    yield


@contextlib.contextmanager
def watch(bots, **fields):
    """A reader as quick as `bursar watch`, once every worker tells it something."""
    request = bots.admin_pb.WatchRequest(interval_us=250_000, max_events=500, **fields)
    answers, heard = bots.admin.Watch(request), threading.Event()

    def read():
        with contextlib.suppress(grpc.RpcError):
            for answer in answers:
                if answer.workers:
                    heard.set()
    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert heard.wait(30), "nothing came to the watcher"
        yield
    finally:
        answers.cancel()
        reader.join()


@contextlib.contextmanager
def top(bots):
    with tempfile.NamedTemporaryFile() as shown:
        process = subprocess.Popen([program("bursar"), "--addr", bots.address, "top", "--json"], stdout=shown)
        try:
            until(lambda: os.path.getsize(shown.name), "the first figures of top")
            yield
        finally:
            process.kill()
            process.wait()


def kinds(bots):
    """{who watches: what starts the watching}"""
    return {
        "nobody": nobody,
        "all": lambda: watch(bots),
        "one user": lambda: watch(bots, user="user-7"),
        "bursar top": lambda: top(bots),
    }
