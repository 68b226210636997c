"""Google's ADK, on the real package. Skipped where it is not installed: run_python --long installs requirements/long/google_adk.txt."""
import asyncio
import os

import pytest

os.environ.setdefault("GOOGLE_API_KEY", "x")

from llms import *  # noqa: E402, F403
from llms import OPENAI, needs  # noqa: E402

needs("google.adk")

from google import genai  # noqa: E402
from google.adk.agents import Agent  # noqa: E402
from google.adk.agents.run_config import RunConfig, StreamingMode  # noqa: E402
from google.adk.models import Gemini  # noqa: E402
from google.adk.runners import InMemoryRunner  # noqa: E402
from google.genai import types  # noqa: E402

from bursar import Denied  # noqa: E402
from bursar.llm import NotGuarded  # noqa: E402
from bursar.llm.agents.google_adk import guard  # noqa: E402

MODEL = "gemini-2.5-flash"
STREAMING = {"whole": StreamingMode.NONE, "a stream": StreamingMode.SSE}


@pytest.fixture
def model(llm):
    """Gemini with the retries of its SDK, which come after the check."""
    retries = types.HttpRetryOptions(attempts=3, initial_delay=0.01)
    return Gemini(model=MODEL, client=genai.Client(api_key="x", http_options=types.HttpOptions(base_url=llm.url, retry_options=retries)))


def look(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


async def run(model, mode):
    """The text of a whole run."""
    runner = InMemoryRunner(agent=Agent(name="helper", model=model, tools=[look]), app_name="test")
    session = await runner.session_service.create_session(app_name="test", user_id="u")
    asked = types.Content(role="user", parts=[types.Part(text="Weather?")])
    texts = [part.text async for event in runner.run_async(user_id="u", session_id=session.id, new_message=asked, run_config=RunConfig(streaming_mode=mode))
             if event.content and not event.partial for part in event.content.parts or () if part.text]
    return "".join(texts)


@pytest.mark.parametrize("mode", STREAMING)
async def test_each_request_of_a_run_is_recorded_as_google_told(mode, model, bursar, llm, person, ledger, held):
    llm.set(tool_rounds=1, arguments={"city": "Ulm"}, fail=[{"status": 503}])
    user = person()
    assert await run(guard(model, bursar, user=user), STREAMING[mode])
    rows = await asyncio.to_thread(ledger, user, 2)
    assert [row.meters for row in rows] == [OPENAI] * 2 and not rows[0].estimated and rows[0].model == MODEL
    assert llm.count() == 3 and not await asyncio.to_thread(held, user)


@pytest.mark.parametrize("mode", STREAMING)
async def test_a_denial_ends_the_run_and_never_reaches_the_llm(mode, model, bursar, llm, person):
    with pytest.raises(Denied):
        await run(guard(model, bursar, user=person(requests=0)), STREAMING[mode])
    assert llm.count() == 0


async def test_a_denial_in_the_middle_ends_the_run(model, bursar, llm, person):
    llm.set(tool_rounds=9, arguments={"city": "Ulm"})
    with pytest.raises(Denied):
        await run(guard(model, bursar, user=person(requests=2)), StreamingMode.NONE)
    assert llm.count() == 2


async def test_a_request_that_fails_is_given_back(model, bursar, llm, person, held):
    llm.set(fail=[{"status": 400}])
    user = person()
    with pytest.raises(genai.errors.ClientError):
        await run(guard(model, bursar, user=user), StreamingMode.NONE)
    assert not await asyncio.to_thread(held, user)


async def test_a_name_is_a_model_and_a_live_connection_is_refused(bursar):
    model = guard(MODEL, bursar, user="ann")
    assert isinstance(model.wrapped, Gemini) and model.model == MODEL
    with pytest.raises(NotGuarded):
        model.connect(None)
