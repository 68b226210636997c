"""The wrapper of OpenAI's SDK, on the real package: no request of a denied user reaches the LLM, and what it tells is recorded as it came."""
import asyncio
import gc

import openai
import pydantic
import pytest

from conftest import addresses, until
from llms import *  # noqa: F403
from llms import OPENAI, PRICED

from bursar import Bursar, Denied
from bursar.llm import NotGuarded, using, with_bursar

MESSAGES = [{"role": "user", "content": "Say hello."}]
CHAT = {"model": PRICED, "messages": MESSAGES, "max_completion_tokens": 800}
RESPONSE = {"model": PRICED, "input": "Say hello.", "max_output_tokens": 800}


class Answer(pydantic.BaseModel):
    word: str


@pytest.fixture
def client(llm, waiting):
    """client(user, **options): a wrapped OpenAI()."""
    return lambda user=None, **options: with_bursar(openai.OpenAI(base_url=llm.openai, api_key="x"), waiting, user=user, **options)


@pytest.fixture
def aclient(llm, bursar):
    return lambda user=None, **options: with_bursar(openai.AsyncOpenAI(base_url=llm.openai, api_key="x"), bursar, user=user, **options)


def read_stream(of):
    with of as stream:
        return list(stream)


async def aread_stream(of):
    async with of as stream:
        return [event async for event in stream]


def raw_stream(client):
    with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        return response.parse()


CALLS = {
    "chat": lambda client: client.chat.completions.create(**CHAT),
    "chat streamed": lambda client: list(client.chat.completions.create(**CHAT, stream=True)),
    "chat stream()": lambda client: read_stream(client.chat.completions.stream(**CHAT)),
    "chat raw": lambda client: client.chat.completions.with_raw_response.create(**CHAT).parse(),
    "chat raw streamed": lambda client: list(client.chat.completions.with_raw_response.create(**CHAT, stream=True).parse()),
    "chat with_streaming_response": raw_stream,
    "responses": lambda client: client.responses.create(**RESPONSE),
    "responses streamed": lambda client: list(client.responses.create(**RESPONSE, stream=True)),
    "responses stream()": lambda client: read_stream(client.responses.stream(**RESPONSE)),
    "a copy": lambda client: client.with_options(timeout=20).chat.completions.create(**CHAT),
    "post()": lambda client: client.post("/chat/completions", body=CHAT, cast_to=openai.types.chat.ChatCompletion),
}


async def all_of(stream):
    return [event async for event in await stream]


async def araw_stream(client):
    async with client.chat.completions.with_streaming_response.create(**CHAT) as response:
        return await response.parse()


