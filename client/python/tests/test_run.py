"""`run`: the check before a block, and the record or the cancel after it, whichever way it ends."""
import asyncio
import random

import pytest
from accounts import bucket, held, per_day, used, user_with
from conftest import addresses, until

from bursar import Bursar, BursarError, Check, Denied
from bursar.usage import as_json
from bursar.v1 import limiter_pb2

OPENAI = {"id": "chatcmpl-1", "object": "chat.completion", "model": "gpt-5",
          "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100, "prompt_tokens_details": {"cached_tokens": 400}}}


async def test_what_a_block_tells_is_recorded_as_the_provider_said_it(bursar):
    user = await user_with(bursar, per_day(1_000_000, "TOKENS"))
    async with bursar.run(user=user, model="gpt-5", input_tokens=10) as job:
        job.usage(OPENAI)
    meters = job.recorded.raw.cost.lines
    assert {line.token_class: line.tokens for line in meters} == {"input": 600, "cached_input": 400, "output": 100}
    assert job.recorded.tokens == 1100 and not job.recorded.estimated and job.recorded.cost_nano_usd > 0
    assert await used(bursar, user) == 1100 and not await held(bursar, user)


async def test_a_block_that_tells_nothing_is_charged_as_estimated(bursar):
    user = await user_with(bursar, per_day(1_000_000, "TOKENS"))
    async with bursar.run(user=user, model="gpt-5", input_tokens=70, max_output_tokens=30) as job:
        pass
    assert job.recorded.estimated and job.recorded.tokens == 100 and await used(bursar, user) == 100


async def test_a_block_that_fails_before_it_told_anything_gives_the_reservation_back(bursar):
    user = await user_with(bursar, bucket(5))
    with pytest.raises(ZeroDivisionError):
        async with bursar.run(user=user):
            raise ZeroDivisionError
    assert await used(bursar, user) == 0 and not await held(bursar, user)


async def test_a_block_that_fails_after_it_told_something_is_charged(bursar):
    user = await user_with(bursar, per_day(1_000_000, "TOKENS"))
    with pytest.raises(ZeroDivisionError):
        async with bursar.run(user=user, model="gpt-5") as job:
            job.usage(OPENAI)
            raise ZeroDivisionError
    assert await used(bursar, user) == 1100


async def test_each_round_is_an_attempt_of_one_request(bursar):
    user = await user_with(bursar, per_day(100), per_day(1_000_000, "TOKENS"))
    async with bursar.run(user=user, model="gpt-5") as job:
        for _ in range(3):
            job.usage(OPENAI)
    status = {limit.dimension: limit.used for limit in (await bursar.status(user=user)).limits}
    assert status == {"requests": 1, "tokens": 3300} and not await held(bursar, user)


async def test_more_rounds_than_a_request_has_attempts_are_charged_too(bursar):
    user = await user_with(bursar, per_day(100), per_day(1_000_000, "TOKENS"))
    async with bursar.run(user=user, model="gpt-5") as job:
        for _ in range(34):
            job.usage(usage={"input_tokens": 10})
    status = {limit.dimension: limit.used for limit in (await bursar.status(user=user)).limits}
    assert status == {"requests": 3, "tokens": 340} and not await held(bursar, user)


async def test_a_denial_is_raised_before_the_block(bursar):
    user = await user_with(bursar, bucket(0))
    with pytest.raises(Denied) as denied:
        async with bursar.run(user=user):
            raise AssertionError("the block must not run")
    assert isinstance(denied.value, RuntimeError) and not denied.value.check.allowed
    assert str(denied.value) == denied.value.check.message and denied.value.reason == "REQUEST_RATE"


@pytest.mark.parametrize("text", ["You spent $4.29 of $4.29; 429.", "Rate limit reached", "rate_limit_error", "Too many requests today"])
def test_the_text_of_a_denial_holds_no_word_that_frameworks_sleep_on(text):
    said = str(Denied(Check(allowed=False, user="ann", tenant="", request_id="1", reservation="", started_at_us=0, message=text)))
    assert not any(word in said.lower() for word in ("429", "rate limit", "rate_limit", "too many requests"))
    assert said.replace("\u2060", "") == text, "a person reads the same"


async def test_cancelling_a_task_in_its_block_gives_the_reservation_back(bursar):
    user, inside = await user_with(bursar, bucket(5)), asyncio.Event()

    async def work():
        async with bursar.run(user=user):
            inside.set()
            await asyncio.sleep(3600)

    task = asyncio.create_task(work())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(lambda: _free(bursar, user))


async def test_cancelling_a_task_in_the_middle_of_its_check_leaves_nothing_behind(own, errors):
    async with Bursar(addresses(own), on_error=errors) as bursar:
        user = await user_with(bursar, bucket(5))
        assert await used(bursar, user) == 0
        own.process({"do": "freeze"})
        task = asyncio.create_task(bursar.check(user=user))
        await asyncio.sleep(0.05)  # it is on its way; if not yet, nothing is left behind either
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        own.process({"do": "thaw"})
        await bursar.close()
    async with Bursar(addresses(own)) as bursar:
        assert await _free(bursar, user)


@pytest.mark.parametrize("seed", [1, 2])
async def test_whenever_tasks_are_cancelled_what_was_told_is_charged_and_nothing_stays_held(fleet, errors, seed):
    chance, told = random.Random(seed), 0
    async with Bursar(addresses(fleet)[0], on_error=errors) as bursar:
        user = await user_with(bursar, per_day(1_000_000, "TOKENS"))

        async def work(pause_s):
            nonlocal told
            async with bursar.run(user=user, input_tokens=1, max_output_tokens=1) as job:
                job.usage(usage={"input_tokens": 1})
                told += 1
                await asyncio.sleep(pause_s)

        tasks = []
        for _ in range(200):
            task = asyncio.create_task(work(chance.uniform(0, 0.02)))
            asyncio.get_running_loop().call_later(chance.uniform(0, 0.1), task.cancel)
            tasks.append(task)
            if chance.random() < 0.1:
                await asyncio.sleep(chance.uniform(0, 0.01))
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ended} <= {type(None), asyncio.CancelledError}
    async with Bursar(addresses(fleet)[0]) as bursar:
        assert await used(bursar, user) == told > 0 and not await held(bursar, user)


