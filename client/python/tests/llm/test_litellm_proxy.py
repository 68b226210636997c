"""LiteLLM's proxy with the callback, as `litellm --config` starts it. Needs the packages of litellm's extra "proxy"; skipped without."""
import asyncio
import importlib.util
import json
import os
import subprocess
import sys

import httpx
import pytest
import pytest_asyncio

from conftest import addresses, until
from harness.ports import free_port
from llms import *  # noqa: F403
from llms import OPENAI, PRICED

pytestmark = pytest.mark.skipif(any(importlib.util.find_spec(name) is None for name in ("apscheduler", "backoff", "fastapi_sso", "semver")),
                                reason="the packages of litellm[proxy] are not installed")
HANDLER = "from bursar import Bursar\nfrom bursar.llm.litellm_proxy import BursarLogger\nhandler = BursarLogger(lambda: Bursar())\n"
KEY = "sk-a-key-that-is-used-in-this-test-only-5c1f"
ASK = {"model": "fast", "messages": [{"role": "user", "content": "Say hello."}]}


@pytest_asyncio.fixture
async def proxy(fleet, llm, tmp_path):
    """A client of the running proxy, which has two deployments of one model."""
    port = free_port()
    (tmp_path / "bursar_handler.py").write_text(HANDLER)
    deployment = {"model": f"openai/{PRICED}", "api_base": llm.openai, "api_key": "x"}
    config = {"model_list": [{"model_name": "fast", "litellm_params": deployment, "model_info": {"id": name}} for name in ("one", "two")],
              "litellm_settings": {"callbacks": ["bursar_handler.handler"]}, "general_settings": {"master_key": KEY}}
    (tmp_path / "config.yaml").write_text(json.dumps(config))
    env = {**os.environ, "BURSAR_ADDR": ",".join(addresses(fleet)), "LITELLM_LOCAL_MODEL_COST_MAP": "True",
           "CONFIG_FILE_PATH": str(tmp_path / "config.yaml"), "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = [sys.executable, "-m", "uvicorn", "litellm.proxy.proxy_server:app", "--port", str(port)]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(command, env=env, stdout=log, stderr=log, cwd=tmp_path)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=60,
                                 headers={"Authorization": f"Bearer {KEY}"}) as client:
        async def up():
            assert process.poll() is None, (tmp_path / "log").read_text()[-4000:]
            (answer,) = await asyncio.gather(client.get("/health/liveliness"), return_exceptions=True)
            return isinstance(answer, httpx.Response) and answer.status_code == 200
        await until(up, seconds=270)
        yield client
    process.terminate()
    await asyncio.to_thread(process.wait, 60)


async def test_a_denial_is_a_429_of_one_user_what_others_use_is_recorded_and_what_fails_costs_nothing(proxy, llm, person, ledger, held):
    denied, other = person(requests=0), person()
    for _ in range(3):
        answer = await proxy.post("/v1/chat/completions", json={**ASK, "user": denied})
        assert answer.status_code == 429 and answer.headers["x-should-retry"] == "false"
    assert llm.count() == 0
    for stream in (False, True):
        answer = await proxy.post("/v1/chat/completions", json={**ASK, "user": other, "stream": stream})
        assert answer.status_code == 200
    rows = await asyncio.to_thread(ledger, other, 2)
    assert rows[0].meters == OPENAI and llm.count() == 2 and not await asyncio.to_thread(held, other)
    llm.set(fail=[{"status": 400}] * 5)
    failing = person()
    assert (await proxy.post("/v1/chat/completions", json={**ASK, "user": failing})).status_code == 400
    await until(lambda: not held(failing))
