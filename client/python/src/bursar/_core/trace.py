"""Spans of OpenTelemetry, if the application has it. Nothing that names a user goes into them."""
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

try:
    from opentelemetry import propagate, trace  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    propagate = trace = None  # type: ignore[assignment,unused-ignore]

Attributes = dict[str, str | bool | int]


def span(name: str) -> AbstractContextManager[Attributes]:
    """A span around a call; what is put into the mapping becomes its attributes."""
    if trace is None or isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider):
        return contextlib.nullcontext({})  # the application has set no provider
    return _span(name)


@contextlib.contextmanager
def _span(name: str) -> Iterator[Attributes]:
    attributes: Attributes = {}
    with trace.get_tracer("bursar").start_as_current_span(name, kind=trace.SpanKind.CLIENT) as current:
        try:
            yield attributes
        finally:
            for key, value in attributes.items():
                current.set_attribute(f"bursar.{key}", value)


def metadata(own: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """`own`, and the traceparent of the current span."""
    if propagate is None:
        return own
    carrier: dict[str, Any] = {}
    propagate.inject(carrier)
    return (*own, *((key, carrier[key]) for key in ("traceparent", "tracestate") if key in carrier)) if carrier else own
