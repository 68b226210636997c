"""The wrapper of Anthropic's SDK, on the real package."""
import asyncio

import anthropic
import pydantic
import pytest

from conftest import until
from llms import *  # noqa: F403

from bursar import Denied
from bursar.llm import NotGuarded, with_bursar

MODEL = "claude-haiku-4-5"
METERS = {"input": 100, "cached_input": 600, "cache_write": 300, "output": 300, "reasoning": 0}
USAGE = {"input": 1000, "cached": 600, "write": 300, "output": 300, "reasoning": 0}
ASK = {"model": MODEL, "max_tokens": 800, "messages": [{"role": "user", "content": "Say hello."}]}


class Answer(pydantic.BaseModel):
    word: str


@pytest.fixture
def client(llm, waiting):
    llm.set(usage=USAGE)
    return lambda user, **options: with_bursar(anthropic.Anthropic(base_url=llm.url, api_key="x"), waiting, user=user, **options)


@pytest.fixture
def aclient(llm, bursar):
    llm.set(usage=USAGE)
    return lambda user, **options: with_bursar(anthropic.AsyncAnthropic(base_url=llm.url, api_key="x"), bursar, user=user, **options)


def read_stream(client):
    with client.messages.stream(**ASK) as stream:
        return stream.get_final_text()


async def aread_stream(client):
    async with client.messages.stream(**ASK) as stream:
        return await stream.get_final_text()


async def acreate_stream(client):
    return [event async for event in await client.messages.create(**ASK, stream=True)]


CALLS = {
    "create": lambda client: client.messages.create(**ASK),
    "create streamed": lambda client: list(client.messages.create(**ASK, stream=True)),
    "stream()": read_stream,
    "raw": lambda client: client.messages.with_raw_response.create(**ASK).parse(),
    "beta": lambda client: client.beta.messages.create(**ASK, betas=["x"]),
    "a copy": lambda client: client.with_options(timeout=20).messages.create(**ASK),
}
ACALLS = {
    "create": lambda client: client.messages.create(**ASK),
    "create streamed": acreate_stream,
    "stream()": aread_stream,
    "beta": lambda client: client.beta.messages.create(**ASK, betas=["x"]),
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


def test_a_stream_that_is_left_early_is_charged_for_its_input_and_what_was_seen_of_its_output(client, llm, person, ledger, held):
    llm.set(text="word " * 200, hold_after=100)
    user, words = person(), 0
    with client(user).messages.stream(**ASK) as stream:
        for _ in stream.text_stream:
            words += 1
            if words == 100:
                break
    (row,) = ledger(user)
    assert {name: row.meters[name] for name in ("input", "cached_input", "cache_write")} == {"input": 100, "cached_input": 600, "cache_write": 300}
    assert 90 <= row.meters["output"] <= 110 and not held(user)


async def test_an_asynchronous_stream_that_is_cancelled_is_charged(aclient, llm, person, ledger):
    llm.set(text="word " * 200, hold_after=50)
    user, seen = person(), []

    async def read():
        async with aclient(user).messages.stream(**ASK) as stream:
            async for text in stream.text_stream:
                seen.append(text)

    task = asyncio.create_task(read())
    await until(lambda: len(seen) == 50)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters["input"] == 100 and 45 <= row.meters["output"] <= 55


def test_an_answer_that_fails_its_schema_is_charged(client, person, ledger):
    user = person()
    with pytest.raises(pydantic.ValidationError):
        client(user).messages.parse(**ASK, output_format=Answer)
    (row,) = ledger(user)
    assert row.meters == METERS


def test_an_hours_wait_is_not_slept_inside_the_call(client, llm, person, held):
    llm.set(fail=[{"status": 429, "headers": {"retry-after": "3600"}}])
    user = person()
    with pytest.raises(anthropic.RateLimitError):
        client(user).messages.create(**ASK)
    assert llm.count() == 1 and not held(user)


@pytest.mark.parametrize("spend", [
    lambda client: client.messages.batches.create(requests=[]),
    lambda client: client.beta.agents.create(model=MODEL, name="x"),
])
def test_what_would_spend_money_unseen_is_refused(spend, client, llm, person):
    with pytest.raises(NotGuarded):
        spend(client(person()))
    assert llm.count() == 0
