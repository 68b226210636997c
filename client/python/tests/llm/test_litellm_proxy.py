"""LiteLLM's proxy with the callback, as `litellm --config` starts it. Skipped where the packages of litellm's extra "proxy" are not
installed: run_python --long installs requirements/long/litellm_proxy.txt."""
import asyncio
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import httpx
import pytest
import pytest_asyncio

from conftest import addresses, until
from harness.ports import free_port
from harness.wait import until as become
from llms import *  # noqa: F403
from llms import OPENAI, PRICED, needs

for name in ("apscheduler", "backoff", "fastapi_sso", "semver"):
    needs(name)

# What LiteLLM's list says of OPENAI's tokens: 400, 600 from the cache and 500 at 2.5, 1.25 and 10 USD a million.
COST_NANO = 6_750_000
HANDLER = "from bursar import Bursar\nfrom bursar.llm.litellm_proxy import BursarLogger\nhandler = BursarLogger(lambda: Bursar())\n"
KEY = "sk-a-key-that-is-used-in-this-test-only-5c1f"
ASK = {"model": "fast", "messages": [{"role": "user", "content": "Say hello."}]}


@pytest.fixture(scope="module")
def proxy_url(fleet, llm_process, tmp_path_factory):
    """A running proxy, which has two deployments of one model."""
    port, folder = free_port(), tmp_path_factory.mktemp("proxy")
    (folder / "bursar_handler.py").write_text(HANDLER)
    deployment = {"model": f"openai/{PRICED}", "api_base": llm_process.openai, "api_key": "x"}
    config = {"model_list": [{"model_name": "fast", "litellm_params": deployment, "model_info": {"id": name}} for name in ("one", "two")],
              "litellm_settings": {"callbacks": ["bursar_handler.handler"]}, "router_settings": {"num_retries": 2},
              "general_settings": {"master_key": KEY}}
    (folder / "config.yaml").write_text(json.dumps(config))
    env = {**os.environ, "BURSAR_ADDR": ",".join(addresses(fleet)), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
           "CONFIG_FILE_PATH": str(folder / "config.yaml"), "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])}
    command = [sys.executable, "-m", "uvicorn", "litellm.proxy.proxy_server:app", "--port", str(port)]
    with open(folder / "log", "wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=folder)

    url = f"http://127.0.0.1:{port}"
    alive = SimpleNamespace(name="the proxy", popen=process, running=lambda: process.poll() is None, log=(folder / "log").read_text)
    become(lambda: httpx.get(f"{url}/health/liveliness", timeout=10).status_code == 200, "the proxy answering", 270, alive)
    yield url
    process.terminate()
    process.wait(60)


@pytest_asyncio.fixture
async def proxy(proxy_url, llm):
    async with httpx.AsyncClient(base_url=proxy_url, timeout=60, headers={"Authorization": f"Bearer {KEY}"}) as client:
        yield client


async def test_a_denial_is_a_429_of_one_user_what_others_use_is_recorded_and_what_fails_costs_nothing(proxy, fleet, llm, person, ledger, held):
    denied, other = person(requests=0), person()
    for _ in range(3):
        answer = await proxy.post("/v1/chat/completions", json={**ASK, "user": denied})
        assert answer.status_code == 429 and answer.headers["x-should-retry"] == "false"
    assert llm.count() == 0
    for stream in (False, True):
        answer = await proxy.post("/v1/chat/completions", json={**ASK, "user": other, "stream": stream})
        assert answer.status_code == 200
    rows = await asyncio.to_thread(ledger, other, 2)
    assert [row.meters for row in rows] == [OPENAI] * 2 and llm.count() == 2 and not await asyncio.to_thread(held, other)
    costs = await asyncio.to_thread(fleet.database.query, f"SELECT provider_cost_nano FROM ledger WHERE user_id = '{other}'")
    assert [cost for (cost,) in costs] == [COST_NANO] * 2
    llm.set(fail=[{"status": 500}])
    retried = person(requests=1)
    assert (await proxy.post("/v1/chat/completions", json={**ASK, "user": retried})).status_code == 200
    assert len(await asyncio.to_thread(ledger, retried)) == 1 and llm.count() == 4
    llm.set(fail=[{"status": 400}] * 5)
    failing = person()
    assert (await proxy.post("/v1/chat/completions", json={**ASK, "user": failing})).status_code == 400
    await until(lambda: not held(failing))


async def test_a_stream_that_its_client_leaves_is_recorded(proxy, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    async with proxy.stream("POST", "/v1/chat/completions", json={**ASK, "user": user, "stream": True}) as answer:
        await anext(answer.aiter_bytes())
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters["output"] > 0
    await until(lambda: not held(user))
