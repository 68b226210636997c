"""openai-agents, on the real package."""
import asyncio

import openai
import pytest
from agents import Agent, OpenAIProvider, RunConfig, Runner, function_tool
from agents.retry import ModelRetrySettings, retry_policies
from agents import ModelSettings

from llms import *  # noqa: F403
from llms import OPENAI, PRICED

from bursar import Denied
from bursar.llm.agents.openai_agents import guard

KINDS = {"responses": True, "chat": False}


@function_tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


@pytest.fixture
def config(llm):
    """config(bursar, user, kind): a RunConfig whose provider is guarded."""
    def make(bursar, user, kind="responses"):
        own = OpenAIProvider(openai_client=openai.AsyncOpenAI(base_url=llm.openai, api_key="x"), use_responses=KINDS[kind])
        return RunConfig(model_provider=guard(bursar, own, user=user), tracing_disabled=True)
    return make


def agent(**settings):
    return Agent(name="a", model=PRICED, tools=[look], **settings)


async def run(config, **settings):
    return await Runner.run(agent(**settings), "Weather?", run_config=config)


async def streamed(config, **settings):
    result = Runner.run_streamed(agent(**settings), "Weather?", run_config=config)
    return [event async for event in result.stream_events()]


RUNS = {"run": run, "a stream": streamed}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", RUNS)
async def test_each_request_of_a_run_is_recorded(way, kind, config, bursar, llm, person, ledger, held):
    llm.set(tool_rounds=1, arguments={"city": "Ulm"})
    user = person()
    assert await RUNS[way](config(bursar, user, kind))
    rows = await asyncio.to_thread(ledger, user, 2)
    assert [row.meters for row in rows] == [OPENAI] * 2 and not rows[0].estimated
    assert llm.count() == 2 and not await asyncio.to_thread(held, user)


@pytest.mark.parametrize("way", RUNS)
async def test_a_denied_run_never_reaches_the_llm(way, config, bursar, llm, person):
    with pytest.raises(Denied):
        await RUNS[way](config(bursar, person(requests=0)))
    assert llm.count() == 0


async def test_a_policy_that_repeats_any_error_does_not_reach_the_llm_either(config, bursar, llm, person):
    settings = ModelSettings(retry=ModelRetrySettings(max_retries=3, policy=retry_policies.network_error()))
    with pytest.raises(Denied):
        await run(config(bursar, person(requests=0)), model_settings=settings)
    assert llm.count() == 0


async def test_a_run_ends_at_the_request_that_is_denied(config, bursar, llm, person):
    llm.set(tool_rounds=5, arguments={"city": "Ulm"})
    with pytest.raises(Denied):
        await run(config(bursar, person(requests=2)))
    assert llm.count() == 2


async def test_a_stream_that_is_left_early_is_charged_as_estimated(config, bursar, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    result = Runner.run_streamed(agent(), "Hello.", run_config=config(bursar, user))
    async for event in result.stream_events():
        if getattr(getattr(event, "data", None), "type", "") == "response.output_text.delta":
            result.cancel()
            break
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.estimated and not await asyncio.to_thread(held, user)


async def test_a_whole_run_can_be_one_request(llm, bursar, person, ledger):
    llm.set(tool_rounds=1, arguments={"city": "Ulm"})
    user = person(requests=1)
    own = OpenAIProvider(openai_client=openai.AsyncOpenAI(base_url=llm.openai, api_key="x"))
    async with bursar.run(user=user, model=PRICED) as job:
        result = await run(RunConfig(model_provider=own, tracing_disabled=True))
        job.usage(result.context_wrapper.usage, provider="openai-agents")
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters == {name: 2 * value for name, value in OPENAI.items()}
