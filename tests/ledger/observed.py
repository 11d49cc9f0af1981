"""What litespan says of a load, read from three places: metrics, exported spans, and the file of traces."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from click.testing import CliRunner
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan

from litespan.cli import main
from litespan.testing import Capture
from tests.ledger.figures import TOKENS, Book, Figures

_ON_SPANS: Final = {
    "input": "gen_ai.usage.input_tokens",
    "cache_read": "gen_ai.usage.cache_read.input_tokens",
    "cache_write": "gen_ai.usage.cache_creation.input_tokens",
    "output": "gen_ai.usage.output_tokens",
    "reasoning": "gen_ai.usage.reasoning.output_tokens",
}
_COUNTERS: Final = {
    "gen_ai.client.inference.usage.input_tokens": "input",
    "gen_ai.client.inference.usage.cache_read.input_tokens": "cache_read",
    "gen_ai.client.inference.usage.cache_write.input_tokens": "cache_write",
    "gen_ai.client.inference.usage.output_tokens": "output",
    "gen_ai.client.inference.usage.reasoning.output_tokens": "reasoning",
}
_CALLS: Final = frozenset({"chat", "text_completion", "embeddings"})
BY_MODEL: Final = "gen_ai.request.model"
BY_JOB: Final = "user.id"


class Point(NamedTuple):
    """One value of a counter."""

    metric: str
    attributes: Mapping[str, Any]
    value: Any


def model_calls(spans: Iterable[ReadableSpan]) -> Iterator[Mapping[str, Any]]:
    """Yield the attributes of the spans of model calls."""
    for span in spans:
        attributes = span.attributes or {}
        if attributes.get("gen_ai.operation.name") in _CALLS:
            yield attributes


def of_spans(spans: Iterable[ReadableSpan], key: str) -> Book:
    """Add up the spans of model calls by an attribute."""
    book = Book()
    for attributes in model_calls(spans):
        figures = book[str(attributes.get(key))]
        figures.tokens.update({name: attributes.get(attribute, 0) for name, attribute in _ON_SPANS.items()})
        figures.usd += Decimal(attributes.get("gen_ai.usage.cost.amount", 0))
        figures.outcomes[attributes["litespan.outcome"]] += 1
        if reason := attributes.get("litespan.usage.missing_reason"):
            figures.missing[reason] += 1
    return book


def attempts(spans: Iterable[ReadableSpan]) -> dict[str, int]:
    """Add up the HTTP requests that the spans of each job know of, where all of its spans know them."""
    found: dict[str, int] = {}
    unknown: set[str] = set()
    for attributes in model_calls(spans):
        job, count = str(attributes.get(BY_JOB)), attributes.get("litespan.attempts")
        if count is None:
            unknown.add(job)
        found[job] = found.get(job, 0) + (count or 0)
    return {job: count for job, count in found.items() if job not in unknown}


def of_points(points: Iterable[Point], key: str) -> Book:
    """Add up the counters by an attribute."""
    book = Book()
    for name, attributes, value in points:
        group = str(attributes.get(key))
        if name in _COUNTERS:
            book[group].tokens[_COUNTERS[name]] += value
        elif name == "litespan.cost":
            book[group].usd += Decimal(value)
        elif name == "litespan.calls":
            book[group].outcomes[attributes["litespan.outcome"]] += value
        elif name == "litespan.calls.usage_missing":
            book[group].missing[attributes["reason"]] += value
    return book


def points(reader: InMemoryMetricReader) -> Iterator[Point]:
    """Yield every point of every counter."""
    data = reader.get_metrics_data()
    for resource in data.resource_metrics if data is not None else ():
        for scope in resource.scope_metrics:
            yield from _points(scope.metrics)


def points_of(capture: Capture) -> Iterator[Point]:
    """Yield the same of a capture."""
    return _points(capture._metrics())


def _points(metrics: Iterable[Any]) -> Iterator[Point]:
    for metric in metrics:
        for point in metric.data.data_points:
            if hasattr(point, "value"):
                yield Point(metric.name, point.attributes or {}, point.value)


def of_summary(document: Mapping[str, Any], dimension: str) -> Book:
    """Read the groups of `litespan summary --json`."""
    book = Book()
    for group in document["by"][dimension]["groups"]:
        book[str(group["name"])].add(_figures(group))
    return book


def _figures(group: Mapping[str, Any]) -> Figures:
    figures = Figures(usd=Decimal(group["cost"] or 0))
    figures.tokens.update({name: group[f"{name}_tokens"] or 0 for name in TOKENS})
    figures.outcomes.update(group["outcomes"])
    figures.missing.update(group["usage_missing_reasons"])
    return figures


def summary_of(path: str, *dimensions: str) -> Any:
    """Return what `litespan summary` says of a file, by these dimensions."""
    result = CliRunner().invoke(main, ["summary", path, "--json", "--by", ",".join(dimensions)])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)
