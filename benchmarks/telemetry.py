"""What the benchmarks' variants share: OpenTelemetry providers that send nothing, and names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agents.tracing import TracingProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

MODEL: Final = "openai/gpt-4o"
AGENT: Final = "bench"


class _Discard(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS


class _Nothing(TracingProcessor):
    def on_trace_start(self, trace: Any) -> None: ...
    def on_trace_end(self, trace: Any) -> None: ...
    def on_span_start(self, span: Any) -> None: ...
    def on_span_end(self, span: Any) -> None: ...
    def shutdown(self) -> None: ...
    def force_flush(self) -> None: ...


def least_processor() -> TracingProcessor:
    """Return a processor with which the SDK's tracing runs, and nothing is made of it."""
    return _Nothing()


def providers(*, sampled: bool = True) -> tuple[TracerProvider, MeterProvider]:
    """Return providers that do all the work but the sending."""
    tracer_provider = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
    tracer_provider.add_span_processor(BatchSpanProcessor(_Discard()))
    return tracer_provider, MeterProvider([InMemoryMetricReader()])
