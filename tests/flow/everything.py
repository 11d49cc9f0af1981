"""Everything that litespan emitted, as one text to search for what must not be in it."""

from __future__ import annotations

import json
from typing import Any

from litespan.testing import Capture


def on_spans(capture: Capture) -> str:
    """Return all that spans have as text: names, attributes, statuses, links."""
    return "\n".join(span.to_json(indent=None) for span in capture.spans)


def emitted(capture: Capture) -> str:
    """Return all spans, metrics and events of a capture as text."""
    metrics = [[metric.name, metric.description, _points(metric)] for metric in capture._metrics()]
    events = [
        json.dumps([event.event_name, event.body, dict(event.attributes or {})]) for event in capture.events
    ]
    return "\n".join([on_spans(capture), json.dumps(metrics, default=str), *events])


def _points(metric: Any) -> list[Any]:
    return [
        [dict(point.attributes or {}), [dict(e.filtered_attributes or {}) for e in point.exemplars or ()]]
        for point in metric.data.data_points
    ]
