"""Print metrics as a table at each export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from opentelemetry.sdk.metrics.export import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    MetricExporter,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
)
from rich.console import Console
from rich.table import Table
from rich.text import Text

from litespan.export.cells import printable
from litespan.export.host_console import HostConsole

Point = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint


class MetricRow(NamedTuple):
    """One line of the table: a metric, one set of its attributes, and what was measured."""

    metric: str
    attributes: str
    value: str


class ConsoleMetricExporter(MetricExporter):
    """Prints a table per export, to standard output unless another console is given."""

    def __init__(self, console: Console | None = None) -> None:
        super().__init__()
        self._console = console or HostConsole()

    def export(
        self, metrics_data: MetricsData, timeout_millis: float = 10_000, **kwargs: Any
    ) -> MetricExportResult:
        """Print the table; nothing if nothing was measured."""
        rows = sorted(metric_rows(metrics_data))
        if rows:
            self._console.print(_table(rows))
        return MetricExportResult.SUCCESS

    def shutdown(self, timeout_millis: float = 30_000, **kwargs: Any) -> None:
        """Nothing is held, so this does nothing."""

    def force_flush(self, timeout_millis: float = 10_000) -> bool:
        """Nothing is held, so this does nothing."""
        return True


def metric_rows(metrics_data: MetricsData) -> Iterator[MetricRow]:
    """Yield one row per data point; a histogram shows its count and sum."""
    for resource in metrics_data.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    value = _value(point, metric.unit or "")
                    yield MetricRow(printable(metric.name), _attributes(point), value)


def _table(rows: list[MetricRow]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("metric", overflow="fold")
    table.add_column("attributes", overflow="fold")
    table.add_column("value", justify="right", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _attributes(point: Point) -> str:
    attributes = sorted((point.attributes or {}).items())
    return printable(", ".join(f"{key}={value!s}" for key, value in attributes))


def _value(point: Point, unit: str) -> str:
    # {token}, {call}: a word in braces is a comment of the unit and no part of the figure.
    suffix = "" if unit.startswith("{") or not unit else f" {unit}"
    if isinstance(point, NumberDataPoint):
        return f"{point.value:,.6g}{suffix}" if isinstance(point.value, float) else f"{point.value:,}{suffix}"
    return f"count {point.count:,}, sum {point.sum:,.6g}{suffix}"
