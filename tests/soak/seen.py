"""What litespan has open and what it has counted, seen from OpenTelemetry's side."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor, TracerProvider

import litespan


class _Counting(SpanProcessor):
    """Counts spans and keeps none."""

    def __init__(self) -> None:
        self.begun = 0
        self.ended: Counter[str] = Counter()
        self._lock = threading.Lock()

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Count a beginning."""
        with self._lock:
            self.begun += 1

    def on_end(self, span: ReadableSpan) -> None:
        """Count an end by operation and outcome."""
        attributes = span.attributes or {}
        outcome = attributes.get("litespan.outcome", "")
        sent = "" if attributes.get("litespan.sent", True) else " never sent"
        with self._lock:
            self.ended[f"{span.name.split()[0]} {outcome}{sent}"] += 1


class Seen:
    """Instruments the process and counts what litespan emits; nothing is kept."""

    def __init__(self) -> None:
        self._spans = _Counting()
        self._reader = InMemoryMetricReader()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(self._spans)
        litespan.instrument(tracers, MeterProvider([self._reader], shutdown_on_exit=False))

    def state(self) -> dict[str, int]:
        """Return how many records are open and how many spans have not ended, all work being over."""
        litespan.flush()
        unfinished = self._spans.begun - self._spans.ended.total()
        return {"open": litespan.stats()["records_open"], "unfinished": unfinished}

    def figures(self) -> dict[str, Any]:
        """Return the ends by operation and outcome, the counters, and litespan's own faults."""
        return {
            "ended": dict(self._spans.ended),
            "metrics": self._sums(),
            "errors": litespan.stats()["internal_errors"],
        }

    def _sums(self) -> dict[str, float]:
        sums: dict[str, float] = defaultdict(float)
        data = self._reader.get_metrics_data()
        for resource in data.resource_metrics if data else ():
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    for point in metric.data.data_points:
                        if hasattr(point, "value"):
                            sums[metric.name] += point.value
        return dict(sums)
