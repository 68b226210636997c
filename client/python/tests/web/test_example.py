"""examples/fastapi_chat.py as its author starts it."""
import asyncio
import json
import os
import subprocess
import sys

import httpx
import pytest_asyncio

from accounts import held, in_pool, per_day, pool, user_with
from conftest import ROOT, addresses, until
from harness.ports import free_port

ASK = {"text": "Tell me something."}


@pytest_asyncio.fixture
async def chat(fleet, bursar, tmp_path):
    """chat(words_a_second): a client of the running example, and its pool of one slot."""
    running = []

    async def start(words_a_second):
        own, port = await pool(bursar), free_port()
        env = {**os.environ, "BURSAR_ADDR": ",".join(addresses(fleet)), "PORT": str(port), "POOL": own.name,
               "WORDS_A_SECOND": str(words_a_second)}
        with open(tmp_path / "log", "wb") as log:
            process = subprocess.Popen([sys.executable, ROOT / "client" / "python" / "examples" / "fastapi_chat.py"], env=env, stdout=log,
                                       stderr=log)
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60)
        running.append((process, client))

        async def up():
            assert process.poll() is None, (tmp_path / "log").read_text()
            with_answer = await asyncio.gather(client.get("/docs"), return_exceptions=True)
            return isinstance(with_answer[0], httpx.Response)

        await until(up, seconds=120)
        return client, own

    yield start
    for process, client in running:
        await client.aclose()
        process.terminate()
        await asyncio.to_thread(process.wait, 60)


async def events(answer):
    assert answer.status_code == 200
    async for line in answer.aiter_lines():
        if line.startswith("data: "):
            yield json.loads(line.removeprefix("data: "))


async def ask(client, user):
    async with client.stream("POST", "/chat", json=ASK, headers={"x-user": user}) as answer:
        return [event async for event in events(answer)]


async def test_it_checks_queues_runs_records_and_warns(bursar, chat):
    client, own = await chat(words_a_second=1000)
    user = await user_with(bursar, per_day(2))
    first, second = await ask(client, user), await ask(client, user)
    assert "".join(event.get("text", "") for event in first).strip() == "You said: Tell me something. And I have nothing to add."
    assert float(first[-1]["cost_usd"]) > 0
    assert any("100% of your requests for this day" in event.get("warning", "") for event in second)
    denied = await client.post("/chat", json=ASK, headers={"x-user": user})
    assert denied.status_code == 429 and denied.json()["error"]["code"] == "quota" and int(denied.headers["retry-after"]) > 0
    assert not await held(bursar, user) and await in_pool(bursar, own) == (0, 0)


async def test_a_second_request_waits_for_the_slot_and_one_whose_client_leaves_gives_it_back(bursar, chat):
    client, own = await chat(words_a_second=0.5)
    first, second = await user_with(bursar, per_day(100)), await user_with(bursar, per_day(100), per_day(10**9, "TOKENS"))
    async with client.stream("POST", "/chat", json=ASK, headers={"x-user": first}) as running:
        told = events(running)
        assert "text" in await anext(told)
        async with client.stream("POST", "/chat", json=ASK, headers={"x-user": second}) as waiting:
            seen = events(waiting)
            assert (await anext(seen))["position"] == 1
            await running.aclose()
            while "text" not in (event := await anext(seen)):
                assert "position" in event
    await until(lambda: _given_back(bursar, own, first, second))
    tokens = {limit.dimension: limit.used for limit in (await bursar.status(user=second)).limits}["tokens"]
    assert 0 < tokens < 100


async def _given_back(bursar, own, *users):
    return await in_pool(bursar, own) == (0, 0) and not any([await held(bursar, user) for user in users])
