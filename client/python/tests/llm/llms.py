"""For the tests with an LLM: an imitation of providers that streams and counts, a user at a limit, and the ledger."""
import importlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest

from accounts import bucket, per_day, unique
from conftest import ROOT, addresses
from harness.wait import until as become

from bursar import blocking
from bursar.v1 import admin_pb2

__all__ = ["OPENAI", "PRICED", "held", "ledger", "llm", "llm_process", "needs", "person", "waiting"]

PRICED = "gpt-4o"
OPENAI = {"input": 400, "cached_input": 600, "cache_write": 0, "output": 300, "reasoning": 200}


class Llm:
    """The imitation. `count()` is how many requests have reached it."""

    def __init__(self):
        self._process = subprocess.Popen([sys.executable, str(ROOT / "tests" / "clients" / "imitations" / "llm.py")], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE)
        self.url = json.loads(self._process.stdout.readline())["url"]
        self.openai = self.url + "/v1"

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/control" + path, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def set(self, **settings):
        self._ask("/set", settings)

    def reset(self):
        self._ask("/reset", {})

    def requests(self):
        return self._ask("/requests")["requests"]

    def count(self):
        return len(self.requests())

    def wait(self, count=1, ended="answered"):
        return self._ask(f"/wait?count={count}&ended={ended}")

    def stop(self):
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


@pytest.fixture(scope="session")
def llm_process():
    one = Llm()
    yield one
    one.stop()


@pytest.fixture
def llm(llm_process):
    llm_process.reset()
    return llm_process


@pytest.fixture
def waiting(fleet, errors):
    """The client for programs without asyncio."""
    with blocking.Bursar(addresses(fleet), on_error=errors) as client:
        yield client


@pytest.fixture
def person(fleet):
    """person(requests=None): a new user, who may make so many requests an hour, or any number."""
    admin = blocking.Bursar(addresses(fleet))
    each = [blocking.Bursar(address) for address in addresses(fleet)]

    def make(requests=None):
        name, user = unique("tier"), unique("user")
        limits = [per_day(10**9, "TOKENS"), *([bucket(requests)] if requests is not None else [])]
        admin.admin.put_tier(tier=admin_pb2.Tier(name=name, limits=limits))
        admin.admin.put_account(ref=admin_pb2.AccountRef(id=user), tier=name)
        for one in each:  # the others hear of it a little later
            become(lambda: one.status(user=user).tier == name, "every bursard knowing the account")  # noqa: B023
        return user

    yield make
    for one in (admin, *each):
        one.close()


@pytest.fixture
def ledger(fleet):
    """ledger(user, count=1): the records of the user when there are so many: flags, model and meters of each."""
    def read(user, count=1):
        deadline = time.monotonic() + 60
        while True:
            rows = fleet.database.query("SELECT flags & 65 AS flags, model, input, cached_input, cache_write, output, reasoning FROM ledger "
                                        f"WHERE user_id = '{user}' AND entry = 0 ORDER BY at")
            if len(rows) >= count:
                assert len(rows) == count, rows
                return [SimpleNamespace(estimated=bool(row[0] & 64), model=row[1], meters=dict(zip(OPENAI, row[2:], strict=True))) for row in rows]
            assert time.monotonic() < deadline, f"{len(rows)} of {count} records: {rows}"
            time.sleep(0.02)
    return read


@pytest.fixture
def held(fleet):
    """held(user): the open reservations of the user."""
    client = blocking.Bursar(addresses(fleet))
    yield lambda user: list(client.admin.list_reservations(user=user).reservations)
    client.close()


def needs(name):
    """A framework of tests/requirements/long. With BURSAR_LONG it must be there; else the test, or the file, is skipped without it."""
    return importlib.import_module(name) if os.environ.get("BURSAR_LONG") else pytest.importorskip(name)
