"""Estimates are the same numbers as in every other language's client: those of client/estimate/vectors.json."""
import json

import pytest

from conftest import ROOT

from bursar.estimate import estimate_request, estimate_tokens

VECTORS = json.loads((ROOT / "client" / "estimate" / "vectors.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("vector", VECTORS["texts"], ids=lambda vector: vector["name"])
def test_a_text_has_the_tokens_of_its_vector(vector):
    assert estimate_tokens(vector["text"]) == vector["estimate"]


@pytest.mark.parametrize("vector", VECTORS["requests"], ids=lambda vector: vector["name"])
def test_a_request_has_the_tokens_of_its_vector(vector):
    assert estimate_request(vector["body"]) == vector["estimate"]


def test_another_tokenizer_takes_the_place_of_the_rule():
    assert estimate_request({"messages": [{"role": "user", "content": "12345"}]}, len) == 3 + 4 + 5
    assert estimate_request("12345", len) == 8 and estimate_request(None, len) == 3


def test_any_text_can_be_estimated():
    assert estimate_tokens("") == 0
    for text in ("\ud800", "\x00", "�" * 3, "a" * 100_000, "\r\n\r\n", "9" * 50, "aB3" * 40):
        assert estimate_tokens(text) > 0
