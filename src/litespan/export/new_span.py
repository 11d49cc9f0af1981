"""A span of OpenTelemetry's SDK that gets its fields directly.

The SDK hands them through three constructors, each with a default for each of them, and asks twice what class
the span is of. This is private access; see :mod:`litespan.export.span_start`, which calls it only with the
version that was tried.
"""
# ruff: noqa: SLF001

from __future__ import annotations

from threading import Lock
from typing import Any, Final

from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk.trace import Tracer, _Span
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode

_UNSET: Final = Status(StatusCode.UNSET)
# The lists of a span, and the limit of each.
_LISTS: Final = {"_events": "max_events", "_links": "max_links"}


class SparseSpan(_Span):
    """A span whose lists of events and links are made when somebody asks for one of them.

    Few spans have either, and the SDK makes three objects for each list.
    """

    def __getattr__(self, name: str) -> Any:
        """Make a list; threads that ask for it at once get the same."""
        if name not in _LISTS:
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")
        return vars(self).setdefault(name, BoundedList(getattr(self._limits, _LISTS[name])))


def new_span(
    tracer: Tracer, name: str, kind: SpanKind, context: SpanContext, parent: SpanContext | None
) -> SparseSpan:
    """Return what ``_Span(...)`` makes of a tracer's fields, for a span on which no exception is recorded.

    What counts its end, ``_record_end_metrics``, is the caller's to set.
    """
    limits = tracer._span_limits
    most, longest = limits.max_span_attributes, limits.max_span_attribute_length
    span: Any = object.__new__(SparseSpan)
    span._name = name
    span._context = context
    span._kind = kind
    span._instrumentation_info = tracer.instrumentation_info
    span._instrumentation_scope = tracer._instrumentation_scope
    span._parent = parent
    span._start_time = None
    span._end_time = None
    span._attributes = BoundedAttributes(most, immutable=False, max_value_len=longest)
    span._resource = tracer.resource
    span._status = _UNSET
    span._sampler = tracer.sampler
    span._trace_config = None
    span._record_exception = False
    span._set_status_on_exception = False
    span._span_processor = tracer.span_processor
    span._limits = limits
    span._lock = Lock()
    return span  # type: ignore[no-any-return]  # made above
