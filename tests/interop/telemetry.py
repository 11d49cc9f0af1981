"""What the programs of these tests record, and how they hand it to the test."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import Any

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

OURS = "litespan"


@dataclass
class Telemetry:
    """Spans, measurements and log lines of one program, of every instrumentation in it."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)
    lines: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Listen to litespan's log."""
        self.spans = SimpleSpanProcessor(self.exporter)
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self.lines.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger(OURS).addHandler(handler)

    def of(self, *, ours: bool) -> list[ReadableSpan]:
        """Return the ended spans of litespan's, or those of all others."""
        return [
            span
            for span in self.exporter.get_finished_spans()
            if span.instrumentation_scope is not None and ours is (span.instrumentation_scope.name == OURS)
        ]

    def wait_for_others(self, number: int, timeout: float = 20) -> None:
        """Wait (seconds) until other instrumentations have ended this many spans."""
        deadline = monotonic() + timeout
        while len(self.of(ours=False)) < number and monotonic() < deadline:
            sleep(0.01)

    def counts(self, *, ours: bool) -> dict[str, float]:
        """Return the number of measurements, or the value of a counter, by metric."""
        data, found = self.reader.get_metrics_data(), Counter[str]()
        for resource in data.resource_metrics if data is not None else ():
            for scope in resource.scope_metrics:
                if ours is (scope.scope.name == OURS):
                    for metric in scope.metrics:
                        points: Any = metric.data.data_points
                        found[metric.name] += sum(getattr(p, "count", getattr(p, "value", 0)) for p in points)
        return dict(found)

    def report(self, **more: Any) -> None:
        """Print everything as one line of JSON."""
        found: Mapping[str, Any] = {
            "spans": [_plain(span) for span in self.of(ours=True)],
            "other_spans": [_plain(span) for span in self.of(ours=False)],
            "counts": self.counts(ours=True),
            "other_counts": self.counts(ours=False),
            "lines": self.lines,
        }
        print(json.dumps({**found, **more}))  # noqa: T201 - the test reads it


def _plain(span: ReadableSpan) -> dict[str, Any]:
    return {
        "name": span.name,
        "trace": span.context.trace_id,
        "id": span.context.span_id,
        "parent": span.parent.span_id if span.parent is not None else None,
        "attributes": dict(span.attributes or {}),
    }
