"""OTLP metrics as Prometheus names them when they are pushed to it: its default translation, spelled out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

# Resource attributes that Prometheus is told to promote to labels.
PROMOTED: Final = (
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment.name",
)
_UNITS: Final = {"s": "_seconds"}

Series = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def scraped(text: str) -> Series:
    """Return the samples of a scrape, without buckets, whose bounds are spelled in more than one way."""
    return {
        (sample.name, _labels(sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith("_bucket") and sample.name != "target_info"
    }


def pushed(file: Path) -> Series:
    """Return the same of the last line in a file of OTLP JSON."""
    *_, last = file.read_text(encoding="utf-8").splitlines()
    return {
        (name, _labels(labels)): value
        for resource in json.loads(last)["resourceMetrics"]
        for scope in resource["scopeMetrics"]
        for metric in scope["metrics"]
        for name, labels, value in _samples(metric, _promoted(resource["resource"]))
    }


def _samples(metric: dict[str, Any], shared: dict[str, str]) -> Iterator[tuple[str, dict[str, str], float]]:
    unit = metric.get("unit", "")
    name = _sanitized(metric["name"]) + ("" if unit.startswith("{") else _UNITS[unit])
    data = metric.get("histogram") or metric.get("sum") or metric["gauge"]
    for point in data["dataPoints"]:
        labels = shared | _attributes(point)
        if "histogram" in metric:
            yield f"{name}_sum", labels, point["sum"]
            yield f"{name}_count", labels, float(point["count"])
        else:
            ending = "_total" if data.get("isMonotonic") else ""
            yield name + ending, labels, float(point["asInt"] if "asInt" in point else point["asDouble"])


def _promoted(resource: dict[str, Any]) -> dict[str, str]:
    return {key: value for key, value in _attributes(resource).items() if key in PROMOTED}


def _attributes(holder: dict[str, Any]) -> dict[str, str]:
    return {item["key"]: _text(item["value"]) for item in holder.get("attributes", ())}


def _text(value: dict[str, Any]) -> str:
    (inner,) = value.values()
    return str(inner).lower() if isinstance(inner, bool) else str(inner)


def _labels(labels: dict[str, str]) -> tuple[tuple[str, str], ...]:
    # To Prometheus, an empty label is the same as none.
    return tuple(sorted((_sanitized(key), value) for key, value in labels.items() if value))


def _sanitized(name: str) -> str:
    return re.sub(r"\W", "_", name)
