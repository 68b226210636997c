"""A provider's own usage object as JSON text. Nothing is converted here: the server reads it (docs/usage.md)."""
from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

from bursar.v1 import types_pb2

READ_BYTES = 65_536  #: the server reads so many
# What is left of a longer object: what says how much was used, and what the server knows its format by.
_MEMBERS = ("usage", "usageMetadata", "usage_metadata", "type", "object", "model", "modelVersion", "model_version", "service_tier")
_AROUND = ("message", "response")

Usage = types_pb2.TokenUsage | Mapping[str, int]


def tokens(usage: Usage) -> types_pb2.TokenUsage:
    """The meters by name, as a message."""
    return usage if isinstance(usage, types_pb2.TokenUsage) else types_pb2.TokenUsage(**usage)


def as_json(provider_usage: object) -> str:
    """The text of an object of a provider's SDK, a mapping, text, or a list of those of a stream."""
    if isinstance(provider_usage, (bytes, bytearray)):
        provider_usage = provider_usage.decode("utf-8", "replace")
    if isinstance(provider_usage, str):
        text = provider_usage
    else:
        text = _dumped(_plain(provider_usage))
    if len(text) * 4 > READ_BYTES and len(text.encode()) > READ_BYTES:
        try:
            text = _dumped(_shortened(json.loads(text)))
        except ValueError:
            pass  # the server says what is wrong with it
    return text


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)


def _plain(value: object) -> Any:
    """What JSON has a form for. SDKs' objects are pydantic models, dataclasses, messages of protobuf, or have attributes."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Message):
        return json_format.MessageToDict(value)
    for name, words in (("model_dump", {"mode": "json", "by_alias": True, "exclude_unset": True}), ("to_dict", {}), ("dict", {})):
        method = getattr(value, name, None)
        if callable(method) and not isinstance(value, type):
            return method(**words)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Iterable):
        return [_plain(one) for one in value]
    if hasattr(value, "__dict__"):
        return {name: one for name, one in vars(value).items() if not name.startswith("_")}
    return str(value)


def _shortened(value: Any) -> Any:
    if isinstance(value, list):
        return [short for short in map(_shortened, value) if short]
    if not isinstance(value, dict):
        return None
    short = {name: value[name] for name in _MEMBERS if name in value}
    for name in _AROUND:
        inner = _shortened(value.get(name))
        if inner:
            short[name] = inner
    return short if any(name in short for name in (*_MEMBERS[:3], *_AROUND)) else None
