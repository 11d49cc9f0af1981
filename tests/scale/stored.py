"""Whether what Jaeger has is what was sent: every attribute, with its type."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import httpx
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.integration.servers.jaeger_api import JaegerSpan

# What Jaeger's own model says in tags, and the conventions for both directions call so.
_KINDS: Final = {
    Span.SPAN_KIND_INTERNAL: "internal",
    Span.SPAN_KIND_SERVER: "server",
    Span.SPAN_KIND_CLIENT: "client",
    Span.SPAN_KIND_PRODUCER: "producer",
    Span.SPAN_KIND_CONSUMER: "consumer",
}

Typed = tuple[str, Any]
"""Jaeger's word for the type, and the value."""


def differences(sent: Iterable[Span], stored: Iterable[JaegerSpan]) -> Iterator[str]:
    """Yield one line for each span that is not there or too much, and each attribute that is not as sent."""
    found = {span.span_id: span for span in stored}
    for span in sent:
        name = f"{span.name} {span.span_id.hex()}"
        match = found.pop(span.span_id.hex(), None)
        if match is None:
            yield f"{name} is missing"
            continue
        yield from _differences_of(name, span, match)
    yield from (f"{span.name} {span.span_id} was not sent" for span in found.values())


def _differences_of(name: str, span: Span, stored: JaegerSpan) -> Iterator[str]:
    if (span.name, span.parent_span_id.hex() or None) != (stored.name, stored.parent_id):
        yield f"{name} is called {stored.name}, below {stored.parent_id}"
    there = {key: (stored.types[key], value) for key, value in stored.tags.items()}
    for key, expected in expected_tags(span).items():
        if there.get(key) != expected:
            yield f"{name}: {key} is {there.get(key)}, not {expected}"


def expected_tags(span: Span) -> Mapping[str, Typed]:
    """Return the tags that Jaeger makes of a span: its attributes, its kind and its status."""
    tags = typed_tags(span.attributes)
    tags["span.kind"] = ("string", _KINDS[span.kind])
    if span.status.code == Status.STATUS_CODE_ERROR:
        tags["error"] = ("bool", True)
    return tags


def typed_tags(attributes: Iterable[KeyValue]) -> dict[str, Typed]:
    """Return attributes as Jaeger shows them: an array is JSON in a string."""
    return {pair.key: _typed(pair.value) for pair in attributes}


def resource_tags(url: str, trace_id: str) -> Mapping[str, Typed]:
    """Ask a Jaeger for the attributes of a trace's one program, without the service's name.

    Raises:
        httpx.HTTPStatusError: if Jaeger does not know the trace.
    """
    answer = (
        httpx.get(f"{url}/api/traces/{trace_id}", timeout=30.0, trust_env=False).raise_for_status().json()
    )
    ((_, program),) = answer["data"][0]["processes"].items()
    return {tag["key"]: (tag["type"], tag["value"]) for tag in program["tags"]}


def _typed(value: AnyValue) -> Typed:
    match value.WhichOneof("value"):
        case "bool_value":
            return "bool", value.bool_value
        case "int_value":
            return "int64", value.int_value
        case "double_value":
            return "float64", value.double_value
        case "array_value":
            items = [_typed(item)[1] for item in value.array_value.values]
            return "string", json.dumps(items, separators=(",", ":"))
        case _:
            return "string", value.string_value
