"""Every series that litespan emits, as Prometheus names it, with its labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dashboards.build.names import label, series
from litespan.semconv import GENERATIONS, Metric
from tests.fakes.prometheus_names import PROMOTED

RESOURCE: Final = frozenset(label(attribute) for attribute in PROMOTED)
_HISTOGRAM: Final = ("bucket", "sum", "count")


def series_of(metric: Metric) -> dict[str, frozenset[str]]:
    """Return the series of a metric with their labels."""
    labels = RESOURCE | {label(attribute) for attribute in metric.attributes}
    if metric.kind != "histogram":
        return {series(metric): labels}
    return {series(metric, part): labels | ({"le"} if part == "bucket" else set()) for part in _HISTOGRAM}


SERIES: Final[Mapping[str, frozenset[str]]] = {
    name: labels
    for generation in GENERATIONS.values()
    for metric in generation.metrics
    for name, labels in series_of(metric).items()
}
