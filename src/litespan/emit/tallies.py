"""Counters that litespan sums itself and OpenTelemetry reads when metrics are collected.

A synchronous counter costs the host about as much as a histogram at every call, and a call has more than ten;
a tally costs a dictionary update. What it gives up are exemplars on counters; the histograms have them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from litespan import semconv
from litespan.emit.cardinality import SetLimit, Values, attributes_of
from litespan.records import Standing
from litespan.semconv import Metric

COUNTED: Final = (
    semconv.INPUT_TOKENS,
    semconv.OUTPUT_TOKENS,
    semconv.CACHE_READ_TOKENS,
    semconv.CACHE_WRITE_TOKENS,
    semconv.REASONING_TOKENS,
    semconv.COST,
    semconv.CACHE_SAVINGS,
    semconv.CALLS,
    semconv.CALL_ATTEMPTS,
    semconv.CALLS_USAGE_MISSING,
    semconv.CALLS_UNPRICED,
    semconv.CALLS_ACTIVE,
    semconv.RUNS,
    semconv.HANDOFFS,
    semconv.GUARDRAILS,
)


class Tally:
    """Sums of one metric by attribute values; the values stand in the order of the metric's attributes."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric
        self.reset()

    def renew_lock(self) -> None:
        """Take a new lock: in a forked child the inherited one may be held for ever."""
        # Re-entrant: the garbage collector may end a stream, and so a call, in the middle of an addition.
        self._lock = threading.RLock()

    def reset(self) -> None:
        """Start from zero, with a new lock."""
        self.renew_lock()
        self._limit = SetLimit(self._metric)
        self._sums: dict[Values, float] = {}

    def add(self, amount: float, values: Values, standing: Standing = Standing.UNKNOWN) -> Values:
        """Add to the sum of these attribute values; ``None`` stands for an attribute that is not set.

        Returns the values under which it was added, which differ where the metric has too many sets.
        """
        with self._lock:
            # No call between reading and writing: a finalizer that adds as well could run there.
            if values in self._sums:
                self._sums[values] += amount
                return values
            values = self._limit.admit(values, self._sums, standing)
            self._sums.setdefault(values, 0)
            self._sums[values] += amount
        self._limit.tell()
        return values

    def observe(self, _: CallbackOptions) -> Iterable[Observation]:
        """Return the sums to OpenTelemetry."""
        with self._lock:
            sums = list(self._sums.items())
        return [Observation(amount, attributes_of(self._metric, values)) for values, amount in sums]


class Tallies:
    """All counters of one meter provider. They outlive an instrumentation, as counters must not go back."""

    def __init__(self, meter: Meter) -> None:
        self._tallies: Mapping[Metric, Tally] = {metric: Tally(metric) for metric in COUNTED}
        for metric, tally in self._tallies.items():
            create = (
                meter.create_observable_counter
                if metric.kind == "counter"
                else meter.create_observable_up_down_counter
            )
            create(metric.name, [tally.observe], metric.unit, metric.description)

    def __getitem__(self, metric: Metric) -> Tally:
        """Return the tally of a metric."""
        return self._tallies[metric]

    def reset_after_fork(self, *, from_zero: bool) -> None:
        """Start from zero in a forked child; the parent reports its own sums.

        Not ``from_zero``: readers that saw the sums would take it for counters that go back, so these go on.
        """
        for metric, tally in self._tallies.items():
            if from_zero or metric.kind != "counter":
                tally.reset()
            else:
                tally.renew_lock()
