"""What the tests ask Prometheus, over its HTTP API."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import httpx


class Sample(NamedTuple):
    """One value of a series."""

    labels: Mapping[str, str]
    value: float


class Range(NamedTuple):
    """A series over time: its labels, and values by time (seconds since the epoch)."""

    labels: Mapping[str, str]
    values: Mapping[float, float]


class Exemplar(NamedTuple):
    """One call behind a figure: the series that it belongs to, its own labels, its value."""

    series: Mapping[str, str]
    labels: Mapping[str, str]
    value: float


class PrometheusApi:
    """A client. Each method raises httpx.HTTPStatusError if Prometheus refuses the query."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=f"{url}/api/v1", timeout=30.0, trust_env=False)

    def query(self, query: str) -> list[Sample]:
        """Return the value of each series now."""
        found = self._get("query", query=query)
        assert found["resultType"] == "vector", f"{query} gives a {found['resultType']}"
        return [Sample(series["metric"], float(series["value"][1])) for series in found["result"]]

    def value(self, query: str) -> float:
        """Return the one value that a query gives; 0 if it gives none."""
        return sum(sample.value for sample in self.query(query))

    def stored(self, selector: str, duration: str = "1h") -> list[Range]:
        """Return every sample of each series of the last ``duration``, as it was sent."""
        return [_range(series) for series in self._get("query", query=f"{selector}[{duration}]")["result"]]

    def query_range(self, query: str, seconds: float = 600.0, step: float = 1.0) -> list[Range]:
        """Return each series over the last ``seconds``, one value every ``step`` seconds."""
        now = time.time()
        found = self._get("query_range", query=query, start=now - seconds, end=now, step=step)
        return [_range(series) for series in found["result"]]

    def exemplars(self, query: str, seconds: float = 600.0) -> list[Exemplar]:
        """Return the exemplars of the last ``seconds`` of all series that the query names."""
        now = time.time()
        return [
            Exemplar(series["seriesLabels"], exemplar["labels"], float(exemplar["value"]))
            for series in self._get("query_exemplars", query=query, start=now - seconds, end=now + 1)
            for exemplar in series["exemplars"]
        ]

    def series(self, selector: str) -> list[Mapping[str, str]]:
        """Return the labels of all series that a selector finds."""
        found: list[Mapping[str, str]] = self._get("series", **{"match[]": selector})
        return found

    def _get(self, path: str, **parameters: Any) -> Any:
        return self._client.get(path, params=parameters).raise_for_status().json()["data"]


def _range(series: Mapping[str, Any]) -> Range:
    return Range(series["metric"], {at: float(value) for at, value in series["values"]})
