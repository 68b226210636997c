"""The wrapper of Google's SDK, on the real package."""
import asyncio

import pytest
from google import genai
from google.genai import types

from conftest import until
from llms import *  # noqa: F403

from bursar import Denied
from bursar.llm import NotGuarded, with_bursar

MODEL = "gemini-2.5-flash"
METERS = {"input": 400, "cached_input": 600, "cache_write": 0, "output": 300, "reasoning": 200}
ASK = {"model": MODEL, "contents": "Say hello.", "config": types.GenerateContentConfig(max_output_tokens=800)}


def new(llm):
    return genai.Client(api_key="x", http_options=types.HttpOptions(base_url=llm.url))


@pytest.fixture
def client(llm, waiting):
    return lambda user, **options: with_bursar(new(llm), waiting, user=user, **options)


@pytest.fixture
def aclient(llm, bursar):
    return lambda user, **options: with_bursar(new(llm), bursar, user=user, **options)


# A genai.Client closes its connections when nobody holds it any longer, also while one of its parts is at work: the tests keep it.
async def astream(client):
    return [chunk async for chunk in await client.aio.models.generate_content_stream(**ASK)]


CALLS = {
    "generate_content": lambda client: client.models.generate_content(**ASK),
    "a stream": lambda client: list(client.models.generate_content_stream(**ASK)),
    "a chat": lambda client: client.chats.create(model=MODEL).send_message("Say hello."),
}
ACALLS = {
    "generate_content": lambda client: client.aio.models.generate_content(**ASK),
    "a stream": astream,
    "a chat": lambda client: client.aio.chats.create(model=MODEL).send_message("Say hello."),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_recorded_as_the_provider_told(call, client, llm, person, ledger, held):
    user = person()
    assert CALLS[call](client(user))
    (row,) = ledger(user)
    assert row.meters == METERS and not row.estimated
    assert llm.count() == 1 and not held(user)


@pytest.mark.parametrize("call", ACALLS)
async def test_an_asynchronous_call_is_recorded_as_the_provider_told(call, aclient, llm, person, ledger):
    user = person()
    assert await ACALLS[call](aclient(user))
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters == METERS and not row.estimated and llm.count() == 1


@pytest.mark.parametrize("call", CALLS)
def test_a_denied_call_never_reaches_the_llm(call, client, llm, person):
    with pytest.raises(Denied):
        CALLS[call](client(person(requests=0)))
    assert llm.count() == 0


@pytest.mark.parametrize("call", ACALLS)
async def test_a_denied_asynchronous_call_never_reaches_the_llm(call, aclient, llm, person):
    with pytest.raises(Denied):
        await ACALLS[call](aclient(person(requests=0)))
    assert llm.count() == 0


def look(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


def test_each_round_of_automatic_function_calling_is_a_request(client, llm, person, ledger):
    llm.set(tool_rounds=2, arguments={"city": "Ulm"})
    user = person()
    wrapped = client(user)
    wrapped.models.generate_content(model=MODEL, contents="Weather?", config=types.GenerateContentConfig(tools=[look]))
    assert [row.meters for row in ledger(user, 3)] == [METERS] * 3 and llm.count() == 3


def test_a_round_that_is_denied_ends_the_loop(client, llm, person, ledger):
    llm.set(tool_rounds=5, arguments={"city": "Ulm"})
    user = person(requests=2)
    wrapped = client(user)
    with pytest.raises(Denied):
        wrapped.models.generate_content(model=MODEL, contents="Weather?", config=types.GenerateContentConfig(tools=[look]))
    assert llm.count() == 2 and len(ledger(user, 2)) == 2


def test_a_stream_that_is_left_early_is_charged_as_estimated(client, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    wrapped = client(user)
    stream = wrapped.models.generate_content_stream(**ASK)
    assert next(stream).text == "Hello "
    stream.close()
    (row,) = ledger(user)
    assert row.estimated and not held(user)


async def test_an_asynchronous_stream_that_is_cancelled_is_charged_as_estimated(aclient, llm, person, ledger):
    llm.set(hold_after=2)
    user, seen = person(), []

    async def read():
        async for chunk in await aclient(user).aio.models.generate_content_stream(**ASK):
            seen.append(chunk)

    task = asyncio.create_task(read())
    await until(lambda: len(seen) == 2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.estimated


def test_a_failed_call_costs_nothing(client, llm, person, held):
    llm.set(fail=[{"status": 503, "body": {"error": {"code": 503, "message": "busy"}}}])
    user = person()
    wrapped = client(user)
    with pytest.raises(genai.errors.ServerError):
        wrapped.models.generate_content(**ASK)
    assert llm.count() == 1 and not held(user)


@pytest.mark.parametrize("spend", [
    lambda client: client.batches.create(model=MODEL, src="files/x"),
    lambda client: client._api_client.request("post", "models/veo-3:predictLongRunning", {"instances": []}),
    lambda client: client.caches.create(model=MODEL),
    lambda client: client.interactions.create(model=MODEL, input="hello"),
    lambda client: client.aio.live.connect(model=MODEL),
])
def test_what_would_spend_money_unseen_is_refused(spend, client, llm, person):
    wrapped = client(person())
    with pytest.raises(NotGuarded):
        spend(wrapped)
    assert llm.count() == 0


async def test_the_half_that_is_not_guarded_is_refused(client, aclient, llm, person):
    with pytest.raises(NotGuarded):
        await client(person()).aio.models.generate_content(**ASK)
    with pytest.raises(NotGuarded):
        aclient(person()).models.generate_content(**ASK)
    assert llm.count() == 0
