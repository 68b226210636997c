"""CrewAI, on the real package. Skipped where it is not installed: run_python --long installs requirements/long/crewai.txt."""
import asyncio
import os
import tempfile

import pytest

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "CREWAI_TRACING_ENABLED": "false", "CREWAI_STORAGE_DIR": tempfile.mkdtemp()}

from llms import *  # noqa: E402, F403
from llms import OPENAI, PRICED, needs  # noqa: E402

needs("crewai")

from crewai import LLM, Agent, Crew, Task  # noqa: E402
from crewai.tools import tool  # noqa: E402

import bursar as package  # noqa: E402
from bursar.llm.agents.crewai import Denied, guard  # noqa: E402


@pytest.fixture
def model(llm):
    return lambda **options: LLM(model=PRICED, base_url=llm.openai, api_key="x", **options)


def crew_of(model):
    @tool("look")
    def look(city: str) -> str:
        """The weather of a city."""
        return f"sunny in {city}"

    agent = Agent(role="helper", goal="Help.", backstory="You help.", llm=model, tools=[look], max_retry_limit=2)
    return Crew(agents=[agent], tasks=[Task(description="Weather?", expected_output="The weather.", agent=agent)])


STREAMS = {"whole": False, "a stream": True}


@pytest.mark.parametrize("stream", STREAMS)
def test_each_request_of_a_crew_is_recorded_as_the_framework_told(stream, model, waiting, llm, person, ledger, held):
    llm.set(tool_rounds=1, arguments={"city": "Ulm"})
    user = person()
    assert crew_of(guard(model(stream=STREAMS[stream]), waiting, user=user)).kickoff().raw
    rows = ledger(user, 2)
    assert [row.meters for row in rows] == [OPENAI] * 2 and not rows[0].estimated and rows[0].model == PRICED
    assert llm.count() == 2 and not held(user)


async def test_a_crew_that_is_awaited_is_guarded_and_so_is_a_call_that_is(model, waiting, llm, person, ledger):
    user = person(requests=2)
    guarded = guard(model(), waiting, user=user)
    assert (await crew_of(guarded).akickoff()).raw and await guarded.acall("Say hello.")
    assert [row.meters for row in await asyncio.to_thread(ledger, user, 2)] == [OPENAI] * 2
    for ask in (crew_of(guarded).akickoff, lambda: guarded.acall("Say hello.")):
        with pytest.raises(Denied):
            await ask()
    assert llm.count() == 2


def test_a_denial_is_asked_for_once_and_ends_the_crew(model, waiting, llm, person):
    asked = []
    user = person(requests=0)
    crew = crew_of(guard(model(), waiting, user=lambda: asked.append(user) or user))
    with pytest.raises(package.Denied) as denied:
        crew.kickoff()
    assert denied.value.check.reason == "request_rate" and asked == [user] and llm.count() == 0


def test_a_denial_in_the_middle_ends_the_crew(model, waiting, llm, person):
    llm.set(tool_rounds=9, arguments={"city": "Ulm"})
    with pytest.raises(Denied):
        crew_of(guard(model(), waiting, user=person(requests=2))).kickoff()
    assert llm.count() == 2


def test_a_request_that_fails_is_given_back(model, waiting, llm, person, held):
    llm.set(fail=[{"status": 400}])
    user = person()
    with pytest.raises(Exception, match="told to fail"):
        guard(model(), waiting, user=user).call("Say hello.")
    assert not held(user)
