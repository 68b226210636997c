"""Requests as they are in JSON, also where a framework has objects for its messages."""
from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

# Of a framework's objects: what the model reads. The rest says how they are made.
_READ = ("role", "parts", "content", "args", "arguments", "instructions", "tool_calls", "output")


def plain(value: Any) -> Any:
    """Messages as mappings and texts, as they are in a request's body."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if hasattr(value, "model_dump"):  # pydantic's, but of messages that derive from it only what is read
        fields = {name: one for name in _READ if (one := getattr(value, name, None)) is not None}
        return plain(fields) if "content" in fields else value.model_dump(exclude_none=True)
    if dataclasses.is_dataclass(value):
        return plain({name: one for name in _READ if (one := getattr(value, name, None)) is not None})
    return value


def number(value: Any) -> int:
    """A count as it is in a body; 0 for what is none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
