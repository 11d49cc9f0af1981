"""Bound histograms hold what the public API of OpenTelemetry would have put there."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.metrics import Histogram
from opentelemetry.sdk.metrics import AlwaysOffExemplarFilter, AlwaysOnExemplarFilter, MeterProvider
from opentelemetry.sdk.metrics import Histogram as SdkHistogram
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    InMemoryMetricReader,
)
from opentelemetry.sdk.metrics.view import (
    DropAggregation,
    ExponentialBucketHistogramAggregation,
    View,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext

from litespan.emit.histograms import CappedHistogram
from litespan.export import bound
from litespan.export.bound import Take, bind, in_context
from litespan.export.measurements import Measurements
from litespan.semconv import TOOL_DURATION
from tests.unit.export.sdk import tried_version

AMOUNTS = (0.01, 0.5, 7.0, 7.0, -1.0, math.nan, math.inf, 0, 1000.0)
ATTRIBUTES = {"gen_ai.tool.name": "weather", "gen_ai.agent.name": "a", "retry": True}


class Watched(dict[str, Any]):
    """Attributes that count how often somebody walks through them."""

    walks = 0

    def items(self) -> Any:
        """Count, and return the items."""
        self.walks += 1
        return super().items()


def delta_reader() -> InMemoryMetricReader:
    """Return a reader that wants the change since it last looked."""
    return InMemoryMetricReader(preferred_temporality={SdkHistogram: AggregationTemporality.DELTA})


def views(*given: View, **options: Any) -> Callable[[], MeterProvider]:
    """Return what makes a meter provider with views and two readers that want different things."""
    return lambda: MeterProvider([InMemoryMetricReader(), delta_reader()], views=given, **options)


PROVIDERS = {
    "plain": views(),
    "fewer attributes": views(View(instrument_name="h", attribute_keys={"gen_ai.tool.name"})),
    "no attributes": views(View(instrument_name="h", attribute_keys=set())),
    "dropped": views(View(instrument_name="h", aggregation=DropAggregation())),
    "two views": views(
        View(instrument_name="h"), View(instrument_name="h", name="other", attribute_keys={"x"})
    ),
    "exponential": views(View(instrument_name="h", aggregation=ExponentialBucketHistogramAggregation())),
    "all exemplars": views(exemplar_filter=AlwaysOnExemplarFilter()),
    "no exemplars": views(exemplar_filter=AlwaysOffExemplarFilter()),
}


def readers(provider: MeterProvider) -> list[Any]:
    """Return the readers of a provider."""
    return list(provider._measurement_consumer._reader_storages)


def told(provider: MeterProvider) -> list[Any]:
    """Return all that the readers tell, without the times."""
    return [list(_points(reader.get_metrics_data())) for reader in readers(provider)]


def _points(data: Any) -> Iterator[tuple[Any, ...]]:
    for resource in data.resource_metrics if data else ():
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                for point in metric.data.data_points:
                    buckets = (
                        (point.bucket_counts, point.explicit_bounds)
                        if isinstance(point, HistogramDataPoint)
                        else (point.scale, point.positive, point.zero_count)
                    )
                    exemplars = [(e.value, e.span_id, e.filtered_attributes) for e in point.exemplars]
                    facts = (dict(point.attributes), point.count, point.sum, point.min, point.max)
                    yield (metric.name, *facts, buckets, exemplars)


def publicly(histogram: Histogram, attributes: Mapping[str, Any], _: Measurements) -> Take:
    """Return the histogram's own way to record."""
    return lambda amount, span: histogram.record(amount, attributes, in_context(span))


def spans() -> list[SpanContext]:
    """Return no span, a sampled one, and one that is not."""
    tracers = [
        TracerProvider(sampler=sampler, id_generator=Ids()).get_tracer("test")
        for sampler in (ALWAYS_ON, ALWAYS_OFF)
    ]
    return [INVALID_SPAN_CONTEXT, *(tracer.start_span("s").get_span_context() for tracer in tracers)]


