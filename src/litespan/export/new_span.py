"""A span of OpenTelemetry's SDK that gets its fields directly, and makes only what somebody asks for.

The SDK hands them through three constructors, each with a default for each of them, and asks twice what class
the span is of. This is private access; see :mod:`litespan.export.span_start`, which calls it only with the
version that was tried.
"""
# ruff: noqa: SLF001

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Tracer, _Span
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

_UNSET: Final = Status(StatusCode.UNSET)


def _made_late(held: Any, name: str, makers: dict[str, Callable[[Any], Any]]) -> Any:
    """Make a field that somebody asks for; threads that ask for it at once get the same."""
    make = makers.get(name)
    if make is None:
        raise AttributeError(f"{type(held).__name__!r} object has no attribute {name!r}")
    return vars(held).setdefault(name, make(held))


class SparseAttributes(BoundedAttributes):
    """Attributes whose lock is made when somebody takes it; litespan writes its own in one step."""

    def __getattr__(self, name: str) -> Any:
        """Make the lock."""
        return _made_late(self, name, _OF_ATTRIBUTES)


class SparseSpan(_Span):
    """A span whose lock and lists of events and links are made when somebody asks for one of them.

    Few spans have either list, and the SDK makes three objects for each. While a span is open, the garbage
    collector looks at each of its objects again and again.
    """

    def __getattr__(self, name: str) -> Any:
        """Make the lock or a list."""
        return _made_late(self, name, _OF_SPANS)


_OF_ATTRIBUTES: Final[dict[str, Callable[[Any], Any]]] = {"_lock": lambda _: Lock()}
_OF_SPANS: Final[dict[str, Callable[[Any], Any]]] = {
    "_lock": lambda _: Lock(),
    "_events": lambda span: BoundedList(span._limits.max_events),
    "_links": lambda span: BoundedList(span._limits.max_links),
}


def new_span(
    tracer: Tracer, name: str, kind: SpanKind, context: SpanContext, parent: SpanContext | None
) -> SparseSpan:
    """Return what ``_Span(...)`` makes of a tracer's fields, for a span on which no exception is recorded.

    When it starts, and what counts its end, ``_record_end_metrics``, are the caller's to set.
    """
    limits = tracer._span_limits
    attributes: Any = object.__new__(SparseAttributes)
    attributes._dict = {}
    attributes._immutable = False
    attributes.dropped = 0
    attributes.maxlen = limits.max_span_attributes
    attributes.max_value_len = limits.max_span_attribute_length
    span: Any = object.__new__(SparseSpan)
    span._name = name
    span._context = context
    span._kind = kind
    span._instrumentation_info = tracer.instrumentation_info
    span._instrumentation_scope = tracer._instrumentation_scope
    span._parent = parent
    span._start_time = None
    span._end_time = None
    span._attributes = attributes
    span._resource = tracer.resource
    span._status = _UNSET
    span._sampler = tracer.sampler
    span._trace_config = None
    span._record_exception = False
    span._set_status_on_exception = False
    span._span_processor = tracer.span_processor
    span._limits = limits
    return span  # type: ignore[no-any-return]  # made above
