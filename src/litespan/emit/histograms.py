"""Histograms of OpenTelemetry with a bounded number of attribute sets, each built once."""

from __future__ import annotations

import threading
from typing import Any

from opentelemetry.context import Context
from opentelemetry.metrics import Meter

from litespan.emit.cardinality import SetLimit, Values, attributes_of
from litespan.records import Standing
from litespan.semconv import Metric


class CappedHistogram:
    """One histogram; values stand in the order of the metric's attributes."""

    def __init__(self, metric: Metric, meter: Meter) -> None:
        self._metric = metric
        self._record = meter.create_histogram(
            metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
        ).record
        self._limit = SetLimit(metric)
        self._sets: dict[Values, dict[str, Any]] = {}
        self.renew_lock()

    def renew_lock(self) -> None:
        """Take a new lock: in a forked child the inherited one may be held for ever."""
        self._lock = threading.RLock()

    def record(
        self,
        amount: float,
        values: Values,
        context: Context | None,
        standing: Standing = Standing.UNKNOWN,
    ) -> None:
        """Record under these attribute values; ``None`` stands for an attribute that is not set."""
        attributes = self._sets.get(values)
        self._record(amount, self._new_set(values, standing) if attributes is None else attributes, context)

    def _new_set(self, values: Values, standing: Standing) -> dict[str, Any]:
        with self._lock:
            admitted = self._limit.admit(values, self._sets, standing)
            attributes = self._sets.get(admitted)
            if attributes is None:
                attributes = self._sets[admitted] = attributes_of(self._metric, admitted)
        self._limit.tell()
        return attributes


class Histograms:
    """All histograms of one meter provider, made as they are needed.

    They outlive an instrumentation, as OpenTelemetry keeps the sets of its instruments.
    """

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._histograms: dict[Metric, CappedHistogram] = {}

    def __getitem__(self, metric: Metric) -> CappedHistogram:
        """Return the histogram of a metric."""
        if metric not in self._histograms:
            self._histograms[metric] = CappedHistogram(metric, self._meter)
        return self._histograms[metric]

    def reset_after_fork(self) -> None:
        """Take new locks in a forked child."""
        for histogram in self._histograms.values():
            histogram.renew_lock()
