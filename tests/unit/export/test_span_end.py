"""Spans that are ended step by step are those that the public API of OpenTelemetry would have ended."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.trace import INVALID_SPAN, SpanKind, Status, StatusCode

from litespan.export import tried
from litespan.export.span_end import End, ender
from litespan.export.span_start import starter
from tests.unit.export.sdk import tried_version


class Colour(str, enum.Enum):
    """A text that is more than a text."""

    RED = "red"


class Odd:
    """What is no attribute value, and has no text of its own."""

    __str__ = object.__str__
    __repr__ = object.__repr__


GIVEN: Mapping[str, Mapping[Any, Any]] = {
    "plain": {"a": "x", "b": 1, "c": 0.5, "d": True, "e": b"y", "f": None},
    "tuples": {"a": ("x", "y"), "b": (1, 2), "c": ()},
    "no plain value in a tuple": {"a": ("x", ["y"])},
    "nested": {"a": (("x",), "y"), "b": {"c": [1]}},
    "lists": {"a": ["x"], "b": [1, None]},
    "texts of other classes": {"a": Colour.RED, "b": (Colour.RED,)},
    "no values": {"a": Odd(), "b": "x"},
    "no keys": {"": "x", "b": "y"},
    "keys that are no texts": {1: "x", "b": "y"},
    "known before": {"first": "anew", "b": 1},
    "more than there is room for": {f"key {number}": number for number in range(9)},
    "nothing": {},
}
LIMITS = {
    "usual": SpanLimits(),
    "few": SpanLimits(max_span_attributes=4),
    "none": SpanLimits(max_span_attributes=0),
    "short": SpanLimits(max_span_attribute_length=1),
}


class Watching(SpanProcessor):
    """A processor that notes what spans have when they end."""

    def __init__(self) -> None:
        self.ending: list[dict[str, Any]] = []
        self.ended: list[ReadableSpan] = []

    def _on_ending(self, span: Span) -> None:
        # It may no longer write to the span.
        span.set_attribute("late", 1)
        self.ending.append({"attributes": dict(span.attributes or {}), "end": span.end_time})

    def on_end(self, span: ReadableSpan) -> None:
        """Note what is handed on."""
        self.ended.append(span)


def publicly(span: Any, attributes: Mapping[str, Any], end_ns: int | None) -> None:
    """Call the public API."""
    span.set_attributes(attributes)
    span.end(end_ns)


def facts(span: ReadableSpan) -> dict[str, Any]:
    """Return all that an ended span has, and of what types, but the ids that each has of its own."""
    held = dict(vars(span))
    attributes: Any = held.pop("_attributes")
    del held["_context"]
    return {
        "type": type(span),
        "attributes": sorted((str(key), value) for key, value in attributes.items()),
        "types": [type(value) for _, value in sorted((str(key), value) for key, value in attributes.items())],
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "immutable": attributes._immutable,
        "events": [event.name for event in held.pop("_events")],
        "links": list(held.pop("_links")),
        "status": (span.status.status_code, held.pop("_status").description),
        "resource": held.pop("_resource").attributes,
        **held,
    }


def begin(provider: TracerProvider) -> Any:
    """Start a span as litespan does."""
    return starter(provider.get_tracer("test", "1"))("s", None, None, SpanKind.INTERNAL, {"first": "x"}, 1)


def ended(way: End, limits: SpanLimits, attributes: Mapping[Any, Any], *, event: bool) -> tuple[Any, ...]:
    """Return what is known of a span after it was ended in one of the two ways, and then once more."""
    watching, counted = Watching(), []
    provider = TracerProvider(span_limits=limits, shutdown_on_exit=False)
    provider.add_span_processor(watching)
    span = begin(provider)
    span._record_end_metrics = lambda: counted.append(1)
    if event:
        span.add_event("happened", timestamp=2)
    span.set_status(Status(StatusCode.ERROR, "why"))
    for number in range(2):
        way(span, attributes, 3 + number)
    [readable] = watching.ended
    assert span.get_span_context() is readable.context
    assert not span.is_recording()
    return facts(readable), watching.ending, counted


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("given", GIVEN)
def test_the_same_as_by_the_public_api(given: str, limits: str) -> None:
    """Values, types, what is dropped or cut, and what processors get are the same."""
    for event in (False, True):
        by_sdk, ours = (ended(way, LIMITS[limits], GIVEN[given], event=event) for way in (publicly, ender()))
        assert by_sdk == ours, event


def test_an_end_that_is_now() -> None:
    """A span that is told no end ends now."""
    span = begin(TracerProvider(shutdown_on_exit=False))
    ender()(span, {"a": "x"}, None)

    assert span.start_time <= span.end_time


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Return what goes the SDK's own way from now on."""
    seen: list[Mapping[str, Any]] = []
    monkeypatch.setattr(BoundedAttributes, "_set_items", lambda _, attributes: seen.append(attributes))
    return seen


def end(attributes: Mapping[str, Any]) -> None:
    """End a span."""
    ender()(begin(TracerProvider(shutdown_on_exit=False)), attributes, 1)


@tried_version
def test_plain_values_are_not_cleaned(cleaned: list[Mapping[str, Any]]) -> None:
    """The SDK's own way is not taken where there is nothing to clean."""
    end({"a": "x", "b": ("y", "z")})
    end({"a": ["x"]})

    assert [{"a": ["x"]}] == [attributes for attributes in cleaned if "a" in attributes]


def test_foreign_spans() -> None:
    """A span that is not the SDK's is asked in public."""
    called: list[Any] = []

    class Foreign(type(INVALID_SPAN)):  # type: ignore[misc]  # a class of the API
        def set_attributes(self, attributes: Mapping[str, Any]) -> None:
            called.append(attributes)

        def end(self, end_time: int | None = None) -> None:
            called.append(end_time)

    ender()(Foreign(INVALID_SPAN.get_span_context()), {"a": "x"}, 1)

    assert [{"a": "x"}, 1] == called


@tried_version
def test_others_go_by_the_public_api(
    cleaned: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not tried is not touched, nor what somebody has replaced."""
    by_steps = ender()
    for name in ("set_attributes", "end", "_readable_span"):
        with monkeypatch.context() as patch:
            patch.setattr(sdk.Span, name, lambda *_: None)
            assert ender() is not by_steps
    monkeypatch.setattr(tried, "sdk_version", "0")
    end({"a": "x"})

    assert {"a": "x"} in cleaned
