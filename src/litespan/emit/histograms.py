"""Histograms of OpenTelemetry with a bounded number of attribute sets, each built once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.metrics import Histogram, Meter
from opentelemetry.trace import SpanContext

from litespan.emit.cardinality import SetLimit, Values, attributes_of
from litespan.records import Standing
from litespan.semconv import Metric

# Records amounts, the oldest first, under attributes that are known already; behind them, for each: when it
# was measured (nanoseconds since the Unix epoch), and in which span.
Series = Callable[[Sequence[float], Sequence[int], Sequence[SpanContext]], None]
# Returns what records measurements of a histogram with these attributes, which must not change.
Bind = Callable[[Histogram, Mapping[str, Any]], Series]


class Taken(NamedTuple):
    """When and where amounts were measured, in their order: nanoseconds since the Unix epoch, and spans."""

    times: Sequence[int]
    spans: Sequence[SpanContext]


class CappedHistogram:
    """One histogram; values stand in the order of the metric's attributes."""

    def __init__(self, metric: Metric, meter: Meter, bind: Bind) -> None:
        self._metric = metric
        self._histogram = meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
        )
        self._bind = bind
        self._limit = SetLimit(metric)
        self._sets: dict[Values, Series] = {}
        self.renew_lock()

    def renew_lock(self) -> None:
        """Take a new lock: in a forked child the inherited one may be held for ever."""
        self._lock = threading.RLock()

    def record(
        self,
        amounts: Sequence[float | None],
        taken: Taken,
        values: Values,
        standing: Standing = Standing.UNKNOWN,
    ) -> None:
        """Record under these attribute values; ``None`` stands for an attribute that is not set.

        An amount of ``None`` is not known, and not recorded. Exemplars point to the spans.
        """
        if None in amounts:
            known = [place for place, amount in enumerate(amounts) if amount is not None]
            amounts = [amounts[place] for place in known]
            taken = Taken([taken.times[place] for place in known], [taken.spans[place] for place in known])
        if not amounts:
            return
        series = self._sets.get(values)
        if series is None:
            series = self._new_set(values, standing)
        series(amounts, *taken)  # type: ignore[arg-type]  # all of them are known

    def _new_set(self, values: Values, standing: Standing) -> Series:
        with self._lock:
            admitted = self._limit.admit(values, self._sets, standing)
            series = self._sets.get(admitted)
            if series is None:
                series = self._sets[admitted] = self._bind(
                    self._histogram, attributes_of(self._metric, admitted)
                )
        self._limit.tell()
        return series


class Histograms:
    """All histograms of one meter provider, made as they are needed.

    They outlive an instrumentation, as OpenTelemetry keeps the sets of its instruments.
    """

    def __init__(self, meter: Meter, bind: Bind) -> None:
        self._meter = meter
        self._bind = bind
        self._histograms: dict[Metric, CappedHistogram] = {}

    def __getitem__(self, metric: Metric) -> CappedHistogram:
        """Return the histogram of a metric."""
        if metric not in self._histograms:
            self._histograms[metric] = CappedHistogram(metric, self._meter, self._bind)
        return self._histograms[metric]

    def reset_after_fork(self) -> None:
        """Take new locks in a forked child."""
        for histogram in self._histograms.values():
            histogram.renew_lock()
