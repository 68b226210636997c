"""pydantic-ai, on the real package: guarded as a model, and by the client of its provider."""
import asyncio

import openai
import pytest
from pydantic_ai import Agent
from pydantic_ai.models.fallback import FallbackModel
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

from llms import *  # noqa: F403
from llms import OPENAI, PRICED

from bursar import Denied
from bursar.llm import with_bursar
from bursar.llm.agents.pydantic_ai import guard

KINDS = {"chat": OpenAIChatModel, "responses": OpenAIResponsesModel}


@pytest.fixture
def model(llm):
    return lambda kind="chat": KINDS[kind](PRICED, provider=OpenAIProvider(openai_client=openai.AsyncOpenAI(base_url=llm.openai, api_key="x")))


def agent_of(model):
    agent = Agent(model, retries=3)

    @agent.tool_plain
    def look(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    return agent


async def streamed(agent):
    async with agent.run_stream("Weather?") as result:
        return [text async for text in result.stream_text(delta=True)]


RUNS = {"run": lambda agent: agent.run("Weather?"), "a stream": streamed}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("run", RUNS)
async def test_each_request_of_a_run_is_recorded_as_the_framework_told(run, kind, model, bursar, llm, person, ledger, held):
    llm.set(tool_rounds=1, arguments={"city": "Ulm"})
    user = person()
    assert await RUNS[run](agent_of(guard(model(kind), bursar, user=user)))
    rows = await asyncio.to_thread(ledger, user, 2)
    assert [row.meters for row in rows] == [OPENAI] * 2 and not rows[0].estimated and rows[0].model == PRICED
    assert llm.count() == 2 and not await asyncio.to_thread(held, user)


@pytest.mark.parametrize("run", RUNS)
async def test_a_denied_run_never_reaches_the_llm(run, model, bursar, llm, person):
    with pytest.raises(Denied):
        await RUNS[run](agent_of(guard(model(), bursar, user=person(requests=0))))
    assert llm.count() == 0


async def test_a_run_ends_at_the_request_that_is_denied(model, bursar, llm, person):
    llm.set(tool_rounds=5, arguments={"city": "Ulm"})
    with pytest.raises(Denied):
        await agent_of(guard(model(), bursar, user=person(requests=2))).run("Weather?")
    assert llm.count() == 2


async def test_a_denial_does_not_fall_back_to_another_model(model, bursar, llm, person):
    user = person(requests=0)
    with pytest.raises(Denied):
        await agent_of(FallbackModel(guard(model(), bursar, user=user), model("responses"))).run("Weather?")
    assert llm.count() == 0


async def test_the_wrapped_client_of_its_provider_guards_it_too(bursar, llm, person, ledger):
    client = with_bursar(openai.AsyncOpenAI(base_url=llm.openai, api_key="x"), bursar, user=(user := person(requests=1)))
    agent = agent_of(OpenAIChatModel(PRICED, provider=OpenAIProvider(openai_client=client)))
    assert await agent.run("Hello.")
    assert (await asyncio.to_thread(ledger, user))[0].meters == OPENAI
    with pytest.raises(Denied):
        await agent.run("Hello.")
    assert llm.count() == 1


async def test_a_stream_that_is_left_early_is_charged_as_estimated(model, bursar, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    async with agent_of(guard(model(), bursar, user=user)).run_stream("Hello.") as result:
        async for _ in result.stream_text(delta=True, debounce_by=None):
            break
        await result.cancel() if hasattr(result, "cancel") else None
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.estimated and not await asyncio.to_thread(held, user)


async def test_a_whole_run_can_be_one_request(model, bursar, llm, person, ledger):
    llm.set(tool_rounds=1, arguments={"city": "Ulm"})
    user = person(requests=1)
    async with bursar.run(user=user, model=PRICED) as job:
        result = await agent_of(model()).run("Weather?")
        job.usage(result.usage() if callable(result.usage) else result.usage, provider="pydantic-ai")
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters == {name: 2 * value for name, value in OPENAI.items()}
