"""One attribute set of a histogram of OpenTelemetry's SDK, and the aggregations that the SDK keeps for it.

What decides about a measurement stays the SDK's: views, aggregations, the filter and the reservoirs of
exemplars, readers that come and go, meters that are switched off. Filters and reservoirs that are not the
SDK's own may look at anything of a measurement, so with them each one takes the SDK's own way.

This is private access; see :mod:`litespan.export.bound`, which imports this with the version that was tried.
"""
# ruff: noqa: SLF001

from __future__ import annotations

import math
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial, reduce
from operator import add, and_, attrgetter
from typing import Any, Final, NamedTuple

from opentelemetry.context import Context
from opentelemetry.sdk.metrics import (
    AlignedHistogramBucketExemplarReservoir,
    AlwaysOffExemplarFilter,
    AlwaysOnExemplarFilter,
    SimpleFixedSizeExemplarReservoir,
    TraceBasedExemplarFilter,
)
from opentelemetry.sdk.metrics._internal._view_instrument_match import _hash_attributes
from opentelemetry.sdk.metrics._internal.aggregation import _ExplicitBucketHistogramAggregation
from opentelemetry.sdk.metrics._internal.measurement import Measurement as SdkMeasurement
from opentelemetry.trace import SpanContext, TraceFlags

from litespan.export.exemplar_context import in_context
from litespan.guard import guard

_flags: Final = attrgetter("trace_flags")
_sampled: Final = partial(and_, TraceFlags.SAMPLED)


def _is_sampled(span: SpanContext) -> bool:
    return span.is_valid and span.trace_flags.sampled


# These look at the span of a measurement and at nothing else.
_FILTERS: Final[Mapping[type[Any], Callable[[SpanContext], bool]]] = {
    TraceBasedExemplarFilter: _is_sampled,
    AlwaysOnExemplarFilter: lambda _: True,
    AlwaysOffExemplarFilter: lambda _: False,
}
_RESERVOIRS: Final = frozenset({AlignedHistogramBucketExemplarReservoir, SimpleFixedSizeExemplarReservoir})


class _Measured(NamedTuple):
    """What the SDK's aggregations and reservoirs read of a measurement."""

    value: float
    time_unix_nano: int
    context: Context
    attributes: Mapping[str, Any]


class _Place(NamedTuple):
    """Where the SDK keeps an aggregation: among those of a view for one reader, under a key."""

    match: Any
    key: Any

    @property
    def series(self) -> Mapping[Any, Any]:
        """Return the aggregations of the view for the reader, the oldest first."""
        series: Mapping[Any, Any] = self.match._attributes_aggregation
        return series

    @property
    def is_kept(self) -> bool:
        """Say whether its aggregation stays, which for readers of changes it does not from 1.45.2 on."""
        return not getattr(self.match, "_reset_on_collect", False)

    @property
    def last_look(self) -> int | None:
        """Return when a reader of changes last looked (nanoseconds since the Unix epoch)."""
        if not self.is_kept:
            last: int | None = self.match._previous_collection_start_nanos
            return last
        oldest = next(iter(self.series.values()))
        looked: int = oldest._previous_collection_start_nano
        return looked if looked != oldest._start_time_unix_nano else None


