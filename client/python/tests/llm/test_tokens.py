"""How many tokens a wrapper expects a request to have."""
import asyncio

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from pydantic_ai.messages import ModelRequest, SystemPromptPart, UserPromptPart

from bursar.estimate import estimate_request
from bursar.llm._guard import Ask, Guard, using
from bursar.llm._texts import plain

TEXT = "How long is a piece of string?"  # 9 tokens


class Nobody:
    async def check(self):
        await asyncio.sleep(0)


def fields(body, **options):
    return Guard(Nobody(), user="ann", **options).fields(Ask("gpt-4o", 100, "openai", body))


@pytest.mark.parametrize("messages", [
    [HumanMessage(TEXT), AIMessage(TEXT)],
    [[HumanMessage([{"type": "text", "text": TEXT}]), AIMessage(TEXT)]],
    [ModelRequest(parts=[SystemPromptPart(TEXT), UserPromptPart(TEXT)])],
    [ModelRequest(parts=[UserPromptPart([TEXT, TEXT])])],
])
def test_the_objects_of_frameworks_are_read(messages):
    assert 18 <= estimate_request(plain({"messages": messages})) <= 33


def test_a_tokenizer_or_a_figure_of_the_apps_own_takes_the_place_of_the_estimate():
    body = {"messages": [{"role": "user", "content": TEXT}]}
    assert fields(body) == {"model": "gpt-4o", "input_tokens": 16, "max_output_tokens": 100, "user": "ann"}
    assert fields(body, tokenizer=len)["input_tokens"] == len(TEXT) + 7
    assert fields(body, input_tokens=lambda given: 5 if given is body else 0)["input_tokens"] == 5
    assert fields(body, model="deployed", tenant="acme") == {"model": "deployed", "input_tokens": 16, "max_output_tokens": 100, "user": "ann",
                                                             "tenant": "acme"}
    with using(user="bob", mode="batch"), using(input_tokens=1):
        assert fields(body) == {"model": "gpt-4o", "input_tokens": 1, "max_output_tokens": 100, "mode": "batch", "user": "bob"}
