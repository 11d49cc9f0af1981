"""Metrics of a program that has OpenTelemetry set up already: its views and readers stay in force."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import litellm
import pytest
from agents import custom_span, trace
from opentelemetry.sdk.metrics import Counter, Histogram, MeterProvider, ObservableCounter
from opentelemetry.sdk.metrics.export import AggregationTemporality, InMemoryMetricReader
from opentelemetry.sdk.metrics.view import DropAggregation, ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider

import litespan
from litespan.testing import Capture, Provider
from tests.fakes.litellm_calls import chat
from tests.waiting import wait_until

DURATION = "gen_ai.client.operation.duration"
CALLS = "litespan.calls"
INPUT = "gen_ai.client.inference.usage.input_tokens"


@pytest.fixture(autouse=True)
def _taken_out_at_the_end() -> Iterator[None]:
    """Take litespan out whatever the test did."""
    yield
    litespan.uninstrument()


def points(reader: InMemoryMetricReader) -> dict[str, list[Any]]:
    """Collect; return the points of each metric."""
    data = reader.get_metrics_data()
    return {
        metric.name: list(metric.data.data_points)
        for resource in (data.resource_metrics if data is not None else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }


async def measured(
    provider: Provider, readers: Sequence[InMemoryMetricReader], views: Sequence[View] = ()
) -> None:
    """Make calls of two models under a program's own meter provider."""
    metrics = MeterProvider(readers, views=views, shutdown_on_exit=False)
    litespan.instrument(tracer_provider=Capture().tracer_provider, meter_provider=metrics)
    for model in ("gpt-4o-mini", "gpt-4o", "gpt-4o"):
        await litellm.acompletion(**{**chat(provider), "model": f"openai/{model}"})


async def test_views_rename_and_drop(provider: Provider) -> None:
    """A view's name replaces ours, and what a view drops is gone; the rest is as without views."""
    reader = InMemoryMetricReader()
    views = [
        View(instrument_name=DURATION, name="llm.seconds"),
        View(instrument_name=CALLS, aggregation=DropAggregation()),
    ]
    await measured(provider, [reader], views)

    found = points(reader)
    assert 3 == sum(point.count for point in found["llm.seconds"])
    assert {DURATION, CALLS}.isdisjoint(found)
    assert provider.delivered().input_tokens == sum(point.value for point in found[INPUT])


@pytest.mark.parametrize("dropped", ["litespan.*", "*open*"])
async def test_histograms_are_whole_whatever_views_drop(provider: Provider, dropped: str) -> None:
    """A collection has every measurement, also where the metrics about litespan itself are dropped."""
    reader = InMemoryMetricReader()
    views = [View(instrument_name=dropped, aggregation=DropAggregation())]
    await measured(provider, [reader], views)

    assert 3 == sum(point.count for point in points(reader)[DURATION])


async def test_what_was_measured_before_uninstrument_is_told_after_it(provider: Provider) -> None:
    """A collection after litespan was taken out, as the program's own at its end, has every measurement."""
    reader = InMemoryMetricReader()
    await measured(provider, [reader])
    litespan.uninstrument()

    assert 3 == sum(point.count for point in points(reader)[DURATION])


async def test_views_choose_buckets(provider: Provider) -> None:
    """A view's buckets win over those that the conventions advise."""
    reader = InMemoryMetricReader()
    own = ExplicitBucketHistogramAggregation([1, 60])
    await measured(provider, [reader], [View(instrument_name=DURATION, aggregation=own)])

    found = points(reader)
    assert {(1, 60)} == {tuple(point.explicit_bounds) for point in found[DURATION]}
    assert (1, 4, 16) == tuple(found["gen_ai.client.token.usage"][0].explicit_bounds)[:3]


async def test_views_leave_attributes_out(provider: Provider) -> None:
    """Where a view keeps fewer attributes, series fall together and their sums stay whole."""
    reader = InMemoryMetricReader()
    keys = {"gen_ai.provider.name"}
    await measured(
        provider, [reader], [View(instrument_name=name, attribute_keys=keys) for name in (DURATION, CALLS)]
    )

    found = points(reader)
    (duration,), (calls,) = found[DURATION], found[CALLS]
    assert {"gen_ai.provider.name": "openai"} == dict(duration.attributes) == dict(calls.attributes)
    assert (3, 3) == (duration.count, calls.value)
    assert 2 == len(found[INPUT])


async def test_every_reader_gets_everything(provider: Provider) -> None:
    """Several readers, also of different temporality, each see all calls once, in any order."""
    delta = AggregationTemporality.DELTA
    since_start = InMemoryMetricReader()
    since_last = InMemoryMetricReader(
        preferred_temporality={Counter: delta, ObservableCounter: delta, Histogram: delta}
    )
    await measured(provider, [since_start, since_last])
    seen = [sum(point.value for point in points(reader)[CALLS]) for reader in (since_start, since_last)]
    await litellm.acompletion(**chat(provider))
    later = [sum(point.value for point in points(reader)[CALLS]) for reader in (since_last, since_start)]

    assert ([3, 3], [1, 4]) == (seen, later)


async def test_resource_is_the_programs(provider: Provider) -> None:
    """Metrics carry the program's resource and nothing of ours in it."""
    reader, resource = InMemoryMetricReader(), Resource({"service.name": "shop"})
    metrics = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
    litespan.instrument(tracer_provider=Capture().tracer_provider, meter_provider=metrics)
    await litellm.acompletion(**chat(provider))

    data = reader.get_metrics_data()
    assert data is not None
    assert [resource] == [found.resource for found in data.resource_metrics]


class Gauges(SpanProcessor):
    """Makes an instrument at the first end of a span, as a processor that counts them may do."""

    def __init__(self, metrics: MeterProvider) -> None:
        self.ended: list[str] = []
        self._metrics = metrics

    def on_end(self, span: ReadableSpan) -> None:
        """Make it, and note the span."""
        self._metrics.get_meter("app").create_observable_gauge(f"last.{len(self.ended)}", [lambda _: []])
        self.ended.append(span.name)


@pytest.mark.timeout(30)
def test_a_collection_ends_nothing_under_its_locks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is overdue is closed soon after it, where processors may do what they like; no reader hangs."""
    monkeypatch.setattr("litespan.recorder.GRACE", 0.0)
    reader = InMemoryMetricReader()
    metrics = MeterProvider([reader], shutdown_on_exit=False)
    gauges, traces = Gauges(metrics), TracerProvider(shutdown_on_exit=False)
    traces.add_span_processor(gauges)
    litespan.instrument(tracer_provider=traces, meter_provider=metrics)
    with trace("W"):
        custom_span("left open").start()
    collecting = threading.Thread(target=reader.get_metrics_data, daemon=True)
    collecting.start()
    collecting.join(10)

    assert not collecting.is_alive()
    wait_until(lambda: ["custom left open", "invoke_workflow W"] == gauges.ended, 10)


async def test_instrumenting_again_goes_on_counting(provider: Provider) -> None:
    """Put in again, litespan counts on from where it was; what happened between is not counted."""
    capture = Capture()
    for instrumented in (True, False, True):
        if instrumented:
            litespan.instrument(
                tracer_provider=capture.tracer_provider, meter_provider=capture.meter_provider
            )
        await litellm.acompletion(**chat(provider))
        litespan.uninstrument()

    assert (2, 2) == (capture.total(CALLS), capture.count(DURATION))
