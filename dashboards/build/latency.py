"""Latency & reliability: how long calls and runs take."""

from __future__ import annotations

from typing import Final

from grafana_foundation_sdk.builders import heatmap, table, timeseries
from grafana_foundation_sdk.models import units

from dashboards.build import figures, filters
from dashboards.build.descriptions import BUCKETS, COUNTED, EXEMPLARS
from dashboards.build.house import COST
from dashboards.build.panels import WHOLE, WHOLE_NUMBER, About, curves, heat_map
from dashboards.build.promql import RANGE, RATE, quantile
from dashboards.build.tables import Key, Link, rows
from dashboards.build.targets import Column, Line, lines
from litespan import semconv
from litespan.semconv import Metric

QUANTILES: Final = ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
_MODEL: Final = (semconv.PROVIDER_NAME, semconv.REQUEST_MODEL)


def quantiles(metric: Metric, *by: str) -> list[Line]:
    """Return p50, p95 and p99 of a histogram over time."""
    return [lines(quantile(q, metric, RATE, *by), *by, note=note) for q, note in QUANTILES]


def call_duration() -> timeseries.Panel:
    """Return how long calls take."""
    question = (
        "How long do calls to each model take, from the request to the last chunk? Failed ones count too."
    )
    about = About(1, "Duration of calls", question, BUCKETS)
    return curves(about, units.Seconds, *quantiles(semconv.OPERATION_DURATION, semconv.REQUEST_MODEL))


def first_chunk() -> timeseries.Panel:
    """Return how long a user waits for the first words."""
    question = "How long does a streaming call to each model wait for its first chunk?"
    about = About(2, "Time to first chunk", question, BUCKETS)
    return curves(about, units.Seconds, *quantiles(semconv.TIME_TO_FIRST_CHUNK, semconv.REQUEST_MODEL))


def call_durations() -> heatmap.Panel:
    """Return how the durations of calls spread."""
    question = "How do the durations of calls spread, and which call was that slow?"
    about = About(3, "Durations of calls", question, EXEMPLARS)
    return heat_map(about, units.Seconds, semconv.OPERATION_DURATION)


def first_chunks() -> heatmap.Panel:
    """Return how the times to the first chunk spread."""
    question = "How do the times to the first chunk spread, and which call was that slow?"
    about = About(4, "Times to first chunk", question, EXEMPLARS)
    return heat_map(about, units.Seconds, semconv.TIME_TO_FIRST_CHUNK)


def speed() -> timeseries.Panel:
    """Return how fast models write."""
    question = "How many output tokens does a second of call time bring, reasoning included?"
    exactness = (
        "Tokens of calls that did not fail, divided by the whole time of such calls, the wait for the first "
        "chunk included. Calls whose usage is missing make it too low."
    )
    about = About(5, "Output tokens per second", question, exactness, WHOLE)
    return curves(about, units.Short, lines(figures.tokens_per_second(RATE, *_MODEL), *_MODEL))


def run_duration() -> timeseries.Panel:
    """Return how long runs take."""
    question = "How long does a run of each workflow take, with all its calls, tools and waits?"
    about = About(20, "Duration of runs", question, BUCKETS)
    return curves(about, units.Seconds, *quantiles(semconv.RUN_DURATION, semconv.WORKFLOW_NAME))


def run_durations() -> heatmap.Panel:
    """Return how the durations of runs spread."""
    question = "How do the durations of runs spread, and which run was that slow?"
    about = About(21, "Durations of runs", question, EXEMPLARS)
    return heat_map(about, units.Seconds, semconv.RUN_DURATION)


def models() -> table.Panel:
    """Return the models side by side."""
    cost = Link("Cost of this model", COST, filters.MODEL)
    durations = [
        Column(f"Duration {note}", quantile(q, semconv.OPERATION_DURATION, RANGE, *_MODEL), units.Seconds)
        for q, note in QUANTILES
    ]
    first = [
        Column(f"First chunk {note}", quantile(q, semconv.TIME_TO_FIRST_CHUNK, RANGE, *_MODEL), units.Seconds)
        for q, note in QUANTILES
    ]
    return rows(
        About(6, "Models", "Which model is slow, fails or is tried again?", f"{BUCKETS} {COUNTED}", WHOLE, 9),
        [Key("Provider", semconv.PROVIDER_NAME), Key("Model", semconv.REQUEST_MODEL, cost)],
        [
            Column("Calls", figures.calls(RANGE, *_MODEL), WHOLE_NUMBER),
            *durations,
            *first,
            Column("Tokens per second", figures.tokens_per_second(RANGE, *_MODEL), units.Short, 1),
            Column("Failed", figures.failed_share(RANGE, *_MODEL), units.PercentUnit, 1),
            Column("Requests per call", figures.requests_per_call(RANGE, *_MODEL), units.Short, 2),
        ],
    )