ACALLS = {
    "chat": lambda client: client.chat.completions.create(**CHAT),
    "chat streamed": lambda client: all_of(client.chat.completions.create(**CHAT, stream=True)),
    "chat stream()": lambda client: aread_stream(client.chat.completions.stream(**CHAT)),
    "chat with_streaming_response": araw_stream,
    "responses": lambda client: client.responses.create(**RESPONSE),
    "responses streamed": lambda client: all_of(client.responses.create(**RESPONSE, stream=True)),
    "responses stream()": lambda client: aread_stream(client.responses.stream(**RESPONSE)),
    "a copy": lambda client: client.copy(timeout=20).chat.completions.create(**CHAT),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_call_is_recorded_as_the_provider_told(call, client, llm, person, ledger, held):
    user = person()
    assert CALLS[call](client(user))
    (row,) = ledger(user)
    assert row.meters == OPENAI and row.model == PRICED and not row.estimated
    assert llm.count() == 1 and not held(user)


@pytest.mark.parametrize("call", ACALLS)
async def test_an_asynchronous_call_is_recorded_as_the_provider_told(call, aclient, llm, person, ledger, held):
    user = person()
    assert await ACALLS[call](aclient(user))
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters == OPENAI and row.model == PRICED and not row.estimated
    assert llm.count() == 1 and not await asyncio.to_thread(held, user)


@pytest.mark.parametrize("call", CALLS)
def test_a_denied_call_never_reaches_the_llm(call, client, llm, person):
    with pytest.raises(Denied) as denied:
        CALLS[call](client(person(requests=0)))
    assert llm.count() == 0
    assert isinstance(denied.value, RuntimeError) and denied.value.check.reason == "request_rate"
    assert not any(word in str(denied.value).lower() for word in ("429", "rate limit", "rate_limit", "too many requests"))


@pytest.mark.parametrize("call", CALLS)
def test_azures_client_is_guarded_too(call, llm, waiting, person, ledger, held):
    azure = with_bursar(openai.AzureOpenAI(azure_endpoint=llm.url, api_key="x", api_version="2024-10-21"), waiting, user=(user := person(requests=1)))
    CALLS[call](azure)
    (row,) = ledger(user)
    assert row.meters == OPENAI and row.model == PRICED and not row.estimated
    with pytest.raises(Denied):
        CALLS[call](azure)
    assert [request["path"].startswith("/openai/") for request in llm.requests()] == [True] and not held(user)


@pytest.mark.parametrize("call", ACALLS)
async def test_a_denied_asynchronous_call_never_reaches_the_llm(call, aclient, llm, person):
    with pytest.raises(Denied):
        await ACALLS[call](aclient(person(requests=0)))
    assert llm.count() == 0


def test_the_chunk_with_the_usage_is_kept_from_an_app_that_did_not_ask(client, person, llm):
    wrapped = client(person())
    assert all(chunk.choices for chunk in wrapped.chat.completions.create(**CHAT, stream=True))
    asked = list(wrapped.chat.completions.create(**CHAT, stream=True, stream_options={"include_usage": True}))
    assert not asked[-1].choices and asked[-1].usage.total_tokens == 1500
    assert llm.requests()[0]["body"]["stream_options"] == {"include_usage": True}


@pytest.mark.parametrize("leave", [lambda stream: stream.close(), lambda stream: stream.__exit__(None, None, None), lambda stream: None])
def test_a_stream_that_is_left_early_is_charged_as_estimated(leave, client, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    stream = client(user).chat.completions.create(**CHAT, stream=True)
    assert [next(stream).choices[0].delta.content for _ in range(3)] == ["", "Hello ", "there, "]
    leave(stream)
    del stream
    gc.collect()  # the SDK's streams refer to themselves: one that is only dropped lives until Python looks for such
    (row,) = ledger(user)
    assert row.estimated and not held(user)
    llm.wait(ended="aborted")


async def test_an_asynchronous_stream_that_is_cancelled_is_charged_as_estimated(aclient, llm, person, ledger, held):
    llm.set(hold_after=2)
    user, seen = person(), []

    async def read():
        async for chunk in await aclient(user).chat.completions.create(**CHAT, stream=True):
            seen.append(chunk)

    task = asyncio.create_task(read())
    await until(lambda: len(seen) == 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.estimated and not await asyncio.to_thread(held, user)


def test_a_stream_helper_that_is_left_early_is_charged_as_estimated(client, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    with client(user).chat.completions.stream(**CHAT) as stream:
        next(iter(stream))
    (row,) = ledger(user)
    assert row.estimated and not held(user)


def test_a_stream_that_breaks_off_is_charged_as_estimated(client, llm, person, ledger):
    llm.set(fail=[{"after": 2}])
    user = person()
    with pytest.raises((openai.APIError, Exception), match="peer closed|Connection|incomplete"):
        list(client(user).chat.completions.create(**CHAT, stream=True))
    (row,) = ledger(user)
    assert row.estimated


def test_an_answer_that_fails_its_schema_is_charged(client, person, ledger):
    user = person()
    with pytest.raises(pydantic.ValidationError):
        client(user).chat.completions.parse(**CHAT, response_format=Answer)
    (row,) = ledger(user)
    assert row.meters == OPENAI


def test_a_failed_call_costs_nothing_and_is_not_repeated_by_the_sdk(client, llm, person, held, waiting):
    llm.set(fail=[{"status": 429, "headers": {"retry-after": "3600"}}])
    user = person(requests=5)
    with pytest.raises(openai.RateLimitError):
        client(user).chat.completions.create(**CHAT)
    assert llm.count() == 1 and not held(user)
    assert waiting.status(user=user).limits[0].used == 0


def test_the_apps_own_number_of_retries_can_be_kept_and_counts_one_request(client, llm, person, ledger, waiting):
    llm.set(fail=[{"status": 500, "headers": {"retry-after-ms": "1"}}])
    user = person(requests=5)
    client(user, max_retries=2).chat.completions.create(**CHAT)
    assert llm.count() == 2 and len(ledger(user)) == 1
    assert {limit.dimension: limit.used for limit in waiting.status(user=user).limits}["requests"] == 1


def test_embeddings_are_recorded(client, person, ledger):
    user = person()
    client(user).embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    (row,) = ledger(user)
    assert row.meters["input"] == 1000 and row.meters["output"] == 0


@pytest.mark.parametrize("spend", [
    lambda client: client.batches.create(input_file_id="f", endpoint="/v1/responses", completion_window="24h"),
    lambda client: client.fine_tuning.jobs.create(model="m", training_file="f"),
    lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="hello"),
    lambda client: client.realtime.connect(model="gpt-realtime"),
    lambda client: client.beta.realtime.connect(model="gpt-realtime"),
    lambda client: client.responses.connect(),
    lambda client: client.with_options(timeout=3).realtime.connect(model="gpt-realtime"),
])
def test_what_would_spend_money_unseen_is_refused(spend, client, llm, person):
    with pytest.raises(NotGuarded):
        spend(client(person()))
    assert llm.count() == 0


def test_what_is_free_or_allowed_passes(client, llm, person):
    with pytest.raises(openai.NotFoundError):
        client(person(requests=0)).models.list()
    wrapped = client(person(requests=0), allow=["/batches"])
    with pytest.raises(openai.NotFoundError):
        wrapped.batches.create(input_file_id="f", endpoint="/v1/responses", completion_window="24h")


def test_the_user_and_further_fields_come_from_a_function_or_from_using(client, person, ledger):
    first, second = person(), person()
    wrapped = client(lambda: first)
    wrapped.chat.completions.create(**CHAT)
    with using(user=second, request_id="job-7"):
        wrapped.chat.completions.create(**CHAT)
    assert len(ledger(first)) == len(ledger(second)) == 1
    with pytest.raises(ValueError, match="no user"):
        client().chat.completions.create(**CHAT)


async def test_a_client_needs_the_bursar_of_its_kind_and_is_wrapped_once(llm, waiting, bursar):
    with pytest.raises(TypeError, match="blocking.Bursar"):
        with_bursar(openai.OpenAI(api_key="x"), bursar)
    with pytest.raises(TypeError, match="bursar.Bursar"):
        with_bursar(openai.AsyncOpenAI(api_key="x"), waiting)
    once = with_bursar(openai.OpenAI(api_key="x"), waiting)
    with pytest.raises(TypeError, match="wrapped already"):
        with_bursar(once, waiting)
    with pytest.raises(TypeError, match="no wrapper"):
        with_bursar(object(), waiting)


async def test_without_a_server_the_fail_policy_decides_and_what_ran_is_recorded_later(llm, person, own, ledger):
    own.bursards[0].stop()
    async with Bursar(addresses(own), fail="open", fail_after_ms=100, on_error=lambda error: None) as bursar:
        client = with_bursar(openai.AsyncOpenAI(base_url=llm.openai, api_key="x"), bursar, user="ann")
        await client.chat.completions.create(**CHAT)
        assert llm.count() == 1
        own.bursards[0].start()
        await until(lambda: own.database.query("SELECT count(*) FROM ledger WHERE user_id = 'ann'")[0][0] == 1)
