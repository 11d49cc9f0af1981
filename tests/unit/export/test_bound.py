"""Bound histograms hold what the public API of OpenTelemetry would have put there."""

from __future__ import annotations

import inspect
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from opentelemetry.metrics import Histogram, NoOpMeterProvider, Observation
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
from opentelemetry.trace import INVALID_SPAN_CONTEXT, SpanContext, get_current_span

from litespan import guard
from litespan.emit.histograms import CappedHistogram, Taken
from litespan.export import tried
from litespan.export.bound import Series, bind, tells_collections
from litespan.export.exemplar_context import in_context
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


def publicly(histogram: Histogram, attributes: Mapping[str, Any]) -> Series:
    """Return the histogram's own way to record."""

    def record(amounts: Sequence[float], _: Sequence[int], spans: Sequence[SpanContext]) -> None:
        for amount, span in zip(amounts, spans, strict=True):
            histogram.record(amount, attributes, in_context(span))

    return record


def once(record: Series, amount: float = 1, span: SpanContext = INVALID_SPAN_CONTEXT) -> None:
    """Record one amount."""
    record([amount], [time.time_ns()], [span])


def spans() -> list[SpanContext]:
    """Return no span, a sampled one, and one that is not."""
    tracers = [
        TracerProvider(sampler=sampler, id_generator=Ids()).get_tracer("test")
        for sampler in (ALWAYS_ON, ALWAYS_OFF)
    ]
    return [INVALID_SPAN_CONTEXT, *(tracer.start_span("s").get_span_context() for tracer in tracers)]


def recorded(make: Callable[[], MeterProvider], way: Callable[..., Series], parts: int) -> list[Any]:
    """Record in and outside of spans, in parts, twice with a look in between; return all looks."""
    provider = make()
    histogram = provider.get_meter("test").create_histogram("h", explicit_bucket_boundaries_advisory=(1, 10))
    record = way(histogram, ATTRIBUTES)
    measured = [(amount, 1_000 + n, span) for n, amount in enumerate(2 * AMOUNTS) for span in spans()]
    looks = []
    for _ in range(2):
        for first in range(0, len(measured), parts):
            record(*zip(*measured[first : first + parts], strict=True))
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
@pytest.mark.parametrize("parts", [1, 7, 1000])
@pytest.mark.parametrize("make", PROVIDERS.values(), ids=PROVIDERS)
def test_readers_are_told_the_same(make: Callable[[], MeterProvider], parts: int) -> None:
    """Views, aggregations, exemplars and both temporalities come out as with the public API."""
    assert recorded(make, publicly, 1) == recorded(make, bind, parts)


@tried_version
@pytest.mark.parametrize("way", [publicly, bind])
def test_sets_beyond_the_limit_of_the_sdk(way: Callable[..., Series]) -> None:
    """From 1.45.2 on a view may allow few sets; what is beyond them is told as one, by the fast way, too."""
    has_limit = "aggregation_cardinality_limit" in inspect.signature(View).parameters
    limit: dict[str, Any] = {"aggregation_cardinality_limit": 1} if has_limit else {}
    provider = views(View(instrument_name="h", **limit))()
    histogram = provider.get_meter("test").create_histogram("h")
    for attributes in ({"n": 1}, {"n": 2}, {"n": 3}):
        record = way(histogram, attributes)
        once(record)
        once(record)
    counts = [(attributes, count) for _, attributes, count, *_ in told(provider)[0]]

    beyond = [({"otel.metric.overflow": True}, 4)] if has_limit else [({"n": 2}, 2), ({"n": 3}, 2)]
    assert [({"n": 1}, 2), *beyond] == counts


@tried_version
def test_exemplars_have_the_time_of_their_measurement() -> None:
    """However late it is recorded, the first of a series or a later one."""
    provider = views(exemplar_filter=AlwaysOnExemplarFilter())()
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES)
    for time_ns in (5, 7):
        record([1.0], [time_ns], [INVALID_SPAN_CONTEXT])
        data = readers(provider)[0].get_metrics_data()
        [point] = data.resource_metrics[0].scope_metrics[0].metrics[0].data.data_points
        assert [time_ns] == [exemplar.time_unix_nano for exemplar in point.exemplars]


def windows(provider: MeterProvider) -> list[list[tuple[int, int]]]:
    """Let each reader look; return the beginnings and ends of the points that it is told."""
    return [
        [
            (point.start_time_unix_nano, point.time_unix_nano)
            for metrics in data.resource_metrics
            for metric in metrics.scope_metrics[0].metrics
            for point in metric.data.data_points
        ]
        for data in (reader.get_metrics_data() for reader in readers(provider))
    ]


@tried_version
@pytest.mark.parametrize("make", [PROVIDERS["plain"], PROVIDERS["exponential"]])
def test_series_begin_with_their_first_measurement(make: Callable[[], MeterProvider]) -> None:
    """However late that is recorded; what changed since the last look begins with that look from then on."""
    provider = make()
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES)
    first = time.time_ns() - 10**9
    record([1.0, 2.0], [first + 1, first], [INVALID_SPAN_CONTEXT] * 2)
    [[(_, _)], [(_, looked)]] = looks = windows(provider)
    assert [[first], [first]] == [[begin for begin, _ in points] for points in looks]

    once(record)
    assert [first, looked] == [points[0][0] for points in windows(provider)]


