"""Histograms of OpenTelemetry's SDK that find the place of an attribute set once, not at every measurement.

At every ``record`` the SDK checks, copies, sorts and hashes the attributes, only to find the aggregations
that it made for them the first time. That is most of what a measurement costs, and the aggregations stay the
same as long as the readers do.

The way there is private access (:mod:`litespan.export.tried`). Under other versions, and where an
instrument is not the SDK's own, measurements go through the public API. It can go when OpenTelemetry has
bound instruments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from opentelemetry.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.trace import SpanContext

from litespan.export.exemplar_context import in_context
from litespan.export.tried import is_tried

if is_tried():
    # Not as late as at the first measurement, which may be recorded at exit: named tuples are made of source
    # text, and after Python has evaluated some, an interrupted program ends with code 1, not by the signal.
    from opentelemetry.sdk.metrics._internal.instrument import _Histogram

    from litespan.export.bound_series import BoundSeries

# Records amounts, the oldest first; behind them, for each: when it was measured (nanoseconds since the Unix
# epoch), and in which span.
Series = Callable[[Sequence[float], Sequence[int], Sequence[SpanContext]], None]


def tells_collections(meter_provider: MeterProvider) -> bool:
    """Say whether its readers ask observable instruments before they look at histograms.

    They ask in the order in which the instruments were made.
    """
    return isinstance(meter_provider, SdkMeterProvider) and is_tried()


def bind(histogram: Histogram, attributes: Mapping[str, Any]) -> Series:
    """Return what records measurements of a histogram with these attributes, which must not change."""
    if not is_tried() or type(histogram) is not _Histogram:
        return _publicly(histogram, attributes)
    return BoundSeries(histogram, attributes).record


def _publicly(histogram: Histogram, attributes: Mapping[str, Any]) -> Series:
    def record(amounts: Sequence[float], _: Sequence[int], spans: Sequence[SpanContext]) -> None:
        for amount, span in zip(amounts, spans, strict=True):
            histogram.record(amount, attributes, in_context(span))

    return record
