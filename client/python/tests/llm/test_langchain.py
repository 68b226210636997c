"""LangChain and LangGraph, on the real packages."""
import asyncio
from typing import TypedDict

import langchain_core.caches
import pytest
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from langgraph.types import RetryPolicy

from llms import *  # noqa: F403
from llms import OPENAI, PRICED

from bursar import Denied
from bursar.llm.agents.langchain import guard


@tool
def look(city: str) -> str:
    """The weather of a city."""
    return f"sunny in {city}"


class State(TypedDict):
    text: str


@pytest.fixture
def model(llm):
    return lambda **options: ChatOpenAI(model=PRICED, base_url=llm.openai, api_key="x", **options)


@pytest.fixture
def config(waiting):
    return lambda user: {"callbacks": [guard(waiting, user=user)]}


async def drain(stream):
    return [chunk async for chunk in stream]


RUNS = {
    "invoke": lambda model, config: model.invoke("Hello.", config),
    "stream": lambda model, config: list(model.stream("Hello.", config)),
    "batch": lambda model, config: model.batch(["Hello."], config),
    "with tools": lambda model, config: model.bind_tools([look]).invoke("Hello.", config),
}

ARUNS = {
    "ainvoke": lambda model, config: model.ainvoke("Hello.", config),
    "astream": lambda model, config: drain(model.astream("Hello.", config)),
}


@pytest.mark.parametrize("run", RUNS)
def test_a_call_is_recorded_as_the_framework_told(run, model, config, llm, person, ledger, held):
    user = person()
    assert RUNS[run](model(stream_usage=True), config(user))
    (row,) = ledger(user)
    assert row.meters == OPENAI and not row.estimated and row.model == PRICED
    assert llm.count() == 1 and not held(user)


@pytest.mark.parametrize("run", RUNS)
def test_a_denied_call_never_reaches_the_llm(run, model, config, llm, person):
    with pytest.raises(Denied):
        RUNS[run](model(), config(person(requests=0)))
    assert llm.count() == 0


async def test_an_asynchronous_call_is_recorded_and_a_denied_one_never_reaches_the_llm(model, config, llm, person, ledger):
    # In one test, because LangChain keeps its connections for the next loop, where they are of no use.
    for count, run in enumerate(ARUNS, 1):
        user = person(requests=1)
        assert await ARUNS[run](model(stream_usage=True), config(user))
        (row,) = await asyncio.to_thread(ledger, user)
        assert row.meters == OPENAI and not row.estimated
        with pytest.raises(Denied):
            await ARUNS[run](model(), config(user))
        assert llm.count() == count


def test_neither_retries_nor_fallbacks_send_a_denied_request(model, config, llm, person):
    for chain in (model().with_retry(stop_after_attempt=3, wait_exponential_jitter=False), model().with_fallbacks([model(), model()])):
        with pytest.raises(Denied):
            chain.invoke("Hello.", config(person(requests=0)))
    assert llm.count() == 0


def test_a_graph_does_not_repeat_a_node_for_a_denial(model, config, llm, person):
    runs = []

    def node(_):
        runs.append(1)
        return {"text": model().invoke("Hello.").content}

    graph = StateGraph(State)
    graph.add_node("node", node, retry_policy=RetryPolicy(max_attempts=3, initial_interval=0.01))
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    with pytest.raises(Denied):
        graph.compile().invoke({"text": ""}, config(person(requests=0)))
    assert llm.count() == 0 and len(runs) == 1


def test_a_graphs_calls_are_recorded(model, config, person, ledger):
    graph = StateGraph(State)
    graph.add_node("node", lambda _: {"text": model().invoke("Hello.").content})
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    user = person()
    graph.compile().invoke({"text": ""}, config(user))
    assert ledger(user)[0].meters == OPENAI


def test_a_stream_that_is_left_early_is_charged_as_estimated(model, config, llm, person, ledger, held):
    llm.set(hold_after=2)
    user = person()
    stream = model().stream("Hello.", config(user))
    while not next(stream).content:
        pass
    stream.close()
    (row,) = ledger(user)
    assert row.estimated and not held(user)


def test_a_failed_call_costs_nothing(model, config, llm, person, held, waiting):
    llm.set(fail=[{"status": 400}])
    user = person(requests=5)
    with pytest.raises(Exception, match="told to fail"):
        model().invoke("Hello.", config(user))
    assert not held(user) and waiting.status(user=user).limits[0].used == 0


def test_an_answer_of_langchains_own_cache_is_free(model, config, llm, person, ledger, held):
    user, cached = person(), model(cache=langchain_core.caches.InMemoryCache())
    assert cached.invoke("Hello.", config(user)) and cached.invoke("Hello.", config(user))
    assert llm.count() == 1 and len(ledger(user)) == 1 and not held(user)


async def test_it_needs_the_blocking_bursar(bursar):
    with pytest.raises(TypeError, match="blocking.Bursar"):
        guard(bursar, user="ann")
