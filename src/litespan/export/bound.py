"""Histograms of OpenTelemetry's SDK that find the place of an attribute set once, not at every measurement.

At every ``record`` the SDK checks, copies, sorts and hashes the attributes, only to find the aggregations
that it made for them the first time. That is most of what a measurement costs, and the aggregations stay the
same as long as the readers do. What decides about a measurement stays the SDK's: views, aggregations, the
filter and the reservoirs of exemplars, readers that come and go, meters that are switched off.

This is private access, tried with opentelemetry-sdk 1.45.1. Under other versions, and where an instrument is
not the SDK's own, measurements go through the public API. It can go when OpenTelemetry has bound instruments.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, NamedTuple, Protocol

from opentelemetry.context import Context, get_current
from opentelemetry.metrics import Histogram
from opentelemetry.sdk.metrics import TraceBasedExemplarFilter
from opentelemetry.sdk.version import __version__ as sdk_version

TRIED: Final = "1.45.1"


class Series(Protocol):
    """Records measurements of one attribute set."""

    def __call__(self, amount: float, *, context: Context | None) -> None:
        """Record a measurement; exemplars point to the span in ``context``."""
        ...


class _Measured(NamedTuple):
    """What the SDK's aggregations and reservoirs read of a measurement."""

    value: float
    time_unix_nano: int
    context: Context
    attributes: Mapping[str, Any]


# A named tuple's own constructor is a function of Python around this one.
_measured: Final[Callable[[tuple[Any, ...]], _Measured]] = partial(tuple.__new__, _Measured)


class _TraceBased:
    """The SDK's usual filter of exemplars, asked once for a context: a call ends with four measurements.

    It goes by the span in the context and by nothing else, and neither changes. The context is not kept.
    """

    __slots__ = ("_answers", "_last")

    def __init__(self) -> None:
        self._answers = TraceBasedExemplarFilter().should_sample
        self._last: tuple[Callable[[], Context | None], bool] = (lambda: None, False)

    def allows(self, measured: _Measured) -> bool:
        """Say whether a measurement may become an exemplar."""
        context = measured.context
        of, allowed = self._last  # one tuple: other threads replace it whole
        if of() is context:
            return allowed
        allowed = self._answers(measured.value, measured.time_unix_nano, measured.attributes, context)
        self._last = (weakref.ref(context), allowed)
        return allowed


_trace_based: Final = _TraceBased()


class _BoundSeries:
    """One attribute set of one of the SDK's histograms, and the aggregations that the SDK keeps for it."""

    __slots__ = ("_aggregations", "_attributes", "_consumer", "_hash", "_histogram", "_storages")

    def __init__(
        self, histogram: Any, attributes: Mapping[str, Any], hash_of: Callable[[Mapping[str, Any]], Any]
    ) -> None:
        self._histogram = histogram
        self._attributes = attributes
        self._hash = hash_of
        self._consumer = histogram._measurement_consumer  # noqa: SLF001 - see the module's text
        self._storages: Mapping[Any, Any] | None = None
        self._aggregations: tuple[Callable[[_Measured, bool], None], ...] = ()

    def __call__(self, amount: float, *, context: Context | None) -> None:
        """Record a measurement."""
        consumer, attributes = self._consumer, self._attributes
        # The SDK replaces the mapping when a reader comes or goes.
        if (
            consumer._reader_storages is not self._storages  # noqa: SLF001
            or not 0 <= amount < math.inf
            or not self._histogram._is_enabled()  # noqa: SLF001
        ):
            self._record_and_bind(amount, context)
            return
        measured = _measured((amount, time.time_ns(), context or get_current(), attributes))
        exemplars = consumer._sdk_config.exemplar_filter  # noqa: SLF001
        sampled = (
            _trace_based.allows(measured)
            if type(exemplars) is TraceBasedExemplarFilter
            else exemplars.should_sample(amount, measured.time_unix_nano, attributes, measured.context)
        )
        for aggregate in self._aggregations:
            aggregate(measured, sampled)

    def _record_and_bind(self, amount: float, context: Context | None) -> None:
        """Record through the public API, which makes the aggregations, and remember them."""
        storages = self._consumer._reader_storages  # noqa: SLF001
        self._histogram.record(amount, self._attributes, context)
        found = tuple(self._found_in(storages))
        if None not in found:
            self._aggregations = tuple(aggregation.aggregate for aggregation in found)
            self._storages = storages  # last: other threads go by it

    def _found_in(self, storages: Mapping[Any, Any]) -> list[Any]:
        """Return the aggregation of each view of each reader; ``None`` where the SDK has made none yet."""
        found = []
        for storage in storages.values():
            for match in storage._get_or_init_view_instrument_match(self._histogram):  # noqa: SLF001
                keys = match._view._attribute_keys  # noqa: SLF001
                kept = {k: v for k, v in self._attributes.items() if keys is None or k in keys}
                found.append(match._attributes_aggregation.get(self._hash(kept)))  # noqa: SLF001
        return found


def bind(histogram: Histogram, attributes: Mapping[str, Any]) -> Series | None:
    """Return what records measurements of a histogram with these attributes, which must not change.

    ``None`` where nothing is known of the histogram but its public API.
    """
    if sdk_version != TRIED:
        return None
    from opentelemetry.sdk.metrics._internal import _view_instrument_match as matching
    from opentelemetry.sdk.metrics._internal.instrument import _Histogram

    if type(histogram) is not _Histogram:
        return None
    return _BoundSeries(histogram, attributes, matching._hash_attributes)  # noqa: SLF001
