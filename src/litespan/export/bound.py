"""Histograms of OpenTelemetry's SDK that find the place of an attribute set once, not at every measurement.

At every ``record`` the SDK checks, copies, sorts and hashes the attributes, only to find the aggregations
that it made for them the first time. That is most of what a measurement costs, and the aggregations stay the
same as long as the readers do.

The way there is private access, tried with one version of opentelemetry-sdk. Under others, and where an
instrument is not the SDK's own, measurements go through the public API. It can go when OpenTelemetry has
bound instruments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context import Context
from opentelemetry.metrics import Histogram
from opentelemetry.sdk.version import __version__ as sdk_version
from opentelemetry.trace import NonRecordingSpan, SpanContext, set_span_in_context

from litespan.export.measurements import Measurements

TRIED: Final = "1.45.1"

# Takes an amount that was measured in a span.
Take = Callable[[float, SpanContext], None]


def in_context(span: SpanContext) -> Context:
    """Return a context with a span and nothing else: exemplars want its ids, and keep nothing of it alive."""
    return set_span_in_context(NonRecordingSpan(span), Context()) if span.is_valid else Context()


def bind(histogram: Histogram, attributes: Mapping[str, Any], measurements: Measurements) -> Take:
    """Return what takes measurements of a histogram with these attributes, which must not change.

    They are recorded when ``measurements`` are, or at once where nothing is known of the histogram but its
    public API.
    """
    if sdk_version != TRIED:
        return _publicly(histogram, attributes)
    from opentelemetry.sdk.metrics._internal.instrument import _Histogram

    from litespan.export.bound_series import BoundSeries

    if type(histogram) is not _Histogram:
        return _publicly(histogram, attributes)
    return BoundSeries(histogram, attributes, measurements).take


def _publicly(histogram: Histogram, attributes: Mapping[str, Any]) -> Take:
    return lambda amount, span: histogram.record(amount, attributes, in_context(span))
