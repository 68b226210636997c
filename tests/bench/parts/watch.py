"""CPU of bursard and Redis a check while somebody watches, beside the same while nobody does."""
import contextlib
import os
import subprocess
import tempfile
import threading
import time

import grpc
from harness import program, until
from measuring.figures import column, interleave, ratio, spread, table
from measuring.processes import cpu_us


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


def run(bench):
    loads = {"": {"calls": bench.scaled(30_000), "in_flight": 100},
             " in CheckBatch of 500": {"calls": bench.scaled(300), "batch": 500, "in_flight": 4}}
    with bench.bursard(roles="serve,http") as (server, redis):
        bench.wide_tier(server)
        bots, pids = bench.bots(server), {"bursard": server.pid, "Redis": redis.pid}
        bench.load(server.grpc_addr, calls=5000)

        def side(watched):
            def measured(_):
                with watched():
                    return {how: cpu_us(pids, load["calls"] * load.get("batch", 1), lambda load=load: bench.load(server.grpc_addr, **load))
                            for how, load in loads.items()}
            return measured

        found = interleave(bench.rounds, {who: side(watched) for who, watched in kinds(bots).items()})
        bots.close()
    rows = []
    for how in loads:
        for who, rounds in found.items():
            own, floors = column(rounds, how), column(found["nobody"], how)
            for process in pids:
                used, floor = column(own, process), column(floors, process)
                rows.append((f"check{how}, watched by {who}: {process}", spread(used), "1" if who == "nobody" else ratio(used, floor)))
    table("Checks that are watched", "watch", rows, ("what", "µs a check", "**/ nobody**"))
