"""Frameworks that the wrappers of what they are built on cover: dspy and smolagents over LiteLLM, smolagents and llama-index over OpenAI's
SDK. Each is skipped where it is not installed: run_python --long installs requirements/long/others.txt."""
import os
import time

import openai
import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else LiteLLM asks the internet for prices when it is imported

from llms import *  # noqa: E402, F403
from llms import OPENAI, PRICED, needs  # noqa: E402

from bursar import Denied  # noqa: E402
from bursar.llm import with_bursar  # noqa: E402


@pytest.fixture
def litellm(waiting):
    """litellm(user): the module, guarded for the test."""
    module = needs("litellm")
    before = dict(vars(module))
    yield lambda user: with_bursar(module, waiting, user=user)
    for name, value in vars(module).copy().items():
        if name not in before:
            delattr(module, name)
        elif value is not before[name]:
            setattr(module, name, before[name])


@pytest.fixture
def client(llm, waiting):
    return lambda user: with_bursar(openai.OpenAI(base_url=llm.openai, api_key="x"), waiting, user=user)


def test_dspy_neither_sends_nor_sleeps_on_a_denial_and_its_use_is_recorded(litellm, llm, person, ledger):
    dspy = needs("dspy")
    lm = dspy.LM(f"openai/{PRICED}", api_base=llm.openai, api_key="x", cache=False, engine="litellm")  # "auto" sends by a client of its own
    litellm(user := person(requests=1))
    assert lm("Say hello.")
    assert ledger(user)[0].meters == OPENAI
    begun = time.monotonic()
    with pytest.raises(dspy.utils.exceptions.LMUnexpectedError) as wrapped:
        lm("Say hello.")
    assert isinstance(wrapped.value.__cause__, Denied) and llm.count() == 1 and time.monotonic() - begun < 60


def test_smolagents_over_litellm_is_guarded_with_the_module(litellm, llm, person, ledger):
    smolagents = needs("smolagents")
    litellm(user := person(requests=1))
    model = smolagents.LiteLLMModel(f"openai/{PRICED}", api_base=llm.openai, api_key="x")
    ask = [smolagents.ChatMessage(role="user", content=[{"type": "text", "text": "Say hello."}])]
    assert model.generate(ask).content
    assert ledger(user)[0].meters == OPENAI
    with pytest.raises(Denied):
        model.generate(ask)
    assert llm.count() == 1


def test_smolagents_over_openai_is_guarded_by_its_client_and_does_not_sleep_on_a_denial(client, llm, person, ledger):
    smolagents = needs("smolagents")
    model = smolagents.OpenAIServerModel(PRICED, api_base=llm.openai, api_key="x")
    model.client = client(user := person(requests=1))
    ask = [smolagents.ChatMessage(role="user", content=[{"type": "text", "text": "Say hello."}])]
    assert model.generate(ask).content
    assert ledger(user)[0].meters == OPENAI
    begun = time.monotonic()
    with pytest.raises(Denied):
        model.generate(ask)
    assert llm.count() == 1 and time.monotonic() - begun < 60


def test_llama_index_is_guarded_by_its_client(client, llm, person, ledger):
    llms = needs("llama_index.llms.openai")
    model = llms.OpenAI(model=PRICED, api_base=llm.openai, api_key="x", openai_client=client(user := person(requests=2)), max_retries=3)
    assert model.complete("Say hello.").text
    assert [chunk.delta for chunk in model.stream_complete("Say hello.")]
    assert [row.meters for row in ledger(user, 2)] == [OPENAI] * 2
    with pytest.raises(Denied):
        model.complete("Say hello.")
    assert llm.count() == 2
