"""Spans whose locks and lists of events and links are made late have all that is added to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.trace import Span, SpanContext, SpanKind, TraceFlags

from litespan.export.new_span import SparseSpan
from litespan.export.span_end import ender
from litespan.export.span_start import starter
from tests.unit.export.sdk import tried_version

pytestmark = tried_version

ELSEWHERE = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))
ENDS: dict[str, Callable[[Span], None]] = {
    "by litespan": lambda span: ender()(span, {"b": 2}, 9),
    "by the program": lambda span: span.end(9),
}


class Kept(SpanProcessor):
    """Keeps the spans that ended."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep one."""
        self.spans.append(span)


def begin(limits: SpanLimits | None = None) -> tuple[Span, Kept]:
    """Start a span."""
    provider, kept = TracerProvider(shutdown_on_exit=False, span_limits=limits), Kept()
    provider.add_span_processor(kept)
    return starter(provider.get_tracer("test"))("s", None, None, SpanKind.CLIENT, {"a": 1}, 1), kept


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_the_program_adds_is_exported(end: Callable[[Span], None]) -> None:
    """Events, exceptions and links that the program adds to the current span are in the one that ended."""
    span, kept = begin()
    span.add_event("first", {"x": 1})
    span.record_exception(ValueError("no"))
    span.add_link(ELSEWHERE, {"y": 2})
    end(span)

    [ended] = kept.spans
    assert ["first", "exception"] == [event.name for event in ended.events]
    assert [ELSEWHERE] == [link.context for link in ended.links]
    assert (0, 0) == (ended.dropped_events, ended.dropped_links)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_only_one_of_both(end: Callable[[Span], None]) -> None:
    """A span with links has no events."""
    span, kept = begin()
    span.add_link(ELSEWHERE)
    end(span)

    [ended] = kept.spans
    assert () == ended.events
    assert 1 == len(ended.links)


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_nothing_added(end: Callable[[Span], None]) -> None:
    """Most spans have neither, and nothing was dropped."""
    span, kept = begin()
    end(span)

    [ended] = kept.spans
    assert ((), (), 0, 0) == (ended.events, ended.links, ended.dropped_events, ended.dropped_links)


def test_nothing_is_made_for_spans_without() -> None:
    """The lists are what such spans save."""
    span, kept = begin()
    ENDS["by litespan"](span)
    assert not {"_events", "_links"} & set(vars(span))
    assert kept.spans


def test_open_spans_have_no_locks() -> None:
    """Nobody has taken one yet; the program's first attribute does."""
    span: Any = begin()[0]
    attributes = span._attributes
    assert "_lock" not in {*vars(span), *vars(attributes)}

    span.set_attribute("b", 2)
    assert {"a": 1, "b": 2} == dict(span.attributes)
    assert span._lock is vars(span)["_lock"]
    assert attributes._lock is vars(attributes)["_lock"]


def test_limits_hold() -> None:
    """What is beyond the limits is dropped and counted, the oldest first."""
    span, kept = begin(SpanLimits(max_events=1, max_links=2))
    for number in range(3):
        span.add_event(str(number))
        span.add_link(ELSEWHERE)
    ENDS["by litespan"](span)

    [ended] = kept.spans
    assert ["2"] == [event.name for event in ended.events]
    assert (2, 1) == (ended.dropped_events, ended.dropped_links)


def test_threads_that_ask_at_once_get_the_same() -> None:
    """None of them loses what the other has added, or waits for another lock."""
    span: Any = begin()[0]
    assert isinstance(span, SparseSpan)
    assert span.__getattr__("_events") is span.__getattr__("_events") is span._events
    assert span.__getattr__("_lock") is span.__getattr__("_lock") is span._lock


def test_other_fields_are_missing_as_ever() -> None:
    """What a span never had raises the usual error."""
    span: Any = begin()[0]
    with pytest.raises(AttributeError, match="'SparseSpan' object has no attribute 'color'"):
        _ = span.color
