"""litespan's metrics about itself, read when metrics are collected."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from litespan.semconv import Metric

Read = Callable[[], Iterable[Observation]]


def offer(meter: Meter, sources: Mapping[Metric, Read]) -> None:
    """Register a function for each metric that returns what it is now."""
    for metric, read in sources.items():
        create = (
            meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_gauge
        )
        create(metric.name, [_callback(read)], metric.unit, metric.description)


def _callback(read: Read) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _: read()
