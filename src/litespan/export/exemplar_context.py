"""The context of a measurement that is recorded later, for its exemplar."""

from __future__ import annotations

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context


def in_context(span: SpanContext) -> Context:
    """Return a context with a span and nothing else: exemplars want its ids, and keep nothing of it alive.

    What else was in the context of a measurement is gone by the time that it is recorded.
    """
    return set_span_in_context(NonRecordingSpan(span), Context()) if span.is_valid else Context()
