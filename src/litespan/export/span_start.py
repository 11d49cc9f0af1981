"""Spans of OpenTelemetry's SDK, started with attributes that it would clean and change nothing.

As at a span's end (:mod:`litespan.export.span_end`), plain attributes are written at once. This takes the
steps of the SDK's ``start_span`` one by one, as that makes a span and tells the processors without a gap.
What decides stays the SDK's: whether the tracer is on, ids, the sampler and what it adds, limits, processors.

This is private access, tried with the version that :mod:`litespan.export.tried` names. Under other versions,
and for tracers that are not the SDK's own or where its functions had been replaced when litespan was set up,
the public API is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import Span, SpanContext, SpanKind, TraceFlags, Tracer

from litespan.export.new_span import new_span
from litespan.export.sampling import decide
from litespan.export.span_attributes import stay_as_they_are
from litespan.export.tried import is_tried

# Starts a span: name, context of its parent, the parent in it where it is known, kind, attributes,
# nanoseconds since the Unix epoch.
Start = Callable[[str, Context | None, SpanContext | None, SpanKind, Mapping[str, Any], int], Span]

# Looking an enumeration's member up takes longer than comparing it.
_RECORD_AND_SAMPLE: Final = Decision.RECORD_AND_SAMPLE
_DROP: Final = Decision.DROP
# Bits of the W3C trace context; older versions of the API have no name for the second.
_SAMPLED: Final = 1
_RANDOM: Final = 2
_FLAGS: Final = tuple(TraceFlags(bits) for bits in range((_SAMPLED | _RANDOM) + 1))


def starter(tracer: Tracer) -> Start:
    """Return what starts spans of a tracer; exceptions are never recorded on them by the SDK."""
    steps = (sdk.Tracer.start_span, sdk.Span.__init__, sdk.Span.start, sdk.ReadableSpan.__init__)
    return _by_steps(tracer) if type(tracer) is sdk.Tracer and is_tried(*steps) else _publicly(tracer)


def telling_of_the_first(start: Start, tell: Callable[[], object]) -> Start:
    """Return what starts spans as ``start`` does, and tells when the first one is recorded."""
    told = False

    def start_and_tell(*facts: Any) -> Span:
        nonlocal told
        span = start(*facts)
        if not told and span.is_recording():
            told = True
            tell()
        return span

    return start_and_tell


def _publicly(tracer: Tracer) -> Start:
    def start(
        name: str,
        context: Context | None,
        _: SpanContext | None,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        start_ns: int,
    ) -> Span:
        return tracer.start_span(
            name,
            context,
            kind,
            attributes,
            (),
            start_ns,
            record_exception=False,
            set_status_on_exception=False,
        )

    return start


def _by_steps(tracer: sdk.Tracer) -> Start:
    def start(  # noqa: PLR0913, PLR0917 - what a span starts with
        name: str,
        context: Context | None,
        above: SpanContext | None,
        kind: SpanKind,
        attributes: Mapping[str, Any],
        start_ns: int,
    ) -> Span:
        if above is None:
            above = trace.get_current_span(context).get_span_context()
        if not tracer._is_enabled():  # noqa: SLF001 - see the module's text
            return trace.NonRecordingSpan(above)
        ids = tracer.id_generator
        parent = above if above.is_valid else None
        if parent is None:
            trace_id, flags = ids.generate_trace_id(), _RANDOM if ids.is_trace_id_random() else 0
        else:
            trace_id, flags = parent.trace_id, parent.trace_flags & _RANDOM
        decision, first, trace_state = decide(
            tracer.sampler, context, parent, trace_id, name, kind, attributes
        )
        if decision is _RECORD_AND_SAMPLE:
            flags |= _SAMPLED
        span_context = SpanContext(
            trace_id,
            ids.generate_span_id(),
            False,
            _FLAGS[flags],
            trace_state,
        )
        ended = tracer._tracer_metrics.start_span(parent, decision)  # noqa: SLF001
        if decision is _DROP:
            return trace.NonRecordingSpan(span_context)
        span = new_span(tracer, name, kind, span_context, parent)
        span._record_end_metrics = ended  # noqa: SLF001
        bounded: Any = span._attributes  # noqa: SLF001
        if stay_as_they_are(first, bounded):
            bounded._dict.update(first)  # noqa: SLF001 - nobody else has this span yet
        else:
            bounded._set_items(first)  # noqa: SLF001
        span._start_time = start_ns  # noqa: SLF001 - what `Span.start` does, but for its lock
        span._span_processor.on_start(span, parent_context=context)  # noqa: SLF001
        return span

    return start
