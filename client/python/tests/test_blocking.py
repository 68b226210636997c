"""The form for threads: the same client, which waits."""
import asyncio
import os
import subprocess
import sys
import threading

import pytest
from accounts import bucket, unique
from conftest import addresses

import bursar as package
from bursar import Denied
from bursar.blocking import Bursar
from bursar.v1 import admin_pb2


@pytest.fixture
def client(fleet, errors):
    with Bursar(addresses(fleet)[0], on_error=errors) as made:
        yield made


def user_with(client, *limits):
    name, user = unique("tier"), unique("threads")
    client.admin.put_tier(tier=admin_pb2.Tier(name=name, limits=limits))
    client.admin.put_account(ref=admin_pb2.AccountRef(id=user), tier=name)
    return user


def test_a_block_is_checked_and_recorded(client):
    user = user_with(client, bucket(1))
    with client.run(user=user, model="gpt-5") as job:
        job.usage({"prompt_tokens": 10, "completion_tokens": 1})
    assert job.recorded.tokens == 11
    with pytest.raises(Denied), client.run(user=user):
        raise AssertionError("the block must not run")
    with pytest.raises(ZeroDivisionError), client.run(user=user_with(client, bucket(1))):
        raise ZeroDivisionError


def test_every_call_has_its_blocking_form(client):
    user = user_with(client, bucket(5))
    check = client.check(user=user)
    assert client.record(check, usage={"input_tokens": 3}).tokens == 3
    client.cancel(client.check(user=user))
    assert client.status(user=user).limits[0].used == 1
    assert client.explain(user=user).check.allowed
    assert client.estimate_cost(model="gpt-5", usage={"input_tokens": 1}).cost_nano_usd > 0
    assert client.limiter.get_status(user=user).accounts[0].id == user
    assert [stats.running for _, stats in zip(range(1), client.admin.watch_pool())] == [0]
    asynchronous = {name for name in dir(package.Bursar) if not name.startswith("_")}
    assert asynchronous <= {name for name in dir(client) if not name.startswith("_")}


def test_threads_share_a_client_and_are_gathered(client):
    user, results = user_with(client, bucket(20)), []
    barrier = threading.Barrier(30)

    def ask():
        barrier.wait()
        results.append(client.check(user=user).allowed)

    threads = [threading.Thread(target=ask) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [False] * 10 + [True] * 20


def test_a_slot_is_held_while_the_block_runs(client):
    user, pool = user_with(client, bucket(9)), unique("pool")
    client.admin.put_pool(ref=admin_pb2.PoolRef(name=pool), slots=1)
    queued = threading.Event()

    def second():
        with client.pool(pool).slot(user=unique("threads"), on_queued=lambda event: queued.set()):
            pass

    with client.pool(pool).slot(user=user) as slot:
        waiting = threading.Thread(target=second)
        waiting.start()
        assert queued.wait(30)
        slot.usage(usage={"input_tokens": 2})
    waiting.join()
    assert slot.recorded.released
    with client.pool(pool).acquire(user=user) as events:
        assert [event.type for _, event in zip(range(1), events)] == ["granted"]
        assert client.admin.get_pool_stats(ref=admin_pb2.PoolRef(name=pool)).running == 1


def test_a_callback_that_waits_for_its_own_client_is_an_error_and_no_deadlock(fleet):
    told, heard = [], threading.Event()

    def on_error(error):
        told.append(error.code)
        heard.set()

    with Bursar(addresses(fleet)[0], on_error=on_error) as client:
        pool = unique("pool")
        client.admin.put_pool(ref=admin_pb2.PoolRef(name=pool), slots=1)

        def second():
            with client.pool(pool).slot(user="ann", on_queued=lambda event: client.check(user="ann")):
                pass

        with client.pool(pool).slot(user="other"):
            waiting = threading.Thread(target=second)
            waiting.start()
            assert heard.wait(30)
        waiting.join()
    assert told[0] == "FAILED_PRECONDITION"


def test_it_works_beside_a_running_loop(client):
    async def app():
        return await asyncio.to_thread(client.check, user="threads-loop")

    assert asyncio.run(app()).allowed


FORKED = """
import os, sys
from bursar.blocking import Bursar
from bursar import BursarError

client = Bursar(sys.argv[1])
if sys.argv[2] == "after":
    client.check(user="parent")
pid = os.fork()
if pid == 0:
    try:
        print("child", client.check(user="child").allowed, flush=True)
        client.close()
    except BursarError as error:
        print("child", error.code, flush=True)
    os._exit(0)
os.waitpid(pid, 0)
print("parent", client.check(user="parent").allowed, flush=True)
client.close()
"""


@pytest.mark.parametrize("when, said", [("before", ["child True", "parent True"]), ("after", ["child FAILED_PRECONDITION", "parent True"])])
def test_a_fork_before_the_first_call_is_fine_and_one_after_it_is_told(fleet, when, said):
    done = subprocess.run([sys.executable, "-c", FORKED, addresses(fleet)[0], when], capture_output=True, text=True, timeout=60, env=os.environ,
                          check=False)
    assert done.stdout.splitlines() == said, done.stderr


def test_an_interrupt_ends_a_call_that_waits(fleet):
    code = """
import os, signal, threading
from bursar.blocking import Bursar
client = Bursar("127.0.0.1:1", timeout_ms=600_000)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    client.check(user="ann")
except KeyboardInterrupt:
    print("interrupted")
client.close()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "interrupted\n", done.stderr