@tried_version
def test_no_series_begins_before_the_last_look_at_others() -> None:
    """A measurement that was taken while a reader looked belongs to the time after that look."""
    provider = views()()
    histogram = provider.get_meter("test").create_histogram("h")
    once(bind(histogram, ATTRIBUTES))
    [_, [(_, looked)]] = windows(provider)
    late = bind(histogram, {"late": True})
    late([1.0], [looked - 5], [INVALID_SPAN_CONTEXT])

    [since_start, [(begin, _)]] = windows(provider)
    assert (looked - 5, looked) == (since_start[1][0], begin)


class Own(AlwaysOnExemplarFilter):
    """A filter of the program's own: it may look at anything of a measurement."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, ...]] = []

    def should_sample(self, value: float, time_unix_nano: int, attributes: Any, context: Any) -> bool:
        """Note what it was asked, and fail at an amount."""
        self.asked.append((value, time_unix_nano, dict(attributes), get_current_span(context)))
        if value == 2:
            raise ZeroDivisionError
        return True


@tried_version
def test_filters_of_the_program_are_asked_for_each_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    """They see its time and span. One that fails is counted, and costs that measurement only."""
    monkeypatch.setattr(guard, "_listeners", [])
    own, span = Own(), spans()[1]
    provider = MeterProvider([InMemoryMetricReader()], exemplar_filter=own)
    before = guard.internal_errors().get("measurements", 0)
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES)
    record([1, 2, 3], [10, 20, 30], [span, span, span])

    assert [(1, 10), (2, 20), (3, 30)] == [asked[:2] for asked in own.asked]
    assert {span.span_id} == {asked[3].get_span_context().span_id for asked in own.asked}
    [[(_, _, count, *_)]] = told(provider)
    assert 2 == count
    assert before + 1 == guard.internal_errors()["measurements"]


@tried_version
def test_attributes_are_read_once() -> None:
    """After the first measurement of a series its attributes are not walked through again."""
    provider = MeterProvider([InMemoryMetricReader()])
    attributes = Watched(ATTRIBUTES)
    record = bind(provider.get_meter("test").create_histogram("h"), attributes)

    once(record)
    walks = attributes.walks
    for _ in range(10):
        once(record)

    assert walks == attributes.walks > 0
    [[(_, _, count, *_)]] = told(provider)
    assert 11 == count


@tried_version
def test_a_reader_that_comes_later_is_told() -> None:
    """A reader that is added later is told of all that is recorded from then on."""
    provider = MeterProvider([InMemoryMetricReader()])
    record = bind(provider.get_meter("test").create_histogram("h"), ATTRIBUTES)
    once(record)

    provider.add_metric_reader(InMemoryMetricReader())
    once(record)
    once(record)

    assert [3, 2] == [points[0][2] for points in told(provider)]


@tried_version
def test_a_meter_that_is_switched_off_records_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever switches it off has said so for what waits, too."""
    provider = MeterProvider([InMemoryMetricReader()])
    histogram: Any = provider.get_meter("test").create_histogram("h")
    record = bind(histogram, ATTRIBUTES)
    once(record)
    monkeypatch.setattr(histogram, "_is_enabled", lambda: False)
    once(record)

    [[(_, _, count, *_)]] = told(provider)
    assert 1 == count


def test_other_versions_keep_to_the_public_api(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a version of the SDK that was not tried nothing waits, and measurements arrive all the same."""
    monkeypatch.setattr(tried, "sdk_version", "0")
    provider = MeterProvider([InMemoryMetricReader()])
    histogram = CappedHistogram(TOOL_DURATION, provider.get_meter("test"), bind)
    for _ in range(2):
        histogram.record([0.5], Taken([0], [INVALID_SPAN_CONTEXT]), ("weather", "a", None))

    [[(name, _, count, *_)]] = told(provider)
    assert (TOOL_DURATION.name, 2) == (name, count)
    assert not tells_collections(provider)


@tried_version
def test_collections_ask_the_first_instrument_before_all_others() -> None:
    """What is recorded in the first function of an observable is told by counters and histograms alike."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    assert tells_collections(provider)
    assert not tells_collections(NoOpMeterProvider())

    meter, counted = provider.get_meter("test"), [0]

    def first(_: object) -> list[Observation]:
        counted[0] += 1
        histogram.record(1)
        return []

    meter.create_observable_gauge("first", [first])
    meter.create_observable_counter("second", [lambda _: [Observation(counted[0])]])
    histogram = meter.create_histogram("h")

    data = reader.get_metrics_data()
    assert data is not None
    points = {m.name: m.data.data_points[0] for m in data.resource_metrics[0].scope_metrics[0].metrics}
    assert (1, 1) == (points["second"].value, points["h"].count)  # type: ignore[union-attr]
