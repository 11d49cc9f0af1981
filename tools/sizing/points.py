"""What the metrics of one process are: bytes of an export, sets of attributes, series of the store."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import HistogramDataPoint, Metric, NumberDataPoint


@dataclass(frozen=True)
class ProcessMetrics:
    """The metrics of one process.

    Attributes:
        request_bytes: one export (OTLP protobuf, not compressed); each says all again.
        attribute_sets: sets of attributes over all metrics.
        series: what they become in Prometheus, Mimir or Thanos: of a histogram, one for each bucket and
            the one without a bound, the sum and the count.
    """

    request_bytes: int
    attribute_sets: int
    series: int


def metrics_of(request: ExportMetricsServiceRequest) -> ProcessMetrics:
    """Return what an export of a process holds."""
    metrics = list(_metrics(request))
    return ProcessMetrics(
        request_bytes=request.ByteSize(),
        attribute_sets=sum(len(_points(metric)) for metric in metrics),
        series=sum(map(_series, metrics)),
    )


def _metrics(request: ExportMetricsServiceRequest) -> Iterator[Metric]:
    for of_resource in request.resource_metrics:
        for of_scope in of_resource.scope_metrics:
            yield from of_scope.metrics


def _points(metric: Metric) -> Sequence[NumberDataPoint | HistogramDataPoint]:
    return metric.sum.data_points or metric.gauge.data_points or metric.histogram.data_points


def _series(metric: Metric) -> int:
    histograms = sum(len(point.explicit_bounds) + 3 for point in metric.histogram.data_points)
    return histograms or len(_points(metric))
