"""Spans of OpenTelemetry's SDK, started with attributes that it would clean and change nothing.

As at a span's end (:mod:`litespan.export.span_attributes`), plain attributes are written at once. This takes
the steps of the SDK's ``start_span`` one by one, as that makes a span and tells the processors without a gap.
What decides stays the SDK's: whether the tracer is on, ids, the sampler and what it adds, limits, processors.

This is private access, tried with the same version as :mod:`litespan.export.bound`. Under other versions, and
for tracers that are not the SDK's own or whose ``start_span`` was replaced, the public API is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import Span, SpanContext, SpanKind, TraceFlags, Tracer

from litespan.export.bound import TRIED
from litespan.export.span_attributes import stay_as_they_are

# Starts a span: name, context of its parent, kind, attributes, nanoseconds since the Unix epoch.
Start = Callable[[str, Context | None, SpanKind, Mapping[str, Any], int], Span]

# Bits of the W3C trace context; older versions of the API have no name for the second.
_SAMPLED: Final = 1
_RANDOM: Final = 2
_FLAGS: Final = tuple(TraceFlags(bits) for bits in range((_SAMPLED | _RANDOM) + 1))


def starter(tracer: Tracer) -> Start:
    """Return what starts spans of a tracer; exceptions are never recorded on them by the SDK."""
    if type(tracer) is not sdk.Tracer or _is_replaced(sdk.Tracer.start_span) or sdk_version != TRIED:
        return _publicly(tracer)
    return _by_steps(tracer)


def _is_replaced(method: Any) -> bool:
    """Say whether somebody put a function of their own in the place of one of the SDK's."""
    return getattr(getattr(method, "__code__", None), "co_filename", None) != sdk.__file__


def _publicly(tracer: Tracer) -> Start:
    def start(
        name: str, context: Context | None, kind: SpanKind, attributes: Mapping[str, Any], start_ns: int
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
    def start(
        name: str, context: Context | None, kind: SpanKind, attributes: Mapping[str, Any], start_ns: int
    ) -> Span:
        above = trace.get_current_span(context).get_span_context()
        if not tracer._is_enabled():  # noqa: SLF001 - see the module's text
            return trace.NonRecordingSpan(above)
        ids = tracer.id_generator
        parent = above if above.is_valid else None
        if parent is None:
            trace_id, flags = ids.generate_trace_id(), _RANDOM if ids.is_trace_id_random() else 0
        else:
            trace_id, flags = parent.trace_id, parent.trace_flags & _RANDOM
        sampled = tracer.sampler.should_sample(context, trace_id, name, kind, attributes, ())
        decision = sampled.decision
        if decision.is_sampled():  # type: ignore[no-untyped-call]
            flags |= _SAMPLED
        span_context = SpanContext(
            trace_id,
            ids.generate_span_id(),
            False,
            _FLAGS[flags],
            sampled.trace_state,
        )
        ended = tracer._tracer_metrics.start_span(parent, decision)  # noqa: SLF001
        if not decision.is_recording():  # type: ignore[no-untyped-call]
            return trace.NonRecordingSpan(span_context)
        span = sdk._Span(  # noqa: SLF001
            name=name,
            context=span_context,
            parent=parent,
            sampler=tracer.sampler,
            resource=tracer.resource,
            span_processor=tracer.span_processor,
            kind=kind,
            instrumentation_info=tracer.instrumentation_info,
            record_exception=False,
            set_status_on_exception=False,
            limits=tracer._span_limits,  # noqa: SLF001
            instrumentation_scope=tracer._instrumentation_scope,  # noqa: SLF001
            record_end_metrics=ended,
        )
        bounded: Any = span._attributes  # noqa: SLF001
        if stay_as_they_are(sampled.attributes, bounded):
            bounded._dict.update(sampled.attributes)  # noqa: SLF001 - nobody else has this span yet
        else:
            bounded._set_items(sampled.attributes)  # noqa: SLF001
        span.start(start_ns, context)
        return span

    return start
