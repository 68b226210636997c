"""LiteLLM, on the real package: a denial never reaches the Router, which would take its deployments out of service for everybody."""
import asyncio
import os

import pytest

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it asks the internet for prices when it is imported
import litellm  # noqa: E402

from llms import *  # noqa: E402, F403
from llms import OPENAI, PRICED  # noqa: E402

from bursar import Denied  # noqa: E402
from bursar.llm import NotGuarded, using, with_bursar  # noqa: E402

MESSAGES = [{"role": "user", "content": "Say hello."}]


@pytest.fixture
def deployments(llm):
    return [{"model_name": "fast", "litellm_params": {"model": f"openai/{PRICED}", "api_base": llm.openai, "api_key": "x"},
             "model_info": {"id": name}} for name in ("one", "two")]


@pytest.fixture
def router(deployments, bursar):
    return lambda user: with_bursar(litellm.Router(model_list=deployments, num_retries=2), bursar, user=user)


@pytest.fixture
def module(llm):
    """The module litellm, whose functions are given back after the test."""
    before = dict(vars(litellm))
    yield {"model": f"openai/{PRICED}", "messages": MESSAGES, "api_base": llm.openai, "api_key": "x"}
    for name, value in vars(litellm).copy().items():
        if name not in before:
            delattr(litellm, name)
        elif value is not before[name]:
            setattr(litellm, name, before[name])


async def drain(stream):
    return [chunk async for chunk in await stream]


RUNS = {
    "acompletion": lambda router: router.acompletion(model="fast", messages=MESSAGES),
    "a stream": lambda router: drain(router.acompletion(model="fast", messages=MESSAGES, stream=True)),
    "aresponses": lambda router: router.aresponses(model="fast", input="Say hello."),
}


@pytest.mark.parametrize("run", RUNS)
async def test_a_routed_call_is_recorded(run, router, llm, person, ledger, held):
    user = person()
    assert await RUNS[run](router(user))
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.meters == OPENAI and not row.estimated and row.model.endswith(PRICED)
    assert llm.count() == 1 and not await asyncio.to_thread(held, user)


@pytest.mark.parametrize("run", RUNS)
async def test_a_denied_user_does_not_cool_the_deployments_down_for_others(run, router, llm, person):
    denied, other = person(requests=0), person()
    current = router(None)
    for _ in range(5):
        with using(user=denied), pytest.raises(Denied):
            await RUNS[run](current)
    assert llm.count() == 0
    for count in (1, 2, 3):
        with using(user=other):
            assert await RUNS[run](current)
        assert llm.count() == count


async def test_the_routers_retries_count_one_request(router, llm, person, ledger, bursar):
    llm.set(fail=[{"status": 500}])
    user = person(requests=5)
    await RUNS["acompletion"](router(user))
    assert llm.count() == 2 and len(await asyncio.to_thread(ledger, user)) == 1
    assert {limit.dimension: limit.used for limit in (await bursar.status(user=user)).limits}["requests"] == 1


async def test_a_failed_call_costs_nothing(router, llm, person, held):
    llm.set(fail=[{"status": 400}] * 3)
    user = person()
    with pytest.raises(litellm.BadRequestError):
        await RUNS["acompletion"](router(user))
    assert not await asyncio.to_thread(held, user)


async def test_a_stream_that_is_left_early_is_charged_as_estimated(router, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    stream = await router(user).acompletion(model="fast", messages=MESSAGES, stream=True)
    await anext(stream)
    await stream.aclose()
    (row,) = await asyncio.to_thread(ledger, user)
    assert row.estimated and not await asyncio.to_thread(held, user)


async def test_the_chunk_with_the_usage_is_kept_from_an_app_that_did_not_ask(router, person):
    chunks = await RUNS["a stream"](router(person()))
    assert not any(getattr(chunk, "usage", None) for chunk in chunks)


CALLS = {
    "completion": lambda args: litellm.completion(**args),
    "a stream": lambda args: list(litellm.completion(**args, stream=True)),
    "responses": lambda args: litellm.responses(**{name: value for name, value in args.items() if name != "messages"}, input="Say hello."),
}


@pytest.mark.parametrize("call", CALLS)
def test_the_modules_functions_are_guarded(call, module, waiting, llm, person, ledger, held):
    user = person(requests=1)
    with_bursar(litellm, waiting, user=user)
    assert CALLS[call](module)
    (row,) = ledger(user)
    assert row.meters == OPENAI and not row.estimated
    with pytest.raises(Denied):
        CALLS[call](module)
    assert llm.count() == 1 and not held(user)


async def test_both_halves_of_the_module_can_be_guarded_and_what_is_not_is_refused(module, waiting, bursar, llm, person, ledger):
    user = person()
    with_bursar(litellm, bursar, user=user)
    assert await litellm.acompletion(**module)
    with pytest.raises(NotGuarded):
        litellm.completion(**module)
    with pytest.raises(NotGuarded):
        litellm.speech(model="openai/tts-1", input="hello", voice="alloy")
    with_bursar(litellm, waiting, user=user)
    assert await asyncio.to_thread(litellm.completion, **module)
    assert len(await asyncio.to_thread(ledger, user, 2)) == 2 and llm.count() == 2


async def test_a_router_above_a_guarded_module_asks_once(module, router, bursar, llm, person, ledger):
    user = person(requests=5)
    with_bursar(litellm, bursar, user=user)
    await RUNS["acompletion"](router(user))
    assert len(await asyncio.to_thread(ledger, user)) == 1 and llm.count() == 1
    assert {limit.dimension: limit.used for limit in (await bursar.status(user=user)).limits}["requests"] == 1
