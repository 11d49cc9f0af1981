"""A span is made current and no longer current, wherever OpenTelemetry keeps its context."""

from __future__ import annotations

import contextvars

import pytest
from opentelemetry import baggage, context, trace

from litespan.emit import spans
from litespan.emit.spans import SpanInContext


def handle(number: int) -> SpanInContext:
    """Return a handle of a span."""
    return SpanInContext(trace.NonRecordingSpan(trace.SpanContext(number, number, is_remote=False)))


def current() -> int:
    """Return the id of the current span; 0 if there is none."""
    return trace.get_current_span().get_span_context().span_id


@pytest.fixture(params=["directly", "by the API"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go both ways: a context of another kind than `contextvars` is set by OpenTelemetry's API."""
    if request.param == "by the API":
        monkeypatch.setattr(spans, "_VARIABLE", None)
    else:
        assert spans._VARIABLE is not None


@pytest.mark.usefixtures("_way")
def test_current_from_attach_to_detach() -> None:
    """What was current before is so again, and the program's own values stay visible."""
    outer, inner = handle(1), handle(2)
    own = context.attach(baggage.set_baggage("team", "red"))
    for _ in range(2):
        first = outer.attach()
        second = inner.attach()
        assert (2, "red") == (current(), baggage.get_baggage("team"))
        inner.detach(second)
        assert 1 == current()
        outer.detach(first)
        assert (0, "red") == (current(), baggage.get_baggage("team"))
    context.detach(own)


@pytest.mark.usefixtures("_way")
def test_not_undone_elsewhere(caplog: pytest.LogCaptureFixture) -> None:
    """Another context, and one in which something else is current by now, are left as they are, silently."""
    outer, inner = handle(1), handle(2)
    first = outer.attach()
    contextvars.Context().run(outer.detach, first)
    assert 1 == current()

    second = inner.attach()
    outer.detach(first)
    assert 2 == current()

    inner.detach(second)
    outer.detach(first)
    assert 0 == current()
    assert [] == caplog.records


@pytest.mark.usefixtures("_way")
def test_undone_whatever_was_attached_on_top() -> None:
    """What the program attached inside and did not undo keeps no ended span current."""
    outer, inner = handle(1), handle(2)
    first = outer.attach()
    second = inner.attach()
    context.attach(baggage.set_baggage("team", "red"))
    inner.detach(second)
    assert (1, None) == (current(), baggage.get_baggage("team"))

    context.attach(baggage.set_baggage("team", "blue"))
    third = inner.attach()
    inner.detach(third)
    outer.detach(first)
    assert (0, None) == (current(), baggage.get_baggage("team"))