class BoundSeries:
    """Records measurements of one attribute set."""

    __slots__ = ("_aggregations", "_attributes", "_consumer", "_histogram", "_storages")

    def __init__(self, histogram: Any, attributes: Mapping[str, Any]) -> None:
        self._histogram = histogram
        self._attributes = attributes
        self._consumer = histogram._measurement_consumer
        self._storages: Mapping[Any, Any] | None = None
        self._aggregations: tuple[Any, ...] = ()

    def record(self, amounts: Sequence[float], times: Sequence[int], spans: Sequence[SpanContext]) -> None:
        """Record amounts, the oldest first. What the histogram's own way refuses is refused here."""
        if not self._histogram._is_enabled():
            return
        # The SDK replaces the mapping when a reader comes or goes.
        if self._consumer._reader_storages is self._storages and _are_usual(amounts):
            self._add(amounts, times, spans)
            return
        storages = self._consumer._reader_storages
        places = self._places(storages)
        new = [place for place in places if place.key not in place.series]
        for amount, time_unix_nano, span in zip(amounts, times, spans, strict=True):
            with guard("measurements"):  # filters and reservoirs of the program's own may fail
                self._record_one(amount, time_unix_nano, span)
        for place in new:
            _begin(place, min(times))
        self._bind(storages, places)

    def _add(self, amounts: Sequence[float], times: Sequence[int], spans: Sequence[SpanContext]) -> None:
        allows = _FILTERS[type(self._consumer._sdk_config.exemplar_filter)]
        for aggregation in self._aggregations:
            if type(aggregation) is _ExplicitBucketHistogramAggregation and (
                type(aggregation._reservoir) is AlignedHistogramBucketExemplarReservoir
            ):
                buckets = list(map(partial(bisect_left, aggregation._boundaries), amounts))
                _fill(aggregation, amounts, Counter(buckets))
                for place in _last_of_each(buckets, spans, allows):
                    last: Any = self._measured(amounts[place], times[place], spans[place])
                    aggregation._sample_exemplar(last, True)
            else:
                for amount, time_unix_nano, span in zip(amounts, times, spans, strict=True):
                    aggregation.aggregate(self._measured(amount, time_unix_nano, span), allows(span))

    def _measured(self, amount: float, time_unix_nano: int, span: SpanContext) -> _Measured:
        return _Measured(amount, time_unix_nano, in_context(span), self._attributes)

    def _record_one(self, amount: float, time_unix_nano: int, span: SpanContext) -> None:
        """Record as ``histogram.record`` does, which makes the aggregations."""
        if not 0 <= amount < math.inf:
            self._histogram.record(amount, self._attributes)  # it says why it takes none of them
            return
        self._consumer.consume_measurement(
            SdkMeasurement(amount, time_unix_nano, self._histogram, in_context(span), self._attributes)
        )

    def _bind(self, storages: Mapping[Any, Any], places: Sequence[_Place]) -> None:
        """Remember the aggregations, if all stay and nothing of the program's own decides in them."""
        if type(self._consumer._sdk_config.exemplar_filter) not in _FILTERS:
            return
        if not all(place.is_kept for place in places):
            return
        found: list[Any] = [place.series.get(place.key) for place in places]
        if all(found) and all(type(aggregation._reservoir) in _RESERVOIRS for aggregation in found):
            self._aggregations = tuple(found)
            self._storages = storages  # last: other threads go by it

    def _places(self, storages: Mapping[Any, Any]) -> list[_Place]:
        """Return where each view of each reader keeps the aggregation, if the SDK has made it."""
        places = []
        for storage in storages.values():
            for match in storage._get_or_init_view_instrument_match(self._histogram):
                keys = match._view._attribute_keys
                kept = {k: v for k, v in self._attributes.items() if keys is None or k in keys}
                places.append(_Place(match, _hash_attributes(kept)))
        return places


def _begin(place: _Place, first_ns: int) -> None:
    """Let a new aggregation begin with its first measurement, which may have waited for long.

    The SDK lets it begin when it is made. Not before its reader has last looked at others of the histogram.
    """
    aggregation: Any = place.series.get(place.key)
    if not hasattr(aggregation, "_start_time_unix_nano"):
        return
    first_ns = max(first_ns, place.last_look or 0)
    with aggregation._lock:
        start = aggregation._start_time_unix_nano
        if aggregation._previous_collection_start_nano == start:  # nobody has looked at it
            aggregation._start_time_unix_nano = min(first_ns, start)
            aggregation._previous_collection_start_nano = min(first_ns, start)


def _are_usual(amounts: Sequence[float]) -> bool:
    """Say whether the SDK takes amounts: finite ones that are not negative."""
    return min(amounts) >= 0 and math.isfinite(sum(amounts))


def _fill(aggregation: Any, amounts: Sequence[float], buckets: Mapping[int, int]) -> None:
    """Do at once what ``aggregate`` does one by one."""
    with aggregation._lock:
        if aggregation._value is None:
            aggregation._value = aggregation._get_empty_bucket_counts()
        for bucket, count in buckets.items():
            aggregation._value[bucket] += count
        # Not `sum`, which rounds otherwise from Python 3.12 on than one addition after the other.
        aggregation._sum = reduce(add, amounts, aggregation._sum)
        if aggregation._record_min_max:
            aggregation._min = min(aggregation._min, *amounts)
            aggregation._max = max(aggregation._max, *amounts)


def _last_of_each(
    buckets: Sequence[int], spans: Sequence[SpanContext], allows: Callable[[SpanContext], bool]
) -> Iterable[int]:
    """Return the places of the last measurement of each bucket: of those offered, the reservoir keeps it."""
    if allows is _is_sampled and not any(map(_sampled, map(_flags, spans))):
        return ()  # told without a line of Python for each: so it is where the program's sampler drops all
    last: dict[int, int] = {}
    missing = set(buckets)
    for place in range(len(buckets) - 1, -1, -1):
        bucket = buckets[place]
        if bucket in missing and allows(spans[place]):
            last[bucket] = place
            missing.remove(bucket)
            if not missing:
                break
    return last.values()
