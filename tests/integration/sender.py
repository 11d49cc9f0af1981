"""A sender that knows what the Collector has accepted: numbered traces and a counter, without end."""

from __future__ import annotations

import secrets
import time
from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AGGREGATION_TEMPORALITY_CUMULATIVE,
    Metric,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from tests.integration.poster import Poster
from tests.integration.servers.server import wait_for

SERVICE: Final = "sender"
SPANS: Final = 5
"""Spans of each trace."""

_PAUSE: Final = 0.01  # seconds between two requests: a stream of telemetry, not a load test
_RESOURCE: Final = Resource(attributes=[KeyValue(key="service.name", value=AnyValue(string_value=SERVICE))])


class Sender(Poster):
    """Sends until the block ends.

    Attributes:
        traces: ids of the traces that the Collector accepted.
        points: the counter's accepted values, by time (milliseconds since the epoch).
    """

    def __init__(self, otlp: str) -> None:
        super().__init__(otlp, timeout=10.0)
        self.traces: set[str] = set()
        self.points: dict[int, int] = {}
        self._began = time.time_ns()

    def run(self) -> None:
        """Send a trace and the counter in turn."""
        count = 0
        while not self._done.wait(_PAUSE):
            count += 1
            trace_id = secrets.token_bytes(16)
            if self._accepted("/v1/traces", _trace(trace_id).SerializeToString()):
                self.traces.add(trace_id.hex())
            milliseconds = time.time_ns() // 10**6
            counter = _counter(count, milliseconds, self._began)
            if self._accepted("/v1/metrics", counter.SerializeToString()):
                self.points[milliseconds] = count

    def wait_for_more(self, count: int = 20) -> None:
        """Wait until so many further traces and points are accepted."""
        traces, points = len(self.traces) + count, len(self.points) + count
        wait_for(lambda: len(self.traces) >= traces and len(self.points) >= points, "more was accepted")


def _trace(trace_id: bytes) -> ExportTraceServiceRequest:
    now = time.time_ns()
    root = secrets.token_bytes(8)
    spans = [
        Span(
            trace_id=trace_id,
            span_id=secrets.token_bytes(8) if number else root,
            parent_span_id=root if number else b"",
            name=f"step {number}",
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 10**6,
        )
        for number in range(SPANS)
    ]
    scope = ScopeSpans(spans=spans)
    return ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=_RESOURCE, scope_spans=[scope])])


def _counter(count: int, milliseconds: int, began: int) -> ExportMetricsServiceRequest:
    point = NumberDataPoint(as_int=count, time_unix_nano=milliseconds * 10**6, start_time_unix_nano=began)
    total = Sum(
        data_points=[point], is_monotonic=True, aggregation_temporality=AGGREGATION_TEMPORALITY_CUMULATIVE
    )
    scope = ScopeMetrics(metrics=[Metric(name="sent", sum=total)])
    return ExportMetricsServiceRequest(
        resource_metrics=[ResourceMetrics(resource=_RESOURCE, scope_metrics=[scope])]
    )