def recorded(make: Callable[[], MeterProvider], way: Callable[..., Take]) -> list[Any]:
    """Record the amounts inside and outside of spans, twice with a look in between; return all looks."""
    provider, measurements = make(), Measurements()
    histogram = provider.get_meter("test").create_histogram("h", explicit_bucket_boundaries_advisory=(1, 10))
    record = way(histogram, ATTRIBUTES, measurements)
    looks = []
    for _ in range(2):
        for amount in AMOUNTS:
            for span in spans():
                record(amount, span)
                record(amount, span)
        measurements.record()
        looks.append(told(provider))
    return looks


class Ids(IdGenerator):
    """The same ids each time."""

    def generate_span_id(self) -> int:
        """Return a span id."""
        return 7

    def generate_trace_id(self) -> int:
        """Return a trace id."""
        return 9

    def is_trace_id_random(self) -> bool:
        """Say that they are none of chance."""
        return False


@tried_version
@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
def test_readers_are_told_the_same(make: Callable[[], MeterProvider]) -> None:
    """Views, aggregations, exemplars and both temporalities come out as with the public API."""
    assert recorded(make, publicly) == recorded(make, bind)


class Own(AlwaysOnExemplarFilter):
    """A filter of the program's own: it may look at anything."""


@tried_version
def test_filters_of_the_program_are_asked_where_the_measurement_is_made() -> None:
    """With a filter that is not the SDK's own nothing waits."""
    provider, measurements = MeterProvider([InMemoryMetricReader()], exemplar_filter=Own()), Measurements()
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES, measurements)
    for _ in range(3):
        record(1, INVALID_SPAN_CONTEXT)

    [[(_, _, count, *_)]] = told(provider)
    assert 3 == count


@tried_version
def test_attributes_are_read_once() -> None:
    """After the first measurement of a series its attributes are not walked through again."""
    provider, measurements = MeterProvider([InMemoryMetricReader()]), Measurements()
    attributes = Watched(ATTRIBUTES)
    record = bind(provider.get_meter("test").create_histogram("h"), attributes, measurements)

    record(1, INVALID_SPAN_CONTEXT)
    walks = attributes.walks
    for _ in range(10):
        record(1, INVALID_SPAN_CONTEXT)
    measurements.record()

    assert walks == attributes.walks > 0
    [[(_, _, count, *_)]] = told(provider)
    assert 11 == count


@tried_version
def test_a_reader_that_comes_later_is_told() -> None:
    """A reader that is added later is told of all that is recorded from then on."""
    provider, measurements = MeterProvider([InMemoryMetricReader()]), Measurements()
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES, measurements)
    record(1, INVALID_SPAN_CONTEXT)

    provider.add_metric_reader(InMemoryMetricReader())
    record(1, INVALID_SPAN_CONTEXT)
    record(1, INVALID_SPAN_CONTEXT)
    measurements.record()

    assert [3, 2] == [points[0][2] for points in told(provider)]


@tried_version
def test_a_reader_that_comes_while_measurements_wait_is_told() -> None:
    """What waits is recorded for the readers that are there then, and loses nothing for the others."""
    provider, measurements = MeterProvider([InMemoryMetricReader()]), Measurements()
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES, measurements)
    for _ in range(3):
        record(1, INVALID_SPAN_CONTEXT)

    provider.add_metric_reader(InMemoryMetricReader())
    measurements.record()

    assert [3, 2] == [points[0][2] for points in told(provider)]


def test_other_versions_keep_to_the_public_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a version of the SDK that was not tried nothing waits, and measurements arrive all the same."""
    monkeypatch.setattr(bound, "TRIED", "9.9.9")
    provider = MeterProvider([InMemoryMetricReader()])
    take = partial(bind, measurements=Measurements())
    histogram = CappedHistogram(TOOL_DURATION, provider.get_meter("test"), take)
    histogram.record(0.5, ("weather", "a", None), INVALID_SPAN_CONTEXT)
    histogram.record(0.5, ("weather", "a", None), INVALID_SPAN_CONTEXT)

    [[(name, _, count, *_)]] = told(provider)
    assert (TOOL_DURATION.name, 2) == (name, count)


def test_the_version_that_is_pinned_was_tried() -> None:
    """The version that development is pinned to is the one that has the fast way."""
    pins = (Path(__file__).parents[3] / "constraints.txt").read_text(encoding="utf-8")

    assert f"opentelemetry-sdk=={bound.TRIED}\n" in pins
