"""Attributes written at once are what the public API of OpenTelemetry would have written."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, TracerProvider
from opentelemetry.trace import INVALID_SPAN

from litespan.export import span_attributes
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


def written(limits: SpanLimits, attributes: Mapping[Any, Any], *, publicly: bool) -> tuple[Any, ...]:
    """Return what a span has after attributes were written to it in one of the two ways."""
    span = TracerProvider(span_limits=limits).get_tracer("test").start_span("s", attributes={"first": "x"})
    if publicly:
        span.set_attributes(attributes)
    else:
        span_attributes.set_attributes(span, attributes)
    span.end()
    assert isinstance(span, ReadableSpan)
    return dict(span.attributes or {}), span.dropped_attributes


@pytest.mark.parametrize("limits", LIMITS)
@pytest.mark.parametrize("given", GIVEN)
def test_the_same_as_by_the_public_api(given: str, limits: str) -> None:
    """Values, types, and what is dropped or cut are the same."""
    by_sdk = written(LIMITS[limits], GIVEN[given], publicly=True)
    ours = written(LIMITS[limits], GIVEN[given], publicly=False)

    assert by_sdk == ours
    assert [type(value) for _, value in sorted(by_sdk[0].items())] == [
        type(value) for _, value in sorted(ours[0].items())
    ]


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """Return what goes the SDK's own way from now on."""
    seen: list[Mapping[str, Any]] = []
    monkeypatch.setattr(BoundedAttributes, "_set_items", lambda _, attributes: seen.append(attributes))
    return seen


@tried_version
def test_plain_values_are_not_cleaned(cleaned: list[Mapping[str, Any]]) -> None:
    """The SDK's own way is not taken where there is nothing to clean."""
    written(LIMITS["usual"], {"a": "x", "b": ("y", "z")}, publicly=False)
    written(LIMITS["usual"], {"a": ["x"]}, publicly=False)

    assert [{"a": ["x"]}] == [attributes for attributes in cleaned if "a" in attributes]


def test_ended_and_foreign_spans() -> None:
    """An ended span takes nothing more, and a span that is not the SDK's is asked in public."""
    span = TracerProvider().get_tracer("test").start_span("s")
    span.end()
    span_attributes.set_attributes(span, {"a": "x"})
    span_attributes.set_attributes(INVALID_SPAN, {"a": "x"})

    assert isinstance(span, ReadableSpan)
    assert {} == dict(span.attributes or {})


@tried_version
def test_other_versions_keep_to_the_public_api(
    cleaned: list[Mapping[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was not tried is not touched."""
    monkeypatch.setattr(span_attributes, "sdk_version", "0")
    written(LIMITS["usual"], {"a": "x"}, publicly=False)

    assert {"a": "x"} in cleaned
