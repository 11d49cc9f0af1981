"""litespan's names as Prometheus shows them, by its default translation of OpenTelemetry's names.

They are the same whether the metrics came by OTLP, by a scrape of the program or through the Collector.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from litespan.semconv import Metric

# Units in braces add nothing to a name.
_UNITS: Final[Mapping[str, str]] = {"s": "_seconds"}


def label(attribute: str) -> str:
    """Return the label of an attribute."""
    return re.sub(r"\W", "_", attribute)


def series(metric: Metric, part: str = "") -> str:
    """Return the name of a metric's series; ``part`` of a histogram is ``bucket``, ``sum`` or ``count``."""
    ending = f"_{part}" if part else {"counter": "_total"}.get(metric.kind, "")
    return label(metric.name) + _UNITS.get(metric.unit, "") + ending
