"""One attribute set of a histogram of OpenTelemetry's SDK, and the aggregations that the SDK keeps for it.

What decides about a measurement stays the SDK's: views, aggregations, the filter and the reservoirs of
exemplars, readers that come and go, meters that are switched off. Filters and reservoirs that are not the
SDK's own may look at anything, so with them each measurement goes through the public API, where it is made.

This is private access; see :mod:`litespan.export.bound`, which imports this with the version that was tried.
"""
# ruff: noqa: SLF001

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial, reduce
from operator import add
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
from opentelemetry.trace import SpanContext

from litespan.export.bound import in_context
from litespan.export.measurements import Measurement, Measurements

# These look at the span of a measurement and at nothing else.
_FILTERS: Final[Mapping[type[Any], Callable[[SpanContext], bool]]] = {
    TraceBasedExemplarFilter: lambda span: span.is_valid and span.trace_flags.sampled,
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


class BoundSeries:
    """Takes measurements of one attribute set, and records them together."""

    __slots__ = ("_aggregations", "_attributes", "_consumer", "_histogram", "_keep", "_storages")

    def __init__(self, histogram: Any, attributes: Mapping[str, Any], measurements: Measurements) -> None:
        self._histogram = histogram
        self._attributes = attributes
        self._keep = measurements.keep
        self._consumer = histogram._measurement_consumer
        self._storages: Mapping[Any, Any] | None = None
        self._aggregations: tuple[Any, ...] = ()

    def take(self, amount: float, span: SpanContext) -> None:
        """Take a measurement; what the histogram's own way refuses, it refuses here."""
        # The SDK replaces the mapping when a reader comes or goes.
        if self._consumer._reader_storages is self._storages and 0 <= amount < math.inf:
            self._keep((self, amount, time.time_ns(), span))
        else:
            self._record_and_bind(amount, span)

    def record_all(self, measurements: list[Measurement]) -> None:
        """Record measurements that were taken before, the oldest first."""
        consumer = self._consumer
        # Where the meter was switched off, the public API takes nothing.
        if consumer._reader_storages is not self._storages or not self._histogram._is_enabled():
            for _, amount, _, span in measurements:
                self._record_and_bind(amount, span)
            return
        allows = _FILTERS[type(consumer._sdk_config.exemplar_filter)]
        sampled = [measurement for measurement in measurements if allows(measurement[3])]
        for aggregation in self._aggregations:
            if type(aggregation) is _ExplicitBucketHistogramAggregation and (
                type(aggregation._reservoir) is AlignedHistogramBucketExemplarReservoir
            ):
                self._fill(aggregation, measurements, sampled)
            else:
                offered = set(map(id, sampled))
                for measurement in measurements:
                    aggregation.aggregate(self._measured(measurement), id(measurement) in offered)

    def _fill(self, aggregation: Any, measurements: list[Measurement], sampled: list[Measurement]) -> None:
        """Do at once what ``aggregate`` does one by one.

        This reservoir keeps the last measurement of each bucket, so the others are not offered to it.
        """
        bucket_of = partial(bisect_left, aggregation._boundaries)
        amounts = [amount for _, amount, _, _ in measurements]
        with aggregation._lock:
            if aggregation._value is None:
                aggregation._value = aggregation._get_empty_bucket_counts()
            for bucket, count in Counter(map(bucket_of, amounts)).items():
                aggregation._value[bucket] += count
            # Not `sum`, which rounds otherwise from Python 3.12 on than one addition after the other.
            aggregation._sum = reduce(add, amounts, aggregation._sum)
            if aggregation._record_min_max:
                aggregation._min = min(aggregation._min, *amounts)
                aggregation._max = max(aggregation._max, *amounts)
        for last in {bucket_of(measurement[1]): measurement for measurement in sampled}.values():
            aggregation._sample_exemplar(self._measured(last), True)

    def _measured(self, measurement: Measurement) -> _Measured:
        _, amount, time_unix_nano, span = measurement
        return _Measured(amount, time_unix_nano, in_context(span), self._attributes)

    def _record_and_bind(self, amount: float, span: SpanContext) -> None:
        """Record through the public API, which makes the aggregations, and remember them."""
        storages = self._consumer._reader_storages
        self._histogram.record(amount, self._attributes, in_context(span))
        if type(self._consumer._sdk_config.exemplar_filter) not in _FILTERS:
            return
        found = self._found_in(storages)
        if all(found) and all(type(aggregation._reservoir) in _RESERVOIRS for aggregation in found):
            self._aggregations = tuple(found)
            self._storages = storages  # last: other threads go by it

    def _found_in(self, storages: Mapping[Any, Any]) -> list[Any]:
        """Return the aggregation of each view of each reader; ``None`` where the SDK has made none yet."""
        found = []
        for storage in storages.values():
            for match in storage._get_or_init_view_instrument_match(self._histogram):
                keys = match._view._attribute_keys
                kept = {k: v for k, v in self._attributes.items() if keys is None or k in keys}
                found.append(match._attributes_aggregation.get(_hash_attributes(kept)))
        return found
