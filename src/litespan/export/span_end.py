"""Spans of OpenTelemetry's SDK, ended with attributes that it would clean and change nothing.

As at a span's start (:mod:`litespan.export.span_start`), plain attributes are written at once, and the steps
of the SDK's ``end`` are taken one by one: it looks at each attribute, and hands each field of the span to
the constructor of what the processors get. What decides stays the SDK's: that an ended span takes nothing and
ends no more, what counts it, processors.

This is private access, tried with the version that :mod:`litespan.export.tried` names. Under other versions,
for spans that are not the SDK's own and where its functions had been replaced when litespan was set up, the
public API is called.
"""
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import Span

from litespan.export.new_span import SparseSpan
from litespan.export.span_attributes import stay_as_they_are
from litespan.export.tried import is_tried

# Ends a span: attributes that it gets before, and nanoseconds since the Unix epoch, if not now.
End = Callable[[Span, Mapping[str, Any], int | None], None]


def ender() -> End:
    """Return what ends spans."""
    steps = (SdkSpan.set_attributes, SdkSpan.end, SdkSpan._readable_span, ReadableSpan.__init__)
    return _by_steps if is_tried(*steps) else _publicly


def _publicly(span: Span, attributes: Mapping[str, Any], end_ns: int | None) -> None:
    span.set_attributes(attributes)
    span.end(end_ns)


def _by_steps(span: Span, attributes: Mapping[str, Any], end_ns: int | None) -> None:
    if type(span) is not SparseSpan or end_ns is None or not _end(span, attributes, end_ns):
        _publicly(span, attributes, end_ns)
        return
    if span._record_end_metrics:
        span._record_end_metrics()
    span._span_processor._on_ending(span)
    span._span_processor.on_end(_readable(span))


def _end(span: SparseSpan, attributes: Mapping[str, Any], end_ns: int) -> bool:
    """Write plain attributes to a running span and end it; false, and nothing done, where that cannot be."""
    bounded: Any = span._attributes
    if not stay_as_they_are(attributes, bounded):
        return False
    with span._lock:
        if span._start_time is None or span._end_time is not None:
            return False
        bounded._dict.update(attributes)  # one step, also for those who read it under its own lock
        span._end_time = end_ns
        bounded._immutable = True
    return True


def _readable(span: SparseSpan) -> ReadableSpan:
    """Return what ``_readable_span`` does: the span as it is now, which nothing changes any more."""
    readable: Any = object.__new__(ReadableSpan)
    held = vars(span)
    readable._name = span._name
    readable._context = span._context
    readable._kind = span._kind
    readable._instrumentation_info = span._instrumentation_info
    readable._instrumentation_scope = span._instrumentation_scope
    readable._parent = span._parent
    readable._start_time = span._start_time
    readable._end_time = span._end_time
    readable._attributes = span._attributes
    readable._events = held.get("_events", ())
    readable._links = held.get("_links", ())
    readable._resource = span._resource
    readable._status = span._status
    return readable  # type: ignore[no-any-return]  # made above
