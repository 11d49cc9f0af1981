"""Metrics of a capture as text, for snapshots: sums of counters, and how often histograms were written."""

from __future__ import annotations

from typing import Any, Final

from litespan.testing import Capture

_OF_LITESPAN: Final = (
    "litespan.export.",
    "litespan.records.",
    "litespan.dropped",
    "litespan.internal_errors",
)


def measured(capture: Capture) -> list[str]:
    """Return one line for each set of attributes of each metric of the host that has data, sorted."""
    return sorted(
        " ".join([metric.name, *_attributes(point), _figure(point)])
        for metric in capture._metrics()
        if not metric.name.startswith(_OF_LITESPAN)
        for point in metric.data.data_points
    )


def _attributes(point: Any) -> list[str]:
    return [str(value) for _, value in sorted((point.attributes or {}).items())]


def _figure(point: Any) -> str:
    return f"x{point.count}" if hasattr(point, "count") else f"= {round(point.value, 9):g}"
