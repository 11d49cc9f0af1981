"""Bound histograms hold what the public API of OpenTelemetry would have put there."""

from __future__ import annotations

import math
import weakref
from collections.abc import Callable, Iterator, Mapping
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
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import set_span_in_context

from litespan.emit.histograms import CappedHistogram
from litespan.export import bound
from litespan.export.bound import bind
from litespan.semconv import TOOL_DURATION

tried_version = pytest.mark.skipif(
    sdk_version != bound.TRIED, reason="other versions of the SDK keep to the public API"
)

AMOUNTS = (0.01, 0.5, 7.0, 7.0, -1.0, math.nan, math.inf, 0, 1000.0)
ATTRIBUTES = {"gen_ai.tool.name": "weather", "gen_ai.agent.name": "a", "retry": True}

Record = Callable[..., None]


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


def publicly(histogram: Histogram, attributes: Mapping[str, Any]) -> Record:
    """Return the histogram's own way to record."""
    return lambda amount, *, context: histogram.record(amount, attributes, context)


def recorded(make: Callable[[], MeterProvider], way: Callable[..., Any]) -> list[Any]:
    """Record the amounts inside and outside of spans, twice with a look in between; return all looks."""
    provider = make()
    histogram = provider.get_meter("test").create_histogram("h", explicit_bucket_boundaries_advisory=(1, 10))
    record = way(histogram, ATTRIBUTES)
    contexts = [None]
    for sampler in (ALWAYS_ON, ALWAYS_OFF):
        tracer = TracerProvider(sampler=sampler, id_generator=Ids()).get_tracer("test")
        contexts.append(set_span_in_context(tracer.start_span("s")))  # type: ignore[arg-type]
    looks = []
    for _ in range(2):
        for amount in AMOUNTS:
            for context in contexts:
                record(amount, context=context)
                record(amount, context=context)
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


@tried_version
def test_attributes_are_read_once() -> None:
    """After the first measurement of a series its attributes are not walked through again."""
    provider = MeterProvider([InMemoryMetricReader()])
    attributes = Watched(ATTRIBUTES)
    record = bind(provider.get_meter("test").create_histogram("h"), attributes)
    assert record is not None

    record(1, context=None)
    walks = attributes.walks
    for _ in range(10):
        record(1, context=None)

    assert walks == attributes.walks > 0
    [[(_, _, count, *_)]] = told(provider)
    assert 11 == count


@tried_version
def test_contexts_are_not_kept() -> None:
    """A context, and so its span, is let go of after the measurements that were made in it."""
    record = bind(MeterProvider([InMemoryMetricReader()]).get_meter("test").create_histogram("h"), ATTRIBUTES)
    assert record is not None
    context = set_span_in_context(TracerProvider().get_tracer("test").start_span("s"))
    for _ in range(3):
        record(1, context=context)

    kept = weakref.ref(context)
    del context

    assert kept() is None


@tried_version
def test_a_reader_that_comes_later_is_told() -> None:
    """A reader that is added later is told of all that is recorded from then on."""
    provider = MeterProvider([InMemoryMetricReader()])
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES)
    assert record is not None
    record(1, context=None)

    provider.add_metric_reader(InMemoryMetricReader())
    record(1, context=None)
    record(1, context=None)

    assert [3, 2] == [points[0][2] for points in told(provider)]


def test_other_versions_keep_to_the_public_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a version of the SDK that was not tried nothing is bound, and measurements arrive all the same."""
    monkeypatch.setattr(bound, "TRIED", "9.9.9")
    provider = MeterProvider([InMemoryMetricReader()])
    meter = provider.get_meter("test")

    assert bind(meter.create_histogram("h"), ATTRIBUTES) is None
    histogram = CappedHistogram(TOOL_DURATION, meter, bind)
    histogram.record(0.5, ("weather", "a", None), None)
    [[(name, _, count, *_)]] = told(provider)
    assert (TOOL_DURATION.name, 1) == (name, count)


def test_the_version_that_is_pinned_was_tried() -> None:
    """The version that development is pinned to is the one that has the fast way."""
    pins = (Path(__file__).parents[3] / "constraints.txt").read_text(encoding="utf-8")

    assert f"opentelemetry-sdk=={bound.TRIED}\n" in pins
