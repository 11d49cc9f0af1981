"""Spans and metrics made with a real OpenTelemetry SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricsData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.version import __version__ as sdk_version

from litespan.export.tried import TRIED

RESOURCE = Resource({"service.name": "shop"})

# Marks tests of private access.
tried_version = pytest.mark.skipif(
    sdk_version not in TRIED, reason="other versions of the SDK keep to the public API"
)


def tracer_provider(*exporters: SpanExporter) -> TracerProvider:
    """Return a provider that exports each span at once."""
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    for exporter in exporters:
        provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider


def spans_of(work: Callable[[Any], object]) -> list[ReadableSpan]:
    """Return the spans that ``work(tracer)`` makes."""
    memory = InMemorySpanExporter()
    work(tracer_provider(memory).get_tracer("test", "1.2"))
    return list(memory.get_finished_spans())


def metrics_of(work: Callable[[Any], object]) -> MetricsData:
    """Return the metrics that ``work(meter)`` records."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], resource=RESOURCE, shutdown_on_exit=False)
    work(provider.get_meter("test"))
    data = reader.get_metrics_data()
    assert data is not None
    return data
