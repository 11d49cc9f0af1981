"""Everything that litespan emitted, as one text to search for what must not be in it."""

from __future__ import annotations

import json
from typing import Any

from litespan.testing import Capture


def emitted(capture: Capture) -> str:
    """Return all spans and metrics of a capture as text: names, attributes, events, statuses, links."""
    spans = [span.to_json(indent=None) for span in capture.spans]
    metrics = [[metric.name, metric.description, _points(metric)] for metric in capture._metrics()]
    return "\n".join([*spans, json.dumps(metrics, default=str)])


def _points(metric: Any) -> list[Any]:
    return [
        [dict(point.attributes or {}), [dict(e.filtered_attributes or {}) for e in point.exemplars or ()]]
        for point in metric.data.data_points
    ]