async def _free(bursar, user):
    return await used(bursar, user) == 0 and not await held(bursar, user)


async def test_a_warning_is_told_once_with_the_record(fleet):
    warned = []
    async with Bursar(addresses(fleet)[0], on_warning=warned.append) as bursar:
        user = await user_with(bursar, per_day(1000, "TOKENS"))
        for _ in range(2):
            async with bursar.run(user=user, model="gpt-5", input_tokens=1, max_output_tokens=1) as job:
                job.usage(usage={"input_tokens": 450})
        assert [limit.dimension for limit in job.recorded.notify] == ["tokens"]
        await bursar.check(user=user, input_tokens=1, max_output_tokens=1)
    assert [(limit.dimension, limit.used_percent) for limit in warned] == [("tokens", 90)]


async def test_explain_status_and_costs_change_nothing(bursar):
    user = await user_with(bursar, bucket(1))
    explained = await bursar.explain(user=user, model="gpt-5", input_tokens=5)
    assert explained.check.allowed and explained.steps and explained.limits
    cost = await bursar.estimate_cost(model="gpt-5", provider_usage=OPENAI)
    assert cost.cost_nano_usd > 0 and cost.model == "gpt-5"
    assert (await bursar.status(user=user)).limits[0].used == 0


async def test_a_check_says_what_else_a_request_will_use(bursar):
    user = await user_with(bursar, per_day(2, "WEB_SEARCHES"))
    assert (await bursar.check(user=user, expected={"web_searches": 2})).allowed
    assert (await bursar.check(user=user, expected={"web_searches": 1})).reason == "quota"
    with pytest.raises(BursarError, match="expected: 'coffees'"):
        await bursar.check(user=user, expected={"coffees": 1})


async def test_a_settled_check_needs_no_record(bursar):
    user = await user_with(bursar, per_day(1000, "TOKENS"))
    check = await bursar.check(user=user, settle=True, input_tokens=10, max_output_tokens=5)
    assert check.allowed and await used(bursar, user) == 15 and not await held(bursar, user)


class Model:
    """As pydantic's."""

    def model_dump(self, mode, by_alias, exclude_unset):
        assert (mode, by_alias, exclude_unset) == ("json", True, True)
        return {"usage": {"prompt_tokens": 3}}


class Plain:
    def __init__(self):
        self.prompt_tokens, self._secret = 3, 4


@pytest.mark.parametrize("given, text", [
    ('{"a": 1}', '{"a": 1}'), (b'{"a":1}', '{"a":1}'), ({"a": [1, None]}, '{"a":[1,null]}'), (Model(), '{"usage":{"prompt_tokens":3}}'),
    ([Model(), {"b": Plain()}], '[{"usage":{"prompt_tokens":3}},{"b":{"prompt_tokens":3}}]'), (Plain(), '{"prompt_tokens":3}'),
    (limiter_pb2.ReleaseRequest(lease="x"), '{"lease":"x"}')])
def test_a_providers_object_is_handed_on_as_it_came(given, text):
    assert as_json(given) == text


def test_of_a_long_object_only_what_says_the_use_is_sent():
    long = {"model": "gpt-5", "choices": ["x" * 70_000], "usage": {"prompt_tokens": 1}}
    assert as_json(long) == '{"usage":{"prompt_tokens":1},"model":"gpt-5"}'
    events = [{"type": "message_start", "message": {"usage": {"input_tokens": 2}, "content": []}},
              *({"type": "content_block_delta", "delta": {"text": "y" * 100}} for _ in range(1000)),
              {"type": "message_delta", "usage": {"output_tokens": 9}}]
    assert as_json(events) == ('[{"type":"message_start","message":{"usage":{"input_tokens":2}}},'
                               '{"usage":{"output_tokens":9},"type":"message_delta"}]')
